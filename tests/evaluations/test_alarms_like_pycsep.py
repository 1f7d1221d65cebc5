"""Alarm scores against pyCSEP's own: what its plotting functions draw and write, and its Kagan score.

pyCSEP takes seconds for one curve over a whole region, so a few hundred cells of one stand for it here; the
whole grids are compared in the slow tests.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from forequake.catalogs import Events, read_catalog
from forequake.evaluations import ZERO_RATE_FLAG, Observation
from forequake.evaluations.alarms import concentration_roc, kagan_i1, molchan, roc
from forequake.evaluations.evaluated import Numbers
from forequake.evaluations.kernels import PreparedForecast
from forequake.regions import Region, named_region
from forequake.results import Curve

Array = NDArray[np.float64]
MAGNITUDES = np.array([4.0, 4.5, 5.0])
#: West, south, cells along a side: around Ridgecrest, and in the central Apennines.
PARTS = {"california_relm_region": (-118.5, 35.0, 12), "italy_csep_region": (12.6, 42.0, 12)}


def _part(name: str) -> Region:
    region = named_region(name)
    west, south, side = PARTS[name]
    # Half a cell of room, since origins are rounded differently by those who give them.
    x, y = (region.origins - (west, south) + 0.05).T
    inside = (x > 0) & (y > 0) & (x < 0.1 * side) & (y < 0.1 * side)
    assert inside.sum() == side**2
    return Region(name="part", origins=region.origins[inside], cell_size=0.1)


def _smooth(region: Region, random: np.random.Generator) -> Array:
    """Draw rates without ties that cluster in space over four orders of magnitude."""
    centres = region.origins[random.integers(len(region), size=5)]
    distances = np.hypot(*(region.origins[:, :, np.newaxis] - centres.T).transpose(1, 0, 2))
    return np.asarray((1 / (0.02 + distances**2)).sum(axis=1) * random.uniform(0.9, 1.1, len(region)))


def _observed(region: Region, rates: Array, count: int, random: np.random.Generator) -> Observation:
    """Draw events by the square root of the rates, so that a forecast is neither perfect nor void."""
    chances = np.sqrt(rates) / np.sqrt(rates).sum()
    places = region.origins[random.choice(len(region), size=count, p=chances)]
    places = places + 0.1 * random.uniform(0.1, 0.9, places.shape)
    events = Events(
        time_us=np.arange(count, dtype=np.int64),
        longitude=places[:, 0],
        latitude=places[:, 1],
        depth_km=np.zeros(count),
        magnitude=np.full(count, 4.2),
        event_id=np.array([f"event-{n}" for n in range(count)], dtype=np.str_),
    )
    return Observation(region=region, magnitudes=MAGNITUDES, events=events)


@pytest.fixture(scope="module")
def theirs() -> Iterator[Callable[[str, PreparedForecast, Observation], Any]]:
    """Call a function of pyCSEP's by name: axes of its plots, and the score."""
    import matplotlib as mpl

    mpl.use("Agg")
    from csep import plots
    from csep.core.catalogs import CSEPCatalog
    from csep.core.forecasts import GriddedForecast
    from csep.core.regions import CartesianGrid2D
    from csep.utils import stats
    from matplotlib import pyplot

    def call(name: str, forecast: PreparedForecast, observation: Observation) -> Any:
        region, events = observation.region, observation.events
        grid = CartesianGrid2D.from_origins(region.origins, dh=0.1, magnitudes=observation.magnitudes)
        columns = (events.latitude, events.longitude, events.depth_km, events.magnitude)
        rows = [(str(n), n, *values) for n, values in enumerate(zip(*columns, strict=True))]
        catalog = CSEPCatalog(data=rows, region=grid, compute_stats=False)
        gridded = GriddedForecast(data=forecast.rates, region=grid, magnitudes=observation.magnitudes)
        if name == "I1":
            return float(stats.get_Kagan_I1_score(gridded, catalog)[0])
        pyplot.close("all")
        return getattr(plots, f"plot_{name}_diagram")(gridded, catalog, show=False)

    yield call
    pyplot.close("all")


def _drawn(axes: Any, label: str) -> tuple[Array, Array]:
    (line,) = [line for line in axes.lines if line.get_label().startswith(label)]
    return np.asarray(line.get_xdata(), dtype=float), np.asarray(line.get_ydata(), dtype=float)


def _same_line(curve: Curve | None, x: Array, y: Array) -> None:
    """See that all points of theirs lie on our curve, and all of ours are among theirs."""
    assert curve is not None
    ours_x, ours_y = np.array(curve.x), np.array(curve.y)
    way, ours_way = x + np.abs(y - y[0]), ours_x + np.abs(ours_y - ours_y[0])
    np.testing.assert_allclose(np.interp(way, ours_way, ours_x), x, rtol=0, atol=1e-12)
    np.testing.assert_allclose(np.interp(way, ours_way, ours_y), y, rtol=0, atol=1e-12)
    gaps = np.abs(ours_x[:, np.newaxis] - x) + np.abs(ours_y[:, np.newaxis] - y)
    assert gaps.min(axis=1).max() < 1e-12


