"""Batch T and W: every model of a window against every other, corrected for the number of pairs.

floatCSEP's ``vector_poisson_t_w_test`` compares a model with all others, itself included, each pair at alpha;
of ten models that are equally good, two of the 45 pairs then differ by chance. Here the p of T are corrected
for all pairs of the window by Holm (see `forequake.evaluations.over_windows.holm`; the rule is forequake's
own), and the outcome is by the corrected p and the sign of the information gain. So the result of A against B
is the mirror of B against A. The p of W are corrected for the pairs about which W says something, and stand
beside them.

Only the rates at the target events and the totals are needed. Pairs about which T says nothing (a rate of
zero at an event, the same rates everywhere, fewer than two events) are no members of the family.
"""

from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations, permutations

import numpy as np

from forequake.errors import InputError
from forequake.evaluations.comparison import EventRates, Pair, direction, signed_ranks, student
from forequake.evaluations.evaluated import Numbers
from forequake.evaluations.over_windows.holm import holm
from forequake.results import BatchQuantiles, Outcome, StudentQuantiles, WilcoxonQuantile

__all__ = ["batch", "batch_of_all"]


def batch(family: Mapping[str, EventRates], pair: tuple[str, str], *, alpha: float) -> Numbers:
    """Compare one model with one other of a family.

    Parameters
    ----------
    family
        All models of the window by name, at the same events in the same order.
    pair
        The names of the model and of the one that it is compared with.

    Returns
    -------
    Numbers
        The statistic is the information gain per event; its interval is that of T alone, at 1 - alpha.

    Raises
    ------
    InputError
        Where the pair is not two models of the family.
    """
    if len(set(pair)) < 2 or not set(pair) <= set(family):
        message = f"a pair is two models of the family ({', '.join(family)}), got {' and '.join(pair)}"
        raise InputError(message)
    return batch_of_all(family, alpha=alpha)[pair]


def batch_of_all(family: Mapping[str, EventRates], *, alpha: float) -> dict[tuple[str, str], Numbers]:
    """Compare each model of a family with each other, both ways round; see `batch`."""
    pairs = {(one, other): _pair(family[one], family[other]) for one, other in permutations(family, 2)}
    t_tests = {names: student(pair, alpha) for names, pair in pairs.items()}
    t_p, w_p = {}, {}
    for names in combinations(family, 2):
        t, w = t_tests[names], signed_ranks(pairs[names], alpha)
        if isinstance(t.quantiles, StudentQuantiles):
            t_p[frozenset(names)] = t.quantiles.p
        if isinstance(w.quantiles, WilcoxonQuantile) and w.outcome is not Outcome.UNDEFINED:
            w_p[frozenset(names)] = w.quantiles.p
    t_adjusted, w_adjusted = (dict(zip(p, holm([*p.values()]), strict=True)) for p in (t_p, w_p))
    found = {}
    for names, t in t_tests.items():
        members = frozenset(names)
        found[names] = t
        if isinstance(t.quantiles, StudentQuantiles) and t.statistic is not None:
            better = t_adjusted[members] < alpha
            found[names] = replace(
                t,
                outcome=direction(t.statistic) if better else Outcome.NO_DIFFERENCE,
                quantiles=BatchQuantiles(
                    t=t.quantiles.t,
                    t_critical=t.quantiles.t_critical,
                    p=t.quantiles.p,
                    p_adjusted=t_adjusted[members],
                    w_p=w_p.get(members),
                    w_p_adjusted=w_adjusted.get(members),
                    family=len(t_p),
                ),
            )
    return found


def _pair(one: EventRates, other: EventRates) -> Pair:
    return Pair(one, other, same=one.total == other.total and np.array_equal(one.at, other.at))
