"""What counts in simulated catalogs: windows, cells, bins, means; and how they go to a store and back."""

import hashlib
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from forequake.errors import ForecastError
from forequake.forecasts.catalog_based import (
    CatalogForecast,
    LeftOut,
    catalogs_from_file,
    read_catalog_forecast,
)
from forequake.forecasts.catalog_based import forecast as forecast_module
from forequake.forecasts.catalog_based.counts import magnitude_bins
from forequake.regions import Region
from forequake.windows import TimeWindow

START = datetime(2020, 1, 1, tzinfo=UTC)
WINDOW = TimeWindow(start=START, end=START + timedelta(days=7))
ORIGINS = np.array([[10 + 0.5 * i, 40 + 0.5 * j] for i in range(4) for j in range(3)])
REGION = Region("box", ORIGINS, 0.5)
MAGNITUDES = np.array([4.95, 5.05, 5.15, 5.25])
BY_HAND = """\
10.0,40.0,4.95,2020-01-01T00:00:00,5,0,starts the window on the corner of a cell
10.1,40.1,5.05,2020-01-07T23:59:59.999999,5,0,ends in it
10.1,40.1,5.35,2020-01-08T00:00:00,5,0,comes after it
10.1,40.1,5.35,2019-12-31T23:59:59.999999,5,0,comes before it
12.0,40.1,5.35,2020-01-03T00:00:00,5,2,east of the last cell
10.1,40.1,4.949999,2020-01-03T00:00:00,5,2,too small
11.9,41.4,9.5,2020-01-03T00:00:00,-1.5,2,in the last cell and bin and above sea level
11.9,41.4,5.25,2020-01-03T00:00:00,30.5,4,too deep
11.9,41.4,5.25,2020-01-03T00:00:00,,4,without a depth
"""


def _read(tmp_path: Path, text: str, n_catalogs: int | None = None) -> CatalogForecast:
    path = tmp_path / "model.csv"
    path.write_text(text)
    return read_catalog_forecast(path, n_catalogs=n_catalogs, folder=tmp_path / "cache")


@pytest.fixture
def by_hand(tmp_path: Path) -> CatalogForecast:
    return _read(tmp_path, BY_HAND, n_catalogs=8)


def _drawn(tmp_path: Path) -> CatalogForecast:
    """Give 50 catalogs of up to 30 events in and around the window, the region and the bins."""
    generator = np.random.default_rng(11)
    lines = ["lon,lat,mag,time_string,depth,catalog_id,event_id"]
    for number in range(50):
        size = generator.integers(0, 30) * (number % 5 > 0)
        seconds = np.sort(generator.uniform(-86400, 8 * 86400, size))
        for second in seconds:
            time = (START + timedelta(seconds=round(second, 3))).replace(tzinfo=None).isoformat()
            place = generator.uniform([9.8, 39.8, 4.9], [12.2, 41.7, 5.4]).round(2)
            lines.append(f"{place[0]},{place[1]},{place[2]},{time},{generator.uniform(0, 40)},{number},")
    return _read(tmp_path, "\n".join(lines), n_catalogs=50)


