"""Every form of gridded forecast, read as pyCSEP reads it: bit by bit, from random numbers of all digits."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from forequake.errors import ForecastError
from forequake.forecasts import ForecastTable, file_content, read_forecast, reader_of, source_files

WEST = np.array([5.5, 5.6, 5.7, 5.5, 5.6])
SOUTH = np.array([44.9, 44.9, 44.9, 45.0, 45.0])
MAGNITUDES = np.array([4.95, 5.05, 5.15])
#: Of all sizes and with all digits, so that a parser that rounds carelessly is caught.
RATES = np.random.default_rng(4).random((5, 3)) * 10.0 ** np.arange(-9, 6).reshape(5, 3)
QUADKEYS = ["0231", "0232", "102", "103", "33"]


def _words(values: NDArray[np.float64]) -> list[str]:
    return [repr(float(value)) for value in values]


def _dat(rates: NDArray[np.float64] = RATES, mark: str = "\t") -> str:
    rows = [
        [*_words(np.array([west, west + 0.1, south, south + 0.1, 0, 30, edge, edge + 0.1, rate])), "1"]
        for west, south, cell in zip(WEST, SOUTH, rates, strict=True)
        for edge, rate in zip(MAGNITUDES, cell, strict=True)
    ]
    return "".join(mark.join(row) + "\n" for row in rows)


def _csv(rates: NDArray[np.float64] = RATES, mark: str = ", ") -> str:
    heading = ["lon_min", "lon_max", "lat_min", "lat_max", "depth_min", "depth_max", *_words(MAGNITUDES)]
    rows = [
        _words(np.array([west, west + 0.1, south, south + 0.1, 0, 30, *cell]))
        for west, south, cell in zip(WEST, SOUTH, rates, strict=True)
    ]
    return "".join(mark.join(row) + "\n" for row in [heading, *rows])


def _quadtree_csv() -> str:
    rows = [[key, "0.0", "70.0", *_words(cell)] for key, cell in zip(QUADKEYS, RATES, strict=True)]
    return "".join(
        ",".join(row) + "\n" for row in [["tile", "depth_min", "depth_max", *_words(MAGNITUDES)], *rows]
    )


def _xml(rates: NDArray[np.float64] = RATES) -> str:
    cells = "".join(
        f"      <cell lat='{south + 0.05!r}' lon='{west + 0.05!r}'>\n"
        + "".join(
            f"        <bin m='{edge + 0.05:.1f}'>{rate!r}</bin>\n"
            for edge, rate in zip(MAGNITUDES.tolist(), cell, strict=True)
        )
        + "      </cell>\n"
        for west, south, cell in zip(WEST.tolist(), SOUTH.tolist(), rates.tolist(), strict=True)
    )
    return (
        "<?xml version='1.0' encoding='UTF-8'?>\n"
        "<CSEPForecast xmlns='http://www.scec.org/xml-ns/csep/forecast/0.1'>\n"
        "  <forecastData publicID='smi:org.scec/csep/forecast/1'>\n"
        "    <forecastStartDate>2008-01-01T00:00:00Z</forecastStartDate>\n"
        "    <forecastEndDate>2013-01-01T00:00:00Z</forecastEndDate>\n"
        "    <defaultMagBinDimension>0.1</defaultMagBinDimension>\n"
        "    <lastMagBinOpen>1</lastMagBinOpen>\n"
        "    <defaultCellDimension latRange='0.1' lonRange='0.1'/>\n"
        f"    <depthLayer max='30.0' min='0.0'>\n{cells}    </depthLayer>\n"
        "  </forecastData>\n</CSEPForecast>\n"
    )


def _read(tmp_path: Path, text: str, name: str, format: str | None = None) -> ForecastTable:
    (tmp_path / name).write_bytes(text.encode())
    return read_forecast(tmp_path / name, format)


# --- CSEP's text form


@pytest.mark.parametrize("mark", ["\t", " ", "  \t "])
def test_dat_is_read_as_pycsep_reads_it(tmp_path: Path, mark: str) -> None:
    import csep

    table = _read(tmp_path, _dat(mark=mark), "model.dat")
    theirs = csep.load_gridded_forecast(str(tmp_path / "model.dat"))
    assert np.array_equal(table.rates, theirs.data)
    assert np.array_equal(table.rates, RATES)
    assert np.array_equal(table.magnitudes, theirs.magnitudes)
    assert np.array_equal(table.corners[:, [0, 2]], theirs.region.origins())
    assert table.given is None
    assert table.scope.depth_km == (0, 30)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "# heading\n\n" + text,
        lambda text: text.replace("\t1\n", "\t1  # a remark\n", 1),
        lambda text: text.replace("\n", "\n# between\n", 1),
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "\ufeff" + text,
        lambda text: text.replace("\t1\n", "\t+1\n"),
        lambda text: text.replace("\t1\n", "\n"),
        lambda text: text.rstrip("\n"),
    ],
)
def test_what_changes_nothing_in_dat(tmp_path: Path, change: Callable[[str], str]) -> None:
    table = _read(tmp_path, change(_dat()), "model.dat")
    assert np.array_equal(table.rates, RATES)
    assert not table.findings


def test_rows_in_another_order_make_the_same_table(tmp_path: Path) -> None:
    lines = _dat().splitlines()
    order = np.random.default_rng(5).permutation(len(lines))
    table = _read(tmp_path, "\n".join(lines[place] for place in order), "model.dat")
    corners = np.column_stack([WEST, WEST + 0.1, SOUTH, SOUTH + 0.1])
    found = [int(np.argmin(np.abs(corners - corner).sum(axis=1))) for corner in table.corners]
    assert sorted(found) == [0, 1, 2, 3, 4]
    assert np.array_equal(table.rates, RATES[found])


def test_a_long_file_comes_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forequake.forecasts.readers._text._BLOCK_BYTES", 500)
    assert np.array_equal(_read(tmp_path, _dat(), "model.dat").rates, RATES)
    lines = _dat().splitlines()
    irregular = "\n".join([*lines[:9], lines[10], lines[9], *lines[11:]])
    assert np.array_equal(_read(tmp_path, irregular, "model.dat").rates, RATES)


def test_missing_and_repeated_rows_are_told_apart(tmp_path: Path) -> None:
    lines = _dat().splitlines()
    table = _read(tmp_path, "\n".join([*lines[:4], *lines[5:], lines[0]]), "model.dat")
    assert table.given is not None
    assert len(table.corners) == 6  # the repeated row begins a cell of its own
    assert table.given.sum() == 15
    assert not table.given[1, 1]
    assert np.array_equal(table.corners[5], table.corners[0])


# --- floatCSEP's table


@pytest.mark.parametrize(
    ("change", "mark"),
    [
        (lambda text: text, ", "),
        (lambda text: text, ","),
        (lambda text: text, " "),
        (lambda text: "# " + text, ", "),
        (lambda text: "\n" + text.replace("\n", "\r\n"), ", "),
        (lambda text: text + "\n\n", ", "),
    ],
)
def test_the_table_form(tmp_path: Path, change: Callable[[str], str], mark: str) -> None:
    table = _read(tmp_path, change(_csv(mark=mark)), "model.csv")
    assert np.array_equal(table.rates, RATES)
    assert np.array_equal(table.magnitudes, MAGNITUDES)
    assert np.array_equal(table.corners, np.column_stack([WEST, WEST + 0.1, SOUTH, SOUTH + 0.1]))
    assert table.scope.depth_km == (0, 30)


def test_columns_are_found_by_their_headings(tmp_path: Path) -> None:
    text = (
        "mask, lat_min, lat_max, 5, 6, lon_max, lon_min\n1, 40, 41, .5, .25, 11, 10\n0, 41, 42, 1, 2, 11, 10"
    )
    table = _read(tmp_path, text, "model.csv")
    assert table.corners.tolist() == [[10, 11, 40, 41], [10, 11, 41, 42]]
    assert table.rates.tolist() == [[0.5, 0.25], [1, 2]]
    assert table.scope.depth_km is None
    assert [(finding.code, finding.count) for finding in table.findings] == [("flagged_rows", 1)]


# --- quadtree


def test_quadtree_table_is_read_as_pycsep_reads_it(tmp_path: Path) -> None:
    from csep.utils.readers import quadtree_csv_loader

    for name, format in (("model.csv", None), ("model.dat", "quadtree"), ("model.quadtree", "quadtree")):
        table = _read(tmp_path, _quadtree_csv(), name, format)
        rates, region, magnitudes = quadtree_csv_loader(str(tmp_path / name))
        assert np.array_equal(table.rates, rates)
        assert np.array_equal(table.magnitudes, magnitudes.astype(float))
        assert table.corners == pytest.approx(np.asarray(region.bounds)[:, [0, 2, 1, 3]], abs=1e-12)
        assert table.scope.depth_km == (0, 70)


@pytest.mark.parametrize("format", [None, "quadtree"])
def test_quadtree_rows_are_read_as_pycsep_reads_them(tmp_path: Path, format: str | None) -> None:
    from csep.core.regions import QuadtreeGrid2D
    from csep.utils.readers import quadtree_ascii_loader

    bounds = np.asarray(QuadtreeGrid2D.from_quadkeys(QUADKEYS).bounds)[:, [0, 2, 1, 3]]
    text = "".join(
        " ".join([key, *_words(np.array([*corners, 0, 70, edge, edge + 0.1, rate]))]) + "\n"
        for key, corners, cell in zip(QUADKEYS, bounds, RATES, strict=True)
        for edge, rate in zip(MAGNITUDES, cell, strict=True)
    )
    table = _read(tmp_path, text, "model.dat", format)
    rates, _, magnitudes = quadtree_ascii_loader(str(tmp_path / "model.dat"))
    assert np.array_equal(table.rates, rates)
    assert np.array_equal(table.magnitudes, magnitudes)
    assert table.corners == pytest.approx(bounds, abs=1e-12)
    with pytest.raises(
        ForecastError, match="the corners of the tile 0231 are not those that its quadkey says"
    ):
        _read(tmp_path, text.replace(f"0231 {float(bounds[0, 0])!r}", "0231 7.0"), "model.dat", "quadtree")


# --- ForecastML


def _other_form(text: str, change: str) -> str:
    match change:
        case "comment":
            return text.replace("<cell", "<!-- first --><cell", 1)
        case "quotes":
            return text.replace("'", '"')
        case "one line":
            return re.sub(r">\s+<", "><", text)
        case "prefix":
            named = re.sub(r"<(/?)([A-Za-z])", r"<\1q:\2", text)
            return named.replace("xmlns=", "xmlns:q=")
        case "order of attributes":
            return re.sub(r"<cell (lat='\S+') (lon='[^']+')>", r"<cell  \2   \1 >", text)
        case "more attributes":
            return text.replace("<cell ", "<cell mask='1' ")
        case "order of bins":
            return re.sub(r"(<bin m='5.0'.*\n)\s*(<bin m='5.1'.*\n)", r"\2\1", text)
        case "white space":
            return re.sub(r"<bin m='(\S+)'>(\S+)</bin>", r"<bin m='\1'> \2\n</bin>", text)
        case "no declaration":
            return text.partition("\n")[2]
    return text


@pytest.mark.parametrize(
    "change",
    [
        "none",
        "comment",
        "quotes",
        "one line",
        "prefix",
        "order of attributes",
        "more attributes",
        "order of bins",
        "white space",
        "no declaration",
    ],
)
def test_forecastml_in_every_form_gives_one_table(tmp_path: Path, change: str) -> None:
    table = _read(tmp_path, _other_form(_xml(), change), "model.xml")
    assert np.array_equal(table.rates, RATES)
    assert table.magnitudes.tolist() == [5.0, 5.1, 5.2]  # middles
    assert table.bin_width == 0.1
    middles = np.column_stack([WEST + 0.05, SOUTH + 0.05])
    assert np.array_equal(table.corners[:, [0, 2]], middles - 0.1 / 2)
    assert table.given is None
    assert table.scope.valid_from == datetime(2008, 1, 1, tzinfo=UTC)
    assert table.scope.valid_to == datetime(2013, 1, 1, tzinfo=UTC)
    assert table.scope.depth_km == (0, 30)


def test_cells_with_fewer_bins_lack_rates(tmp_path: Path) -> None:
    table = _read(tmp_path, re.sub(r"\s*<bin m='5.1'.*", "", _xml(), count=1), "model.xml")
    assert table.given is not None
    assert np.argwhere(~table.given).tolist() == [[0, 1]]
    assert np.array_equal(table.rates[table.given], RATES[table.given])


_ENTITY = "<!DOCTYPE a [<!ENTITY b 'bb'><!ENTITY c '&b;&b;'>]>"
_FOREIGN = "<!DOCTYPE a SYSTEM 'file:///etc/hostname'>"


@pytest.mark.parametrize("declared", [_ENTITY, _FOREIGN, "<!DOCTYPE a [<!ENTITY b SYSTEM '/etc/hostname'>]>"])
def test_a_document_type_is_refused(tmp_path: Path, declared: str) -> None:
    text = _xml().replace("?>\n", f"?>\n{declared}\n", 1)
    with pytest.raises(ForecastError, match="declares a document type"):
        _read(tmp_path, text, "model.xml")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("<bin m='5.1'>", "<bin m='5.1'>many ", "model.xml:12: the rate is 'many .*, which is not a number"),
        ("<bin m='5.1'>", "<bin m='5.0'>", "model.xml:12: the cell has two bins of magnitude 5"),
        ("<bin m='5.1'>", "<bin n='5.1'>", "model.xml:12: the m is missing"),
        (
            "</cell>",
            "</cel>",
            "model.xml:14: the XML is cut short or damaged: Opening and ending tag mismatch",
        ),
        ("</CSEPForecast>", "", "the XML is cut short or damaged"),
        ("forecastData", "data", "no element forecastData in its root, which is 'CSEPForecast'"),
        ("<depthLayer max", "<depthLayer/><depthLayer max", "there are 2 depth layers"),
        ("lonRange='0.1'", "", "the lonRange of defaultCellDimension is missing"),
        ("2008-01-01T", "2008-13-01T", "forecastStartDate is '2008-13-01T00:00:00Z', which is not a date"),
    ],
)
def test_damaged_forecastml_is_refused(tmp_path: Path, old: str, new: str, words: str) -> None:
    text = _xml()
    assert old in text
    text = text.replace(old, new) if old == "forecastData" else text.replace(old, new, 1)
    with pytest.raises(ForecastError, match=words):
        _read(tmp_path, text, "model.xml")


# --- HDF5


def _write_hdf5(path: Path, **changes: object) -> Path:
    """Write the arrays that floatCSEP's ``HDF5Serializer.grid2hdf5`` writes; None leaves one out."""
    import h5py

    points = [
        [[w, s], [w, s + 0.1], [w + 0.1, s + 0.1], [w + 0.1, s]] for w, s in zip(WEST, SOUTH, strict=True)
    ]
    arrays = {
        "rates": RATES,
        "magnitudes": MAGNITUDES,
        "bboxes": np.array(points),
        "dh": np.array([0.1]),
        "poly_mask": np.ones(5),
    }
    with h5py.File(path, "w") as file:
        for name, value in {**arrays, **changes}.items():
            if value is not None:
                file[name] = value
    return path


