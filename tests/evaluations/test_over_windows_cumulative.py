"""The cumulative tests: one window, windows laid out as one grid, and a slow computation."""

import math
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from forequake.catalogs import Events
from forequake.errors import InputError
from forequake.evaluations import ZERO_RATE_FLAG, Evaluated, Observation, PreparedForecast
from forequake.evaluations.evaluated import Numbers
from forequake.evaluations.over_windows.cumulative import cumulative
from forequake.evaluations.over_windows.parts import Part
from forequake.regions import Region
from forequake.results import LowerQuantile, Outcome, StudentQuantiles, TailQuantiles, WilcoxonQuantile
from forequake.windows import TimeWindow

Rates = NDArray[np.float64]
Places = NDArray[np.intp]
Case = list[tuple[Rates, Rates, Places, Places]]
START = datetime(2020, 1, 1, tzinfo=UTC)
PLAIN = {
    "number": "N",
    "likelihood": "L",
    "conditional_likelihood": "CL",
    "spatial": "S",
    "magnitude": "M",
    "paired_t": "T",
    "w": "W",
}
COLUMNS, ROWS, EDGES = 4, 3, (4.0, 4.5, 5.0)


def _window(number: int, days: float = 1.0) -> TimeWindow:
    begin = START + timedelta(days=number)
    return TimeWindow(start=begin, end=begin + timedelta(days=days))


def _observe(cells: Places, bins: Places, *, columns: int = COLUMNS) -> Observation:
    """Put an event into the middle of each cell and bin given."""
    origins = np.array([[10.0 + x, 40.0 + y] for x in range(columns) for y in range(ROWS)])
    events = Events(
        time_us=np.arange(len(cells), dtype=np.int64),
        longitude=origins[cells, 0] + 0.5,
        latitude=origins[cells, 1] + 0.5,
        depth_km=np.zeros(len(cells)),
        magnitude=np.array(EDGES)[bins] + 0.2,
        event_id=np.array([f"event-{n}" for n in range(len(cells))], dtype=np.str_),
    )
    return Observation(Region(name="small", origins=origins, cell_size=1.0), np.array(EDGES), events)


def _case(seed: int, windows: int) -> Case:
    """For each window: two forecasts, and the cells and bins of its events, where both expect something."""
    random = np.random.default_rng(seed)
    found = []
    for _ in range(windows):
        rates, reference = (
            random.gamma(0.5, size=(12, 3)) * (random.random((12, 3)) < share) for share in (0.7, 0.9)
        )
        both = np.argwhere((rates > 0) & (reference > 0))
        chosen = both[random.integers(len(both), size=int(random.integers(0, 12)))]
        found.append((rates, reference, chosen[:, 0], chosen[:, 1]))
    return found


def _parts(case: Case, days: float = 1.0) -> list[Part]:
    return [
        Part(
            _window(number, days),
            PreparedForecast.of(rates),
            _observe(cells, bins),
            PreparedForecast.of(reference),
        )
        for number, (rates, reference, cells, bins) in enumerate(case)
    ]


def _run(name: str, parts: list[Part], *, simulations: int = 200, alpha: float = 0.05) -> Numbers:
    drawn = {"num_simulations": simulations, "seed": 7} if PLAIN[name] in ("L", "CL", "S", "M") else {}
    return cumulative(f"cumulative_{name}", lambda: iter(parts), alpha=alpha, **drawn)


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("seed", [0, 2])
def test_one_window_gives_the_plain_test(name: str, seed: int, run: Callable[..., Evaluated]) -> None:
    parts = _parts(_case(seed, 1))
    part = parts[0]
    assert part.reference is not None
    ours = _run(name, parts)
    plain = run(
        PLAIN[name],
        part.forecast.rates,
        part.observation,
        reference=part.reference.rates,
        num_simulations=200,
        seed=7,
    )
    assert (ours.outcome, ours.reason, ours.flags) == (plain.outcome, plain.reason, plain.flags)
    assert (ours.statistic, ours.quantiles) == (plain.statistic, plain.quantiles)
    assert (ours.information_gain, ours.interval) == (plain.information_gain, plain.interval)
    if plain.sample is not None:
        assert ours.sample == pytest.approx(plain.sample, rel=1e-13)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("name", ["likelihood", "conditional_likelihood", "paired_t", "w", "number"])
