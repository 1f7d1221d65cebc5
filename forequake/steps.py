"""The plain functions that a flow wraps: each returns records, none writes anything."""

import time
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forequake.config import LoadedExperiment
from forequake.errors import ForecastError
from forequake.evaluations import evaluate
from forequake.experiments import Experiment, RecordReader
from forequake.forecasts import GriddedRates, rates_from_file
from forequake.forecasts.sources import content_of, read_model, reader_of_model
from forequake.keys import KeyInputs, bytes_digest
from forequake.quantities import Sha256, now
from forequake.results import (
    BlobRef,
    CatalogRetrieval,
    ComparisonRecord,
    ConsistencyRecord,
    DistributionRecord,
    ForecastRecord,
    Label,
)
from forequake.windows import TimeWindow

__all__ = [
    "ForecastShelf",
    "evaluate_unit",
    "make_forecasts",
    "retrieve_catalog",
    "stage_model",
]


class _RetrievalInputs(KeyInputs):
    what = "retrieval"

    source: str
    purpose: str
    retrieved_at: str
    snapshot: Sha256


def retrieve_catalog(experiment: Experiment) -> CatalogRetrieval:
    """Record that the experiment's catalog was read now, and which snapshot that gave."""
    moment = now()
    inputs = _RetrievalInputs(
        source=experiment.config.catalog.title,
        purpose="testing",
        retrieved_at=moment.isoformat(timespec="microseconds"),
        snapshot=experiment.inputs.catalog,
    )
    return CatalogRetrieval(
        key=inputs.key,
        canon=inputs.canon,
        source=inputs.source,
        retrieved_at=moment,
        snapshot=inputs.snapshot,
    )


def stage_model(loaded: LoadedExperiment, experiment: Experiment, name: str) -> Sha256:
    """Make sure that a model's source still is what the experiment was resolved with; give its content.

    Raises
    ------
    ForecastError
        Where the file changed meanwhile or cannot be read.
    """
    model = experiment.model(name)
    content = content_of(loaded, model)
    if content != experiment.inputs.models[name]:
        message = (
            f"the forecast of model {name!r} changed while the run began: its file had the SHA-256 "
            f"{experiment.inputs.models[name][:12]}... and now has {content[:12]}...; run again"
        )
        raise ForecastError(message)
    return content


def make_forecasts(
    loaded: LoadedExperiment, experiment: Experiment, name: str, windows: Iterable[TimeWindow]
) -> tuple[list[ForecastRecord], bytes]:
    """Read a time-independent model's rates once, and scale them to each window.

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
    rates = read_model(loaded, model, experiment.region, experiment.magnitudes)
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
        reader=reader_of_model(model),
        source=model.path if model.kind == "file" else f"{model.reference} reference",
        region=inputs.region,
        magnitudes=inputs.magnitudes,
        rates=blob,
        scale=inputs.scale,
        total=float((rates.rates * inputs.scale).sum()),
        findings=rates.findings,
        made_at=now(),
        seconds=seconds,
    )


@dataclass
class ForecastShelf:
    """Scaled rates of forecasts, read from the store's blobs; the last unscaled arrays stay in memory."""

    experiment: Experiment
    reader: RecordReader

    def __post_init__(self) -> None:
        self._unscaled: dict[Sha256, NDArray[np.float64]] = {}

    def rates(self, model: str, window: TimeWindow) -> NDArray[np.float64]:
        """Give a model's rates for a window; shape (cells, magnitude bins).

        Raises
        ------
        NotFound
            Where the forecast was never made.
        """
        record = self.reader.get(ForecastRecord, self.experiment.forecast_inputs(model, window).key)
        sha = record.rates.sha256
        if sha not in self._unscaled:
            with self.reader.open_blob(sha) as file:
                self._unscaled[sha] = rates_from_file(file)
        return self._unscaled[sha] * record.scale


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