@pytest.mark.parametrize("name", ["model.hdf5", "model.h5"])
def test_hdf5_has_the_arrays_of_floatcsep(tmp_path: Path, name: str) -> None:
    dates = {"start_date": "2012-05-23", "end_date": "2012-05-30T12:00:00"}
    table = read_forecast(_write_hdf5(tmp_path / name, **dates))
    assert np.array_equal(table.rates, RATES)
    assert np.array_equal(table.magnitudes, MAGNITUDES)
    assert np.array_equal(table.corners, np.column_stack([WEST, WEST + 0.1, SOUTH, SOUTH + 0.1]))
    assert table.scope.valid_from == datetime(2012, 5, 23, tzinfo=UTC)
    assert table.scope.valid_to == datetime(2012, 5, 30, 12, tzinfo=UTC)


def test_hdf5_may_have_quadkeys(tmp_path: Path) -> None:
    from csep.core.regions import QuadtreeGrid2D

    keys = np.array([key.encode() for key in QUADKEYS])
    table = read_forecast(_write_hdf5(tmp_path / "model.hdf5", quadkeys=keys, bboxes=None, dh=None))
    bounds = np.asarray(QuadtreeGrid2D.from_quadkeys(QUADKEYS).bounds)
    assert table.corners == pytest.approx(bounds[:, [0, 2, 1, 3]], abs=1e-12)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"rates": None}, "there is no array 'rates'; there is: bboxes, dh"),
        ({"magnitudes": MAGNITUDES[:2]}, "one for each of the 3 columns of rates; there are 2"),
        ({"bboxes": np.ones((4, 4, 2))}, "there are 4 cells, and rates of 5"),
        ({"bboxes": np.ones((5, 4))}, "bboxes must be numbers in 3 dimensions; it is float64 in 2"),
        ({"rates": np.array([["a", "b", "c"]] * 5, dtype="S1")}, "rates must be numbers in 2 dimensions"),
        ({"quadkeys": np.array([b"4"] * 5)}, "no quadkey"),
        ({"start_date": 3.0}, "start_date must be text"),
        ({"rates": np.empty((0, 3))}, "the file has no rates"),
    ],
)
def test_hdf5_of_another_layout_is_refused(tmp_path: Path, changes: dict[str, object], words: str) -> None:
    path = _write_hdf5(tmp_path / "model.hdf5", **changes)
    with pytest.raises(ForecastError, match=words):
        read_forecast(path)