def test_windows_are_one_grid_of_all_their_cells(name: str, seed: int, run: Callable[..., Evaluated]) -> None:
    case = _case(seed, 5)
    laid = _observe(
        np.concatenate([12 * number + cells for number, (_, _, cells, _) in enumerate(case)]),
        np.concatenate([bins for *_, bins in case]),
        columns=5 * COLUMNS,
    )
    rates, reference = (np.concatenate([window[which] for window in case]) for which in (0, 1))
    plain = run(PLAIN[name], rates, laid, reference=reference, num_simulations=200, seed=7)
    ours = _run(name, _parts(case))
    assert ours.outcome is plain.outcome
    assert ours.statistic == pytest.approx(plain.statistic, rel=1e-12)
    if plain.sample is not None:
        assert ours.sample == pytest.approx(plain.sample, rel=1e-12)
        assert ours.quantiles == plain.quantiles
    elif plain.quantiles is not None and ours.quantiles is not None:
        assert ours.quantiles.named() == pytest.approx(plain.quantiles.named(), rel=1e-10)
    assert ours.interval == (None if plain.interval is None else pytest.approx(plain.interval, rel=1e-10))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", ["likelihood", "conditional_likelihood", "spatial", "magnitude"])
def test_numbers_are_those_of_the_definitions(name: str, seed: int) -> None:
    case = _case(seed, 4)
    stacked = np.array([rates for rates, *_ in case])
    counts = np.zeros_like(stacked)
    for number, (_, _, cells, bins) in enumerate(case):
        np.add.at(counts[number], (cells, bins), 1)
    over = {"spatial": (0, 2), "magnitude": (0, 1)}.get(name, ())
    expected, observed = stacked.sum(axis=over).ravel(), counts.sum(axis=over).ravel()
    scale = observed.sum() / expected.sum() if over else 1.0

    def log_likelihood(of: Rates | Places) -> float:
        # Term by term; SciPy gives ln(1) for no events where none are expected.
        return float(np.sum(stats.poisson.logpmf(of, expected * scale)))

    generator = np.random.RandomState(7)
    sample = []
    for _ in range(200):
        number = generator.poisson(stacked.sum()) if name == "likelihood" else int(observed.sum())
        places = np.searchsorted(
            np.cumsum(expected) / expected.sum(), generator.random_sample(number), side="right"
        )
        sample.append(log_likelihood(np.bincount(places, minlength=len(expected))))
    ours = _run(name, _parts(case))
    assert ours.statistic == pytest.approx(log_likelihood(observed), rel=1e-10)
    assert ours.sample == pytest.approx(sample, rel=1e-10)
    q = np.mean(np.array(sample) <= log_likelihood(observed) * (1 - 1e-12))
    assert ours.quantiles == LowerQuantile(q=q)
    assert ours.outcome is (Outcome.REJECTED if q < 0.05 else Outcome.PASSED)


def test_two_windows_by_hand() -> None:
    first = np.full((12, 3), 0.05)
    second = np.full((12, 3), 0.10)
    first[0, 0], second[4, 2] = 1.25, 0.5
    reference = np.full((12, 3), 0.08)
    case = [
        (first, reference, np.array([0, 0]), np.array([0, 0])),
        (second, reference * 2, np.array([4]), np.array([2])),
    ]
    totals = 35 * 0.05 + 1.25, 35 * 0.10 + 0.5
    number, t = _run("number", _parts(case)), _run("paired_t", _parts(case))
    assert number.statistic == 3
    assert isinstance(number.quantiles, TailQuantiles)
    assert number.quantiles.delta2 == pytest.approx(stats.poisson.cdf(3, sum(totals)), rel=1e-12)
    ratios = np.log([1.25 / 0.08, 1.25 / 0.08, 0.5 / 0.16])
    gain = (ratios.sum() - (sum(totals) - 36 * 0.24)) / 3
    assert t.information_gain == pytest.approx(gain, rel=1e-12)
    assert isinstance(t.quantiles, StudentQuantiles)
    assert t.quantiles.t == pytest.approx(gain / (ratios.std(ddof=1) / math.sqrt(3)), rel=1e-10)
    likelihood = _run("likelihood", _parts(case))
    by_hand = 2 * math.log(1.25) - math.log(2) + math.log(0.5) - sum(totals)
    assert likelihood.statistic == pytest.approx(by_hand, rel=1e-12)


