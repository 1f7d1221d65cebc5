"""Add up scores of windows, and say how far their sum can be trusted.

    forequake results ridgecrest-rates --format json | python intervals.py

For each model and score: nats in each window, their sum, and the gain per event with an interval of 95 % by
bootstrap over windows. The interval is weak: there are seven windows, and their events depend on each other.
"""

import json
import sys
from collections import defaultdict
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

#: Beginnings of the names of the scores.
SCORES = ("Gain", "Counts")
DRAWS = 100_000


def interval(scores: NDArray[np.float64], events: NDArray[np.int64]) -> tuple[float, float]:
    """Draw windows, scores and events, with replacement; give the middle 95 % of the gains per event."""
    chosen = np.random.default_rng(1).integers(len(scores), size=(DRAWS, len(scores)))
    numbers = events[chosen].sum(axis=1)
    gains = scores[chosen].sum(axis=1)[numbers > 0] / numbers[numbers > 0]
    low, high = np.quantile(gains, [0.025, 0.975])
    return float(low), float(high)


def rows_of(results: list[dict[str, Any]]) -> list[tuple[str, str, list[float], float, tuple[float, float]]]:
    """Give score, model, nats in each window, gain per event and its interval."""
    found = defaultdict(list)
    for result in sorted(results, key=lambda result: result["start"]):
        if result["test"].startswith(SCORES):
            against = f"{result['test'].split()[0]} over {result['reference']}"
            found[against, result["model"]].append((result["statistic"], result["n_observed"]))
    rows = []
    for (score, model), windows in sorted(found.items()):
        scores, events = (np.array(column) for column in zip(*windows, strict=True))
        rows.append((score, model, scores.tolist(), scores.sum() / events.sum(), interval(scores, events)))
    return rows


def show(results: list[dict[str, Any]], out: TextIO) -> None:
    """Print one line a score and model."""
    for score, model, scores, gain, (low, high) in rows_of(results):
        nats = " ".join(f"{value:7.1f}" for value in scores)
        line = f"{score:25} {model:13} {nats}  sum {sum(scores):6.1f}"
        out.write(f"{line}  per event {gain:5.2f} [{low:.2f}, {high:.2f}]\n")


if __name__ == "__main__":
    show(json.load(sys.stdin), sys.stdout)