def test_hdf5_that_reaches_beyond_itself_is_refused(tmp_path: Path) -> None:
    import h5py

    other = _write_hdf5(tmp_path / "other.hdf5")
    there = h5py.ExternalLink(str(other), "/rates")
    for changes in ({"rates": there}, {"rates": h5py.SoftLink("/there"), "there": there}):
        path = _write_hdf5(tmp_path / "model.hdf5", **changes)
        with pytest.raises(ForecastError, match="rates is not an array of this file"):
            read_forecast(path)
    path = _write_hdf5(tmp_path / "model.hdf5", rates=None)
    with h5py.File(path, "a") as file:
        file.create_dataset("rates", (5, 3), "f8", external=[(str(tmp_path / "raw"), 0, 120)])
    with pytest.raises(ForecastError, match="takes its values from another file"):
        read_forecast(path)


def test_damaged_hdf5_is_refused(tmp_path: Path) -> None:
    path = _write_hdf5(tmp_path / "model.hdf5")
    whole = path.read_bytes()
    for damaged in (b"", whole[:100], whole[:3000], b"no HDF5"):
        path.write_bytes(damaged)
        with pytest.raises(ForecastError, match="cut short, damaged or not HDF5"):
            read_forecast(path)


# --- GEAR1


def _gear1(tmp_path: Path) -> Path:
    above = np.sort(RATES, axis=1)[:, ::-1]
    rows = [
        "\n" + ",".join(_words(np.array([n, 10.05 + n / 10, 40.05, *cell]))) for n, cell in enumerate(above)
    ]
    areas = [
        "\n" + ",".join(_words(np.array([n, 10.05 + n / 10, 40.05, 9.3e7 + n / 7])))
        for n in range(len(above))
    ]
    (tmp_path / "GEAR1_region.dat").write_text(",longitude,latitude,m595,m605,m615" + "".join(rows))
    (tmp_path / "areas_region.dat").write_text(",longitude,latitude,area" + "".join(areas))
    return tmp_path / "GEAR1_region.dat"