@pytest.mark.parametrize("chunk", [1, 2, 4, 1 << 19])
def test_what_counts_by_hand(by_hand: CatalogForecast, monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    monkeypatch.setattr(forecast_module, "_CHUNK", chunk)
    counted = by_hand.within(region=REGION, magnitudes=MAGNITUDES, window=WINDOW, depth_km=(0, 30))
    assert counted.event.tolist() == [0, 1, 6]
    assert counted.catalog.tolist() == [0, 0, 2]
    assert counted.cell.tolist() == [0, 0, 11]
    assert counted.bin.tolist() == [0, 1, 3]
    assert counted.left_out == LeftOut(before=1, after=1, below=1, other_depth=2, outside=1)
    assert counted.per_catalog().tolist() == [2, 0, 1, 0, 0, 0, 0, 0]
    assert counted.per_bin().tolist() == [1, 1, 0, 1]
    assert counted.per_catalog_and_bin()[:3].tolist() == [[1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1]]
    rates = np.zeros((12, 4))
    rates[0, :2] = rates[11, 3] = 1 / 8
    assert counted.expected_rates().tolist() == rates.tolist()


def test_without_window_and_depths_all_times_and_depths_count(by_hand: CatalogForecast) -> None:
    counted = by_hand.within(region=REGION, magnitudes=MAGNITUDES)
    assert counted.per_catalog().tolist() == [4, 0, 1, 0, 2, 0, 0, 0]
    deep = by_hand.within(region=REGION, magnitudes=MAGNITUDES, depth_km=(1, 40))
    assert deep.per_catalog().tolist() == [4, 0, 0, 0, 1, 0, 0, 0]
    assert by_hand.expected_rates(REGION, MAGNITUDES).sum() == 7 / 8


def test_a_forecast_of_empty_catalogs_expects_nothing(tmp_path: Path) -> None:
    forecast = _read(tmp_path, "lon,lat,mag,time_string,depth,catalog_id,event_id\n", n_catalogs=5)
    counted = forecast.within(region=REGION, magnitudes=MAGNITUDES, window=WINDOW)
    assert counted.per_catalog().tolist() == [0] * 5
    assert counted.expected_rates().tolist() == np.zeros((12, 4)).tolist()
    assert [len(events) for events in forecast] == [0] * 5


def test_pycsep_counts_the_same(tmp_path: Path) -> None:
    import csep
    from csep.core.regions import CartesianGrid2D

    from tests.evaluations.csep_catalogs import csep_forecast

    forecast = _drawn(tmp_path)
    counted = forecast.within(region=REGION, magnitudes=MAGNITUDES, window=WINDOW, depth_km=(0, 30))
    grid = CartesianGrid2D.from_origins(ORIGINS, dh=0.5, magnitudes=MAGNITUDES)
    start, end = (int(moment.timestamp() * 1000) for moment in (WINDOW.start, WINDOW.end))
    theirs = csep.load_catalog_forecast(
        str(tmp_path / "model.csv"),
        region=grid,
        filters=[
            f"origin_time >= {start}",
            f"origin_time < {end}",
            "magnitude >= 4.95",
            "depth <= 30",
        ],
        filter_spatial=True,
        apply_filters=True,
    )
    rates: NDArray[np.float64] = theirs.get_expected_rates().data
    assert counted.expected_rates().tolist() == rates.tolist()
    assert counted.per_catalog().tolist() == theirs.get_event_counts().tolist()
    assert 0 < len(counted) < forecast.n_events
    handed = csep_forecast(forecast, counted, grid, WINDOW)
    assert handed.get_expected_rates().data.tolist() == rates.tolist()
    for mine, other in zip(handed, theirs, strict=True):
        assert mine.catalog_id == other.catalog_id
        for name in ("origin_time", "longitude", "latitude", "depth", "magnitude"):
            assert mine.catalog[name].tolist() == other.catalog[name].tolist()


@pytest.mark.parametrize("edges", [np.arange(4.95, 8.96, 0.1), np.array([5.0]), np.array([4, 4.5, 6, 6.1])])
def test_magnitudes_on_an_edge_are_in_its_bin(edges: NDArray[np.float64]) -> None:
    assert magnitude_bins(edges, edges).tolist() == list(range(len(edges)))
    printed = np.array([float(f"{edge:.2f}") for edge in edges])
    assert magnitude_bins(printed, edges).tolist() == list(range(len(edges)))
    assert magnitude_bins(np.array([99.0]), edges).tolist() == [len(edges) - 1]


def test_bins_of_one_width_are_pycseps() -> None:
    from csep.utils.calc import bin1d_vec

    edges = np.arange(4.95, 8.96, 0.1)
    drawn = np.random.default_rng(5).uniform(4.95, 10, 2000)
    for magnitudes in (drawn, drawn.round(2), drawn.astype(np.float32).astype(float), edges):
        theirs = bin1d_vec(magnitudes, edges, right_continuous=True)
        assert magnitude_bins(magnitudes, edges).tolist() == theirs.tolist()


def test_catalogs_come_one_by_one_in_order_of_time(by_hand: CatalogForecast) -> None:
    first, second, *_ = by_hand
    assert first.event_id.tolist() == ["3", "0", "1", "2"]
    assert (np.diff(first.time_us) > 0).all()
    assert first.times()[1] == START
    assert len(second) == 0
    with pytest.raises(IndexError, match="0 to 7"):
        by_hand.catalog(8)


def test_the_compact_form_goes_to_a_store_and_comes_back(tmp_path: Path) -> None:
    forecast = _drawn(tmp_path)
    with forecast.open() as file:
        data = file.read()
    assert (forecast.blob.sha256, forecast.blob.size) == (hashlib.sha256(data).hexdigest(), len(data))
    again = catalogs_from_file(io.BytesIO(data), forecast.blob.sha256, tmp_path / "other")
    assert again.header == forecast.header
    assert (
        again.expected_rates(REGION, MAGNITUDES).tolist()
        == forecast.expected_rates(REGION, MAGNITUDES).tolist()
    )
    assert not again.time_us.flags.writeable
    mapped = catalogs_from_file(io.BytesIO(b"not read"), forecast.blob.sha256, tmp_path / "other")
    assert mapped.path == again.path
    for damaged in (
        data[:-1],
        data + b" ",
        b"other" + data[5:],
        b"",
        data[:-3] + b"not",
        data[:24] + b"\xff" * 8 + data[32:],
    ):
        with pytest.raises(ForecastError, match="compact form"):
            catalogs_from_file(io.BytesIO(damaged), "0" * 64, tmp_path / "other")
    assert [file.stem for file in (tmp_path / "other").iterdir()] == [forecast.blob.sha256]


def test_equal_files_make_equal_bytes(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    assert _drawn(tmp_path / "one").blob == _drawn(tmp_path / "two").blob
