"""One call for every test."""

import math
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from forequake.errors import EvaluationError, InputError
from forequake.evaluations import comparison, consistency
from forequake.evaluations.evaluated import Evaluated, Numbers
from forequake.evaluations.inputs import Observation, TestParameters, check_parameters
from forequake.evaluations.registry import TestDefinition, find_test
from forequake.evaluations.scores import information_gain, joint_log_likelihood
from forequake.evaluations.simulated_catalogs import catalog_test
from forequake.forecasts.catalog_based import CountedEvents

__all__ = ["evaluate", "evaluate_catalogs"]


def evaluate(
    test: str,
    parameters: TestParameters,
    forecast: NDArray[np.float64],
    observation: Observation,
    *,
    reference: NDArray[np.float64] | None = None,
    seed: int | None = None,
) -> Evaluated:
    """Compute one test of one forecast in one window.

    The result depends on the arguments alone: not on threads, processes or the order of calls. NumPy's global
    generator is neither used nor changed.

    Parameters
    ----------
    test
        A name that `find_test` knows.
    parameters
        As `TestParameters.for_test` gives them.
    forecast : array of float64, shape (cells, bins)
        Expected numbers of events in the window: already scaled to it.
    observation
        The target events on the same cells and bins.
    reference : array of float64, shape (cells, bins)
        The forecast to compare with; for comparisons and relative scores only.
    seed
        From 0 to 2^32 - 1; for tests with random numbers only.

    Raises
    ------
    InputError
        Where an argument does not fit the test or the observation.
    EvaluationError
        Where pyCSEP fails, or the worker process of the L- and W-test died twice.
    """
    began = perf_counter()
    definition = find_test(test)
    check_parameters(definition, parameters, seed)
    if (reference is None) == definition.needs_reference:
        needs = "needs a" if reference is None else "takes no"
        what = "score" if definition.kind == "score" else f"{definition.kind} test"
        message = f"{definition.name} is a {what} and {needs} reference forecast"
        raise InputError(message)
    forecast = _checked("forecast", forecast, observation)
    if reference is not None:
        reference = _checked("reference forecast", reference, observation)
    numbers = _compute(definition, parameters, forecast, observation, reference, seed)
    return Evaluated.of(
        definition,
        numbers,
        alpha=parameters.alpha,
        n_observed=len(observation.events),
        n_forecast=float(np.sum(forecast)),
        n_reference=None if reference is None else float(np.sum(reference)),
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
    numbers = catalog_test(definition.name, forecast, observation, alpha=parameters.alpha, seed=seed)
    return Evaluated.of(
        definition,
        numbers,
        alpha=parameters.alpha,
        n_observed=len(observation.events),
        n_forecast=len(forecast) / forecast.n_catalogs,
        n_reference=None,
        seed=seed,
        num_simulations=None,
        seconds=perf_counter() - began,
    )


def _compute(
    definition: TestDefinition,
    parameters: TestParameters,
    forecast: NDArray[np.float64],
    observation: Observation,
    reference: NDArray[np.float64] | None,
    seed: int | None,
) -> Numbers:
    if definition.kind == "score":
        if reference is None:
            return joint_log_likelihood(forecast, observation)
        return information_gain(forecast, reference, observation)
    from forequake.evaluations._adapt import FAILURES

    alpha, simulations = parameters.alpha, parameters.num_simulations
    try:
        if reference is not None:
            compare = comparison.paired_t if definition.short == "T" else comparison.signed_rank
            return compare(forecast, reference, observation, alpha=alpha)
        if simulations is not None and seed is not None:
            return consistency.simulated_likelihood(
                definition.name, forecast, observation, alpha=alpha, num_simulations=simulations, seed=seed
            )
        return consistency.number(forecast, observation, alpha=alpha)
    except FAILURES as error:
        message = f"{definition.name} could not be computed: {type(error).__name__}: {error}"
        raise EvaluationError(message) from error


def _checked(name: str, rates: NDArray[np.float64], observation: Observation) -> NDArray[np.float64]:
    """Give the rates in C order, since another order of summation changes the last digits."""
    expected = (len(observation.region), len(observation.magnitudes))
    if rates.shape != expected:
        message = f"the {name} has the shape {rates.shape}, its cells and magnitude bins {expected}"
        raise InputError(message)
    least = float(np.min(rates))
    if math.isnan(least) or least < 0:
        message = f"the {name} holds the rate {least:g}; rates are numbers from 0 on"
        raise InputError(message)
    return np.ascontiguousarray(rates, dtype=np.float64)
