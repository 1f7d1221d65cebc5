"""Each test as its definition says it, one event, cell and catalog after the other: slow, and plainly right.

Nothing here is shared with `forequake`, nor looks at arrays as a whole. Sums are exact (`math.fsum`).
Statistics are equal where they differ by at most 1e-12 of the observed one, as forequake has it. A test gives
its statistic and its quantiles by name, or None where it says nothing.
"""

import itertools
import math
import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

__all__ = ["CATALOG_TESTS", "Found", "Grid", "Places", "binary", "comparison", "number", "poisson", "score"]

#: Expected numbers of events, by cell and magnitude bin.
Grid = list[list[float]]
#: Cell and magnitude bin of each event.
Places = list[tuple[int, int]]
Found = tuple[float, dict[str, float]] | None


def _total(rates: Sequence[float]) -> float:
    return math.fsum(rates)


def _flat(grid: Grid) -> list[float]:
    return [rate for row in grid for rate in row]


def _log(rate: float) -> float:
    return math.log(rate) if rate else -math.inf


def _tied(value: float, observed: float, size: float = 0.0) -> bool:
    if not math.isfinite(observed):
        return value == observed
    return abs(value - observed) <= 1e-12 * max(abs(observed), size)


def _lower(observed: float, simulated: Sequence[float]) -> dict[str, float]:
    return {"q": sum(s <= observed or _tied(s, observed) for s in simulated) / len(simulated)}


def number(grid: Grid, events: Places, variance: float | None = None) -> Found:
    """N, or the negative binomial N where a variance is given: the probabilities added up one by one."""
    mean, count = _total(_flat(grid)), len(events)
    if variance is None:
        logs = [k * _log(mean) - mean - math.lgamma(k + 1) if mean else _log(not k) for k in range(count + 1)]
    elif variance <= mean or not mean:
        return None
    else:
        size, success = mean**2 / (variance - mean), mean / variance
        logs = [
            math.lgamma(size + k)
            - math.lgamma(size)
            - math.lgamma(k + 1)
            + size * math.log(success)
            + k * math.log(1 - success)
            for k in range(count + 1)
        ]
    probabilities = [math.exp(log) for log in logs]
    return count, {"delta1": 1 - math.fsum(probabilities[:-1]), "delta2": math.fsum(probabilities)}


def _marginal(grid: Grid, events: Places, bins: str) -> tuple[list[float], list[int]]:
    if bins == "cells":
        return [math.fsum(row) for row in grid], [cell for cell, _ in events]
    if bins == "magnitudes":
        return [math.fsum(column) for column in zip(*grid, strict=True)], [place for _, place in events]
    width = len(grid[0])
    return _flat(grid), [cell * width + place for cell, place in events]


def _draw(rates: Sequence[float], number: float) -> int:
    """The first bin whose cumulative share lies above a number between 0 and 1."""
    total = float(np.sum(rates))
    for place, summed in enumerate(itertools.accumulate(rates)):
        if summed / total > number:
            return place
    raise AssertionError(number)


def poisson(test: str, grid: Grid, events: Places, *, seed: int, simulations: int) -> Found:
    """L, CL, S or M."""
    rates, places = _marginal(grid, events, {"S": "cells", "M": "magnitudes"}.get(test, "all"))
    total, count = _total(rates), len(events)
    if not total or (test != "L" and not count) or (test == "M" and len(rates) == 1):
        return None
    scale = count / total if test in "SM" else 1.0

    def likelihood(catalog: list[int]) -> float:
        numbers = Counter(catalog)
        terms = [n * _log(rates[place] * scale) - math.lgamma(n + 1) for place, n in numbers.items()]
        return -math.inf if -math.inf in terms else math.fsum([*terms, *(-rate * scale for rate in rates)])

    generator = np.random.RandomState(seed)
    simulated = []
    for _ in range(simulations):
        size = generator.poisson(float(np.sum(rates))) if test == "L" else count
        simulated.append(likelihood([_draw(rates, generator.uniform()) for _ in range(size)]))
    observed = likelihood(places)
    return observed, _lower(observed, simulated)


