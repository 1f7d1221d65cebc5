"""The tests of catalog-based forecasts: against slow and plain computations, by hand, and when silent."""

import math
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal, localcontext
from typing import Final

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from forequake.errors import InputError
from forequake.evaluations import Observation, catalog_magnitudes, find_test
from forequake.evaluations.catalog_magnitudes import mll_magnitude, resampled_magnitude
from forequake.evaluations.catalog_space import UNDERSAMPLED_FLAG
from forequake.evaluations.empirical import ROUNDING
from forequake.evaluations.evaluated import Numbers
from forequake.evaluations.simulated_catalogs import catalog_test
from forequake.forecasts.catalog_based import CountedEvents
from forequake.regions import Region
from forequake.results import Outcome, TailQuantiles
from tests.evaluations.drawn_catalogs import (
    MAGNITUDES,
    NAMES,
    SEEDED,
    Drawn,
    counted_events,
    draw,
    events_in,
    grid,
)

Places = list[tuple[int, int]]
N_CELLS: Final = 6
N_BINS: Final = 3
REGION: Final = grid(3, 2)
_PLACE: Final = st.tuples(st.integers(0, N_CELLS - 1), st.integers(0, N_BINS - 1))


def _observe(target: Places, n_bins: int = N_BINS) -> Observation:
    cells, bins = np.array(target, dtype=np.intp).reshape(-1, 2).T
    edges = MAGNITUDES[:n_bins]
    return Observation(REGION, edges, events_in(REGION, cells, edges[bins] + 0.05))


def _run(test: str, catalogs: list[Places], target: Places, *, seed: int = 3, alpha: float = 0.05) -> Numbers:
    counted = counted_events(catalogs, N_CELLS, N_BINS)
    return catalog_test(test, counted, _observe(target), alpha=alpha, seed=seed if test in SEEDED else None)


def _slow(test: str, catalogs: list[Places], target: Places, seed: int) -> tuple[float, list[float]] | None:
    """Compute a test from its definition, one event after the other; None where it says nothing."""
    everything = [place for catalog in catalogs for place in catalog]
    if test == "catalog_number":
        return len(target), [len(catalog) for catalog in catalogs]
    if not target or not everything:
        return None
    rates = [sum(cell == c for c, _ in everything) / len(catalogs) for cell in range(N_CELLS)]
    total = len(everything) / len(catalogs)
    reached = [(cell, place) for cell, place in target if rates[cell]]
    if test in ("catalog_spatial", "catalog_pseudolikelihood") and not reached:
        return None

    def spatial(events: Places) -> float:
        return math.fsum(math.log(rates[cell] / total) for cell, _ in events) / len(events)

    def pseudolikelihood(events: Places) -> float:
        return math.fsum(math.log(rates[cell]) for cell, _ in events) - total

    def histogram(bins: list[int]) -> list[int]:
        return [bins.count(number) for number in range(N_BINS)]

    union = histogram([number for _, number in everything])
    size = len(target)

    def distance(counts: list[int]) -> float:
        return math.fsum(
            (math.log10(u * size / sum(union) + 1) - math.log10(h * size / sum(counts) + 1)) ** 2
            for u, h in zip(union, counts, strict=True)
        )

    def multinomial(x: list[float]) -> float:
        s = sum(x)
        return math.lgamma(s + 1) + math.fsum(k * math.log(k / s) - math.lgamma(k + 1) for k in x)

    def ratio(counts: list[int]) -> float:
        u = [number + sum(union) / size for number in union]
        v = [number + 1.0 for number in counts]
        both = [a + b for a, b in zip(u, v, strict=True)]
        return 2 * (multinomial(both) - multinomial(u) - multinomial(v))

    observed = histogram([number for _, number in target])
    if test == "catalog_spatial":
        return spatial(reached), [spatial(catalog) for catalog in catalogs if catalog]
    if test == "catalog_pseudolikelihood":
        return pseudolikelihood(reached), [pseudolikelihood(catalog) for catalog in catalogs]
    if test == "catalog_magnitude":
        filled = [catalog for catalog in catalogs if catalog]
        return distance(observed), [distance(histogram([number for _, number in c])) for c in filled]
    generator = np.random.RandomState(seed)
    shares = np.array(union) / sum(union)
    drawn = [histogram(generator.choice(N_BINS, size, p=shares).tolist()) for _ in catalogs]
    score = distance if test == "catalog_resampled_magnitude" else ratio
    return score(observed), [score(counts) for counts in drawn]


