from pathlib import Path

import numpy as np
import pytest

from forequake.errors import RegionError
from forequake.regions import Region, named_region, region_from_file


def _write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "region.txt"
    path.write_text(text)
    return path


@pytest.mark.parametrize("heading", ["", "\ufeff", "# lon lat\n", "lon lat\n", "lon, lat\n"])
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


@pytest.mark.slow
@pytest.mark.parametrize("name", ["california_relm_region", "nz_csep_region", "italy_csep_region"])
def test_named_regions_are_those_of_pycsep_also_from_the_cache(name: str) -> None:
    from csep.core import regions

    theirs = {
        "california_relm_region": regions.california_relm_region,
        "nz_csep_region": regions.nz_csep_region,
        "italy_csep_region": regions.italy_csep_region,
    }[name]()
    for _ in ("built", "from the cache"):
        ours = named_region(name)
        assert np.array_equal(ours.origins, theirs.origins())
        assert ours.cell_size == theirs.dh
