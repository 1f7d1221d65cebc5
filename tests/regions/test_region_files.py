import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forequake.errors import RegionError
from forequake.regions import QuadtreeRegion, Region, named_region, region_from_file


def _write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "region.txt"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    "heading", ["", "\ufeff", "# lon lat\n", "lon lat\n", "lon1, lat1\n", "x (deg) y (deg)\n"]
)
def test_corners_are_read_in_the_order_of_the_file(tmp_path: Path, heading: str) -> None:
    region = region_from_file(_write(tmp_path, heading + "1 0\n0 0\n0 1\n"))
    assert region.origins.tolist() == [[1, 0], [0, 0], [0, 1]]
    assert region.cell_size == 1


def test_commas_separate_as_well_as_blanks(tmp_path: Path) -> None:
    region = region_from_file(_write(tmp_path, "0.1,5\n0.2,5\n\n0.3, 5.1\n"))
    assert len(region) == 3
    assert region.cell_size == pytest.approx(0.1, abs=1e-12)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0 0\n1 zero\n", "region.txt:2: expected a longitude and a latitude, got '1 zero'"),
        ("0 0\n1 2 3\n", "region.txt:2"),
        ("0 0\n", "two cells or more"),
        ("", "two cells or more"),
        ("0 0\n1 0\n1 0\n", "1 cells are given twice"),
        ("0 0\n0 0\n", "1 cells are given twice"),
        ("0 0\n1 0\n2 0\n3.4 0\n", "does not lie on a grid of 1 degrees"),
        ("0 0\n1 95\n", "not on Earth"),
        ("0 0\n0.001 0\n300 80\n", "too small for corners that lie so far apart"),
    ],
)
def test_a_bad_file_is_refused_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(RegionError, match=words):
        region_from_file(_write(tmp_path, text))


def test_an_unknown_name_gets_the_nearest_one() -> None:
    with pytest.raises(RegionError, match="did you mean 'california_relm_region'"):
        named_region("california_relm_regoin")


def test_rounding_makes_no_other_region_but_a_shift_does() -> None:
    origins = np.array([[0.1, 0.2], [0.2, 0.2]])
    one = Region("one", origins, 0.1)
    rounded = Region("other name", origins + 1.4e-14, 0.1 + 1e-15)
    shifted = Region("one", origins + 0.05, 0.1)
    assert one.inputs.key == rounded.inputs.key
    assert one.inputs.key != shifted.inputs.key


def test_a_region_survives_being_stored(tmp_path: Path) -> None:
    region = region_from_file(_write(tmp_path, "0.1 5\n0.2 5\n"))
    path = tmp_path / "cells.npy"
    path.write_bytes(region.to_bytes())
    with path.open("rb") as file:
        back = Region.from_file(file, name=region.name, cell_size=region.cell_size)
    assert np.array_equal(back.origins, region.origins)
    assert back.inputs.key == region.inputs.key


def test_points_on_the_lower_edges_are_inside_and_on_the_upper_ones_outside() -> None:
    region = Region("square", np.array([[0.0, 0.0]]), 1.0)
    assert region.cells_of([0, 0.999, 1, 0, -1e-9], [0, 0.999, 0, 1, 0.5]).tolist() == [0, 0, -1, -1, -1]


def test_the_lesser_of_both_steps_is_the_size_as_in_floatcsep(tmp_path: Path) -> None:
    # The steps of the latitudes are the more frequent ones: 3 degrees twice, against 1 degree once.
    assert region_from_file(_write(tmp_path, "0 0\n1 3\n0 6\n")).cell_size == 1


@pytest.mark.parametrize("latitudes", [(0, 1, 2), (5,)])
def test_one_row_or_column_has_a_size(tmp_path: Path, latitudes: tuple[int, ...]) -> None:
    lines = [f"{x} {y}\n" for y in latitudes for x in ((7,) if len(latitudes) > 1 else (7, 8))]
    assert region_from_file(_write(tmp_path, "".join(lines))).cell_size == 1


def test_quadkeys_are_read_as_pycsep_writes_them(tmp_path: Path) -> None:
    from csep.core.regions import QuadtreeGrid2D

    theirs = QuadtreeGrid2D.from_quadkeys(["0", "12", "130"])
    theirs.save_quadtree(tmp_path / "region.txt")
    region = region_from_file(tmp_path / "region.txt")
    assert isinstance(region, QuadtreeRegion)
    assert region.quadkeys == ["0", "12", "130"]
    assert region.name == "region.txt"


def _pycsep_region() -> Any:
    from csep.core.regions import CartesianGrid2D

    return CartesianGrid2D.from_origins(np.array([[1.0, 2.0], [1.5, 2.0], [1.0, 2.5]]), dh=0.5, name="mine")


def test_a_dictionary_is_read_as_pycsep_writes_it(tmp_path: Path) -> None:
    region = region_from_file(_write(tmp_path, json.dumps(_pycsep_region().to_dict())))
    assert np.array_equal(region.origins, _pycsep_region().origins())
    assert (region.cell_size, region.name) == (0.5, "region.txt")


