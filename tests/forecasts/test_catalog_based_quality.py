"""Files of simulated catalogs that are broken, and what is told of those that can be used."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forequake.errors import ForecastError
from forequake.forecasts.catalog_based import (
    CatalogForecast,
    catalog_reader_of,
    fit_catalogs,
    quality,
    read_catalog_forecast,
)
from forequake.regions import Region
from forequake.windows import TimeWindow

HEADING = "lon,lat,mag,time_string,depth,catalog_id,event_id\n"
ROW = "10.25,40.25,5.15,2020-01-02T00:00:00,5,{},\n"
START = datetime(2020, 1, 1, tzinfo=UTC)
WINDOW = TimeWindow(start=START, end=START + timedelta(days=7))
REGION = Region("box", np.array([[10.0, 40.0], [10.5, 40.0]]), 0.5)
MAGNITUDES = np.array([4.95, 5.05])
FIRST_LEFT_OUT = {"empty_catalogs": 1, "first_catalogs_left_out": 1}


def _rows(*numbers: int) -> str:
    """Give one event for each number, each at a minute of its own."""
    rows = [
        ROW.format(number).replace("00:00:00", f"00:{place:02}:00") for place, number in enumerate(numbers)
    ]
    return HEADING + "".join(rows)


def _read(tmp_path: Path, text: str | bytes, name: str = "model.csv", **options: Any) -> CatalogForecast:
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_catalog_forecast(path, folder=tmp_path / "cache", **options)


def _codes(forecast: CatalogForecast) -> dict[str, int | None]:
    return {finding.code: finding.count for finding in forecast.findings}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the file is empty"),
        ("\n\n", "the file is empty"),
        (HEADING, "no row of a catalog.*n_sims"),
        (b"\x00\xff\xfe\x01" * 100, r"csv:1: not a text of catalogs"),
        (b"\x00\x01\x02" * 100, r"csv:1: (neither|not a text)"),
        ("a,b,c\n1,2,3\n", "csv:1: neither pyCSEP's catalogs .* nor Hermes'"),
        ("lon_min,lon_max,lat_min,lat_max,depth_min,depth_max,5.0\n", "csv:1: neither"),
        ("lat,lon,mag,time_string,depth,catalog_id\n", "csv:1: neither"),
        ("lon,mag,lat,time_string,depth,catalog_id,event_id\n", "column 2 is 'mag'.*this order"),
        ("lon,lat,mag\n10,40,5\n", "csv:1: neither"),
        (_rows(0, 1) + "10.25,40.2", "csv:4: 2 columns where the first line has 7: .*cut short"),
        (_rows(0, 1).replace("5.15", "big", 1), "csv:2: the magnitude 'big' is not a number"),
        (_rows(0, 1, 1).replace(",5,1,", ",deep,1,", 1), "csv:3: the depth 'deep' is not a number"),
        (_rows(0).replace("2020-01-02T00:00:00", ""), "csv:2: the event has no time"),
        (_rows(0).replace("2020-01-02T00:00:00", "2020-13-02T00:00:00"), "csv:2: the time '2020-13-02"),
        (_rows(0).replace("2020-01-02T00:00:00", "1577836800000"), "csv:2: the time '1577836800000'"),
        (_rows(0).replace(",0,", ",0.5,"), "csv:2: the number of the catalog '0.5' is not a whole number"),
        (_rows(0).replace(",0,", ",,"), "csv:2: the number of the catalog '' is not"),
        (_rows(0).replace(",0,", f",{10**30},"), "csv:2: the number of the catalog '10*' is not"),
        (_rows(0, 1, 3, 2), "csv:5: the number of the catalog 2 comes after a greater one"),
        (_rows(0, 1, 0), "csv:4: the number of the catalog 0 comes after a greater one"),
        (_rows(-1, 0), "csv:2: the number of the catalog -1 is below 0"),
        (_rows(0, 10**9), "csv:3: the number of the catalog 1000000000 is beyond all reason"),
        (_rows(0).encode() + b"\xff\xfe\n", "cut short or damaged"),
    ],
)  # fmt: skip
def test_broken_files_are_refused_with_their_line(tmp_path: Path, text: str | bytes, words: str) -> None:
    for policy in ("refuse", "record"):
        with pytest.raises(ForecastError, match=words) as caught:
            _read(tmp_path, text, policy=policy)
        assert str(tmp_path / "model.csv") in str(caught.value)
    assert list((tmp_path / "cache").glob("*")) == []


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("model.bin", b"", "cut short"),
        ("model.bin", b"lon,lat,mag,time_string,depth,catalog_id,event_id\n" * 9, "of version"),
        ("model.bin", bytes([0, 0, 0, 1, 0, 1, 0, 0, 0, 5, 1, 2, 3]), "cut short"),
        ("model.bin", bytes([0, 0, 0, 1, 0, 1, 127, 255, 255, 255, 1]), "cut short"),
        ("model.bin", bytes([0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 1]), "more bytes follow the 1 catalogs"),
        ("model.bin", bytes([0, 0, 0, 0]), "no row of a catalog"),
        ("model.bin.gz", b"not packed", "cannot be read"),
        ("model.csv.gz", b"not packed", "cannot be read"),
    ],
)
def test_broken_binary_files_are_refused(tmp_path: Path, name: str, data: bytes, words: str) -> None:
    with pytest.raises(ForecastError, match=words):
        _read(tmp_path, data, name)


def test_what_cannot_be_opened_is_told(tmp_path: Path) -> None:
    with pytest.raises(ForecastError, match=r"gone\.csv: the forecast cannot be read"):
        read_catalog_forecast(tmp_path / "gone.csv", folder=tmp_path)
    with pytest.raises(ForecastError, match=r"cannot be read"):
        read_catalog_forecast(tmp_path, "csv", folder=tmp_path)


def test_formats_are_known_by_name_or_ending(tmp_path: Path) -> None:
    assert catalog_reader_of(Path("a.csv")) == catalog_reader_of(Path("a"), "csv") == "catalogs-csv/1"
    assert catalog_reader_of(Path("a.bin.gz")) == "catalogs-ucerf3/1"
    with pytest.raises(ForecastError, match=r"for the ending '\.csb'; did you mean '\.csv'"):
        catalog_reader_of(Path("a.csb"))
    with pytest.raises(ForecastError, match=r"for the format 'ucerf'; did you mean 'ucerf3'"):
        catalog_reader_of(Path("a.csv"), "ucerf")
    with pytest.raises(ForecastError, match="from 1 to 10000000, got 0"):
        _read(tmp_path, _rows(0), n_catalogs=0)


def test_a_file_that_changes_while_it_is_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from forequake.forecasts.catalog_based import reading

    def grow(path: Path, *arguments: Any) -> None:
        path.write_text(_rows(0, 1, 2))
        make(path, *arguments)

    make = reading._make_compact
    monkeypatch.setattr(reading, "_make_compact", grow)
    with pytest.raises(ForecastError, match="changed while it was read"):
        _read(tmp_path, _rows(0, 1))
    assert list((tmp_path / "cache").glob("*")) == []


@pytest.mark.parametrize(
    ("numbers", "said", "sizes", "codes"),
    [
        ((0, 1, 1), None, [1, 2], {}),
        ((0, 1, 1), 2, [1, 2], {}),
        ((0, 2), None, [1, 0, 1], {"empty_catalogs": 1, "number_of_catalogs_unsaid": None}),
        ((0, 2), 3, [1, 0, 1], {"empty_catalogs": 1}),
        ((0, 1), 4, [1, 1, 0, 0], {"empty_catalogs": 2, "last_catalogs_left_out": 2}),
        ((1, 2), None, [0, 1, 1], {**FIRST_LEFT_OUT, "number_of_catalogs_unsaid": None}),
        ((1, 2), 3, [0, 1, 1], FIRST_LEFT_OUT),
        ((1, 2), 2, [1, 1], {"numbers_from_one": None}),
        ((1, 3), 3, [1, 0, 1], {"empty_catalogs": 1, "numbers_from_one": None}),
    ],
)  # fmt: skip
def test_numbers_of_catalogs(
    tmp_path: Path, numbers: tuple[int, ...], said: int | None, sizes: list[int], codes: dict[str, int | None]
) -> None:
    forecast = _read(tmp_path, _rows(*numbers), n_catalogs=said)
    assert np.diff(forecast.offsets).tolist() == sizes
    assert _codes(forecast) == codes


def test_more_catalogs_than_were_said(tmp_path: Path) -> None:
    with pytest.raises(ForecastError, match=r"up to number 2, the model says that there are 2.*record`"):
        _read(tmp_path, _rows(0, 1, 2), n_catalogs=2)
    forecast = _read(tmp_path, _rows(0, 1, 2), n_catalogs=2, policy="record")
    assert len(forecast) == 3
    assert _codes(forecast) == {"more_catalogs": 1}


def test_values_that_no_event_has(tmp_path: Path) -> None:
    rows = _rows(0, 1, 2, 3).replace("5.15", "nan", 1).replace("40.25,5.15", "140.25,5.15", 1)
    with pytest.raises(ForecastError, match=r"2 events have a value .* first in catalog 0: .* magnitude nan"):
        _read(tmp_path, rows)
    forecast = _read(tmp_path, rows, policy="record")
    assert _codes(forecast) == {"impossible_values": 2}
    fitted = fit_catalogs(forecast, region=REGION, magnitudes=MAGNITUDES, window=WINDOW)
    assert fitted.counted.per_catalog().tolist() == [0, 0, 1, 1]


def test_what_is_told_of_the_events(tmp_path: Path) -> None:
    twins = [ROW.format(number).replace("02T", f"0{day}T") for number in (0, 1, 1, 2) for day in (2, 3)]
    late = ROW.format(3).replace("02T", "05T") + ROW.format(3).replace("5,3", ",3")
    forecast = _read(tmp_path, HEADING + "".join([*twins[:4], *twins[6:]]) + late + ROW.format(4) * 2)
    assert _codes(forecast) == {
        "missing_depths": 1,
        "unsorted_times": 1,
        "repeated_events": 1,
        "repeated_catalogs": 2,
    }


def test_empty_catalogs_are_a_warning_where_most_are_empty(tmp_path: Path) -> None:
    for said, severity in ((4, "note"), (5, "warning")):
        forecast = _read(tmp_path, _rows(0, 1), n_catalogs=said)
        assert next(iter(forecast.findings)).severity == severity


@pytest.mark.parametrize(
    ("change", "words", "codes"),
    [
        (("2020-01-02", "2021-01-02"), "none of its 2 events, from 2021-01-02T00:00:00.*lies in the window",
         {"other_window": 2, "after_window": 2}),
        (("10.25,", "100.25,"), "none of its 2 events lies in the region box",
         {"other_region": 2, "outside_region": 2}),
        (("5.15,", "3.15,"), r"none of its 2 events has the least magnitude, 4\.95",
         {"other_magnitudes": 2, "below_magnitude": 2}),
    ],
)  # fmt: skip
def test_a_forecast_for_something_else(
    tmp_path: Path, change: tuple[str, str], words: str, codes: dict[str, int]
) -> None:
    forecast = _read(tmp_path, _rows(0, 1).replace(*change))
    with pytest.raises(ForecastError, match=words):
        fit_catalogs(forecast, region=REGION, magnitudes=MAGNITUDES, window=WINDOW)
    fitted = fit_catalogs(forecast, region=REGION, magnitudes=MAGNITUDES, window=WINDOW, policy="record")
    assert {finding.code: finding.count for finding in fitted.findings} == codes
    assert fitted.counted.per_catalog().tolist() == [0, 0]


def test_what_does_not_count_is_told(tmp_path: Path) -> None:
    rows = _rows(0, 0, 0, 0, 0, 0).splitlines(keepends=True)
    rows[2] = rows[2].replace("2020-01-02", "2019-01-02")
    rows[3] = rows[3].replace("2020-01-02", "2020-01-08")
    rows[4] = rows[4].replace("10.25", "110.25")
    rows[5] = rows[5].replace("5.15", "3.15")
    rows[6] = rows[6].replace(",5,", ",50,")
    forecast = _read(tmp_path, "".join(rows))
    fitted = fit_catalogs(forecast, region=REGION, magnitudes=MAGNITUDES, window=WINDOW, depth_km=(0, 30))
    assert len(fitted.counted) == 1
    told = {finding.code: finding.count for finding in fitted.findings}
    assert told.pop("unsorted_times") == 2
    assert told == dict.fromkeys(
        ("before_window", "after_window", "below_magnitude", "other_depth", "outside_region"), 1
    )


def test_events_that_fill_half_the_window_and_too_many_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forecast = _read(tmp_path, _rows(0, 0, 1, 1))
    monkeypatch.setattr(quality, "_ENOUGH_TO_FILL", 4)
    monkeypatch.setattr(quality, "_MANY_EVENTS", 1.5)
    fitted = fit_catalogs(forecast, region=REGION, magnitudes=MAGNITUDES, window=WINDOW)
    assert [finding.code for finding in fitted.findings] == ["many_events", "window_not_filled"]
