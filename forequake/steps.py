"""The plain functions that a flow wraps: each returns records, none writes anything."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forequake.config import FolderModel, LoadedExperiment, ModelSpec, ReferenceModel
from forequake.errors import ForecastError
from forequake.evaluations import evaluate
from forequake.experiments import Experiment, RecordReader
from forequake.forecasts import GriddedRates, rate_findings, rates_from_file, scope_findings
from forequake.forecasts.arrivals import read_arrived
from forequake.forecasts.sources import content_of, read_model
from forequake.keys import bytes_digest
from forequake.quantities import Sha256, now
from forequake.results import (
    BlobRef,
    ComparisonRecord,
    ConsistencyRecord,
    DistributionRecord,
    ForecastRecord,
    ForecastSource,
    Label,
    QualityFinding,
)
from forequake.windows import TimeWindow

__all__ = [
    "ForecastShelf",
    "evaluate_unit",
    "make_forecasts",
    "stage_model",
    "windows_by_source",
]

#: Unscaled rates that stay in memory at most, but for a forecast and its reference, which always do.
_SHELF_BYTES: Final = 200_000_000


def stage_model(loaded: LoadedExperiment, experiment: Experiment, name: str) -> None:
    """Make sure that a model's source still is what the experiment was resolved with.

    The files of a time-dependent model are looked at one by one, where each is read.

    Raises
    ------
    ForecastError
        Where the file changed meanwhile or cannot be read.
    """
    model = experiment.model(name)
    if not isinstance(model, FolderModel):
        _check_content(name, experiment.inputs.models[name], content_of(loaded, model))


def _check_content(name: str, expected: Sha256, content: Sha256) -> None:
    if content != expected:
        message = (
            f"the forecast of model {name!r} changed while the run began: its file had the SHA-256 "
            f"{expected[:12]}... and now has {content[:12]}...; run again"
        )
        raise ForecastError(message)


def windows_by_source(
    experiment: Experiment, name: str, windows: Iterable[TimeWindow]
) -> list[list[TimeWindow]]:
    """Put together the windows whose forecasts come from one content, which is read once for all of them."""
    groups: dict[ForecastSource | None, list[TimeWindow]] = {}
    for window in windows:
        groups.setdefault(experiment.source(name, window), []).append(window)
    return list(groups.values())


def make_forecasts(
    loaded: LoadedExperiment, experiment: Experiment, name: str, windows: Sequence[TimeWindow]
) -> tuple[list[ForecastRecord], bytes]:
    """Read a model's rates once, and scale them to each window.

    Parameters
    ----------
    windows
        Of one content (see `windows_by_source`).

    Returns
    -------
    list of ForecastRecord
        One for each window; all refer to one blob of unscaled rates.
    bytes
        The blob.

    Raises
    ------
    ForecastError
        Where the forecast does not fit the experiment.
    """
    begun = time.perf_counter()
    model = experiment.model(name)
    grid = experiment.region, experiment.magnitudes
    if isinstance(model, FolderModel):
        content = experiment.forecast_inputs(name, windows[0]).content
        rates = read_arrived(loaded, model, windows[0], content, *grid)
    else:
        rates = read_model(loaded, model, *grid, content=experiment.inputs.models[name])
    data = rates.to_bytes()
    blob = BlobRef(sha256=bytes_digest(data), size=len(data))
    seconds = time.perf_counter() - begun
    records = [_forecast_record(experiment, name, window, rates, blob, seconds) for window in windows]
    return records, data


def _forecast_record(
    experiment: Experiment,
    name: str,
    window: TimeWindow,
    rates: GriddedRates,
    blob: BlobRef,
    seconds: float,
) -> ForecastRecord:
    model = experiment.model(name)
    inputs = experiment.forecast_inputs(name, window)
    return ForecastRecord(
        key=inputs.key,
        canon=inputs.canon,
        content=inputs.content,
        reader=inputs.reader,
        source=f"{model.reference} reference" if isinstance(model, ReferenceModel) else model.path,
        region=inputs.region,
        magnitudes=inputs.magnitudes,
        rates=blob,
        scale=inputs.scale,
        total=float((rates.rates * inputs.scale).sum()),
        findings=rates.findings + _findings_of_use(experiment, model, window, rates),
        made_at=now(),
        seconds=seconds,
    )


def _findings_of_use(
    experiment: Experiment, model: ModelSpec, window: TimeWindow, rates: GriddedRates
) -> tuple[QualityFinding, ...]:
    """Compare what a file says of itself, and how many events it expects, with what it is used for."""
    unit = window.years / experiment.scale(model, window)
    return (
        *scope_findings(rates.scope, window=window, unit_years=unit, depth_km=experiment.config.depth_km),
        *rate_findings(float(rates.rates.sum()), unit, experiment.config.magnitudes[0]),
    )


@dataclass
class ForecastShelf:
    """Scaled rates of forecasts, read from the store's blobs; the last unscaled arrays stay in memory."""

    experiment: Experiment
    reader: RecordReader

    def __post_init__(self) -> None:
        self._unscaled: dict[Sha256, NDArray[np.float64]] = {}  # the latest used one comes last

    def rates(self, model: str, window: TimeWindow) -> NDArray[np.float64]:
        """Give a model's rates for a window; shape (cells, magnitude bins).

        Raises
        ------
        NotFound
            Where the forecast was never made.
        """
        record = self.reader.get(ForecastRecord, self.experiment.forecast_inputs(model, window).key)
        unscaled = self._unscaled.pop(record.rates.sha256, None)
        if unscaled is None:
            with self.reader.open_blob(record.rates.sha256) as file:
                unscaled = rates_from_file(file)
        self._unscaled[record.rates.sha256] = unscaled
        while len(self._unscaled) > 2 and sum(kept.nbytes for kept in self._unscaled.values()) > _SHELF_BYTES:
            self._unscaled.pop(next(iter(self._unscaled)))
        return unscaled * record.scale


def evaluate_unit(
    experiment: Experiment, shelf: ForecastShelf, label: Label, environment: Sha256
) -> tuple[ConsistencyRecord | ComparisonRecord, DistributionRecord | None]:
    """Compute one result.

    Returns
    -------
    ConsistencyRecord or ComparisonRecord
    DistributionRecord or None
        The whole simulated sample, where the test draws one.

    Raises
    ------
    InputError, EvaluationError
        Where the result cannot be computed.
    StoreError
        Where the forecasts cannot be read.
    """
    inputs = experiment.result_inputs(label)
    reference = None if label.reference is None else shelf.rates(label.reference, label.window)
    forecast = shelf.rates(label.model, label.window)
    evaluated = evaluate(
        inputs.test,
        inputs.parameters,
        forecast,
        experiment.observation(label.window),
        reference=reference,
        seed=inputs.seed,
    )
    return evaluated.record(inputs.canon, environment, now()), evaluated.distribution_record(inputs.canon)
