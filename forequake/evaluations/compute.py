"""One call for every test."""

from time import perf_counter
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forequake.errors import EvaluationError, InputError
from forequake.evaluations import alarms, comparison, consistency
from forequake.evaluations.compat import as_named, as_pycsep
from forequake.evaluations.compat_catalogs import catalogs_as_pycsep
from forequake.evaluations.evaluated import Evaluated, Numbers
from forequake.evaluations.inputs import Observation, TestParameters, check_parameters
from forequake.evaluations.kernels import PreparedForecast
from forequake.evaluations.registry import TestDefinition, find_test
from forequake.evaluations.scores import information_gain, joint_log_likelihood
from forequake.evaluations.simulated import simulated
from forequake.evaluations.simulated_catalogs import catalog_test
from forequake.forecasts.catalog_based import CountedEvents

__all__ = ["evaluate", "evaluate_catalogs"]

_NUMBER_TESTS: Final = {
    "poisson_number": consistency.number,
    "negative_binomial_number": consistency.negative_binomial_number,
}
_COMPARISONS: Final = {
    "poisson_paired_t": comparison.paired_t,
    "poisson_w": comparison.signed_rank,
    "binary_paired_t": comparison.binary_paired_t,
}
_SCORES: Final = {
    "sequential_likelihood": joint_log_likelihood,
    "roc": alarms.roc,
    "concentration_roc": alarms.concentration_roc,
    "molchan": alarms.molchan,
    "kagan_i1": alarms.kagan_i1,
}


def evaluate(
    test: str,
    parameters: TestParameters,
    forecast: NDArray[np.float64] | PreparedForecast,
    observation: Observation,
    *,
    reference: NDArray[np.float64] | PreparedForecast | None = None,
    seed: int | None = None,
) -> Evaluated:
    """Compute one test of one forecast in one window.

    The result depends on the arguments alone, not on threads or the order of calls; nothing that belongs to
    the process changes.

    Parameters
    ----------
    test
        A name that `find_test` knows.
    parameters
        As `TestParameters.for_test` gives them.
    forecast : array of float64, shape (cells, bins), or PreparedForecast
        Expected numbers of events, scaled to the window. Tests that are given the same prepared forecast
        share its sums.
    observation
        The target events on the same cells and bins.
    reference : array of float64, shape (cells, bins), or PreparedForecast
        The forecast to compare with; for comparisons and relative scores only.
    seed
        From 0 to 2^32 - 1; for tests with random numbers only.

    Raises
    ------
    InputError
        Where an argument does not fit the test or the observation.
    EvaluationError
        Where the memory does not suffice.
    """
    began = perf_counter()
    definition = find_test(test)
    check_parameters(definition, parameters, seed)
    _check_forecasts(definition, given=reference is not None)
    prepared = _prepared("forecast", forecast, observation)
    other = None if reference is None else _prepared("reference forecast", reference, observation)
    try:
        numbers = _compute(definition, parameters, prepared, observation, other, seed)
    except MemoryError as error:
        message = f"{definition.name} could not be computed: the memory does not suffice"
        raise EvaluationError(message) from error
    return Evaluated.of(
        as_named(definition, parameters),
        numbers,
        alpha=parameters.alpha,
        n_observed=len(observation.events),
        n_forecast=prepared.total,
        n_reference=None if other is None else other.total,
        seed=seed,
        num_simulations=parameters.num_simulations,
        seconds=perf_counter() - began,
    )


def evaluate_catalogs(
    test: str,
    parameters: TestParameters,
    forecast: CountedEvents,
    observation: Observation,
    *,
    seed: int | None = None,
) -> Evaluated:
    """Compute one test of one catalog-based forecast in one window.

    Parameters
    ----------
    forecast
        The simulated events that count in the window, on the observation's cells and bins.
    seed
        For tests that draw from the forecast's catalogs only.

    Raises
    ------
    InputError
        Where an argument does not fit the test or the observation.
    """
    began = perf_counter()
    definition = find_test(test)
    check_parameters(definition, parameters, seed)
    expected = (len(observation.region), len(observation.magnitudes))
    if definition.forecast != "catalog" or (forecast.n_cells, forecast.n_bins) != expected:
        message = (
            f"{definition.name} takes {definition.forecast} forecasts; this one has simulated catalogs on "
            f"{forecast.n_cells} cells and {forecast.n_bins} magnitude bins, the observation has {expected}"
        )
        raise InputError(message)
    if parameters.compat is None:
        numbers = catalog_test(definition.name, forecast, observation, alpha=parameters.alpha, seed=seed)
    else:
        numbers = catalogs_as_pycsep(definition, forecast, observation, alpha=parameters.alpha, seed=seed)
    return Evaluated.of(
        as_named(definition, parameters),
        numbers,
        alpha=parameters.alpha,
        n_observed=len(observation.events),
        n_forecast=len(forecast) / forecast.n_catalogs,
        n_reference=None,
        seed=seed,
        num_simulations=None,
        seconds=perf_counter() - began,
    )


def _check_forecasts(definition: TestDefinition, *, given: bool) -> None:
    if not definition.stands_alone:
        message = f"{definition.name} is not computed from one or two forecasts of one window"
        raise InputError(message)
    if given != definition.needs_reference:
        needs = "takes no" if given else "needs a"
        what = "score" if definition.kind == "score" else f"{definition.kind} test"
        message = f"{definition.name} is a {what} and {needs} reference forecast"
        raise InputError(message)


def _compute(
    definition: TestDefinition,
    parameters: TestParameters,
    forecast: PreparedForecast,
    observation: Observation,
    reference: PreparedForecast | None,
    seed: int | None,
) -> Numbers:
    if parameters.compat is not None:
        return as_pycsep(definition, parameters, forecast, observation, reference, seed)
    if definition.kind == "score":
        if reference is not None:
            return information_gain(forecast, reference, observation)
        return _SCORES[definition.name](forecast, observation)
    alpha, simulations = parameters.alpha, parameters.num_simulations
    if reference is not None:
        return _COMPARISONS[definition.name](forecast, reference, observation, alpha=alpha)
    if simulations is not None and seed is not None:
        return simulated(
            definition.name, forecast, observation, alpha=alpha, num_simulations=simulations, seed=seed
        )
    return _NUMBER_TESTS[definition.name](forecast, observation, parameters)


def _prepared(
    name: str, rates: NDArray[np.float64] | PreparedForecast, observation: Observation
) -> PreparedForecast:
    shape = (rates.rates if isinstance(rates, PreparedForecast) else rates).shape
    expected = (len(observation.region), len(observation.magnitudes))
    if shape != expected:
        message = f"the {name} has the shape {shape}, its cells and magnitude bins {expected}"
        raise InputError(message)
    if isinstance(rates, PreparedForecast):
        return rates
    try:
        return PreparedForecast.of(rates)
    except ValueError as error:
        message = f"the {name} holds {error}"
        raise InputError(message) from error
