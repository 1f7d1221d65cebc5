"""The Poisson tests of all windows of a model laid together: the cumulative tests of CSEP1.

A model's forecasts of windows that share no time are one forecast over cells, magnitude bins and windows, in
which time is one dimension more (asked for in pyCSEP's issue 87). So

- N compares the number of all events with a Poisson distribution about the sum of the expected numbers;
- L and CL take the joint likelihood over cells, bins and windows (see `joint`), which an event in the wrong
  window lowers;
- S and M look at the sums over bins and windows, and over cells and windows: these are S and M of the sum of
  the forecasts, with all events;
- T and W take each event's rates in its own window, and the difference of the sums of the expected numbers
  (Rhoades et al. 2011).

Rules, sides, ties and what says nothing are those of the plain tests, whose numbers one window gives.
A window without events counts. Windows that share time say nothing: an event would count twice. Windows that
are missing are left out; the test then speaks of those that are there.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forequake.catalogs import Events
from forequake.errors import InputError
from forequake.evaluations.comparison import EventRates, Pair, signed_ranks, student
from forequake.evaluations.consistency import number_of
from forequake.evaluations.evaluated import ZERO_RATE_FLAG, Numbers
from forequake.evaluations.inputs import Observation
from forequake.evaluations.kernels import PreparedForecast, observed_log_likelihood
from forequake.evaluations.over_windows.joint import simulated_joint_log_likelihoods
from forequake.evaluations.over_windows.parts import Part, Parts, shared_time
from forequake.evaluations.simulated import silence, simulated, verdict
from forequake.results import Outcome
from forequake.windows import TimeWindow

__all__ = ["cumulative"]

_JOINT: Final = {
    "cumulative_likelihood": "poisson_likelihood",
    "cumulative_conditional_likelihood": "poisson_conditional_likelihood",
}
_SUMMED: Final = {
    "cumulative_spatial": "poisson_spatial",
    "cumulative_magnitude": "poisson_magnitude",
}
_COMPARISONS: Final[dict[str, Callable[[Pair, float], Numbers]]] = {
    "cumulative_paired_t": student,
    "cumulative_w": signed_ranks,
}


def cumulative(
    test: str, parts: Parts, *, alpha: float, num_simulations: int | None = None, seed: int | None = None
) -> Numbers:
    """Compute one test of all windows of a model laid together.

    Parameters
    ----------
    test
        forequake's name of the test, ``cumulative_number`` to ``cumulative_w``.
    parts
        Gives the windows, in order of time, with a reference for T and W. It is called once, for L and CL
        once more for every four million simulated events.
    num_simulations, seed
        For L, CL, S and M.

    Returns
    -------
    Numbers
        As of the plain test; the likelihoods are of all windows together, the information gain is per event.

    Raises
    ------
    InputError
        Where there is no such test, the windows are not in order, their grids differ, or a reference, a
        number of simulations or a seed is missing.
    """
    if test not in {"cumulative_number", *_JOINT, *_SUMMED, *_COMPARISONS}:
        message = f"{test} is not one of the cumulative tests"
        raise InputError(message)
    laid = _Laid()
    for part in parts():
        laid.add(part, compared=test in _COMPARISONS, summed=test in _SUMMED)
    if not laid.windows:
        return Numbers(outcome=Outcome.UNDEFINED, reason="no window has a forecast")
    reason = shared_time(laid.windows)
    if reason is not None:
        return Numbers(outcome=Outcome.UNDEFINED, reason=reason)
    if test in _COMPARISONS:
        return _COMPARISONS[test](laid.pair(), alpha)
    if test == "cumulative_number":
        return number_of(laid.events, _together(laid.at_events).total, alpha)
    if num_simulations is None or seed is None:
        message = f"{test} draws random numbers and needs num_simulations and a seed"
        raise InputError(message)
    if test in _SUMMED:
        forecast, observation = laid.together()
        return simulated(
            _SUMMED[test], forecast, observation, alpha=alpha, num_simulations=num_simulations, seed=seed
        )
    return _joint(_JOINT[test], parts, laid, alpha, num_simulations, seed)


@dataclass
class _Laid:
    """What is kept of the windows: all of their events, but of their forecasts no more than one grid."""

    windows: list[TimeWindow] = field(default_factory=list)
    observations: list[Observation] = field(default_factory=list)
    log_likelihoods: list[float] = field(default_factory=list)  # less the expected number
    at_events: list[EventRates] = field(default_factory=list)
    reference_at_events: list[EventRates] = field(default_factory=list)
    same: bool = True
    rates: NDArray[np.float64] = field(default_factory=lambda: np.zeros((1, 1)))

    def add(self, part: Part, *, compared: bool, summed: bool) -> None:
        """Take in the next window, with its reference or its place in the sum of the forecasts if wanted."""
        self._check(part, compared=compared)
        forecast, places = part.forecast, part.observation.places
        self.windows.append(part.window)
        self.observations.append(part.observation)
        self.at_events.append(EventRates.of(forecast, places))
        self.log_likelihoods.append(observed_log_likelihood(forecast.joint, places, scale=1.0, expected=0.0))
        if compared and part.reference is not None:
            pair = Pair.at_places(forecast, part.reference, places)
            self.reference_at_events.append(pair.reference)
            self.same &= pair.same
        if summed:
            self.rates = self.rates + forecast.rates

    def _check(self, part: Part, *, compared: bool) -> None:
        here, first = part.observation, self.observations[0] if self.observations else part.observation
        shape = (len(here.region), len(here.magnitudes))
        shapes = {each.rates.shape for each in (part.forecast, part.reference) if each is not None}
        problem = None
        if self.windows and part.window.start < self.windows[-1].start:
            problem = f"comes after {self.windows[-1].id}, which begins later"
        elif len(first.region) != shape[0] or not np.array_equal(first.magnitudes, here.magnitudes):
            problem = "has other cells or magnitude bins than the first"
        elif shapes != {shape}:
            problem = f"has forecasts that are not on its {shape[0]} cells and {shape[1]} magnitude bins"
        elif compared and part.reference is None:
            problem = "has no reference forecast"
        if problem is not None:
            message = f"the window {part.window.id} {problem}"
            raise InputError(message)

    @property
    def events(self) -> int:
        """Number of target events."""
        return sum(len(observation.events) for observation in self.observations)

    def pair(self) -> Pair:
        """Give all events with their rates in their windows."""
        return Pair(_together(self.at_events), _together(self.reference_at_events), self.same)

    def together(self) -> tuple[PreparedForecast, Observation]:
        """Give the sum of the forecasts, and all events on its grid."""
        first = self.observations[0]
        events = Events.joined([observation.events for observation in self.observations])
        return PreparedForecast.of(self.rates), Observation(first.region, first.magnitudes, events)


def _together(windows: Sequence[EventRates]) -> EventRates:
    with np.errstate(over="ignore"):
        total = float(np.sum([window.total for window in windows]))
    return EventRates(total, np.concatenate([window.at for window in windows]))


def _joint(test: str, parts: Parts, laid: _Laid, alpha: float, simulations: int, seed: int) -> Numbers:
    all_windows, events = _together(laid.at_events), laid.events
    silent = silence(test, all_windows.total, events, bins=len(laid.observations[0].magnitudes))
    if silent is not None:
        return silent
    sample = simulated_joint_log_likelihoods(
        parts,
        [window.total for window in laid.at_events],
        expected=all_windows.total,
        events=None if test == "poisson_likelihood" else events,
        simulations=simulations,
        seed=seed,
    )
    observed = sum(laid.log_likelihoods) - all_windows.total
    return verdict(observed, sample, alpha, (ZERO_RATE_FLAG,) if (all_windows.at == 0).any() else ())
