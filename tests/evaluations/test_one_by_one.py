"""Every test on small random grids against its definition, worked out one event and cell after the other.

The grids have zero rates, equal rates, one cell or one magnitude bin, events that share a bin, and none.
"""

import math
from collections.abc import Callable
from typing import Final

import numpy as np
import pytest

from forequake.evaluations import TESTS, Evaluated, Observation
from forequake.evaluations.simulated_catalogs import catalog_test
from forequake.results import Outcome
from tests.evaluations import one_by_one
from tests.evaluations.drawn_catalogs import counted_events
from tests.evaluations.one_by_one import Found, Grid, Places

KINDS: Final = ("any", "zeros", "uniform", "one cell", "one bin", "repeated", "no events", "single")
SEEDS: Final = range(6)
SIMULATIONS: Final = 25
_EDGES: Final = (4.0, 4.5, 5.0)


def _shape(kind: str, random: np.random.Generator) -> tuple[int, int]:
    if kind == "single":
        return 1, 1
    columns, bins = int(random.integers(2, 6)), int(random.integers(2, 4))
    return (1, bins) if kind == "one cell" else (columns, 1) if kind == "one bin" else (columns, bins)


def _grids(kind: str, seed: int) -> tuple[Grid, Grid, Places]:
    """Two forecasts and events."""
    random = np.random.default_rng([seed, KINDS.index(kind)])
    shape = _shape(kind, random)
    rates, other = random.gamma(0.7, size=(2, *shape)) + 1e-3
    if kind == "zeros":
        rates *= random.random(shape) < 0.7
        other *= random.random(shape) < 0.9
    if kind == "uniform":
        rates = np.full(shape, 0.1 * seed + 0.3)
    count = 0 if kind == "no events" else int(random.integers(1, 5 if kind == "uniform" else 16))
    events = [(int(random.integers(shape[0])), int(random.integers(shape[1]))) for _ in range(count)]
    if kind == "repeated":
        events += events[: max(1, count // 2)] * 2
    return rates.tolist(), other.tolist(), events


def _observation(observe: Callable[..., Observation], grid: Grid, events: Places) -> Observation:
    points = [(10.5 + cell, 40.5, _EDGES[place] + 0.1) for cell, place in events]
    return observe(points, columns=len(grid), rows=1, magnitudes=_EDGES[: len(grid[0])])


def _same(ours: Evaluated, expected: Found) -> None:
    if expected is None:
        assert (ours.outcome, ours.quantiles) == (Outcome.UNDEFINED, None)
        assert ours.reason
        return
    statistic, quantiles = expected
    assert ours.statistic == pytest.approx(statistic, rel=1e-11, abs=1e-11)
    assert ours.quantiles is not None
    named = ours.quantiles.named()
    assert {name: named[name] for name in quantiles} == pytest.approx(quantiles, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "letters", ["L", "CL", "S", "M", "binary S", "binary CL", "Brier", "N", "NBD-N", "T", "W", "binary T"]
)
def test_tests_of_gridded_forecasts(
    letters: str, kind: str, observe: Callable[..., Observation], run: Callable[..., Evaluated]
) -> None:
    for seed in SEEDS:
        grid, other, events = _grids(kind, seed)
        if letters in ("N", "NBD-N"):
            variance = 2.5 + seed if letters == "NBD-N" else None
            expected = one_by_one.number(grid, events, variance)
        elif letters in ("T", "W", "binary T"):
            variance, expected = None, one_by_one.comparison(letters, grid, other, events)
        else:
            simulate = one_by_one.poisson if letters in ("L", "CL", "S", "M") else one_by_one.binary
            variance, expected = None, simulate(letters, grid, events, seed=seed, simulations=SIMULATIONS)
        ours = run(
            letters,
            np.array(grid),
            _observation(observe, grid, events),
            reference=np.array(other),
            num_simulations=SIMULATIONS,
            seed=seed,
            variance=variance,
        )
        _same(ours, expected)
        if letters in ("L", "CL", "S", "M", "binary S", "binary CL", "Brier") and expected is not None:
            outcome = Outcome.REJECTED if expected[1]["q"] < 0.05 else Outcome.PASSED
            assert ours.outcome is outcome


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("letters", ["LL", "IG"])
def test_scores(
    letters: str, kind: str, observe: Callable[..., Observation], run: Callable[..., Evaluated]
) -> None:
    for seed in SEEDS:
        grid, other, events = _grids(kind, seed)
        expected = one_by_one.score(grid, events, other if letters == "IG" else None)
        ours = run(letters, np.array(grid), _observation(observe, grid, events), reference=np.array(other))
        assert ours.outcome is (Outcome.UNDEFINED if expected is None else Outcome.SCORE_ONLY)
        assert ours.statistic == (expected and pytest.approx(expected, rel=1e-11, abs=1e-11))


def _catalogs(kind: str, seed: int) -> tuple[list[Places], Places, tuple[int, int]]:
    """Simulated catalogs, empty ones among them, events, and the numbers of cells and bins."""
    random = np.random.default_rng([seed, KINDS.index(kind), 1])
    shape = _shape(kind, random)
    cells = np.arange(shape[0]) if kind != "zeros" else np.flatnonzero(random.random(shape[0]) < 0.6)

    def places(count: int, where: np.ndarray) -> Places:
        return [(int(random.choice(where)), int(random.integers(shape[1]))) for _ in range(count)]

    most = 1 if kind == "zeros" and not len(cells) else 6
    catalogs = [places(int(random.integers(most)), cells) for _ in range(20)]
    if kind == "uniform":
        catalogs = [places(2, cells) for _ in range(20)]
    events = places(0 if kind == "no events" else int(random.integers(1, 9)), np.arange(shape[0]))
    return catalogs, events * 2 if kind == "repeated" else events, shape


@pytest.mark.parametrize("kind", [*KINDS, "all empty"])
@pytest.mark.parametrize("test", one_by_one.CATALOG_TESTS)
def test_tests_of_simulated_catalogs(test: str, kind: str, observe: Callable[..., Observation]) -> None:
    for seed in SEEDS:
        catalogs, events, shape = _catalogs("any" if kind == "all empty" else kind, seed)
        if kind == "all empty":
            catalogs = [[] for _ in catalogs]
        points = [(10.5 + cell, 40.5, _EDGES[place] + 0.1) for cell, place in events]
        observation = observe(points, columns=shape[0], rows=1, magnitudes=_EDGES[: shape[1]])
        ours = catalog_test(
            test,
            counted_events(catalogs, *shape),
            observation,
            alpha=0.05,
            seed=seed if TESTS[test].resampled else None,
        )
        expected = one_by_one.CATALOG_TESTS[test](catalogs, events, shape, seed)
        if expected is None:
            assert (ours.outcome, ours.quantiles) == (Outcome.UNDEFINED, None)
            continue
        assert ours.statistic == pytest.approx(expected[0], rel=1e-10, abs=1e-10)
        assert ours.quantiles is not None
        assert ours.quantiles.named() == expected[1]
        assert math.isfinite(expected[0])
