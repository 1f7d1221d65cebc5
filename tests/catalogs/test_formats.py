import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forequake.catalogs import SourceEvents, read_source
from forequake.catalogs.formats import READERS, _rows
from forequake.catalogs.formats._plain import NotPlain, PlainRows
from forequake.catalogs.formats.recognition import recognise
from forequake.catalogs.specs import CATALOG_FORMATS
from forequake.errors import CatalogError

HEADING = "lon,lat,mag,time_string,depth,catalog_id,event_id\n"
EVENT = "-117.5,35.7,4.5,2019-07-06T03:19:53.040000,8.0,,a\n"
ZMAP = "-117.5 35.7 2019 7 6 7.1 8.0 3 19 53.04\n"
JMA_HEADING = "timestamp;longitude;latitude;depth;magnitude\n"
#: As the catalog's own page gives it: tabs, numbers with ten decimals, minutes and seconds that run over.
HORUS = (
    "Year\tMo\tDa\tHo\tMi\tSe\tLat\tLon\tDepth\tMw\tsigMw\tGeo-Ita\tGeo-CPTI15\tEv. type\tIside n.\n"
    + "     2017.0000000000\t 4.0000000000\t 22.0000000000\t 4.0000000000\t 42.0000000000\t 58.0600000000\t"
    + " 42.9043000000\t 13.0005000000\t 11.1000000000\t 1.0300000000\t 0.2000000000\t*\t*\t\t1\n"
    + "     2020.0000000000\t 9.0000000000\t 22.0000000000\t 10.0000000000\t 60.0000000000\t 64.2900000000\t"
    + " 41.6150000000\t 14.0108000000\t 6.1000000000\t 1.0600000000\t 0.2000000000\t*\t*\tx\t2\n"
)
#: The first event of the format's own description.
NDK = (
    "PDE  2005/01/01 01:20:05.4  13.78  -88.78 193.1 5.0 0.0 EL SALVADOR             \n"
    "C200501010120A   B:  4    4  40 S: 27   33  50 M:  0    0   0 CMT: 1 TRIHD:  0.6\n"
    "CENTROID:     -0.3 0.9  13.76 0.06  -89.08 0.09 162.8 12.5 FREE S-20050322125201\n"
    "23  0.838 0.201 -0.005 0.231 -0.833 0.270  1.050 0.121 -0.369 0.161  0.044 0.240\n"
    "V10   1.581 56  12  -0.537 23 140  -1.044 24 241   1.312   9 29  142 133 72   66\n"
)


def _file(tmp_path: Path, text: str | bytes, name: str) -> Path:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def _rcmt_row(name: str, date: str, time: str, tenths: str, magnitude: str) -> str:
    cells = [name, date, time, tenths, " 38.93", "20.55", "10.0", *["0"] * 54, magnitude, "D", "A"]
    return ",".join(f'"{cell}"' for cell in cells) + "\n"


def _seen(source: SourceEvents) -> list[object]:
    events = source.events
    columns = (events.time_us, events.longitude, events.latitude, events.magnitude, source.event_type)
    return [
        *(column.tolist() for column in columns),
        repr(events.depth_km.tolist()),
        events.event_id.tolist(),
    ]


def _nothing_plain(*_: object) -> Iterator[PlainRows]:
    raise NotPlain


def test_zmap_has_seconds_with_a_fraction_and_no_types(tmp_path: Path) -> None:
    source = read_source(_file(tmp_path, ZMAP + ZMAP.replace("53.04", "60"), "events.zmap"))
    assert source.events.times() == [
        datetime(2019, 7, 6, 3, 19, 53, 40_000, tzinfo=UTC),
        datetime(2019, 7, 6, 3, 20, tzinfo=UTC),
    ]
    assert [source.events.longitude[0], source.events.latitude[0]] == [-117.5, 35.7]
    assert [source.events.magnitude[0], source.events.depth_km[0]] == [7.1, 8.0]
    assert source.event_type.tolist() == source.magnitude_type.tolist() == ["", ""]


