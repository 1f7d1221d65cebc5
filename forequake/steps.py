"""The plain functions that a flow wraps to have forecasts: each returns records, none writes anything."""

import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

from forequake.config import (
    FileModel,
    LearningReference,
    LoadedExperiment,
    ModelSpec,
    ReferenceModel,
    SubmissionModel,
    WindowModel,
)
from forequake.errors import ForecastError
from forequake.experiments import Experiment
from forequake.forecasts import GriddedRates, rate_findings, scope_findings
from forequake.forecasts.answers import answered_catalogs, answered_rates
from forequake.forecasts.arrivals import forecast_file
from forequake.forecasts.brought import origin_of
from forequake.forecasts.catalog_based import CatalogForecast, fit_catalogs, read_catalog_forecast
from forequake.forecasts.fitted import fitted_rates
from forequake.forecasts.references.learned import learned_rates
from forequake.forecasts.sources import content_of, read_model
from forequake.keys import bytes_digest
from forequake.model_runs import ForecastFile, Watch, forecast_of_window
from forequake.quantities import Sha256, now
from forequake.ready_programs import ReadyPrograms
from forequake.results import (
    BlobRef,
    CatalogForecastRecord,
    ForecastRecord,
    QualityFinding,
    Stage,
)
from forequake.timers import Timing
from forequake.windows import TimeWindow

__all__ = ["MadeForecasts", "make_forecasts", "stage_model", "windows_by_source"]


def stage_model(loaded: LoadedExperiment, experiment: Experiment, name: str) -> None:
    """Make sure that a model's source still is what the experiment was resolved with.

    The files of a time-dependent model are looked at one by one, where each is read, and so is the past.

    Raises
    ------
    ForecastError
        Where the file changed meanwhile or cannot be read.
    """
    model = experiment.model(name)
    if not isinstance(model, WindowModel | LearningReference):
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
    """Put together the windows whose forecasts come from one content, which is read once for all of them.

    Windows before which there is no time to learn from stand apart from those with time but no events: they
    learn from the same, nothing, but lack something else. Sealed ones stand apart by when they were sealed.
    """
    groups: dict[object, list[TimeWindow]] = {}
    for window in windows:
        source = experiment.source(name, window)
        how = experiment.sealed.status(name, window)
        group = None if source is None else (source.content, source.reader, source.unit_years is None, how)
        groups.setdefault(group, []).append(window)
    return list(groups.values())


@dataclass(frozen=True)
class MadeForecasts:
    """Forecasts of windows that share their content.

    Attributes
    ----------
    records
        One for each window; all refer to one blob.
    open
        Opens the blob's bytes; the caller closes them.
    """

    records: Sequence[ForecastRecord | CatalogForecastRecord]
    open: Callable[[], BinaryIO]


def make_forecasts(
    loaded: LoadedExperiment,
    experiment: Experiment,
    name: str,
    windows: Sequence[TimeWindow],
    watch: Watch | None = None,
    ready: ReadyPrograms | None = None,
) -> MadeForecasts:
    """Read a model's forecast once, and give it to each window; a program's is made first.

    Parameters
    ----------
    windows
        Of one content (see `windows_by_source`).
    watch
        Of the runs of programs.
    ready
        The model's program, where several calls share it.

    Raises
    ------
    ForecastError
        Where the forecast does not fit the experiment.
    ModelError
        Where its program cannot be had, or makes no forecast that can be used.
    Interrupted
        Where the run was asked to stop meanwhile.
    """
    model = experiment.model(name)
    if not isinstance(model, WindowModel):
        return _told_from(loaded, model, _made(loaded, experiment, model, windows, None))
    with forecast_of_window(loaded, experiment, model, windows[0], watch or Watch(), ready) as file:
        return _told_from(loaded, model, _made(loaded, experiment, model, windows, file))


def _told_from(loaded: LoadedExperiment, model: ModelSpec, made: MadeForecasts) -> MadeForecasts:
    """Say in the records where a file comes from that a source brought."""
    words = origin_of(loaded, model)
    if words is None:
        return made
    told = [record.model_copy(update={"source": f"{record.source} of {words}"}) for record in made.records]
    return replace(made, records=told)


def _made(
    loaded: LoadedExperiment,
    experiment: Experiment,
    model: ModelSpec,
    windows: Sequence[TimeWindow],
    file: ForecastFile | None,
) -> MadeForecasts:
    """Read a forecast; `file` is that of a time-dependent model."""
    if isinstance(model, ReferenceModel | LearningReference) or not experiment.is_catalog_based(model.name):
        return _gridded(loaded, experiment, model, windows, file)
    return _simulated(loaded, experiment, model, windows, file)


