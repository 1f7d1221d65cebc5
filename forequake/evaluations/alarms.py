"""Scores of how a forecast ranks its cells: ROC, concentration ROC, Molchan diagram, and Kagan's I1.

The first three put cells in alarm by their expected number of events over all magnitudes, the highest first,
and follow two shares while the threshold falls: how much is in alarm, and how much of what happened that
covers. Only the order of the cells counts, not how many events a forecast expects.

Cells whose rates differ by at most 1e-12 of the rate come in together, and the curve is straight there, as it
is on average over all orders of such cells. So neither the order of the cells nor that of a sum decides. A
cell is never alarmed in part: the curve is straight over a single cell, too. A forecast of one rate per area
everywhere, such as the built-in uniform reference, has no order but that of the sizes of cells, which is that
of their latitudes: all its cells come in together.

Only at cells with events does a curve turn, so that it is known, without sorting the grid, from the cells of
the events and from how much lies between their rates.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forequake.evaluations.evaluated import ZERO_RATE_FLAG, Numbers
from forequake.evaluations.inputs import Observation
from forequake.evaluations.kernels import PreparedForecast
from forequake.results import Curve, Outcome

__all__ = ["MOST_POINTS", "concentration_roc", "kagan_i1", "molchan", "roc"]

#: Points of a stored curve. One that has more is stored with an error of 4/MOST_POINTS at most, along x and y
#: together; its score is that of all points.
MOST_POINTS: Final = 1000

#: Rates are equal where they differ by this share of themselves at most.
_SAME_RATE: Final = 1e-12

_Array = NDArray[np.float64]
_Counts = NDArray[np.intp]


def roc(forecast: PreparedForecast, observation: Observation) -> Numbers:
    """Score a forecast by the area under its ROC curve: cells with events against cells without.

    Returns
    -------
    Numbers
        The curve is that of ``csep.plots.plot_ROC_diagram``: x is the share of the cells without events that
        are in alarm, y that of the cells with events. Each cell counts once, however large it is and however
        many events it has. The statistic, which pyCSEP does not give, is the probability that a cell with
        events has a higher rate than one without, where equal rates count half (Hanley and McNeil 1982).
        Undefined also where every cell has an event.
    """
    silence = _silence(forecast, observation)
    if silence is not None:
        return _undefined(silence, forecast, observation)
    stretches, active = _stretches(forecast, observation), np.unique(observation.cells)
    if len(active) == len(stretches):
        return _undefined(
            "every cell has a target event, so that no alarm can be false", forecast, observation
        )
    hits = _counted(stretches[active], stretches)
    false_alarms = _counted(stretches, stretches) - hits
    names = ("share in alarm of the cells without events", "share in alarm of the cells with events")
    return _scored(forecast, observation, _shares(false_alarms), _shares(hits), names)


def concentration_roc(forecast: PreparedForecast, observation: Observation) -> Numbers:
    """Score a forecast by the area under its concentration ROC curve: events against area.

    Returns
    -------
    Numbers
        The curve goes through the points of the observations in
        ``csep.plots.plot_concentration_ROC_diagram``: x is the share of the region's area that is in alarm, y
        that of the events. pyCSEP draws it as steps that count a cell's events before its area, and cells of
        equal rates one by one. The statistic, which pyCSEP does not give, is the area under the curve.
    """
    silence = _silence(forecast, observation)
    if silence is not None:
        return _undefined(silence, forecast, observation)
    stretches = _stretches(forecast, observation)
    area = np.bincount(stretches, weights=observation.region.area)
    events = _counted(stretches[observation.cells], stretches)
    names = ("share of the area in alarm", "share of the events in alarm")
    return _scored(forecast, observation, _shares(area), _shares(events), names)


def molchan(forecast: PreparedForecast, observation: Observation) -> Numbers:
    """Score a forecast by the area skill score, the area above its Molchan trajectory.

    Returns
    -------
    Numbers
        The trajectory is that of ``csep.plots.plot_Molchan_diagram``: x is the share of all cells that are in
        alarm, whatever their size, y that of the cells with events that are not. The statistic is the area
        skill score of Zechar and Jordan (2008), 1 less the mean of y over x from 0 to 1, with the cells for a
        reference measure and the cells with events for target events; 1/2 without skill, with a standard
        deviation of sqrt(1 / (12 n)) for n cells with events. pyCSEP writes 0.5 for what is less, and two
        digits. The best that can be is 1 - n / (2 cells).
    """
    silence = _silence(forecast, observation)
    if silence is not None:
        return _undefined(silence, forecast, observation)
    stretches, active = _stretches(forecast, observation), np.unique(observation.cells)
    hits = _shares(_counted(stretches[active], stretches))
    names = ("share of the cells in alarm", "share missed of the cells with events")
    return _scored(forecast, observation, _shares(_counted(stretches, stretches)), hits, names, missed=True)


def kagan_i1(forecast: PreparedForecast, observation: Observation) -> Numbers:
    """Score a forecast by Kagan's information score I1: the mean information per event, in bits.

    Returns
    -------
    Numbers
        The statistic is that of ``csep.utils.stats.get_Kagan_I1_score`` (Kagan 2009): the mean over the
        events of log2 of the rate per area in the event's cell over the mean rate per area of the region. It
        is 0 for a rate per area that is the same everywhere, and -infinity where an event lies in a cell of
        rate 0; pyCSEP leaves such events out of the sum and takes the mean over all.
    """
    silence = _silence(forecast, observation)
    if silence is not None:
        return _undefined(silence, forecast, observation)
    if _is_even(forecast, observation):
        return Numbers(outcome=Outcome.SCORE_ONLY, statistic=0.0)
    cells, area = observation.cells, observation.region.area
    shares = forecast.spatial.rates[cells] / forecast.spatial.total
    with np.errstate(divide="ignore"):
        information = np.log2(shares / (area[cells] / np.sum(area)))
    return Numbers(
        outcome=Outcome.SCORE_ONLY,
        statistic=float(np.mean(information)),
        flags=_flags(forecast, observation),
    )


def _stretches(forecast: PreparedForecast, observation: Observation) -> _Counts:
    """Give the stretch of rates that each cell lies in, numbered from the lowest; shape (cells,).

    The curve is straight over each. They alternate: those of odd numbers hold a rate at which there are
    events, and all that are equal to it.
    """
    rates = forecast.spatial.rates
    if _is_even(forecast, observation):
        return np.ones(len(rates), dtype=np.intp)
    at_events = np.unique(rates[observation.cells])
    lowest = at_events * (1 - _SAME_RATE)
    beyond = np.nextafter(at_events * (1 + _SAME_RATE), math.inf)  # also for a rate of 0
    apart = lowest[1:] > beyond[:-1]
    starts = lowest[np.concatenate([[True], apart])]
    ends = beyond[np.concatenate([apart, [True]])]
    edges = np.column_stack([starts, ends]).reshape(-1)
    return np.searchsorted(edges, rates, side="right")


def _is_even(forecast: PreparedForecast, observation: Observation) -> bool:
    """Tell whether the rate per area is the same everywhere."""
    even = observation.region.area / np.sum(observation.region.area)
    return bool((np.abs(forecast.spatial.rates / forecast.spatial.total - even) <= _SAME_RATE * even).all())


def _counted(chosen: _Counts, stretches: _Counts) -> _Counts:
    """Count in each stretch; shape (stretches,)."""
    return np.bincount(chosen, minlength=int(stretches.max()) + 1)


def _shares(amounts: _Counts | _Array) -> _Array:
    """Add up from the highest stretch on, as shares of all; shape (stretches + 1,), from 0 to 1."""
    sums = np.concatenate([[0], np.cumsum(amounts[::-1])])
    return np.asarray(sums / sums[-1], dtype=np.float64)


def _scored(
    forecast: PreparedForecast,
    observation: Observation,
    alarmed: _Array,
    hits: _Array,
    names: tuple[str, str],
    *,
    missed: bool = False,
) -> Numbers:
    """Give the area under the curve of hits, and the curve of hits or misses."""
    moves = np.concatenate([[True], (np.diff(alarmed) > 0) | (np.diff(hits) > 0)])
    x, y = alarmed[moves], hits[moves]
    area = float(np.diff(x) @ (y[1:] + y[:-1])) / 2
    kept = _kept(x, y)
    x, y = x[kept], y[kept]
    return Numbers(
        outcome=Outcome.SCORE_ONLY,
        statistic=area,
        flags=_flags(forecast, observation),
        curve=Curve(
            x=tuple(x.tolist()),
            y=tuple((1 - y if missed else y).tolist()),
            x_name=names[0],
            y_name=names[1],
        ),
    )


def _kept(x: _Array, y: _Array) -> NDArray[np.bool_]:
    """Choose at most `MOST_POINTS` points of a rising curve.

    The way x + y from 0 to 2 is cut into pieces, and each piece keeps its first and last point. Between two
    points that are kept, the curve is either straight or stays in a box whose sides add up to one piece.
    """
    if len(x) <= MOST_POINTS:
        return np.ones(len(x), dtype=np.bool_)
    pieces = MOST_POINTS // 2
    piece = np.minimum(((x + y) * (pieces / 2)).astype(np.intp), pieces - 1)
    changes = np.diff(piece) > 0
    kept: NDArray[np.bool_] = np.append(True, changes) | np.append(changes, True)
    return kept


def _silence(forecast: PreparedForecast, observation: Observation) -> str | None:
    """Say why a score says nothing, or None where it does."""
    if not math.isfinite(forecast.total):
        return f"the expected number of events is not finite ({forecast.total:g})"
    if not len(observation.events):
        return "no target events"
    if forecast.spatial.total == 0:
        return "the forecast expects no events at all, so that no cell ranks before another"
    return None


def _undefined(reason: str, forecast: PreparedForecast, observation: Observation) -> Numbers:
    return Numbers(outcome=Outcome.UNDEFINED, reason=reason, flags=_flags(forecast, observation))


def _flags(forecast: PreparedForecast, observation: Observation) -> tuple[str, ...]:
    at_events = forecast.spatial.rates[observation.cells]
    return (ZERO_RATE_FLAG,) if (at_events == 0).any() else ()