@pytest.mark.parametrize(
    ("row", "year"),
    [
        ("0 0 2019.50958 7 6 5 5 3 19 53", 2019),
        ("0 0 2011.0000 12 31 5 5 23 59 59\n0 0 2010.5 7 2 5 5 12 0 0", 2010),  # rounded up to the next year
        ("0 0 2010.0000 1 1 5 5 0 0 0\n0 0 2010.5 7 2 5 5 12 0 0", 2010),
        ("0 0 2011 12 31 5 5 23 59 59", 2011),  # whole years are what they are
        ("0,0,1582.9,11,25,5,5,0,0,0", 1582),
    ],
)
def test_a_decimal_year_gives_the_year_and_the_other_columns_the_rest(
    tmp_path: Path, row: str, year: int
) -> None:
    times = read_source(_file(tmp_path, row + "\n", "events.zmap")).events.times()
    assert year in {time.year for time in times}
    assert {time.year for time in times} == {year}


def test_jma_times_are_local_and_become_utc(tmp_path: Path) -> None:
    rows = "2011-03-11T14:46:18.120000+0900;142.8;38.1;24;9\n2011-03-11T14:46:18Z;142.8;38.1;;9\n"
    events = read_source(_file(tmp_path, JMA_HEADING + rows, "jma.csv")).events
    assert events.times() == [
        datetime(2011, 3, 11, 5, 46, 18, 120_000, tzinfo=UTC),
        datetime(2011, 3, 11, 14, 46, 18, tzinfo=UTC),
    ]
    assert np.isnan(events.depth_km[1])


def test_horus_runs_over_and_marks_what_is_no_earthquake(tmp_path: Path) -> None:
    source = read_source(_file(tmp_path, HORUS, "HORUS.txt"))
    assert source.events.times() == [
        datetime(2017, 4, 22, 4, 42, 58, 60_000, tzinfo=UTC),
        datetime(2020, 9, 22, 11, 1, 4, 290_000, tzinfo=UTC),
    ]
    assert source.events.latitude.tolist() == [42.9043, 41.615]
    assert source.event_type.tolist() == ["earthquake", "not an earthquake"]
    assert source.magnitude_type.tolist() == ["Mw", "Mw"]


def test_the_rcmt_catalog_mends_times_and_passes_over_what_it_must(tmp_path: Path) -> None:
    rows = (
        _rcmt_row("C1", "2019-01-15", "01:25: 5", " 3", "4.52")
        + _rcmt_row("S2", "2010-05-02", "12:24:37", "0", "-9.9")
        + _rcmt_row("S3", "2019-12-12", "03: 5:", "0", "4.8")
        + _rcmt_row("C1", "2019-01-15", "01:25: 5", " 3", "4.52") * 2
    )
    source = read_source(_file(tmp_path, rows, "EuroMedCentrMomTensors.csv"))
    assert source.events.event_id.tolist() == ["C1", "S3"]
    assert source.events.times() == [
        datetime(2019, 1, 15, 1, 25, 5, 300_000, tzinfo=UTC),
        datetime(2019, 12, 12, 3, 5, tzinfo=UTC),
    ]
    assert [note.split(": ")[1] for note in source.notes] == [
        "1 event passed over, whose Mw is not between 0 and 10",
        "2 events passed over, with the id of an earlier one",
    ]


def test_ndk_gives_the_hypocentre_and_the_moment_magnitude(tmp_path: Path) -> None:
    source = read_source(_file(tmp_path, NDK, "one.ndk"))
    assert source.events.times() == [datetime(2005, 1, 1, 1, 20, 5, 400_000, tzinfo=UTC)]
    assert [float(source.events.latitude[0]), float(source.events.depth_km[0])] == [13.78, 193.1]
    # log10(1.312e16) is 16.1179, by hand
    assert source.events.magnitude[0] == pytest.approx(2 / 3 * (16.1179 - 9.1), abs=1e-4)
    assert source.events.event_id.tolist() == ["C200501010120A"]
    assert source.other_magnitudes["mb"].tolist() == [5.0]
    assert np.isnan(source.other_magnitudes["MS"][0])  # 0.0 in the file