def test_time_tells_forecasts_apart_whose_sums_are_equal() -> None:
    low, high = np.full((12, 3), 0.01), np.full((12, 3), 1.0)
    many = (np.arange(36) % 12, np.arange(36) // 12)
    none = (np.empty(0, dtype=int), np.empty(0, dtype=int))
    right = _parts([(low, low, *none), (high, low, *many)])
    wrong = _parts([(high, low, *none), (low, high, *many)])
    for name in ("number", "spatial", "magnitude"):
        assert _run(name, right).quantiles == _run(name, wrong).quantiles
    assert _run("conditional_likelihood", right).outcome is Outcome.PASSED
    assert _run("conditional_likelihood", wrong).quantiles == LowerQuantile(q=0.0)
    assert _run("paired_t", wrong).information_gain == pytest.approx(-math.log(100))


def test_an_event_where_nothing_is_expected() -> None:
    empty, some = np.zeros((12, 3)), np.full((12, 3), 0.2)
    case = [
        (empty, some, np.array([0]), np.array([0])),
        (some, some, np.array([1, 2]), np.array([0, 0])),
    ]
    for name in ("likelihood", "conditional_likelihood"):
        found = _run(name, _parts(case))
        assert (found.statistic, found.outcome, found.flags) == (
            -math.inf,
            Outcome.REJECTED,
            (ZERO_RATE_FLAG,),
        )
    assert _run("spatial", _parts(case)).flags == ()
    t = _run("paired_t", _parts(case))
    assert (t.outcome, t.flags) == (Outcome.UNDEFINED, (ZERO_RATE_FLAG,))
    assert t.reason == (
        "a rate at a target event is zero (1 of the forecast's, 0 of the reference's, at 3 events)"
    )


def test_what_says_nothing() -> None:
    some, none = np.full((12, 3), 0.2), np.empty(0, dtype=int)
    quiet = _parts([(some, some, none, none), (some, some, none, none)])
    assert _run("number", quiet).statistic == 0
    assert _run("likelihood", quiet).outcome is Outcome.PASSED
    for name in ("conditional_likelihood", "spatial", "magnitude", "paired_t", "w"):
        assert _run(name, quiet).reason == "no target events"
    same = _parts([(some, some, np.array([3, 4]), np.array([0, 1]))] * 2)
    assert _run("paired_t", same).reason == "forecast and reference are the same"
    for name in PLAIN:
        assert _run(name, []).reason == "no window has a forecast"
        found = _run(name, _parts(_case(1, 3), days=1.5))
        assert found.reason == "the windows overlap, so that their results are not independent"
        assert (found.outcome, found.quantiles) == (Outcome.UNDEFINED, None)
    huge = _parts([(np.full((12, 3), 2e306), some, np.array([1]), np.array([1]))] * 3)
    for name in ("number", "likelihood"):
        assert _run(name, huge).reason == "the expected number of events is not finite (inf)"


def test_mistakes_are_refused() -> None:
    parts = _parts(_case(1, 3))
    with pytest.raises(InputError, match=r"2020-01-01.* comes after 2020-01-03"):
        _run("number", [parts[2], parts[0]])
    alone = Part(parts[0].window, parts[0].forecast, parts[0].observation)
    with pytest.raises(InputError, match="has no reference forecast"):
        _run("w", [alone])
    small = Part(parts[0].window, PreparedForecast.of(np.ones((2, 3))), parts[0].observation)
    with pytest.raises(InputError, match="not on its 12 cells and 3 magnitude bins"):
        _run("number", [small])
    with pytest.raises(InputError, match="needs num_simulations and a seed"):
        cumulative("cumulative_likelihood", lambda: iter(parts), alpha=0.05)
    with pytest.raises(InputError, match="not one of the cumulative tests"):
        cumulative("poisson_number", lambda: iter(parts), alpha=0.05)


def test_few_signs_have_their_exact_p() -> None:
    found = _run("w", _parts(_case(3, 6)))
    assert isinstance(found.quantiles, WilcoxonQuantile)
    assert 0 < found.quantiles.p <= 1


def test_draws_in_several_passes_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = _parts(_case(4, 5))
    whole = [_run(name, parts).sample for name in ("likelihood", "conditional_likelihood")]
    monkeypatch.setattr("forequake.evaluations.over_windows.joint._TOGETHER", 100)
    for name, sample in zip(("likelihood", "conditional_likelihood"), whole, strict=True):
        assert sample is not None
        again = _run(name, parts).sample
        assert again is not None
        assert again.tolist() == sample.tolist()


def test_one_forecast_is_in_memory_at_a_time() -> None:
    observation = _observe(np.array([0]), np.array([0]), columns=1000)
    size = 3000 * 3 * 8

    def parts() -> Iterator[Part]:
        for number in range(60):
            rates = np.full((3000, 3), 1e-4 * (1 + number % 3))
            yield Part(_window(number), PreparedForecast.of(rates), observation)

    for name in ("cumulative_likelihood", "cumulative_spatial"):
        tracemalloc.start()
        cumulative(name, parts, alpha=0.05, num_simulations=20, seed=1)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert most < 15 * size