@settings(max_examples=40, deadline=None)
@given(
    catalogs=st.lists(st.lists(_PLACE, max_size=6), min_size=1, max_size=12),
    target=st.lists(_PLACE, max_size=6),
    seed=st.integers(0, 2**32 - 1),
)
@pytest.mark.parametrize("test", NAMES)
def test_numbers_are_those_of_the_definition(
    test: str, catalogs: list[Places], target: Places, seed: int
) -> None:
    found = _run(test, catalogs, target, seed=seed)
    expected = _slow(test, catalogs, target, seed)
    if expected is None:
        assert found.outcome is Outcome.UNDEFINED
        assert found.reason is not None
        return
    observed, simulated = expected
    assert found.statistic == pytest.approx(observed, rel=1e-12, abs=1e-12)
    assert found.sample is not None
    assert found.sample.tolist() == pytest.approx(simulated, rel=1e-12, abs=1e-12)
    slack = ROUNDING * max(1, abs(observed))
    assert found.quantiles == TailQuantiles(
        delta1=sum(value >= observed - slack for value in simulated) / len(simulated),
        delta2=sum(value <= observed + slack for value in simulated) / len(simulated),
    )
    assert found.distribution is not None


def test_the_order_of_events_decides_no_quantile() -> None:
    # Three cells of one rate: whichever three events a catalog has, its likelihood is the same number, but
    # for the order in which it was added up.
    random = np.random.default_rng(8)
    cells = np.concatenate([random.permutation([0, 1, 2, 0, 1, 2, 4]) for _ in range(40)])
    catalogs = [[(int(cell), 0) for cell in part] for part in np.split(cells, 40)]
    for test in ("catalog_spatial", "catalog_pseudolikelihood"):
        for order in ([0, 1, 2, 1, 0, 2, 4], [4, 2, 1, 0, 2, 1, 0]):
            found = _run(test, catalogs, [(cell, 0) for cell in order])
            assert found.quantiles == TailQuantiles(delta1=1, delta2=1)


def test_each_test_rejects_on_its_own_side() -> None:
    # 97 catalogs of two common events, 3 of one that is rare in space and magnitude.
    catalogs: list[Places] = [[(0, 0), (0, 0)]] * 97 + [[(1, 2)]] * 3
    common: Places = [(0, 0), (0, 0)]
    rare: Places = [(1, 2), (1, 2), (1, 2)]
    for test in NAMES[:-1]:
        assert _run(test, catalogs, common).outcome is Outcome.PASSED
        found = _run(test, catalogs, rare)
        assert found.outcome is Outcome.REJECTED
        assert isinstance(found.quantiles, TailQuantiles)
        low = test in ("catalog_spatial", "catalog_pseudolikelihood")
        assert (found.quantiles.delta2 if low else found.quantiles.delta1) < 0.05
    # What fits best has the greatest likelihood and the least distance: no upper or lower tail rejects it.
    best = _run("catalog_magnitude", [[(0, 0)], [(0, 1)]] * 30, [(0, 0), (0, 1)])
    assert best.statistic == 0
    assert best.quantiles == TailQuantiles(delta1=1, delta2=0)
    assert best.outcome is Outcome.PASSED


def test_the_multinomial_score_rejects_magnitudes_that_spread_too_far() -> None:
    catalogs: list[Places] = [[(0, 0)] * 16 + [(0, 1)] * 3 + [(0, 2)]] * 100
    wide: Places = [(0, 0)] * 8 + [(0, 1)] * 6 + [(0, 2)] * 6
    narrow: Places = [(0, 0)] * 40
    assert _run("catalog_mll_magnitude", catalogs, catalogs[0]).outcome is Outcome.PASSED
    assert _run("catalog_mll_magnitude", catalogs, wide).outcome is Outcome.REJECTED
    # It is no distance: magnitudes that spread too little make it small, which its rule does not look at.
    too_little = _run("catalog_mll_magnitude", catalogs, narrow)
    assert isinstance(too_little.quantiles, TailQuantiles)
    assert too_little.quantiles.delta2 < 0.05
    assert too_little.outcome is Outcome.PASSED
    # The resampled M-test is one, and rejects both.
    for catalog in (wide, narrow):
        assert _run("catalog_resampled_magnitude", catalogs, catalog).outcome is Outcome.REJECTED


def test_number_rejects_at_half_alpha_on_both_sides() -> None:
    catalogs = [[(0, 0)] * size for size in range(100)]
    for size, delta1, delta2 in ((1, 0.99, 0.02), (2, 0.98, 0.03), (97, 0.03, 0.98), (98, 0.02, 0.99)):
        found = _run("catalog_number", catalogs, [(0, 0)] * size)
        assert found.quantiles == TailQuantiles(delta1=delta1, delta2=delta2)
        assert (found.outcome is Outcome.REJECTED) == (min(delta1, delta2) < 0.025)