def test_one_ucerf3_catalog_of_each_version(tmp_path: Path) -> None:
    numbers = (7, -1, 0, 1_562_383_193_040, 35.7, -117.5, 8.0, 7.1, 0.0, 1, 2, 3)
    types = [">i4", ">i4", ">i2", ">i8", *[">f8"] * 5, *[">i4"] * 3]

    def packed(values: tuple[Any, ...], forms: list[str]) -> bytes:
        return b"".join(
            np.array(value, dtype=form).tobytes() for value, form in zip(values, forms, strict=True)
        )

    event = packed(numbers, types)
    simulation = packed(
        (10, 1, 2, 0, 1, 2, 3, 0, 0, 1, 1, 2.5, 7.1),
        [">i4", ">i8", *[">i4"] * 5, *[">i8"] * 2] + [">i4"] * 2 + [">f8"] * 2,
    )
    count = packed((1,), [">i4"])
    files = {
        1: packed((1,), [">i2"]) + count + event,
        2: packed((2,), [">i2"]) + count + event + packed((0.5,), [">f8"]),
        3: packed((3,), [">i2"]) + simulation + count + event + packed((0.5,), [">f8"]),
    }
    for version, data in files.items():
        events = read_source(_file(tmp_path, data, f"version{version}.bin")).events
        assert events.times() == [datetime(2019, 7, 6, 3, 19, 53, 40_000, tzinfo=UTC)]
        assert [float(events.longitude[0]), float(events.magnitude[0])] == [-117.5, 7.1]
        assert events.event_id.tolist() == ["7"]
    many = packed((2,), [">i4"]) + files[1] + files[1]
    with pytest.raises(CatalogError, match="catalog-based forecast"):
        read_source(_file(tmp_path, many, "many.bin"), "ucerf3")


@pytest.mark.parametrize(
    ("name", "text", "format_"),
    [
        ("a.csv", HEADING + EVENT, "csep-csv"),
        ("a.dat", EVENT, "csep-csv"),
        ("a.csv", "\ufeff" + EVENT, "csep-csv"),
        ("a.txt", ZMAP, "zmap"),
        ("a.csv", "# from somewhere\n" + ZMAP.replace(" ", ","), "zmap"),
        ("a.csv", "lon lat year month day mag depth hour minute second\n" + ZMAP, "zmap"),
        ("a.csv", JMA_HEADING, "jma-csv"),
        ("a.csv", "2011-03-11T14:46:18.120000+0900;142.8;38.1;24;9\n", "jma-csv"),
        ("a.txt", HORUS, "ingv_horus"),
        ("a.txt", HORUS.split("\n", 1)[1], "ingv_horus"),
        ("a.csv", _rcmt_row("C1", "2019-01-15", "01:25: 5", " 3", "4.52"), "ingv_emrcmt"),
        ("a.txt", NDK, "ndk"),
        ("a.ndk", "", "ndk"),
        ("a.txt", '{"catalog": []}', "json"),
        ("a.json", "", "json"),
        ("a.xml", "<?xml version='1.0'?>\n<q:quakeml xmlns:q='x'>", "quakeml"),
        ("a.csv", "\n \n", None),
    ],
)
def test_the_format_is_told_by_ending_and_first_lines(
    tmp_path: Path, name: str, text: str, format_: str | None
) -> None:
    assert recognise(_file(tmp_path, text, name)) == format_


def test_every_format_has_its_reader() -> None:
    assert tuple(READERS) == CATALOG_FORMATS


