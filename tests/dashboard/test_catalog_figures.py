"""Figures of the catalog: events as they count, numbers and bands as pyCSEP has them."""

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from dashboard._theme import DARK, LIGHT, Theme
from dashboard.figures.catalog import epicentre_map
from dashboard.figures.catalog_counts import (
    ModelCounts,
    cumulative_figure,
    frequency_figure,
    magnitude_histogram,
)
from dashboard.figures.growth import poisson_band, poisson_growth, simulated_growth
from dashboard.figures.judged import JudgedEvents, b_value, judge, microseconds, reason_words
from dashboard.figures.lines import styles_of
from dashboard.figures.pixels import pixels_of
from forequake.catalogs import Events, read_catalog
from forequake.models.runs.input_catalog import csep_csv
from forequake.regions import Region
from forequake.windows import TimeWindow

START = datetime(2020, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
WEEK = TimeWindow(start=START, end=START + 7 * DAY)
REGION = Region(
    name="square",
    origins=np.array([[x, y] for x in range(10, 14) for y in range(40, 44)], dtype=np.float64),
    cell_size=1.0,
)


def catalog(count: int, seed: int = 1, least: float = 3.0) -> Events:
    random = np.random.default_rng(seed)
    times = np.sort(random.integers(0, 7 * 86_400_000, count)) * 1000  # whole milliseconds, as pyCSEP has
    return Events(
        time_us=times + microseconds(START),
        longitude=random.uniform(9.5, 14.5, count),
        latitude=random.uniform(39.5, 44.5, count),
        depth_km=random.uniform(0, 40, count),
        magnitude=np.round(least + random.exponential(1 / math.log(10), count), 1),
        event_id=np.array([f"e{place}" for place in range(count)], dtype=np.str_),
    )


def judged(events: Events, *windows: TimeWindow) -> JudgedEvents:
    return judge(events, windows=windows, region=REGION, magnitude_min=3.5, depth_km=(0, 30))


def counts(growth_total: float = 4.0, band: Any = None) -> ModelCounts:
    return ModelCounts(
        model="<alpha>",
        line=styles_of(["<alpha>"], (), LIGHT)["<alpha>"],
        per_bin=np.array([3.0, 0.9, 0.1]),
        band=band,
        growth=poisson_growth(growth_total, WEEK),
    )


def test_what_counts_is_what_the_cuts_of_all_windows_leave() -> None:
    events = catalog(2000)
    windows = (
        TimeWindow(start=START, end=START + DAY),
        TimeWindow(start=START + 2 * DAY, end=START + 4 * DAY),
        TimeWindow(start=START + 3 * DAY, end=START + 5 * DAY),
    )
    cuts = [
        events.cut(window=window, region=REGION, magnitude_min=3.5, depth_km=(0, 30)) for window in windows
    ]
    expected = set().union(*(cut.event_id.tolist() for cut in cuts))
    found = judged(events, *windows)
    assert set(found.events.event_id[found.counted].tolist()) == expected
    assert 0 < len(expected) < len(events)
    last = int(np.flatnonzero(~found.counted)[-1])
    words = reason_words(int(found.why_not[last]))
    assert ("in no window" in words) == (events.times()[last] >= START + 5 * DAY)
    assert ("magnitude" in words) == (events.magnitude[last] < 3.5)


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_the_map_draws_counted_events_filled_and_larger_ones_larger(theme: Theme) -> None:
    found = judged(catalog(300), WEEK)
    figure = epicentre_map(found, pixels_of(REGION), theme, 500)
    outside, inside = figure.data[:2]
    assert (outside.marker.symbol, inside.marker.symbol) == ("circle-open", "circle")
    assert len(inside.x) == found.counted.sum()
    assert len(outside.x) + len(inside.x) == 300
    magnitudes = np.asarray(inside.customdata)[:, 0]
    assert np.all(np.diff(magnitudes) <= 0)
    assert np.all(np.diff(np.asarray(inside.marker.size)) <= 0)


def test_very_many_events_are_drawn_by_the_graphics_card() -> None:
    figure = epicentre_map(judged(catalog(20_001), WEEK), pixels_of(REGION), LIGHT, 500)
    assert [trace.type for trace in figure.data[:2]] == ["scattergl"] * 2


def test_the_band_over_time_is_that_of_pycsep() -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from csep import plots
    from csep.core.catalogs import CSEPCatalog
    from csep.core.forecasts import CatalogForecast
    from matplotlib import pyplot

    random = np.random.default_rng(2)
    parts = [catalog(int(count), seed=place) for place, count in enumerate(random.poisson(12, 40))]
    seen = catalog(9, seed=99)

    def theirs(events: Events, number: int) -> Any:
        rows = [
            (str(place), time // 1000, lat, lon, depth, magnitude)
            for place, (time, lat, lon, depth, magnitude) in enumerate(
                zip(
                    events.time_us.tolist(),
                    events.latitude.tolist(),
                    events.longitude.tolist(),
                    events.depth_km.tolist(),
                    events.magnitude.tolist(),
                    strict=True,
                )
            )
        ]
        return CSEPCatalog(data=rows, catalog_id=number)

    forecast = CatalogForecast(
        catalogs=[theirs(part, number) for number, part in enumerate(parts)],
        start_time=WEEK.start,
        end_time=WEEK.end,
        n_cat=40,
    )
    axes = plots.plot_cumulative_events_versus_time(forecast, theirs(seen, 0), bins=50)
    observed, median = (np.asarray(line.get_ydata()) for line in axes.lines[:2])
    bands = [np.asarray(part.get_paths()[0].vertices) for part in axes.collections]
    pyplot.close(axes.figure)
    times = np.concatenate([part.time_us for part in parts])
    numbers = np.repeat(np.arange(40, dtype=np.int32), [len(part) for part in parts])
    wide = simulated_growth(times, numbers, 40, WEEK, (0.05, 0.95), moments=50)
    middle = simulated_growth(times, numbers, 40, WEEK, (0.5, 0.5), moments=50)
    # pyCSEP writes what came until the next moment, and a 0 before all.
    assert np.allclose(median[1:-1], middle.low[1:])
    for edge in (wide.low, wide.high):
        assert any(all(np.isclose(band[:, 1], value).any() for value in edge[1:]) for band in bands)
    ours = cumulative_figure(seen.time_us, WEEK, [], LIGHT).data[-1]
    assert ours.y[-1] == observed[-1] == 9
    assert simulated_growth(times, numbers, 40, WEEK).mean[-1] == pytest.approx(len(times) / 40)


def test_the_histogram_is_that_of_pycsep() -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from csep import plots
    from csep.core.forecasts import GriddedForecast
    from csep.core.regions import CartesianGrid2D
    from matplotlib import pyplot

    edges = np.array([4.0, 4.5, 5.0])
    rates = np.outer(np.full(16, 1 / 16), [3.0, 0.9, 0.1])
    grid = CartesianGrid2D.from_origins(REGION.origins, dh=1.0, magnitudes=edges)
    axes = plots.plot_magnitude_histogram(
        GriddedForecast(data=rates, region=grid, magnitudes=edges), normalize=False, percentile=95
    )
    mean = np.asarray(axes.lines[0].get_ydata())
    ends = np.array([segment[:, 1] for segment in axes.collections[0].get_segments()])
    pyplot.close(axes.figure)
    one = counts()
    low, high = one.bands
    assert np.allclose(mean, one.per_bin)
    assert np.allclose(ends[:, 0], np.minimum(low, mean))
    assert np.allclose(ends[:, 1], np.maximum(high, mean))
    drawn = magnitude_histogram(edges, np.array([2, 0, 1]), [one], LIGHT).data
    assert np.allclose(np.asarray(drawn[0].y), mean)
    assert np.allclose(drawn[0].y + np.asarray(drawn[0].error_y.array), np.maximum(high, mean))
    assert np.asarray(drawn[1].y).tolist() == [2, 1]  # a bin without events has no place on the axis
    assert "&lt;alpha&gt;" in drawn[0].name


def test_simulated_bands_are_drawn_as_given() -> None:
    band = np.array([[1.0, 0.0, 0.0], [6.0, 3.0, 1.0]])
    figure = magnitude_histogram(
        np.array([4.0, 4.5, 5.0]), np.zeros(3, dtype=np.int64), [counts(band=band)], DARK
    )
    assert np.allclose(figure.data[0].y + np.asarray(figure.data[0].error_y.array), band[1])
    assert "no events" in figure.data[1].name


def test_bands_are_scipys_quantiles() -> None:
    means = np.concatenate([np.logspace(-8, 5, 500), np.arange(1, 200)])
    for band, share in zip(poisson_band(means), (0.025, 0.975), strict=True):
        np.testing.assert_array_equal(band, stats.poisson.ppf(share, means))


def test_a_rate_of_zero_has_a_band_of_zero() -> None:
    low, high = poisson_band(np.zeros(3))
    assert low.tolist() == high.tolist() == [0.0, 0.0, 0.0]
    growth = poisson_growth(0.0, WEEK)
    assert growth.high.tolist() == growth.mean.tolist()


def test_a_window_without_events_is_a_line_at_zero() -> None:
    figure = cumulative_figure(np.zeros(0, dtype=np.int64), WEEK, [counts()], LIGHT)
    assert np.asarray(figure.data[-1].y).tolist() == [0, 0]
    assert figure.data[-1].name == "observed: no events"


def test_b_is_pycseps_but_for_the_half_bin() -> None:
    from csep.core.catalogs import CSEPCatalog

    magnitudes = catalog(3000, least=2.95).magnitude
    magnitudes = magnitudes[magnitudes >= 3.0]
    rows = [(str(place), place, 0.0, 0.0, 0.0, value) for place, value in enumerate(magnitudes.tolist())]
    theirs, error = CSEPCatalog(data=rows).get_bvalue(mag_bins=np.arange(3.0, 9.0, 0.1))
    ours = b_value(magnitudes, 3.0, 0.1)
    assert ours is not None
    # Aki and Utsu are below the maximum for bins by (b step ln 10)^2 / 12.
    assert ours.b == pytest.approx(theirs * (1 - (theirs * 0.1 * math.log(10)) ** 2 / 12), rel=1e-3)
    assert ours.error == pytest.approx(abs(error), rel=0.02)
    assert ours.n_events == len(magnitudes)


@pytest.mark.parametrize("magnitudes", [[], [4.0], [4.0, 4.0]])
def test_b_of_too_few_magnitudes_is_none(magnitudes: list[float]) -> None:
    assert b_value(np.array(magnitudes), 3.5, 0.1) is None


def test_frequencies_count_every_event_once_and_from_each_magnitude_on() -> None:
    magnitudes = catalog(500).magnitude
    figure = frequency_figure(magnitudes, b_value(magnitudes, 3.5, 0.1), 3.5, 0.1, LIGHT)
    in_bin, from_on, line = figure.data
    assert sum(in_bin.y) == from_on.y[0] == 500
    assert from_on.y[list(np.round(from_on.x, 6)).index(3.5)] == (magnitudes >= 3.5).sum()
    assert line.y[0] == (magnitudes >= 3.5).sum()


def test_what_is_downloaded_is_read_back(tmp_path: Path) -> None:
    events = catalog(50)
    file = tmp_path / "events.csv"
    file.write_text(csep_csv(events), encoding="utf-8")
    assert read_catalog(file).inputs.key == events.inputs.key
