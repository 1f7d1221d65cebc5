"""Results over several windows: what decides them, which of their parts are there, and their computation."""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from forequake.evaluations import ResultInputs, TestParameters
from forequake.evaluations.evaluated import Evaluated, Numbers
from forequake.evaluations.over_windows import (
    Part,
    calibration,
    cumulative,
    diebold_mariano,
    holm_over_windows,
)
from forequake.evaluations.registry import TESTS
from forequake.experiments import Experiment
from forequake.keys import KeyInputs
from forequake.quantities import Sha256
from forequake.results import (
    CatalogForecastRecord,
    ComparisonRecord,
    EvaluationRecord,
    ForecastRecord,
    Label,
    ScoreRecord,
)
from forequake.shelf import ForecastShelf, StoreReader
from forequake.windows import TimeWindow

__all__ = [
    "AcrossInputs",
    "PartInputs",
    "across_inputs",
    "evaluate_over_windows",
    "key_of_place",
    "nothing_there",
    "present_inputs",
]

#: Tests of the results that another test has in each window.
_OF_RESULTS: Final[dict[str, Callable[..., Numbers]]] = {
    "calibration": calibration,
    "diebold_mariano": diebold_mariano,
    "holm": holm_over_windows,
}


class PartInputs(BaseModel):
    """What one window adds to a result over several.

    Attributes
    ----------
    result
        Key of the window's result; None for a test of forecasts.
    forecast, reference, catalog
        Keys of the scaled forecasts and of the target events; None for a test of results.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    window: TimeWindow
    result: Sha256 | None = None
    forecast: Sha256 | None = None
    reference: Sha256 | None = None
    catalog: Sha256 | None = None

    @property
    def needs(self) -> tuple[Sha256, ...]:
        """The keys of the records without which the part is not there."""
        return tuple(key for key in (self.result, self.forecast, self.reference) if key is not None)


class AcrossInputs(KeyInputs):
    """All that decides a result over several windows.

    Attributes
    ----------
    test, parameters, kernel_version, seed
        As of `forequake.evaluations.ResultInputs`.
    parts
        The windows that count, in their order; the keys say the rest, region and bins included.
    missing
        Ids of the windows that have ended and do not count, because their part is not there.
    """

    what = "result over windows"

    test: str
    parameters: TestParameters
    kernel_version: int = Field(ge=1)
    parts: tuple[PartInputs, ...]
    missing: tuple[str, ...] = ()
    seed: int | None = None


def key_of_place(experiment: Experiment, label: Label) -> Sha256:
    """Give the key of the result in a place, where all that it is made from can be had."""
    if experiment.over_windows(label):
        return across_inputs(experiment, label).key
    return experiment.result_key(label)


def across_inputs(experiment: Experiment, label: Label) -> AcrossInputs:
    """Give what decides a result over windows, where all that it is made from can be had."""
    test = experiment.test(label.test)
    ended = [window for window in experiment.config.windows if experiment.has_ended(window)]
    there = {window: None for window in ended if experiment.absence(label, window) is None}
    return AcrossInputs(
        test=test.test,
        parameters=experiment.parameters(test),
        kernel_version=TESTS[test.test].kernel_version,
        parts=tuple(_part(experiment, label, window) for window in there),
        missing=tuple(window.id for window in ended if window not in there),
        seed=experiment.seed(test, label.window),
    )


def _part(experiment: Experiment, label: Label, window: TimeWindow) -> PartInputs:
    test = experiment.test(label.test)
    if test.of is not None:
        place = label.model_copy(update={"test": test.of, "window": window})
        return PartInputs(window=window, result=experiment.result_key(place))
    reference = None
    if label.reference is not None:
        reference = experiment.forecast_key(label.reference, window)
    return PartInputs(
        window=window,
        forecast=experiment.forecast_key(label.model, window),
        reference=reference,
        catalog=experiment.catalog_key(window),
    )


def present_inputs(experiment: Experiment, store: StoreReader, label: Label) -> AcrossInputs:
    """Give what decides a result over windows as things are: parts that the store lacks are missing.

    They could not be computed in the run that asks; where a later one has them, it has another result.
    """
    inputs = across_inputs(experiment, label)
    wanted = {key for part in inputs.parts for key in part.needs}
    kinds = (EvaluationRecord,) if experiment.test(label.test).of else (ForecastRecord, CatalogForecastRecord)
    known = frozenset[Sha256]().union(*(store.existing(kind, tuple(wanted)) for kind in kinds))
    return inputs.model_copy(update=_without(inputs, experiment.config.windows, wanted - known))


def nothing_there(inputs: ResultInputs | AcrossInputs | None) -> str | None:
    """Say that a result over windows has nothing to be made from, or give None."""
    if not isinstance(inputs, AcrossInputs) or inputs.parts:
        return None
    what = "result" if TESTS[inputs.test].takes == "results" else "forecast"
    if len(inputs.missing) == 1:
        return f"the one window that has ended has no {what} to take"
    return f"none of the {len(inputs.missing)} windows that have ended has a {what} to take"


def _without(
    inputs: AcrossInputs, windows: Sequence[TimeWindow], lacking: Collection[Sha256]
) -> dict[str, object]:
    parts = tuple(part for part in inputs.parts if not any(key in lacking for key in part.needs))
    lost = {part.window.id for part in inputs.parts} - {part.window.id for part in parts}
    missing = lost.union(inputs.missing)
    return {"parts": parts, "missing": tuple(window.id for window in windows if window.id in missing)}


def evaluate_over_windows(
    experiment: Experiment, shelf: ForecastShelf, label: Label, inputs: AcrossInputs
) -> Evaluated:
    """Compute one result over windows.

    Raises
    ------
    InputError, EvaluationError
        Where it cannot be computed.
    StoreError
        Where its parts cannot be read.
    """
    began = time.perf_counter()
    definition = TESTS[inputs.test]
    if definition.takes == "results":
        results = [shelf.reader.get(EvaluationRecord, part.result) for part in inputs.parts if part.result]
        windows = [part.window for part in inputs.parts]
        numbers = _OF_RESULTS[definition.name](results, windows, alpha=inputs.parameters.alpha)
        n_observed = sum(result.n_observed for result in results)
        n_forecast = sum(result.n_forecast for result in results)
        n_reference = _n_reference(results)
    else:
        laid = _LaidTogether(experiment, shelf, label, inputs)
        numbers = laid.numbers()
        n_observed, n_forecast, n_reference = laid.n_observed, laid.n_forecast, laid.n_reference
    return Evaluated.of(
        definition,
        numbers,
        alpha=inputs.parameters.alpha,
        n_observed=n_observed,
        n_forecast=n_forecast,
        n_reference=n_reference,
        seed=inputs.seed,
        num_simulations=inputs.parameters.num_simulations,
        seconds=time.perf_counter() - began,
        n_windows=len(inputs.parts),
        missing=inputs.missing,
    )


@dataclass
class _LaidTogether:
    """The forecasts of a model's windows for a cumulative test, read one after the other."""

    experiment: Experiment
    shelf: ForecastShelf
    label: Label
    inputs: AcrossInputs

    def __post_init__(self) -> None:
        self._expected: dict[TimeWindow, tuple[int, float, float | None]] = {}

    def numbers(self) -> Numbers:
        parameters = self.inputs.parameters
        return cumulative(
            self.inputs.test,
            self._parts,
            alpha=parameters.alpha,
            num_simulations=parameters.num_simulations,
            seed=self.inputs.seed,
        )

    def _parts(self) -> Iterator[Part]:
        reference = self.label.reference
        for window in sorted((part.window for part in self.inputs.parts), key=lambda window: window.start):
            part = Part(
                window=window,
                forecast=self.shelf.gridded(self.label.model, window),
                observation=self.experiment.observation(window),
                reference=None if reference is None else self.shelf.gridded(reference, window),
            )
            compared = None if part.reference is None else part.reference.total
            self._expected[window] = len(part.observation.events), part.forecast.total, compared
            yield part

    @property
    def n_observed(self) -> int:
        return sum(observed for observed, _, _ in self._expected.values())

    @property
    def n_forecast(self) -> float:
        return sum(expected for _, expected, _ in self._expected.values())

    @property
    def n_reference(self) -> float | None:
        if self.label.reference is None:
            return None
        return sum(expected for _, _, expected in self._expected.values() if expected is not None)


def _n_reference(results: Sequence[EvaluationRecord]) -> float | None:
    """Sum what the reference expected, where the results compare with one."""
    compared = [result for result in results if isinstance(result, ComparisonRecord | ScoreRecord)]
    numbers = [result.n_reference for result in compared if result.n_reference is not None]
    return sum(numbers) if len(numbers) == len(results) else None