def test_gear1_is_read_as_pycsep_reads_it(tmp_path: Path) -> None:
    from csep.utils.readers import read_GEAR1_format

    path = _gear1(tmp_path)
    table = read_forecast(path)
    magnitudes = np.array([5.95, 6.05, 6.15])
    rates, region, _ = read_GEAR1_format(str(path), str(tmp_path / "areas_region.dat"), magnitudes)
    assert np.array_equal(table.rates, rates)
    assert np.array_equal(table.magnitudes, magnitudes)
    # pyCSEP takes the middles of GEAR1's cells for their corners.
    assert table.corners[:, [0, 2]] == pytest.approx(region.origins() - 0.05, abs=1e-12)


def test_the_areas_of_gear1_belong_to_it(tmp_path: Path) -> None:
    path = _gear1(tmp_path)
    areas = tmp_path / "areas_region.dat"
    assert source_files(path) == source_files(path, "gear1") == (path, areas)
    before = file_content(path)
    areas.write_text(areas.read_text().replace("9", "8"))
    assert file_content(path) != before
    areas.write_text(areas.read_text().replace("40.05", "41.05"))
    with pytest.raises(ForecastError, match=r"areas are not those of the cells of GEAR1_region\.dat"):
        read_forecast(path)
    areas.unlink()
    with pytest.raises(ForecastError, match=r"must stand beside it, in a file named areas_region\.dat"):
        read_forecast(path)