def test_empty_catalogs_by_hand() -> None:
    catalogs: list[Places] = [[], [(0, 0)], [], [(0, 0), (1, 1)]]
    target: Places = [(0, 0)]
    samples = {test: _run(test, catalogs, target).sample for test in NAMES}
    expected = {
        "catalog_number": [0, 1, 0, 2],
        "catalog_spatial": [math.log(2 / 3), math.log(2 / 9) / 2],
        "catalog_pseudolikelihood": [-0.75, math.log(0.5) - 0.75, -0.75, math.log(0.5 * 0.25) - 0.75],
    }
    for test, values in expected.items():
        assert np.asarray(samples[test]).tolist() == pytest.approx(values, rel=1e-14)
    assert len(np.asarray(samples["catalog_magnitude"])) == 2
    for test in SEEDED:
        assert len(np.asarray(samples[test])) == 4


def test_events_where_nothing_was_simulated_are_left_out_and_flagged() -> None:
    catalogs: list[Places] = [[(0, 0)], [(0, 0), (1, 1)]]
    for test in ("catalog_spatial", "catalog_pseudolikelihood"):
        seen, unseen = _run(test, catalogs, [(0, 0)]), _run(test, catalogs, [(5, 0), (0, 0)])
        assert (seen.flags, unseen.flags) == ((), (UNDERSAMPLED_FLAG,))
        assert (seen.statistic, seen.quantiles) == (unseen.statistic, unseen.quantiles)
        nothing = _run(test, catalogs, [(5, 0)])
        assert (nothing.outcome, nothing.flags) == (Outcome.UNDEFINED, (UNDERSAMPLED_FLAG,))
        assert nothing.statistic is None
    assert _run("catalog_magnitude", catalogs, [(5, 0)]).flags == ()


@pytest.mark.parametrize("test", NAMES)
def test_where_a_test_says_nothing(test: str) -> None:
    number = test == "catalog_number"
    assert _run(test, [], [(0, 0)]).reason == "there are no simulated catalogs"
    cases: list[tuple[list[Places], Places, str]] = [
        ([[(0, 0)], []], [], "no target events"),
        ([[], []], [(0, 0)], "all simulated catalogs are empty"),
    ]
    for catalogs, target, reason in cases:
        found = _run(test, catalogs, target)
        assert found.reason == (None if number else reason)
        assert (found.outcome is Outcome.UNDEFINED) == (not number)
    one_bin = catalog_test(
        test,
        counted_events([[(0, 0)], [(1, 0)]], N_CELLS, 1),
        _observe([(0, 0)], 1),
        alpha=0.05,
        seed=1 if test in SEEDED else None,
    )
    assert one_bin.reason == ("only one magnitude bin" if "magnitude" in test else None)


def test_wrong_calls_are_refused() -> None:
    counted, observation = counted_events([[(0, 0)]], N_CELLS, N_BINS), _observe([(0, 0)])
    with pytest.raises(InputError, match="did you mean 'catalog_number'"):
        catalog_test("catalog_numbr", counted, observation, alpha=0.05, seed=None)
    for test, seed in (("catalog_number", 1), ("catalog_mll_magnitude", None), ("poisson_number", None)):
        with pytest.raises(KeyError, match=test):
            catalog_test(test, counted, observation, alpha=0.05, seed=seed)