def binary(test: str, grid: Grid, events: Places, *, seed: int, simulations: int) -> Found:
    """Binary S, binary CL or Brier."""
    rates, places = _marginal(grid, events, "cells" if test == "binary S" else "all")
    active = set(places)
    if not active or len(active) > sum(rate > 0 for rate in rates):
        return None

    def likelihood(filled: set[int]) -> float:
        terms = [_log(-math.expm1(-x)) if n in filled else -x for n, x in enumerate(rates)]
        return -math.inf if -math.inf in terms else math.fsum(terms)

    def brier(filled: set[int]) -> float:
        return -2 * statistics.fmean((-math.expm1(-x) - (n in filled)) ** 2 for n, x in enumerate(rates))

    statistic = brier if test == "Brier" else likelihood
    generator = np.random.RandomState(seed)
    simulated = []
    for _ in range(simulations):
        filled: set[int] = set()
        while len(filled) < len(active):
            filled.add(_draw(rates, generator.uniform()))
        simulated.append(statistic(filled))
    observed = statistic(active)
    return observed, _lower(observed, simulated)


def comparison(test: str, grid: Grid, other: Grid, events: Places) -> Found:
    """T, W or binary T: T's t by the mean and the standard deviation, W's p by all signs or by SciPy."""
    places = sorted(set(events)) if test == "binary T" else events
    pairs = [(grid[cell][place], other[cell][place]) for cell, place in places]
    if not pairs or grid == other or not all(all(pair) for pair in pairs):
        return None
    excess = (_total(_flat(grid)) - _total(_flat(other))) / len(pairs)
    gains = [math.log(a) - math.log(b) - excess for a, b in pairs]
    gain = statistics.fmean(gains)
    if test == "W":
        return _signed_rank(gains)
    if len(gains) < 2 or max(gains) - min(gains) < 1e-12:
        return None
    return gain, {"t": gain / (statistics.stdev(gains) / math.sqrt(len(gains)))}


def _signed_rank(gains: list[float]) -> Found:
    from scipy import stats

    gains = [gain for gain in gains if gain]
    if not gains:
        return None
    normal = stats.wilcoxon(gains, method="approx", correction=False)
    if len(gains) >= 10:
        return normal.zstatistic, {"p": normal.pvalue}
    ranks = stats.rankdata(np.abs(gains))
    sums = [
        sum(rank for rank, sign in zip(ranks, signs, strict=True) if sign)
        for signs in itertools.product([False, True], repeat=len(ranks))
    ]
    seen = sum(rank for rank, gain in zip(ranks, gains, strict=True) if gain > 0)
    smaller = min(seen, sum(ranks) - seen)
    extreme = [s for s in sums if min(s, sum(ranks) - s) <= smaller]
    return normal.zstatistic, {"p": len(extreme) / len(sums)}


def score(grid: Grid, events: Places, other: Grid | None = None) -> float | None:
    """LL, or IG where there is another forecast: bin by bin, those without events too."""
    if other is not None:
        here, there = score(grid, events), score(other, events)
        return None if here is None or there is None or here == there == -math.inf else here - there
    counts, terms = Counter(events), []
    for cell, row in enumerate(grid):
        for place, rate in enumerate(row):
            n = counts[cell, place]
            terms += [n * _log(rate) if n else 0.0, -rate, -math.lgamma(n + 1)]
    return -math.inf if -math.inf in terms else math.fsum(terms)


def _tails(observed: float, simulated: Sequence[float], size: float = 1.0) -> Found:
    tied = [_tied(s, observed, size) for s in simulated]
    above = sum(s >= observed or t for s, t in zip(simulated, tied, strict=True))
    below = sum(s <= observed or t for s, t in zip(simulated, tied, strict=True))
    return observed, {"delta1": above / len(simulated), "delta2": below / len(simulated)}


def _catalog_number(catalogs: list[Places], events: Places, shape: tuple[int, int], seed: int) -> Found:
    return _tails(len(events), [len(catalog) for catalog in catalogs])


def _mean_rates(catalogs: list[Places], cells: int) -> list[float]:
    counts = Counter(cell for catalog in catalogs for cell, _ in catalog)
    return [counts[cell] / len(catalogs) for cell in range(cells)]