# --- which reader, and whom to blame


@pytest.mark.parametrize(
    ("name", "format", "version"),
    [
        ("a.dat", None, "dat/1"),
        ("a.CSV", None, "floatcsep-csv/1"),
        ("a.xml", None, "forecastml/1"),
        ("a.h5", None, "floatcsep-hdf5/1"),
        ("a", "hdf5", "floatcsep-hdf5/1"),
        ("a.dat", "quadtree", "quadtree/1"),
        ("a.txt", "gear1", "gear1/1"),
    ],
)
def test_the_version_of_the_reader_counts_in_keys(name: str, format: str | None, version: str) -> None:
    assert reader_of(Path(name), format) == version


def test_an_unknown_format_gets_the_nearest_one(tmp_path: Path) -> None:
    with pytest.raises(ForecastError, match="no forecast format 'hdf'; did you mean 'hdf5'"):
        _read(tmp_path, "", "model", "hdf")


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        (
            "a.dat",
            _dat().replace("\t1\n", "\t1\t1\n", 5).replace("\t1\t1\n", "\t1\n", 4),
            "a.dat:5: expected 10",
        ),
        ("a.dat", _dat().replace("5.6\t", "5,6\t", 1), "a.dat:1: '5,6' is not a number"),
        ("a.dat", _dat().replace("\t0.0\t", "\t0_0\t", 2), "a.dat:1: '0_0' is not a number"),
        ("a.dat", _dat().replace("\t30.0\t", "\tNA\t"), "a.dat:1: 'NA' is not a number"),
        ("a.dat", _dat() + "5.5\t5.6", "a.dat:16: expected 10 columns, got 2; the file is cut short"),
        ("a.dat", _dat()[:-9], "a.dat:15: expected 10 columns, got 9"),
        ("a.dat", "\0\0\0", "expected 9 or 10 columns"),
        ("a.csv", _csv().replace("30.0", "", 1), "a.csv:2: '' is not a number"),
        ("a.csv", _csv()[:-30], "a.csv:6: "),
        ("a.csv", _csv().replace("lon_max", "lon_min"), "a.csv:1: two columns are headed 'lon_min'"),
        ("a.csv", _csv().replace("4.95", "5.25"), "lower edges of the magnitude bins and increase"),
        ("a.csv", _csv().splitlines()[0], "the file has no rates"),
        ("a.csv", _quadtree_csv().replace("0231", "0241"), "no quadkey|not a quadkey"),
        ("a.csv", _quadtree_csv().replace("70.0,", "70.0", 1), "a.csv:2: "),
        ("a.csv", _quadtree_csv().partition("0232,")[0] + "0232,", "a.csv:3: '' is not a number"),
        ("a.xml", "", "the file has no rates"),
        ("a.xml", "<a></a>", "no element forecastData"),
        ("a.xml", "lon lat", "the XML is cut short or damaged"),
    ],
)
def test_the_line_to_blame_is_named(tmp_path: Path, name: str, text: str, words: str) -> None:
    with pytest.raises(ForecastError, match=words):
        _read(tmp_path, text, name)


@pytest.mark.parametrize("ending", ["dat", "csv", "xml", "hdf5"])
def test_a_file_that_is_not_there(tmp_path: Path, ending: str) -> None:
    with pytest.raises(ForecastError, match=r"gone\.\w+: the forecast cannot be read \(No such file"):
        read_forecast(tmp_path / f"gone.{ending}")
    (tmp_path / f"folder.{ending}").mkdir()
    with pytest.raises(ForecastError, match=r"cannot be read \(Is a directory"):
        read_forecast(tmp_path / f"folder.{ending}")


@pytest.mark.parametrize("ending", ["dat", "csv"])
def test_bytes_that_are_no_text(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"model.{ending}"
    path.write_bytes(b"\x89HDF\r\n\xff\xfe")
    with pytest.raises(ForecastError, match="not text in UTF-8"):
        read_forecast(path)
    path.write_bytes((_dat() if ending == "dat" else _csv()).encode() + b"5.5\t\xff\n")
    with pytest.raises(ForecastError, match=r"model\.\w+:\d+: the line is not text in UTF-8"):
        read_forecast(path)
