"""What a run knows before it computes anything: files read and checked, contents pinned, dead runs noted."""

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from flows._sealed import Sealing
from forequake.catalogs import QueryCatalog
from forequake.config import LoadedExperiment, load_experiment
from forequake.environment import owner_is_dead
from forequake.errors import Conflict, InputError
from forequake.experiments import Experiment
from forequake.quantities import Sha256, now
from forequake.renewal import Renewal
from forequake.resolution import resolve
from forequake.results import RunChange, RunState, StageTiming, UnitState
from forequake.timers import Timers, collecting
from stores import LEASE, ResultsStore, RunRef

__all__ = [
    "begin_prepared",
    "preparation_timings",
    "prepare",
    "prepare_run",
    "prepared",
    "reconcile",
]

_Prepared = tuple[LoadedExperiment, Experiment]

_lock: Final = threading.Lock()
_by_key: Final[dict[Sha256, _Prepared]] = {}
#: What preparing it took, until a run counts it as its own.
_timers: Final[dict[Sha256, Timers]] = {}
#: What a command read for the run that it begins next, by the name of the file.
_for_run: Final[dict[str, _Prepared]] = {}


def prepare_run(
    config: str, say: Callable[[str], None], renewal: Renewal | None = None, sealing: Sealing | None = None
) -> _Prepared:
    """Do what `prepare` does, for a run that follows at once: it takes the same files over, once."""
    ready = prepare(config, say, renewal, sealing)
    with _lock:
        _for_run[str(Path(config).resolve())] = ready
    return ready


def begin_prepared(config: str, say: Callable[[str], None], renewal: Renewal, sealing: Sealing) -> _Prepared:
    """Give what was read for the run that begins now, or read the files."""
    with _lock:
        ready = _for_run.pop(config, None)
    return prepare(config, say, renewal, sealing) if ready is None else ready


def prepare(
    config: str,
    say: Callable[[str], None] = lambda words: None,
    renewal: Renewal | None = None,
    sealing: Sealing | None = None,
) -> _Prepared:
    """Read an experiment's files as they are now, and remember them for the tasks of this process.

    Parameters
    ----------
    say
        Told before something that may take long, and what others handed in.
    renewal
        Which sources of models are asked anew; None asks none that is there.
    sealing
        Where sealed forecasts are; without it, what others handed in is taken as it lies there.

    Raises
    ------
    InputError
        With all mistakes of the user's files.
    CatalogUnavailable
        Where a service does not give a catalog.
    StoreError
        Where the store fails.
    """
    loaded = load_experiment(Path(config))
    for spec in (loaded.config.catalog, loaded.config.input_catalog):
        if spec is not None and isinstance(spec.source, QueryCatalog):
            say(f"Asking {spec.source.service} for events: up to half an hour where the service is busy")
    if renewal is not None:
        renewal.check(loaded)
    with collecting(Timers()) as timers:
        sealed = None if sealing is None else sealing.forecasts(loaded, say)
        experiment = resolve(loaded, say, renewal, sealed)
    key = experiment.record.key
    with _lock:
        while len(_by_key) >= 8:
            oldest = next(iter(_by_key))
            _by_key.pop(oldest)
            _timers.pop(oldest, None)
        _by_key[key] = loaded, experiment
        _timers[key] = timers
    return loaded, experiment


def preparation_timings(key: Sha256) -> tuple[StageTiming, ...]:
    """Give what preparing an experiment took, such as fetching the sources of models; once, to one run."""
    with _lock:
        timers = _timers.pop(key, None)
    return () if timers is None else timers.stages()


def prepared(config: str, key: Sha256, sealing: Sealing) -> _Prepared:
    """Give the files as the run found them; in another process they are read again, and must be the same.

    Raises
    ------
    InputError
        Where they changed since the run began.
    """
    with _lock:
        known = _by_key.get(key)
    if known is not None:
        return known
    loaded, experiment = prepare(config, sealing=replace(sealing, taking="look", anew=None))
    if experiment.record.key != key:
        message = f"{config}: the experiment's files changed while the run was under way; run again"
        raise InputError(message)
    return loaded, experiment


def reconcile(store: ResultsStore, experiment: str) -> int:
    """Mark runs whose process is gone as crashed and free their blocks; give the number of such runs.

    A process is gone where the system says so (same host, same boot) or where its heartbeat stopped for as
    long as a lease holds.
    """
    # Also those of a run that has ended: a store that is full or gone cannot be told that a block is free.
    for owner in {unit.owner for unit in store.units(experiment, {UnitState.RUNNING})}:
        if owner_is_dead(owner):
            store.release(owner)
    crashed = 0
    for run in store.runs(experiment):
        if run.state is not RunState.RUNNING:
            continue
        dead = owner_is_dead(run.owner)
        if not dead and now() - run.heartbeat_at <= 2 * LEASE:
            continue
        if dead:
            store.release(run.owner)
        try:
            reference = RunRef(id=run.id, experiment=run.experiment, run_no=run.run_no)
            store.update_run(reference, RunChange(state=RunState.CRASHED), expect=RunState.RUNNING)
        except Conflict:  # another start reconciled it first
            continue
        crashed += 1
    return crashed