def test_a_region_inside_a_catalog_is_read_as_pycsep_writes_it(tmp_path: Path) -> None:
    from csep.core.catalogs import CSEPCatalog

    catalog = CSEPCatalog(data=[("e", 0, 2.1, 1.1, 5.0, 5.0)], region=_pycsep_region())
    catalog.write_json(str(tmp_path / "region.txt"))
    assert region_from_file(tmp_path / "region.txt").origins.tolist() == [[1, 2], [1.5, 2], [1, 2.5]]


def test_a_quadtree_survives_being_stored(tmp_path: Path) -> None:
    region = region_from_file(_write(tmp_path, "0\n132\n1331\n"))
    path = tmp_path / "cells.npy"
    path.write_bytes(region.to_bytes())
    with path.open("rb") as file:
        back = Region.from_file(file, name=region.name, cell_size=region.cell_size)
    assert isinstance(back, QuadtreeRegion)
    assert np.array_equal(back.corners, region.corners)
    assert back.inputs.canon == region.inputs.canon
    assert back.cell_size == 360 / 2**4


def test_keys_of_squares_are_those_of_the_first_version() -> None:
    region = Region("any", np.array([[0.1, 0.2], [0.2, 0.2], [-0.0, 1 / 3]]), 0.1)
    assert region.inputs.key == "86cbd9e95c050617b9c14b18225f81ae974586e665a85cac914cf3b52e669ce2"


def test_the_order_and_the_levels_of_quadkeys_make_the_key(tmp_path: Path) -> None:
    texts = ("0\n1\n", "1\n0\n", "00\n01\n", "0\n01\n".replace("01", "11"))
    assert len({region_from_file(_write(tmp_path, text)).inputs.key for text in texts}) == 4


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"0 0\n\xff\xfe1 0\n", r"not text in UTF-8 \(byte 5\)"),
        (b"PK\x03\x04\x00\x00\x00\x00", "holds binary data"),
        (b"0\n1\n12\n", "region.txt: quadtree cells overlap: 12 lies in the cell 1"),
        (b"120\n0\n12\n", "region.txt: quadtree cells overlap: 120 lies in the cell 12"),
        (b"0\n1\n2\n1\n", "region.txt: quadtree cells overlap: 1 is given twice"),
        (b"0\n1\n2\n4\n", "region.txt:1: expected a longitude and a latitude, got '0' .*digits 0 to 3"),
        (b"0" * 31 + b"\n", r"'0{31}' \(number 1\) is no quadkey, which is 1 to 30 digits"),
        (b"-180 0\n180 0\n-179 0\n", "1 cells are given twice, first -180, 0"),
        (b"0 89\n0 90\n", "cells of 1 degrees from 90 on pass the north pole"),
        (b"longitude latitude depth\n0 0 1\n", "region.txt:2: expected a longitude and a latitude"),
        (b"lon lat\nlat lon\n0 0\n1 0", "region.txt:2"),
        (b"nan 0\n1 0", "region.txt:1: longitude nan"),
        (b'{"dh": 1, "polygons": [', "region.txt:1: this is no valid JSON"),
        (b'["0", "1"]', "expected a dictionary with dh and polygons"),
        (b'{"polygons": [{"lon": 0, "lat": 1}]}', "region.txt: a dictionary of cells needs dh"),
        (b'{"dh": 1}', "region.txt: a dictionary of cells needs either polygons"),
        (b'{"dh": 1, "polygon": []}', "region.txt: unknown key 'polygon' .* did you mean 'polygons'"),
        (b'{"dh": 1, "polygons": []}', "region.txt: polygons must not be empty"),
        (b'{"dh": 1, "polygons": [{"lon": 0}]}', r"region.txt: polygons\[0\]: expected lon and lat"),
        (b'{"dh": 1, "polygons": [{"lon": 0, "lat": NaN}]}', r"polygons\[0\]: .* latitude from -90 to 90"),
        (b'{"dh": true, "polygons": [{"lon": 0, "lat": 0}]}', "dh must be a number of degrees"),
        (
            b'{"dh": 1, "polygons": [{"lon": 0, "lat": 0}, {"lon": 0.5, "lat": 0}]}',
            "region.txt: the corner 0.5, 0",
        ),
        (b'{"dh": 1, "class_id": "QuadtreeGrid2D", "polygons": []}', "class_id must be CartesianGrid2D"),
        (b"[" * 100_000, "this is no JSON that can be read"),
    ],
)
def test_a_broken_file_is_refused_in_words(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "region.txt"
    path.write_bytes(content)
    with pytest.raises(RegionError, match=words) as caught:
        region_from_file(path)
    assert str(caught.value).startswith(str(path))
    assert str(caught.value).count(str(path)) == 1
    assert "\n" not in str(caught.value)
