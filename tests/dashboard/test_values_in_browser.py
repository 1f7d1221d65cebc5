"""The numbers of figures in the browser are the store's, and those that pyCSEP computes of the same."""

import contextlib
import math
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pytest
from numpy.typing import NDArray

from forequake.results import ConsistencyRecord, Outcome, ScoreRecord
from forequake.windows import TimeWindow
from stores import ResultQuery, ResultRow, ResultsStore, open_store
from tests.dashboard.browsing import LOOKING, figures, settle

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

#: 14 events, and three quarters of a day.
WINDOW: Final = TimeWindow(start=datetime(2019, 7, 6, 6, tzinfo=UTC), end=datetime(2019, 7, 7, tzinfo=UTC))
QUERY: Final = "experiment=ridge&window=2019-07-06+06:00+to+2019-07-07+00:00"
TESTS: Final = ("N", "S", "L", "CL")


@dataclass(frozen=True)
class Theirs:
    """What pyCSEP needs: forecasts from the experiment's files, and the catalog that it brings along."""

    forecasts: dict[str, Any]
    catalog: Any


@pytest.fixture(scope="module")
def store(ridge: str) -> ResultsStore:
    return open_store(ridge)


@pytest.fixture(scope="module")
def rows(store: ResultsStore) -> dict[tuple[str, str], ResultRow]:
    """Give the results of the window, by test and model."""
    found = store.latest(ResultQuery(experiment="ridge", window=WINDOW)).rows
    return {(row.label.test, row.label.model): row for row in found}


@pytest.fixture(scope="module")
def page(chromium: "Browser") -> Iterator["Page"]:
    with chromium.new_context(viewport={"width": 1280, "height": 900}) as context:
        context.add_init_script(path=LOOKING)
        yield context.new_page()


@pytest.fixture(scope="module")
def drawn(serve: Any, ridge: str, page: "Page") -> Iterator[Any]:
    """Give the figures of a page, by the box that each lies in."""
    with serve(ridge) as address:

        def of(path: str) -> list[dict[str, Any]]:
            page.goto(f"{address}/{path}")
            settle(page)
            return figures(page)

        yield of


@pytest.fixture(scope="module")
def theirs(ridge: str) -> Theirs:
    from csep import load_catalog
    from csep.core.forecasts import GriddedForecast
    from csep.core.regions import CartesianGrid2D
    from csep.utils import datasets
    from csep.utils.time_utils import datetime_to_utc_epoch

    folder = Path(ridge.removeprefix("sqlite:///")).parent
    magnitudes = np.round(3.95 + 0.1 * np.arange(31), 2)
    grid = CartesianGrid2D.from_origins(np.loadtxt(folder / "region.txt"), dh=0.1, magnitudes=magnitudes)
    share = 0.75 / 365  # of a year that has no 29th of February
    forecasts = {
        model: GriddedForecast(
            data=np.loadtxt(folder / f"{model}.csv", delimiter=",", skiprows=1)[:, 6:] * share,
            region=grid,
            magnitudes=magnitudes,
        )
        for model in ("near", "flat", "holes")
    }
    with _undisturbed():
        catalog = load_catalog(datasets.comcat_example_catalog_fname, type="csep-csv")
        ends = [datetime_to_utc_epoch(end) for end in (WINDOW.start, WINDOW.end)]
        catalog.filter([f"origin_time >= {ends[0]}", f"origin_time < {ends[1]}", "magnitude >= 3.95"])
        catalog.filter(["depth >= -2", "depth < 30"])
        catalog.filter_spatial(grid, in_place=True)
    return Theirs(forecasts, catalog)


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    state = np.random.get_state()  # noqa: NPY002  # pyCSEP draws from it
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield
    np.random.set_state(state)  # noqa: NPY002


def _theirs(test: str, model: str, seed: int | None, theirs: Theirs) -> Any:
    """Compute a test by pyCSEP's own function, with the seed of our result."""
    from csep.core import poisson_evaluations as poisson

    forecast = theirs.forecasts[model]
    with _undisturbed():
        if test == "N":
            return poisson.number_test(forecast, theirs.catalog)
        function = {
            "S": poisson.spatial_test,
            "L": poisson.likelihood_test,
            "CL": poisson.conditional_likelihood_test,
        }[test]
        return function(forecast, theirs.catalog, num_simulations=201, seed=seed)