MISTAKES: dict[str, tuple[str, str | bytes, str]] = {
    "another delimiter": (
        "a.csv",
        (HEADING + EVENT).replace(",", ";"),
        "a.csv:1: expected lon, lat, .* semicolons",
    ),
    "no format at all": (
        "a.csv",
        "hello world\n",
        "neither its ending nor its first line .* csep-csv, json, zmap",
    ),
    "a page of the web": ("a.csv", "<html><body>404</body></html>", "neither its ending nor its first line"),
    "binary": ("a.csv", b"PK\x03\x04" + bytes(100), "this is a binary file"),
    "UTF-16": ("a.csv", (HEADING + EVENT).encode("utf-16"), "this is UTF-16 text"),
    "Latin-1": (
        "a.csv",
        (HEADING + EVENT + EVENT.replace(",a", ",é")).encode("latin-1"),
        "a.csv:3: .* not UTF-8",
    ),
    "infinite": (
        "a.csv",
        EVENT.replace("4.5", "inf"),
        "a.csv:1: the magnitude 'inf' is not between -10 and 12",
    ),
    "year 0": ("a.csv", EVENT.replace("2019", "0000"), "a.csv:1: there is no such time"),
    "second 61": ("a.csv", EVENT.replace("53.04", "61.00"), "second must be in 0..59"),
    "30 February": (
        "a.csv",
        EVENT.replace("07-06", "02-30"),
        "a.csv:1: there is no such time as '2019-02-30",
    ),
    "numpy's now": (
        "a.csv",
        EVENT.replace("2019-07-06T03:19:53.040000", "now"),
        "the time 'now' is not in the form",
    ),
    "number of milliseconds": (
        "a.csv",
        HEADING + EVENT.replace("2019-07-06T03:19:53.040000", "1562383193040"),
        "not in the form",
    ),
    "synthetic catalog without events": ("a.csv", ",,,,,0,\n" + EVENT, "a.csv:1: the event has no longitude"),
    "behind a cell of two lines": (
        "a.csv",
        EVENT.replace(",a", ',"a\nb"') + EVENT.replace("4.5", "x"),
        "a.csv:3: the mag",
    ),
    "a quote that is not closed": (
        "a.csv",
        HEADING + EVENT.replace(",a", ',"a') + EVENT,
        "a quote is not closed",
    ),
    "an endless id": (
        "a.csv",
        EVENT.replace(",a", "," + "a" * 257),
        "a.csv:1: the event id is longer than 256",
    ),
    "ZMAP without seconds": (
        "a.zmap",
        "0 0 2019 7 6 7.1 8.0 3 19\n",
        "a.zmap:1: expected longitude .* got 9 columns",
    ),
    "two digits of a year": (
        "a.zmap",
        ZMAP.replace("2019", "85"),
        "a.zmap:1: the year '85' is not between 100 and",
    ),
    "month 13": (
        "a.zmap",
        ZMAP.replace("2019 7", "2019 13"),
        "a.zmap:1: the month '13' is not between 1 and 12",
    ),
    "31 April": ("a.zmap", ZMAP.replace("2019 7 6", "2019 4 31"), "a.zmap:1: there is no day 2019-04-31"),
    "half a day": ("a.zmap", ZMAP.replace("2019 7 6", "2019 7 6.5"), "the day 6.5 is not a whole number"),
    "a decimal year of another month": (
        "a.zmap",
        ZMAP.replace("2019 7", "2019.9 7"),
        "is not in month 7, day 6",
    ),
    "longitude and latitude exchanged": (
        "a.zmap",
        ZMAP.replace("-117.5 35.7", "35.7 -117.5"),
        "the latitude '-117.5'",
    ),
    "JMA without a zone": (
        "a.csv",
        JMA_HEADING + "2011-03-11T14:46:18.12;142.8;38.1;24;9\n",
        "a.csv:2: .* may be local",
    ),
    "ndk cut off": ("a.ndk", NDK + NDK.split("\n")[0], "a.ndk:6: the event has less than its five lines"),
    "ndk with a line too many": (
        "a.ndk",
        NDK + "\n".join(NDK.split("\n")[1:]) + NDK,
        "a.ndk:8: expected CENTROID:",
    ),
    "ndk with a latitude of 99": ("a.ndk", NDK.replace(" 13.78", " 99.78"), "a.ndk:1: the latitude '99.78'"),
    "cut JSON": ("a.json", '{"catalog": [[1,', "not a catalog in pyCSEP's JSON form"),
    "GeoJSON": ("a.json", '{"features": []}', "this is GeoJSON"),
    "JSON of another shape": ("a.json", '{"catalog": [["a", 1]]}', "event 1: expected .id, milliseconds"),
    "year 33658 in JSON": (
        "a.json",
        '{"catalog": [["a", 1e15, 0, 0, 0, 4]]}',
        "time in milliseconds 1000000000000000",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_with_its_file_and_line(tmp_path: Path, mistake: str) -> None:
    name, text, words = MISTAKES[mistake]
    with pytest.raises(CatalogError, match=words) as raised:
        read_source(_file(tmp_path, text, name))
    assert str(tmp_path / name) in str(raised.value)


def test_an_unknown_format_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    path = _file(tmp_path, EVENT, "a.csv")
    with pytest.raises(CatalogError, match="did you mean 'zmap'"):
        read_source(path, "zmpa")
    for missing in (tmp_path / "absent.csv", tmp_path):
        with pytest.raises(CatalogError, match="cannot be read"):
            read_source(missing)


@pytest.mark.parametrize(
    ("name", "text"),
    [("a.csv", ""), ("a.csv", HEADING), ("a.zmap", ""), ("a.ndk", ""), ("a.csv", JMA_HEADING), ("a.bin", "")],
)
def test_an_empty_catalog_has_no_events(tmp_path: Path, name: str, text: str) -> None:
    assert len(read_source(_file(tmp_path, text, name))) == 0


ODD_BUT_RIGHT = {
    "plain": HEADING + EVENT,
    "line ends of Windows": (HEADING + EVENT * 3).replace("\n", "\r\n"),
    "line ends of old Macs": (HEADING + EVENT * 3).replace("\n", "\r"),
    "byte order mark": "\ufeff" + HEADING + EVENT,
    "no line end": (HEADING + EVENT).rstrip(),
    "blank lines": "\n" + HEADING + "\n" + EVENT + "   \n" + EVENT,
    "blanks in cells": EVENT.replace(",", " , "),
    "quotes": EVENT.replace("4.5", '"4.5"').replace(",a", ', "a, b"'),
    "one digit": EVENT.replace("03:19:53.040000", "3:9:5.0"),
    "no seconds": EVENT.replace("03:19:53.040000", "03:19"),
    "a date only": EVENT.replace("T03:19:53.040000", ""),
    "second 60": EVENT.replace("53.04", "60.00"),
    "nanoseconds": EVENT.replace("53.040000", "53.123456789"),
    "zones": EVENT.replace("53.040000", "53Z") + EVENT.replace("53.040000", "53+09:00"),
    "far years": EVENT.replace("2019", "1582")
    + EVENT.replace("2019", "2262")
    + EVENT.replace("2019", "9999"),
    "no depth": EVENT.replace("8.0", "") + EVENT.replace("8.0", "NaN"),
    "no id": EVENT.replace(",,a", ""),
    "other letters": EVENT.replace(",a", ",é"),
}


@pytest.mark.parametrize("text", ODD_BUT_RIGHT.values(), ids=list(ODD_BUT_RIGHT))
def test_the_fast_way_and_the_exact_way_agree(
    tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _file(tmp_path, text, "a.csv")
    either = _seen(read_source(path))

    monkeypatch.setattr(_rows, "plain_rows", _nothing_plain)
    assert either == _seen(read_source(path))
    assert len(either[0]) == sum(line.startswith("-117") for line in text.replace("\r", "\n").split("\n"))  # type: ignore[arg-type]


#: What is put into files that are right, to see whether both ways of reading take it in the same way.
FRAGMENTS = [
    *',;\t \n\r"+-#%:',
    "\r\n",
    '""',
    "nan",
    "null",
    "inf",
    "1e5",
    "é",
    "1_0",
    "Z",
    "+0900",
    "60",
    "24",
    "\ufeff",
]
TABLES = {
    "csep-csv": HEADING + EVENT * 2,
    "zmap": ZMAP * 2,
    "jma-csv": JMA_HEADING + "2011-03-11T14:46:18.120000+0900;142.8;38.1;24;9\n" * 2,
    "ingv_horus": HORUS,
}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    format_=st.sampled_from(sorted(TABLES)),
    place=st.floats(0, 1),
    length=st.integers(0, 3),
    fragment=st.sampled_from(FRAGMENTS),
)
def test_both_ways_agree_on_damaged_files(
    tmp_path: Path, format_: str, place: float, length: int, fragment: str
) -> None:
    text = TABLES[format_]
    start = round(place * len(text))
    path = _file(tmp_path, text[:start] + fragment + text[start + length :], "damaged")

    def outcome() -> object:
        try:
            return _seen(read_source(path, format_))
        except CatalogError as error:
            return str(error)

    either = outcome()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_rows, "plain_rows", _nothing_plain)
        assert either == outcome()


def test_pieces_make_one_catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = "".join(
        EVENT.replace("53.04", f"{second:02}.00").replace(",a", f",{second}") for second in range(59)
    )
    path = _file(tmp_path, HEADING + rows, "a.csv")
    whole = _seen(read_source(path))
    monkeypatch.setattr("forequake.catalogs.formats._plain._PIECE_BYTES", 300)
    monkeypatch.setattr(_rows, "_PIECE", 7)
    assert _seen(read_source(path)) == whole
    path.write_text(HEADING + rows + EVENT.replace("53.04", "60.00"))
    assert len(read_source(path)) == 60


def test_events_of_one_time_stay_in_the_order_of_the_file(tmp_path: Path) -> None:
    names = ["d", "b", "a", "c"]
    rows = "".join(EVENT.replace(",a", f",{name}") for name in names)
    earlier = EVENT.replace("2019", "2018").replace(",a", ",first")
    events = read_source(_file(tmp_path, rows + earlier, "a.csv")).events
    assert events.event_id.tolist() == ["first", *names]
    as_json = {"catalog": [[name, 0, 0, 0, 0, 4] for name in names]}
    events = read_source(_file(tmp_path, json.dumps(as_json), "a.json")).events
    assert events.event_id.tolist() == names