def _spatial(catalogs: list[Places], events: Places, shape: tuple[int, int], seed: int) -> Found:
    rates = _mean_rates(catalogs, shape[0])
    reached = [event for event in events if rates[event[0]]]
    total = _total(rates)

    def statistic(catalog: Places) -> float:
        return statistics.fmean(math.log(rates[cell] / total) for cell, _ in catalog)

    return _tails(statistic(reached), [statistic(c) for c in catalogs if c]) if reached else None


def _pseudolikelihood(catalogs: list[Places], events: Places, shape: tuple[int, int], seed: int) -> Found:
    rates = _mean_rates(catalogs, shape[0])
    reached = [event for event in events if rates[event[0]]]
    total = _total(rates)

    def statistic(catalog: Places) -> float:
        return math.fsum([*(math.log(rates[cell]) for cell, _ in catalog), -total])

    return (
        _tails(statistic(reached), [statistic(c) for c in catalogs], size=max(1, total)) if reached else None
    )


def _histogram(catalog: Places, bins: int) -> list[int]:
    return [sum(place == b for _, place in catalog) for b in range(bins)]


def _union(catalogs: list[Places]) -> Places:
    return [event for catalog in catalogs for event in catalog]


def _distance(catalog: Sequence[float], union: Sequence[float], count: int) -> float:
    of_catalog, of_union = ([n * count / sum(histogram) for n in histogram] for histogram in (catalog, union))
    return math.fsum(
        (math.log10(u + 1) - math.log10(c + 1)) ** 2 for u, c in zip(of_union, of_catalog, strict=True)
    )


def _multinomial(catalog: Sequence[float], union: Sequence[float], count: int) -> float:
    def likelihood(x: Sequence[float]) -> float:
        total = math.fsum(x)
        return math.lgamma(total + 1) + math.fsum(n * math.log(n / total) - math.lgamma(n + 1) for n in x)

    u, v = [n + sum(union) / count for n in union], [n + 1.0 for n in catalog]
    both = [a + b for a, b in zip(u, v, strict=True)]
    return 2 * (likelihood(both) - likelihood(u) - likelihood(v))


def _magnitude(catalogs: list[Places], events: Places, shape: tuple[int, int], seed: int) -> Found:
    union, count = _histogram(_union(catalogs), shape[1]), len(events)
    simulated = [_distance(_histogram(c, shape[1]), union, count) for c in catalogs if c]
    return _tails(_distance(_histogram(events, shape[1]), union, count), simulated)


def _drawn(
    statistic: Callable[[Sequence[float], Sequence[float], int], float], size: float
) -> Callable[..., Found]:
    def test(catalogs: list[Places], events: Places, shape: tuple[int, int], seed: int) -> Found:
        union, count = _histogram(_union(catalogs), shape[1]), len(events)
        shares = np.array(union) / sum(union)
        generator, simulated = np.random.RandomState(seed), []
        for _ in catalogs:
            drawn = generator.choice(shape[1], size=count, p=shares)
            simulated.append(statistic([int(np.sum(drawn == b)) for b in range(shape[1])], union, count))
        return _tails(statistic(_histogram(events, shape[1]), union, count), simulated, size)

    return test


def _with_events(test: Callable[..., Found]) -> Callable[..., Found]:
    def checked(catalogs: list[Places], events: Places, shape: tuple[int, int], seed: int) -> Found:
        return test(catalogs, events, shape, seed) if events and any(catalogs) else None

    return checked


def _with_magnitudes(test: Callable[..., Found]) -> Callable[..., Found]:
    def checked(catalogs: list[Places], events: Places, shape: tuple[int, int], seed: int) -> Found:
        return test(catalogs, events, shape, seed) if shape[1] > 1 else None

    return checked


#: The tests of simulated catalogs by forequake's name; each takes the catalogs, the events, the numbers of
#: cells and bins, and a seed. MLL is a small difference of large numbers, hence its rounding is larger here.
CATALOG_TESTS: Final[dict[str, Callable[..., Found]]] = {
    "catalog_number": _catalog_number,
    "catalog_spatial": _with_events(_spatial),
    "catalog_pseudolikelihood": _with_events(_pseudolikelihood),
    "catalog_magnitude": _with_magnitudes(_with_events(_magnitude)),
    "catalog_resampled_magnitude": _with_magnitudes(_with_events(_drawn(_distance, 1.0))),
    "catalog_mll_magnitude": _with_magnitudes(_with_events(_drawn(_multinomial, 100.0))),
}