def _bar(result: Any, *, one_sided: bool) -> tuple[float, float]:
    """Give the ends of the bar that pyCSEP's figure draws for a result."""
    import matplotlib as mpl

    mpl.use("Agg")
    from csep.plots import plot_consistency_test
    from matplotlib import pyplot

    with _undisturbed():
        axes = plot_consistency_test(result, one_sided_lower=one_sided, show=False)
        ((low, _), (high, _)) = axes.containers[0].lines[2][0].get_segments()[0]
        pyplot.close(axes.figure)
    return float(low), float(high)


def _marks(figure: dict[str, Any]) -> dict[str, tuple[float, float]]:
    """Give where the marks of a figure lie, by what they carry."""
    return {
        carried[0]: (float(x), float(y))
        for trace in figure["data"]
        if trace.get("customdata")
        for carried, x, y in zip(trace["customdata"], trace["x"], trace["y"], strict=True)
        if carried
    }


def _bars(figure: dict[str, Any], name: str) -> dict[float, tuple[float, float]]:
    """Give the ends of the bars of a figure, by their height."""
    (trace,) = (trace for trace in figure["data"] if trace.get("name") == name)
    x, y = trace["x"], trace["y"]
    return {float(y[place]): (float(x[place]), float(x[place + 1])) for place in range(0, len(x), 3)}


def _numbers(values: Sequence[Any]) -> NDArray[np.float64]:
    return np.array(values, dtype=np.float64)


def test_consistency_is_what_the_store_and_pycsep_have(
    drawn: Any, rows: dict[tuple[str, str], ResultRow], theirs: Theirs, store: ResultsStore
) -> None:
    found = drawn(f"consistency?{QUERY}")
    assert len(found) == len(TESTS)
    for test, figure in zip(TESTS, found, strict=True):
        marks, bars = _marks(figure), _bars(figure, "not rejected between")
        for model in ("near", "flat", "holes"):
            row = rows[test, model]
            x, y = marks[row.label.slot]
            result = _theirs(test, model, row.seed, theirs)
            assert row.n_observed == theirs.catalog.event_count == 14
            assert row.n_forecast == pytest.approx(theirs.forecasts[model].event_count, rel=1e-6)
            if math.isinf(row.statistic or 0.0):
                assert result.observed_statistic == row.statistic
                continue
            assert x == row.statistic == pytest.approx(result.observed_statistic, rel=1e-6)
            record = store.get(ConsistencyRecord, row.key)
            assert record.quantiles is not None
            if test == "N":
                ours = (record.quantiles.delta1, record.quantiles.delta2)  # type: ignore[union-attr]
                assert ours == pytest.approx(result.quantile, rel=1e-5)
            else:
                assert record.quantiles.q == result.quantile  # type: ignore[union-attr]
            low, high = _bar(result, one_sided=test != "N")
            assert bars[y][0] == pytest.approx(low, rel=1e-6)
            if test == "N":
                assert bars[y][1] == high


def test_comparisons_are_what_the_store_and_pycsep_have(
    drawn: Any, rows: dict[tuple[str, str], ResultRow], theirs: Theirs
) -> None:
    from csep.core import poisson_evaluations as poisson

    (figure,) = drawn(f"comparison?{QUERY}")
    near, ranks = rows["T", "near"], rows["W", "near"]
    x, y = _marks(figure)[near.label.slot]
    with _undisturbed():
        t = poisson.paired_t_test(theirs.forecasts["near"], theirs.forecasts["flat"], theirs.catalog)
        w = poisson.w_test(theirs.forecasts["near"], theirs.forecasts["flat"], theirs.catalog)
    assert x == near.information_gain == pytest.approx(t.observed_statistic, rel=1e-6)
    assert _bars(figure, "interval")[y] == near.interval == pytest.approx(t.test_distribution, rel=1e-6)
    assert (near.quantiles.t, near.quantiles.t_critical) == pytest.approx(t.quantile[:2], rel=1e-6)  # type: ignore[union-attr]
    assert ranks.quantiles.p == pytest.approx(w.quantile, rel=1e-6)  # type: ignore[union-attr]
    # Right and filled: better by both tests.
    (trace,) = (trace for trace in figure["data"] if [near.label.slot] in (trace.get("customdata") or []))
    assert (near.outcome, ranks.outcome) == (Outcome.BETTER, Outcome.BETTER)
    assert trace["marker"]["symbol"] == "triangle-right"
    assert trace["marker"]["color"] == [trace["marker"]["line"]["color"]]