def _compare(
    forecast: PreparedForecast,
    observation: Observation,
    theirs: Callable[..., Any],
    *,
    ties: bool = False,
) -> None:
    x, y = _drawn(theirs("ROC", forecast, observation), "Forecast")
    ours = roc(forecast, observation)
    _same_line(ours.curve, x, y)
    assert ours.statistic == pytest.approx(np.trapezoid(y, x), rel=1e-12)

    axes = theirs("Molchan", forecast, observation)
    x, y = _drawn(axes, "Forecast")
    ours = molchan(forecast, observation)
    _same_line(ours.curve, x, y)
    assert ours.statistic == pytest.approx(1 - np.trapezoid(y, x), rel=1e-12)
    written = float(re.findall(r"ASS=([\d.]+)", axes.get_legend().get_texts()[0].get_text())[0])
    assert max(0.5, ours.statistic or 0) == pytest.approx(written, abs=0.005 + 1e-9)

    x, y = _drawn(theirs("concentration_ROC", forecast, observation), "Observations")
    ours = concentration_roc(forecast, observation)
    x, y = np.append(0, x), np.append(0, y)  # pyCSEP's line begins behind the first cell
    if not ties:
        _same_line(ours.curve, x, y)
    assert ours.statistic == pytest.approx(np.trapezoid(y, x), rel=1e-3 if ties else 1e-12)

    assert kagan_i1(forecast, observation).statistic == pytest.approx(
        theirs("I1", forecast, observation), rel=1e-12
    )


@pytest.mark.parametrize("name", PARTS)
@pytest.mark.parametrize(("seed", "count"), [(1, 4), (2, 60)])
def test_curves_and_scores_are_pycseps(name: str, seed: int, count: int, theirs: Callable[..., Any]) -> None:
    random = np.random.default_rng(seed)
    region = _part(name)
    rates = _smooth(region, random)
    observation = _observed(region, rates, count, random)
    _compare(PreparedForecast.of(np.outer(rates, [0.5, 0.3, 0.2])), observation, theirs)


def test_equal_rates_come_in_together_as_in_pycsep(theirs: Callable[..., Any]) -> None:
    """With ties, ROC and Molchan are still pyCSEP's; in its concentration ROC the order of cells counts."""
    random = np.random.default_rng(3)
    region = _part("italy_csep_region")
    rates = np.asarray(np.round(np.log10(_smooth(region, random)), 1) + 2, dtype=np.float64)
    rates[random.random(len(rates)) < 0.2] = 0.0
    observation = _observed(region, rates + 0.1, 30, random)
    assert len(np.unique(rates)) < 30
    forecast = PreparedForecast.of(np.outer(rates, [0.5, 0.25, 0.25]))
    for name, score in (("ROC", roc), ("Molchan", molchan)):
        result = score(forecast, observation)
        _same_line(result.curve, *_drawn(theirs(name, forecast, observation), "Forecast"))
        assert result.flags == (ZERO_RATE_FLAG,)
    turned = Region(name="turned", origins=region.origins[::-1], cell_size=0.1)
    elsewhere = Observation(region=turned, magnitudes=MAGNITUDES, events=observation.events)
    backwards = PreparedForecast.of(forecast.rates[::-1])

    def areas(numbers: Numbers, *case: Any) -> tuple[float, float]:
        x, y = _drawn(theirs("concentration_ROC", *case), "Observations")
        assert numbers.statistic is not None
        return numbers.statistic, float(np.trapezoid(y, x))

    one = areas(concentration_roc(forecast, observation), forecast, observation)
    other = areas(concentration_roc(backwards, elsewhere), backwards, elsewhere)
    assert one[0] == pytest.approx(other[0], rel=1e-12)
    assert abs(one[1] - other[1]) > 0.001


def test_pycseps_i1_leaves_out_an_event_in_a_cell_of_rate_zero(theirs: Callable[..., Any]) -> None:
    random = np.random.default_rng(4)
    region = _part("california_relm_region")
    rates = _smooth(region, random)
    observation = _observed(region, rates, 10, random)
    rates[observation.cells[0]] = 0
    forecast = PreparedForecast.of(np.outer(rates, [0.5, 0.3, 0.2]))
    ours = kagan_i1(forecast, observation)
    assert (ours.statistic, ours.flags) == (-np.inf, (ZERO_RATE_FLAG,))
    others = np.flatnonzero(observation.cells != observation.cells[0])
    rest = Observation(region=region, magnitudes=MAGNITUDES, events=observation.events.take(others))
    of_others = kagan_i1(forecast, rest)
    assert of_others.statistic is not None
    assert theirs("I1", forecast, observation) == pytest.approx(of_others.statistic * len(others) / 10)


@pytest.mark.slow
def test_whole_california_is_pycseps(california: Any, theirs: Callable[..., Any]) -> None:
    from csep.utils import datasets

    region = california.observation.region
    events = read_catalog(Path(datasets.comcat_example_catalog_fname))
    inside = np.flatnonzero(region.cells_of(events.longitude, events.latitude) >= 0)
    assert len(inside) > 800
    observation = Observation(
        region=region, magnitudes=np.round(2.5 + 0.1 * np.arange(41), 1), events=events.take(inside)
    )
    # The forecast has cells of equal rates, which pyCSEP's concentration ROC takes one by one.
    _compare(PreparedForecast.of(california.mainshock), observation, theirs, ties=True)


@pytest.mark.slow
def test_whole_italy_is_pycseps(theirs: Callable[..., Any]) -> None:
    random = np.random.default_rng(6)
    region = named_region("italy_csep_region")
    rates = _smooth(region, random)
    observation = _observed(region, rates, 40, random)
    _compare(PreparedForecast.of(np.outer(rates, [0.5, 0.3, 0.2])), observation, theirs)