@pytest.mark.parametrize("block", [1, 7, 64])
def test_blocks_change_nothing(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = draw(4)

    def samples() -> list[NDArray[np.float64]]:
        counted, observation = drawn.counted, drawn.observation
        return [
            catalog_magnitudes.magnitude(counted, observation).simulated,
            resampled_magnitude(counted, observation, 9).simulated,
            mll_magnitude(counted, observation, 9).simulated,
            mll_magnitude(counted, observation, 9, full_calculation=True).simulated,
        ]

    whole = samples()
    monkeypatch.setattr(catalog_magnitudes, "_BLOCK", block)
    for mine, other in zip(samples(), whole, strict=True):
        assert mine.tolist() == other.tolist()


def _logarithm_of_factorial(number: int) -> Decimal:
    return Decimal(math.factorial(number)).ln()


def test_the_multinomial_score_is_exact_where_its_terms_are_large() -> None:
    # The union's size is a multiple of the number of target events, so that all counts are whole numbers.
    union, observed = [8000, 1500, 500], [7, 2, 1]
    catalogs: list[Places] = [[(0, number)] * size for number, size in enumerate(union)]
    target: Places = [(0, number) for number, size in enumerate(observed) for _ in range(size)]
    with localcontext() as context:
        context.prec = 40

        def multinomial(x: list[int]) -> Decimal:
            s = sum(x)
            terms = (k * (Decimal(k) / s).ln() - _logarithm_of_factorial(k) for k in x)
            return _logarithm_of_factorial(s) + sum(terms)

        u, v = [number + 1000 for number in union], [number + 1 for number in observed]
        both = [a + b for a, b in zip(u, v, strict=True)]
        exact = float(2 * (multinomial(both) - multinomial(u) - multinomial(v)))
    found = _run("catalog_mll_magnitude", catalogs, target)
    assert found.statistic == pytest.approx(exact, rel=1e-14)


def test_draws_of_magnitudes_are_those_of_the_union() -> None:
    counted, observation = draw(2).counted, draw(2).observation
    shares = counted.per_bin() / len(counted)
    number = len(observation.events)
    for draws in (catalog_magnitudes._draw_bins, catalog_magnitudes._draw_events):
        drawn = np.concatenate(list(draws(counted, number, 5)))
        assert drawn.shape == (counted.n_catalogs, number)
        found = np.bincount(drawn.ravel(), minlength=len(shares)) / drawn.size
        assert np.abs(found - shares).max() < 4 / math.sqrt(drawn.size)


def test_threads_give_what_one_gives_and_leave_the_generator_alone() -> None:
    cases = [(test, draw(seed), seed) for seed in range(5) for test in NAMES]

    def job(case: tuple[str, Drawn, int]) -> object:
        test, drawn, seed = case
        found = catalog_test(
            test, drawn.counted, drawn.observation, alpha=0.05, seed=seed if test in SEEDED else None
        )
        return found.statistic, found.quantiles, None if found.sample is None else found.sample.tobytes()

    _, before, place, *_ = np.random.get_state(legacy=True)  # noqa: NPY002  # looked at, not used
    before = np.array(before)
    serial = [job(case) for case in cases]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(job, reversed(cases)))[::-1] == serial
    _, after, place_after, *_ = np.random.get_state(legacy=True)  # noqa: NPY002
    assert np.array_equal(before, after)
    assert place == place_after


# test -> (kernel version, statistic, delta1, delta2), computed once with pyCSEP 0.8.0 and seed 42
GOLDEN: Final[dict[str, tuple[int, float, float, float]]] = {
    "catalog_number": (1, 7.0, 0.21666666666666667, 0.8166666666666667),
    "catalog_spatial": (1, -1.9307884961419168, 0.54, 0.46),
    "catalog_pseudolikelihood": (1, -7.433125348528073, 0.7, 0.3),
    "catalog_magnitude": (1, 0.2505444752106324, 0.74, 0.26),
    "catalog_resampled_magnitude": (1, 0.25054447521063244, 0.55, 0.45),
    "catalog_mll_magnitude": (1, 22.426523191826078, 0.6833333333333333, 0.31666666666666665),
}


@pytest.mark.parametrize("test", NAMES)
def test_numbers_belong_to_their_kernel_version(test: str) -> None:
    """Raise the test's `kernel_version` where its numbers change, and put the new ones here."""
    version, statistic, delta1, delta2 = GOLDEN[test]
    drawn = draw(42)
    found = catalog_test(
        test, drawn.counted, drawn.observation, alpha=0.05, seed=42 if test in SEEDED else None
    )
    assert find_test(test).kernel_version == version
    assert found.statistic == pytest.approx(statistic, rel=1e-10)
    assert found.quantiles == TailQuantiles(delta1=delta1, delta2=delta2)


def test_a_forecast_far_larger_than_the_grid_of_each_catalog_stays_small() -> None:
    import tracemalloc

    random = np.random.default_rng(1)
    number = 40_000
    region = Region("wide", np.array([[x, y] for x in range(-180, 180) for y in range(-90, 90)]) * 1.0, 1.0)
    counted = CountedEvents(
        n_catalogs=number,
        n_cells=len(region),
        n_bins=N_BINS,
        event=np.arange(number),
        catalog=np.arange(number, dtype=np.int32),
        cell=random.integers(0, N_CELLS, number).astype(np.int32),
        bin=random.integers(0, N_BINS, number).astype(np.int32),
        left_out=counted_events([], 1, 1).left_out,
    )
    target = events_in(region, np.zeros(3, np.intp), np.full(3, 5.0))
    observation = Observation(region, MAGNITUDES[:N_BINS], target)
    for test in NAMES:
        tracemalloc.start()
        catalog_test(test, counted, observation, alpha=0.05, seed=1 if test in SEEDED else None)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 10e6