def test_counted_cells_are_the_stores_counts(drawn: Any, store: ResultsStore) -> None:
    figure = drawn("?experiment=ridge")[0]
    texts = {
        tuple(place): text
        for trace in figure["data"]
        if trace.get("customdata") and isinstance(trace.get("text"), list)
        for place, text in zip(trace["customdata"], trace["text"], strict=True)
        if "/" in text
    }
    checked = 0
    for cell in store.overview("ridge").cells:
        rejected = cell.outcomes.get(Outcome.REJECTED, 0)
        decided = rejected + cell.outcomes.get(Outcome.PASSED, 0)
        if cell.test in TESTS:
            assert texts[cell.model, cell.test, ""] == f"{rejected}/{decided}"
            checked += 1
    assert checked == 12


def test_gains_over_time_add_up_to_the_stores_scores(drawn: Any, store: ResultsStore) -> None:
    figure = drawn("time?experiment=ridge")[0]
    scores = {"near": 0.0, "holes": 0.0}
    for row in store.latest(ResultQuery(experiment="ridge", tests=("IG",))).rows:
        if row.statistic is not None and math.isfinite(row.statistic):
            scores[row.label.model] += row.statistic
    for model, total in scores.items():
        (line,) = (
            trace for trace in figure["data"] if trace.get("name", "").startswith(f"{model}  ") and trace["y"]
        )
        assert _numbers(line["y"])[-1] == pytest.approx(total, rel=1e-9)


def test_alarm_curves_are_the_stores(
    drawn: Any, rows: dict[tuple[str, str], ResultRow], store: ResultsStore
) -> None:
    figure = drawn(f"alarms?{QUERY}&alarm_diagram=Molchan")[0]
    for model in ("near", "flat", "holes"):
        row = rows["Molchan", model]
        curve = store.get(ScoreRecord, row.key).curve
        assert curve is not None
        lines = [trace for trace in figure["data"] if trace.get("legendgroup") == model]
        assert any(f"{row.statistic:.3g}" in trace.get("name", "") for trace in lines)
        ends = {(float(x[0]), float(x[-1])) for x in (trace["x"] for trace in lines) if len(x) > 1}
        assert (min(curve.x), max(curve.x)) in {(min(pair), max(pair)) for pair in ends}


def test_a_map_has_the_rates_of_the_forecasts_file_and_equal_scales(
    drawn: Any, theirs: Theirs, page: "Page"
) -> None:
    near, flat = drawn(f"map?{QUERY}&map_a=near&map_b=flat")
    for figure, model in ((near, "near"), (flat, "flat")):
        (heat,) = (trace for trace in figure["data"] if trace["type"] == "heatmap")
        rates = np.sort(10 ** _numbers(heat["z"]).ravel())
        cells = np.sort(theirs.forecasts[model].spatial_counts())
        np.testing.assert_allclose(rates[np.isfinite(rates)], cells, rtol=1e-4)
        assert any("14 events in the test" in trace.get("name", "") for trace in figure["data"])
    x, y = page.evaluate(
        "['xaxis', 'yaxis'].map(name => {"
        "const axis = document.querySelector('.js-plotly-plot')._fullLayout[name];"
        "return axis._length / (axis.range[1] - axis.range[0]) })"
    )
    assert x / y == pytest.approx(math.cos(math.radians(35.75)), rel=0.01)
    page.locator(".js-plotly-plot .heatmaplayer image").first.wait_for(state="attached")


def test_the_gains_of_events_have_the_mean_that_the_t_test_stored(
    drawn: Any, rows: dict[tuple[str, str], ResultRow], page: "Page"
) -> None:
    drawn(f"map?{QUERY}&map_a=near&map_b=flat&map_shows=gain+of+events")
    assert page.locator(".js-plotly-plot .scatterlayer .points path").count() >= 14
    assert f"the test T stored {rows['T', 'near'].information_gain:.4g}" in page.inner_text("body")
