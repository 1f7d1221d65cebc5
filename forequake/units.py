"""The computation of one result from what the store has."""

from time import perf_counter

from forequake.across import AcrossInputs, evaluate_over_windows
from forequake.evaluations import ResultInputs, evaluate, evaluate_catalogs
from forequake.evaluations.evaluated import Evaluated
from forequake.evaluations.own_tests.handover import CalledForecast
from forequake.evaluations.own_tests.inputs import OwnTestInputs
from forequake.evaluations.registry import TESTS
from forequake.experiments import Experiment
from forequake.processes import Limits
from forequake.quantities import Sha256, now
from forequake.results import ComparisonRecord, ConsistencyRecord, DistributionRecord, Label, ScoreRecord
from forequake.shelf import ForecastShelf

__all__ = ["evaluate_unit"]


def evaluate_unit(
    experiment: Experiment,
    shelf: ForecastShelf,
    label: Label,
    inputs: ResultInputs | AcrossInputs,
    environment: Sha256,
) -> tuple[ConsistencyRecord | ComparisonRecord | ScoreRecord, DistributionRecord | None]:
    """Compute one result.

    Parameters
    ----------
    inputs
        As `forequake.across.present_inputs` gives them for the place.

    Returns
    -------
    ConsistencyRecord, ComparisonRecord or ScoreRecord
    DistributionRecord or None
        The whole sample, where the test has one.

    Raises
    ------
    InputError, EvaluationError
        Where the result cannot be computed.
    StoreError
        Where the forecasts or results that it needs cannot be read.
    """
    if isinstance(inputs, AcrossInputs):
        evaluated = evaluate_over_windows(experiment, shelf, label, inputs)
    else:
        evaluated = _in_window(experiment, shelf, label, inputs)
    return evaluated.record(inputs.canon, environment, now()), evaluated.distribution_record(inputs.canon)


def _in_window(experiment: Experiment, shelf: ForecastShelf, label: Label, inputs: ResultInputs) -> Evaluated:
    observation, definition = experiment.observation(label.window), TESTS[inputs.test]
    if definition.against_all and label.reference is not None:
        return _in_batch(experiment, shelf, label, label.reference, inputs)
    if inputs.own is not None:
        return _own(experiment, shelf, label, inputs, inputs.own)
    if definition.forecast == "catalog":
        counted = shelf.catalogs(label.model, label.window)
        return evaluate_catalogs(inputs.test, inputs.parameters, counted, observation, seed=inputs.seed)
    reference = None if label.reference is None else shelf.gridded(label.reference, label.window)
    forecast = shelf.gridded(label.model, label.window)
    return evaluate(
        inputs.test, inputs.parameters, forecast, observation, reference=reference, seed=inputs.seed
    )


def _in_batch(
    experiment: Experiment, shelf: ForecastShelf, label: Label, reference: str, inputs: ResultInputs
) -> Evaluated:
    began, alpha = perf_counter(), inputs.parameters.alpha
    models = [
        name
        for name in experiment.models_of(label, label.window)
        if experiment.forecast_key(name, label.window) in inputs.family
    ]
    found = shelf.batch(models, label.window, alpha)
    return Evaluated.of(
        TESTS[inputs.test],
        found.pairs[label.model, reference],
        alpha=alpha,
        n_observed=len(experiment.observation(label.window).events),
        n_forecast=found.family[label.model].total,
        n_reference=found.family[reference].total,
        seed=None,
        num_simulations=None,
        seconds=perf_counter() - began,
    )


def _own(
    experiment: Experiment, shelf: ForecastShelf, label: Label, inputs: ResultInputs, own: OwnTestInputs
) -> Evaluated:
    spec = experiment.test(label.test).own

    def called(model: str) -> CalledForecast:
        take = shelf.simulated if experiment.is_catalog_based(model) else shelf.gridded
        return take(model, label.window)

    return shelf.own_tests.evaluate(
        inputs,
        shelf.own_files(own),
        Limits() if spec is None else Limits(spec.timeout_s, spec.memory_mb),
        called(label.model),
        experiment.observation(label.window),
        reference=None if label.reference is None else called(label.reference),
    )