def _gridded(
    loaded: LoadedExperiment,
    experiment: Experiment,
    model: ModelSpec,
    windows: Sequence[TimeWindow],
    file: ForecastFile | None,
) -> MadeForecasts:
    with Timing(Stage.READ, model.name, windows[0]) as reading:
        content = experiment.forecast_inputs(model.name, windows[0]).content
        region, magnitudes = experiment.region, experiment.magnitudes
        policy = loaded.config.forecast_quality
        if file is not None and file.function is not None:
            rates = answered_rates(file.path, file.function, region, magnitudes, policy)
        elif isinstance(model, WindowModel) and file is not None:
            known = None if file.run else content
            rates = fitted_rates(file.path, region, magnitudes, policy, format=model.format, content=known)
        elif isinstance(model, LearningReference):
            past = experiment.learned_from
            rates = learned_rates(model, experiment.config, region, magnitudes, past, windows[0])
        else:
            assert not isinstance(model, WindowModel)  # noqa: S101  # it has a file
            rates = read_model(loaded, model, region, magnitudes, content=content)
        data = rates.to_bytes()
        blob = BlobRef(sha256=bytes_digest(data), size=len(data))
    return MadeForecasts(
        records=[_record(experiment, model, window, rates, blob, reading, file) for window in windows],
        open=lambda: io.BytesIO(data),
    )


def _simulated(
    loaded: LoadedExperiment,
    experiment: Experiment,
    model: FileModel | WindowModel,
    windows: Sequence[TimeWindow],
    file: ForecastFile | None,
) -> MadeForecasts:
    with Timing(Stage.READ, model.name, windows[0]) as reading:
        policy = loaded.config.forecast_quality
        if file is None:
            content = experiment.forecast_inputs(model.name, windows[0]).content
            path = forecast_file(loaded, model, windows[0], content)
        else:
            path = file.path
        if file is not None and file.function is not None:
            known = None if file.run is None else file.run.output
            forecast = answered_catalogs(path, file.function, model.n_catalogs, policy, known)
        else:
            forecast = read_catalog_forecast(path, model.format, n_catalogs=model.n_catalogs, policy=policy)
    seconds = reading.seconds
    return MadeForecasts(
        records=[_catalog_record(experiment, model, window, forecast, seconds, file) for window in windows],
        open=forecast.open,
    )


def _catalog_record(
    experiment: Experiment,
    model: FileModel | WindowModel,
    window: TimeWindow,
    forecast: CatalogForecast,
    seconds: float,
    file: ForecastFile | None,
) -> CatalogForecastRecord:
    inputs = experiment.forecast_inputs(model.name, window)
    with Timing(Stage.CHECK, model.name, window) as checking:
        fitted = fit_catalogs(
            forecast,
            region=experiment.region,
            magnitudes=experiment.magnitudes,
            window=window,
            depth_km=experiment.config.depth_km,
            policy=experiment.config.forecast_quality,
        )
    return CatalogForecastRecord(
        key=inputs.key,
        canon=inputs.canon,
        content=inputs.content,
        reader=inputs.reader,
        source=model.path,
        region=inputs.region,
        magnitudes=inputs.magnitudes,
        window=window,
        catalogs=forecast.blob,
        n_catalogs=len(forecast),
        n_empty=forecast.n_empty,
        n_events=forecast.n_events,
        n_counted=len(fitted.counted),
        findings=fitted.findings,
        made_at=now(),
        seconds=seconds,
        check_seconds=checking.seconds,
        **_run_of(file),
    )


def _record(
    experiment: Experiment,
    model: ModelSpec,
    window: TimeWindow,
    rates: GriddedRates,
    blob: BlobRef,
    reading: Timing,
    file: ForecastFile | None,
) -> ForecastRecord:
    inputs = experiment.forecast_inputs(model.name, window)
    scale = experiment.scale(model, window)
    return ForecastRecord(
        key=inputs.key,
        canon=inputs.canon,
        content=inputs.content,
        reader=inputs.reader,
        source=_source_of(model),
        region=inputs.region,
        magnitudes=inputs.magnitudes,
        rates=blob,
        scale=scale,
        total=float((rates.rates * scale).sum()),
        findings=rates.findings + _findings_of_use(experiment, model, window, rates),
        made_at=now(),
        seconds=reading.seconds,
        check_seconds=reading.inside.get(Stage.CHECK),
        **_run_of(file),
    )


def _run_of(file: ForecastFile | None) -> dict[str, Any]:
    return {} if file is None else {"run": file.run, "prospective": file.prospective}


def _source_of(model: ModelSpec) -> str:
    if isinstance(model, ReferenceModel | LearningReference):
        return f"{model.reference} reference"
    if isinstance(model, SubmissionModel) and model.store is not None:
        return f"{model.store.model} of {model.store.experiment} in {model.store.name}"
    return model.path or ""


def _findings_of_use(
    experiment: Experiment, model: ModelSpec, window: TimeWindow, rates: GriddedRates
) -> tuple[QualityFinding, ...]:
    """Compare what a file says of itself, and how many events it expects, with what it is used for."""
    unit = window.years / experiment.scale(model, window)
    return (
        *scope_findings(rates.scope, window=window, unit_years=unit, depth_km=experiment.config.depth_km),
        *rate_findings(float(rates.rates.sum()), unit, experiment.config.magnitudes[0]),
    )
