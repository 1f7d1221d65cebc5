"""Alarm scores against their definitions, cell by cell, and what must hold of any forecast."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from forequake.evaluations import ZERO_RATE_FLAG, Observation, TestParameters, evaluate
from forequake.evaluations.alarms import MOST_POINTS, concentration_roc, kagan_i1, molchan, roc
from forequake.evaluations.evaluated import Numbers
from forequake.evaluations.kernels import PreparedForecast
from forequake.forecasts import uniform_rates
from forequake.regions import Region
from forequake.results import Curve, Outcome, ScoreRecord

Array = NDArray[np.float64]
Score = Callable[[PreparedForecast, Observation], Numbers]

CURVES: tuple[Score, ...] = (roc, concentration_roc, molchan)
SCORES: tuple[Score, ...] = (*CURVES, kagan_i1)

ANY_GRID = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
)


def _of(score: Score, cells: Array | list[float], observation: Observation) -> Numbers:
    """Score a forecast by the rates of its cells, which are split over three magnitude bins."""
    return score(PreparedForecast.of(np.outer(cells, [0.5, 0.375, 0.125])), observation)


def _in_cells(observe: Callable[..., Observation], cells: list[int], columns: int, rows: int) -> Observation:
    points = [(10.5 + cell // rows, 40.5 + cell % rows, 4.2) for cell in cells]
    return observe(points, columns=columns, rows=rows)


@st.composite
def _cases(draw: st.DrawFn) -> tuple[list[float], list[int]]:
    """Rates of six cells, often equal and often 0, and the cells of some events."""
    rates = draw(st.lists(st.sampled_from([0.0, 1e-9, 0.02, 0.3, 0.3, 7.0]), min_size=6, max_size=6))
    return rates, draw(st.lists(st.integers(0, 5), min_size=1, max_size=9))


def _thresholds(
    rates: list[float], measure: list[float], happened: list[float]
) -> Iterator[tuple[float, float]]:
    """Give what is in alarm at each threshold, and what of the happened that covers, both as shares."""
    for threshold in [math.inf, *sorted(set(rates), reverse=True)]:
        alarms = [rate >= threshold for rate in rates]
        alarmed = math.fsum(size for size, alarm in zip(measure, alarms, strict=True) if alarm)
        covered = math.fsum(count for count, alarm in zip(happened, alarms, strict=True) if alarm)
        yield alarmed / math.fsum(measure), covered / math.fsum(happened)


def _agrees(numbers: Numbers, points: list[tuple[float, float]], *, missed: bool = False) -> None:
    """See that a curve is the broken line through these points, and its score the area below it."""
    assert numbers.outcome is Outcome.SCORE_ONLY
    assert numbers.curve is not None
    x, y = np.array(numbers.curve.x), np.array(numbers.curve.y)
    y = 1 - y if missed else y
    assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)
    assert (np.diff(x) >= 0).all()
    assert (np.diff(y) >= 0).all()
    for alarmed, covered in points:  # along x + y, which rises strictly
        assert np.interp(alarmed + covered, x + y, x) == pytest.approx(alarmed, abs=1e-12)
    area = math.fsum((to[0] - since[0]) * (to[1] + since[1]) / 2 for since, to in pairwise(points))
    assert numbers.statistic == pytest.approx(area, abs=1e-12)
    assert float(np.diff(x) @ (y[1:] + y[:-1])) / 2 == pytest.approx(area, abs=1e-12)


@ANY_GRID
@given(case=_cases())
def test_curves_follow_their_definition(
    case: tuple[list[float], list[int]], observe: Callable[..., Observation]
) -> None:
    rates, cells = case
    observation = _in_cells(observe, cells, columns=2, rows=3)
    counts = [float(cells.count(cell)) for cell in range(6)]
    active = [float(count > 0) for count in counts]
    if not any(rates):
        assert {_of(score, rates, observation).outcome for score in SCORES} == {Outcome.UNDEFINED}
        return
    area = observation.region.area.tolist()
    assert max(area) > 1.02 * min(area)  # else the weights would say nothing
    _agrees(_of(concentration_roc, rates, observation), list(_thresholds(rates, area, counts)))
    _agrees(_of(molchan, rates, observation), list(_thresholds(rates, [1.0] * 6, active)), missed=True)
    quiet = [1 - each for each in active]
    if not any(quiet):
        assert _of(roc, rates, observation).outcome is Outcome.UNDEFINED
        return
    _agrees(_of(roc, rates, observation), list(_thresholds(rates, quiet, active)))
    pairs = [
        (rates[hit] > rates[miss]) + (rates[hit] == rates[miss]) / 2
        for hit in range(6)
        for miss in range(6)
        if active[hit] and not active[miss]
    ]
    assert _of(roc, rates, observation).statistic == pytest.approx(math.fsum(pairs) / len(pairs), abs=1e-12)


@ANY_GRID
@given(case=_cases())
def test_i1_follows_its_definition(
    case: tuple[list[float], list[int]], observe: Callable[..., Observation]
) -> None:
    rates, cells = case
    observation = _in_cells(observe, cells, columns=2, rows=3)
    area = observation.region.area.tolist()
    result = _of(kagan_i1, rates, observation)
    if not any(rates):
        assert result.outcome is Outcome.UNDEFINED
    elif any(rates[cell] == 0 for cell in cells):
        assert (result.statistic, result.flags) == (-math.inf, (ZERO_RATE_FLAG,))
    else:
        mean = math.fsum(rates) / math.fsum(area)
        bits = [math.log2(rates[cell] / area[cell] / mean) for cell in cells]
        assert result.statistic == pytest.approx(math.fsum(bits) / len(bits), rel=1e-12, abs=1e-12)
        assert result.flags == ()


@ANY_GRID
@given(case=_cases(), seed=st.integers(0, 2**16))
def test_neither_the_order_of_cells_nor_rounding_nor_scale_matters(
    case: tuple[list[float], list[int]], seed: int, observe: Callable[..., Observation]
) -> None:
    rates, cells = case
    random = np.random.default_rng(seed)
    observation = _in_cells(observe, cells, columns=2, rows=3)
    order = random.permutation(6)
    region = observation.region
    turned = Region(name="turned", origins=region.origins[order], cell_size=region.cell_size)
    rounded = np.array(rates) * 3.7 * (1 + random.uniform(-1e-14, 1e-14, 6))
    for score in SCORES:
        given = _of(score, rates, observation)
        changed = _of(score, rounded[order], replace(observation, region=turned))
        assert changed.outcome is given.outcome
        assert changed.flags == given.flags
        if given.statistic is not None:
            assert changed.statistic == pytest.approx(given.statistic, rel=1e-12, abs=1e-12)
        if given.curve is not None:
            assert changed.curve is not None
            assert changed.curve.x == pytest.approx(given.curve.x, abs=1e-12)
            assert changed.curve.y == pytest.approx(given.curve.y, abs=1e-12)


@pytest.mark.parametrize("score", CURVES)
@pytest.mark.parametrize("cells", [[0], [3, 3, 3, 7], list(range(11))])
@pytest.mark.parametrize("per", ["cell", "area"])
def test_a_uniform_forecast_has_half_the_area(
    score: Score, cells: list[int], per: str, observe: Callable[..., Observation]
) -> None:
    observation = _in_cells(observe, cells, columns=4, rows=3)
    rates = [0.1] * 12
    if per == "area":  # as forequake's own uniform reference
        uniform = uniform_rates(observation.region, observation.magnitudes, total=3.0, b_value=1.0)
        rates = uniform.rates.sum(axis=1).tolist()
        assert max(rates) > 1.02 * min(rates)
    result = _of(score, rates, observation)
    assert (result.outcome, result.statistic) == (Outcome.SCORE_ONLY, 0.5)
    assert result.curve is not None
    assert [*result.curve.x, *sorted(result.curve.y)] == [0, 1, 0, 1]


def test_a_forecast_of_one_rate_per_area_has_no_information(observe: Callable[..., Observation]) -> None:
    observation = _in_cells(observe, [0, 4, 4, 8, 11], columns=4, rows=3)
    result = _of(kagan_i1, observation.region.area * 1e-6, observation)
    assert (result.outcome, result.statistic) == (Outcome.SCORE_ONLY, 0)
    # A rate that is the same in all cells says more where cells are small, which is in the north.
    assert (_of(kagan_i1, [0.1] * 12, _in_cells(observe, [2], 4, 3)).statistic or 0) > 0.01


def test_a_perfect_and_the_worst_forecast(observe: Callable[..., Observation]) -> None:
    observation = _in_cells(observe, [1, 1, 6], columns=4, rows=3)
    perfect = np.zeros(12)
    perfect[[1, 6]] = [0.2, 0.1]
    worst = np.full(12, 0.1)
    worst[[1, 6]] = [1e-5, 1e-6]
    assert _of(roc, perfect, observation).statistic == 1
    assert _of(roc, worst, observation).statistic == 0
    # Two of twelve cells have to be in alarm themselves.
    assert _of(molchan, perfect, observation).statistic == pytest.approx(1 - 2 / 24, rel=1e-15)
    assert _of(molchan, worst, observation).statistic == pytest.approx(2 / 24, rel=1e-15)
    area = observation.region.area / observation.region.area.sum()
    best = area[1] * (2 / 3) / 2 + area[6] * (2 / 3 + 1) / 2 + (1 - area[1] - area[6])
    assert _of(concentration_roc, perfect, observation).statistic == pytest.approx(best, rel=1e-14)


def test_a_curve_turns_only_at_cells_with_events(observe: Callable[..., Observation]) -> None:
    """Of 400 cells of different rates, the curve has the corners before and after each of three."""
    rates = np.arange(1.0, 401.0)
    observation = _in_cells(observe, [399, 200, 200, 0], columns=20, rows=20)
    curve = _of(molchan, rates, observation).curve
    assert curve == Curve(
        x=(0.0, 1 / 400, 199 / 400, 200 / 400, 399 / 400, 1.0),
        y=(1.0, 1 - 1 / 3, 1 - 1 / 3, 1 - 2 / 3, 1 - 2 / 3, 0.0),
        x_name="share of the cells in alarm",
        y_name="share missed of the cells with events",
    )


def test_a_long_curve_is_stored_short_and_its_area_is_that_of_all_points(
    observe: Callable[..., Observation],
) -> None:
    random = np.random.default_rng(5)
    rates = random.lognormal(0, 3, 4500)
    cells = random.choice(4500, size=2000, p=np.sqrt(rates) / np.sqrt(rates).sum())
    observation = _in_cells(observe, cells.tolist(), columns=100, rows=45)
    numbers, area = np.bincount(cells, minlength=4500), observation.region.area
    result = _of(concentration_roc, rates, observation)
    order = np.argsort(-rates)
    x = np.concatenate([[0], np.cumsum(area[order])]) / area.sum()
    y = np.concatenate([[0], np.cumsum(numbers[order])]) / 2000
    assert result.statistic == pytest.approx(float(np.trapezoid(y, x)), rel=1e-12)
    assert result.curve is not None
    assert 800 < len(result.curve.x) <= MOST_POINTS
    stored_x, stored_y = np.array(result.curve.x), np.array(result.curve.y)
    assert (stored_x[0], stored_y[0], stored_x[-1], stored_y[-1]) == (0, 0, 1, 1)
    assert np.abs(np.interp(x + y, stored_x + stored_y, stored_x) - x).max() <= 4 / MOST_POINTS


@pytest.mark.parametrize("score", SCORES)
def test_where_a_score_says_nothing(score: Score, observe: Callable[..., Observation]) -> None:
    one, none = (_in_cells(observe, cells, columns=2, rows=3) for cells in ([4], []))
    silent = [
        _of(score, [0.1] * 6, none),
        _of(score, [0.0] * 6, one),
        score(PreparedForecast(np.full((6, 3), math.inf)), one),
    ]
    assert {result.outcome for result in silent} == {Outcome.UNDEFINED}
    assert {(result.statistic, result.curve) for result in silent} == {(None, None)}
    assert [(result.reason, result.flags) for result in silent] == [
        ("no target events", ()),
        ("the forecast expects no events at all, so that no cell ranks before another", (ZERO_RATE_FLAG,)),
        ("the expected number of events is not finite (inf)", ()),
    ]


def test_without_a_cell_without_events_no_alarm_is_false(observe: Callable[..., Observation]) -> None:
    observation = _in_cells(observe, [0, 1, 2], columns=1, rows=3)
    result = _of(roc, [0.0, 1.0, 2.0], observation)
    assert (result.outcome, result.statistic, result.flags) == (Outcome.UNDEFINED, None, (ZERO_RATE_FLAG,))
    assert result.reason == "every cell has a target event, so that no alarm can be false"
    assert _of(molchan, [0.0, 1.0, 2.0], observation).statistic == pytest.approx(0.5, rel=1e-15)


@pytest.mark.parametrize("score", CURVES)
def test_an_event_in_a_cell_of_rate_zero_is_found_with_the_last_cells(
    score: Score, observe: Callable[..., Observation]
) -> None:
    """Two of four cells have no rate; the event there is found half way through them."""
    result = _of(score, [0.0, 2.0, 1.0, 0.0], _in_cells(observe, [0, 1], columns=4, rows=1))
    assert (result.outcome, result.flags) == (Outcome.SCORE_ONLY, (ZERO_RATE_FLAG,))
    areas: dict[Score, float] = {
        roc: (1 / 2 * 1 / 2 + 1 / 2 * 3 / 4),
        concentration_roc: 9 / 16,
        molchan: 9 / 16,
    }
    assert result.statistic == pytest.approx(areas[score], rel=1e-12)


@pytest.mark.parametrize(
    ("name", "score"),
    [
        ("ROC", roc),
        ("plots.plot_concentration_ROC_diagram", concentration_roc),
        ("plot_Molchan_diagram", molchan),
        ("csep.utils.stats.get_Kagan_I1_score", kagan_i1),
    ],
)
def test_scores_become_records_by_all_their_names(
    name: str, score: Score, observe: Callable[..., Observation]
) -> None:
    rates = np.outer([0.0, 2.0, 1.0, 0.5], [0.5, 0.375, 0.125])
    observation = _in_cells(observe, [0, 1], columns=4, rows=1)
    found = evaluate(name, TestParameters(), rates, observation)
    record = found.record('{"in":{},"v":1,"what":"test"}', None, datetime(2020, 1, 1, tzinfo=UTC))
    assert isinstance(record, ScoreRecord)
    direct = score(PreparedForecast.of(rates), observation)
    assert (record.statistic, record.curve) == (direct.statistic, direct.curve)
    assert (record.test, record.flags) == (score.__name__, (ZERO_RATE_FLAG,))
    assert ScoreRecord.model_validate_json(record.model_dump_json()) == record
