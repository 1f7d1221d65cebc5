"""Making and sealing forecasts of windows that have not ended, each under a claim of its own."""

import contextlib
from collections.abc import Sequence

from flows._following import Following
from flows._intake import append_seal
from flows._patience import run_logger
from flows._session import Session
from forequake.ahead import sealed_source
from forequake.config import FolderModel, LoadedExperiment
from forequake.errors import ClaimLost, EnvironmentFailed, ForecastError, Interrupted, ModelError, SourceError
from forequake.experiments import Experiment
from forequake.model_runs import ForecastFile, Watch, forecast_of_window, programs_of
from forequake.models.demands import Demand
from forequake.quantities import now
from forequake.results import ProspectiveStatus, SealRecord
from forequake.seals import counting, read_seals
from forequake.windows import TimeWindow
from stores import Block, ResultsStore, RunRef

__all__ = ["seal_windows"]


def seal_windows(
    store: ResultsStore,
    session: Session,
    prepared: tuple[LoadedExperiment, Experiment],
    run: RunRef,
    model: FolderModel,
    windows: Sequence[TimeWindow],
    following: Following,
    rebuild: Demand | None,
) -> tuple[int, dict[str, str]]:
    """Have a model's program make the forecasts of windows, and seal each as soon as it is there.

    A window that another run is at is left to that one.

    Returns
    -------
    int
        The number of forecasts that were sealed.
    dict of str
        By the ids of the others why there is none.

    Raises
    ------
    StoreError
        Where the store fails; what was sealed by then stays.
    """
    loaded, experiment = prepared
    sealed, broken = 0, dict[str, str]()
    watch = Watch(following.say, session.stop, following.status)
    ready = programs_of(loaded, experiment, model.name, watch, windows, rebuild)
    for number, window in enumerate(windows):
        block = Block(id=f"seal {experiment.name} {model.name} {window.id}", units=())
        claim = session.take(store, run, block)
        if claim is None:
            continue
        following.begin(window, 1)
        try:
            known = read_seals(store, experiment.name, model.name, [window]).get(window.id, ())
            if counting(known, "mark") is None and window.end > now():
                with forecast_of_window(loaded, experiment, model, window, watch, ready) as file:
                    sealed += _seal(store, experiment, model, window, known, file)
        except Interrupted:
            break
        except (ForecastError, ModelError) as error:
            run_logger().error("%s: %s", model.name, error)
            hopeless = isinstance(error, SourceError | EnvironmentFailed)
            broken |= {lost.id: str(error) for lost in (windows[number:] if hopeless else [window])}
            if hopeless:
                break
        finally:
            with contextlib.suppress(ClaimLost):
                store.finish(claim, ())
            session.forget(run, block.id)
    following.end()
    return sealed, broken


def _seal(
    store: ResultsStore,
    experiment: Experiment,
    model: FolderModel,
    window: TimeWindow,
    known: Sequence[SealRecord],
    made: ForecastFile,
) -> bool:
    """Keep a forecast that was just made, and seal it; tell whether it was not sealed yet."""
    with made.path.open("rb") as data:
        file = store.put_blob(data)
    sealed_at = max([now(), *(seal.sealed_at for seal in known)])
    status = made.prospective
    if status is ProspectiveStatus.PROSPECTIVE and sealed_at >= window.start:
        status = ProspectiveStatus.LATE  # it was there in time, and safe only after
    inputs, source = experiment.source(model.name, window), sealed_source(model, made)

    def make(number: int) -> SealRecord:
        return SealRecord.at(
            experiment.name,
            model.name,
            window,
            number,
            origin="program",
            name=made.path.name,
            content=file.sha256,
            size=file.size,
            source=source,
            file=file,
            arrived_at=sealed_at,
            sealed_at=sealed_at,
            inputs=None if inputs is None else inputs.content,
            run=made.run,
            function=made.function,
            prospective=status,
        )

    run_logger().info("%s: the forecast for %s is sealed: %s", model.name, window.id, status.value)
    return append_seal(store, known, make)[1]
