"""Copying all of a store into another one, of the same or of another kind, and comparing the two.

The order is that in which a run writes: blobs, records, runs, bindings, who vouched last, units that ended
badly. So a copy that was cut off leaves a healthy store, and copying again goes on from there: what is there
already is passed over. Every step may be repeated, also by two copies at once.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, TypeVar

from forequake.errors import Conflict, InputError, NotFound
from forequake.quantities import Sha256
from forequake.results import Record, RecordModel, RunState, UnitState
from stores._walking import (
    EACH_KIND,
    EXPERIMENTS,
    RESULTS,
    Kind,
    all_bindings,
    all_rows,
    all_runs,
    ended_units,
    in_step,
    pages_of,
)
from stores.base import ResultsStore
from stores.comparing import StoreComparison, compare_stores
from stores.exchange import Binding, BoundResult, RunRef

__all__ = ["CopyReport", "Progress", "copy_store"]

T = TypeVar("T")

#: Is told what is being done, and how many of these are done.
Progress = Callable[[str, int], None]

_BATCH: Final = 500
#: So many times a copy goes on with what was written to its source meanwhile.
_ROUNDS: Final = 3


class CopyReport(RecordModel):
    """What a copy did.

    Attributes
    ----------
    copied
        What was written to the target, counted by what it is; what was there already is not counted.
    comparison
        What comparing the two stores gave; None where it was not asked for.
    running
        Experiments of which the source has a run under way: it may write on.
    """

    source: str
    target: str
    copied: dict[str, int]
    comparison: StoreComparison | None = None
    running: tuple[str, ...] = ()


def copy_store(
    source: ResultsStore,
    target: ResultsStore,
    *,
    compare: bool = True,
    progress: Progress = lambda what, done: None,
) -> CopyReport:
    """Copy all that a store holds, then read both and compare every piece.

    The target may hold other experiments, and an earlier or unfinished copy of the source. What is written to
    the source meanwhile is copied too, as far as comparing finds it; a source that is written on and on stays
    ahead, which the comparison then tells. Not copied are blobs that no record refers to, and work under way:
    claims and running units.

    Raises
    ------
    InputError
        Where both are the same store, the source holds nothing, or the target has runs of an experiment of
        the source which the source has not: the two went on apart. Nothing is written then.
    Conflict
        Where the target has another value under the key of a record, or another result in a place; it stays.
    StoreError
        Where one of the stores fails, or a record or blob of the source cannot be read.
    """
    if source is target:
        message = f"{source.name} cannot be copied into itself: name another target"
        raise InputError(message)
    if not any(source.scan(kind.record, limit=1) for kind in EACH_KIND):
        message = f"{source.name} holds nothing that could be copied: is this its address?"
        raise InputError(message)
    _refuse_apart(source, target)
    words = [*(kind.words for kind in EACH_KIND), "blobs", "runs", "bindings", "failed units"]
    copied = dict.fromkeys(words, 0)
    comparison = None
    for _ in range(_ROUNDS if compare else 1):
        _Copy(source, target, copied, progress).everything()
        comparison = compare_stores(source, target, progress) if compare else None
        if comparison is None or comparison.equal or comparison.differing:
            break
    for summary in source.experiments():
        progress("counting results of experiments", target.summarise(summary.name))
    running = tuple(
        summary.name for summary in source.experiments() if summary.last_run_state is RunState.RUNNING
    )
    return CopyReport(
        source=source.name, target=target.name, copied=copied, comparison=comparison, running=running
    )


def _refuse_apart(source: ResultsStore, target: ResultsStore) -> None:
    theirs = {summary.name for summary in target.experiments()}
    for name in [summary.name for summary in source.experiments() if summary.name in theirs]:
        ids = {run.id for run in all_runs(source, name)}
        for run in all_runs(target, name):
            if run.id not in ids:
                message = (
                    f"{target.name} has a run {run.run_no} of {name!r} ({run.started_at:%Y-%m-%d %H:%M}) "
                    f"that {source.name} does not have: the two went on apart. Copy into an empty store"
                )
                raise InputError(message)


class _Copy:
    """One pass over the source."""

    def __init__(
        self, source: ResultsStore, target: ResultsStore, copied: dict[str, int], progress: Progress
    ) -> None:
        self._source = source
        self._target = target
        self._copied = copied
        self._progress = progress
        self._blobs: set[Sha256] = set()

    def everything(self) -> None:
        for kind in EACH_KIND:
            seen = 0
            for page in pages_of(self._source, kind.record, kind.page):
                self._put(kind, page)
                seen += len(page)
                self._progress(f"copying {kind.words}", seen)
        self._copy_runs()
        self._copy_bindings()
        for summary in self._source.experiments():
            self._copy_vouches(summary.name)
            self._copy_units(summary.name)

    def _count(self, words: str, number: int) -> None:
        self._copied[words] += number

    # --- records and blobs -------------------------------------------------------------------------------

    def _put(self, kind: Kind, records: Sequence[Record]) -> None:
        there = self._target.existing(kind.record, [record.key for record in records])
        missing = [record for record in records if record.key not in there]
        for sha in [sha for record in missing for sha in record.blobs]:
            if sha not in self._blobs:  # put even if it is there: no sweep takes it before its record comes
                with self._source.open_blob(sha) as stream:
                    self._target.put_blob(stream)
                self._blobs.add(sha)
                self._count("blobs", 1)
        report = self._target.put(missing)
        self._count(kind.words, len(report.written))
        if report.divergent:
            message = (
                f"{self._target.name} has another value under the key {report.divergent[0]} ({kind.words}), "
                f"which stays: {self._source.name} cannot be copied there whole"
            )
            raise Conflict(message)

    def _put_missing(self, kind: Kind, keys: Iterable[Sha256]) -> None:
        """Put records that were written to the source after its records of this kind were copied."""
        wanted = set(keys)
        missing = sorted(wanted - self._target.existing(kind.record, wanted))
        self._put(kind, [self._source.get(kind.record, key) for key in missing])

    # --- runs and what they bound ------------------------------------------------------------------------

    def _copy_runs(self) -> None:
        for summary in self._source.experiments():
            stand = {run.id: run for run in all_runs(self._target, summary.name)}
            runs = [run for run in all_runs(self._source, summary.name) if stand.get(run.id) != run]
            for batch in _batches(runs):
                self._put_missing(EXPERIMENTS, {run.experiment_key for run in batch})
                self._target.adopt(runs=batch)
                self._count("runs", len(batch))
                self._progress("copying runs", self._copied["runs"])

    def _copy_bindings(self) -> None:
        seen = 0
        batch: list[BoundResult] = []
        for mine, theirs in in_step(all_bindings(self._source), all_bindings(self._target)):
            seen += mine is not None
            if mine is not None and mine != theirs:
                batch.append(mine)
            if len(batch) == _BATCH:
                self._adopt(batch, seen)
                batch = []
        self._adopt(batch, seen)

    def _adopt(self, batch: Sequence[BoundResult], seen: int) -> None:
        try:
            self._target.adopt(bindings=batch)
        except NotFound:  # a run that began, or a result that was put, since these were copied
            self._put_missing(RESULTS, {bound.key for bound in batch})
            self._copy_runs()
            self._target.adopt(bindings=batch)
        self._count("bindings", len(batch))
        self._progress("copying bindings", seen)

    def _copy_vouches(self, experiment: str) -> None:
        """Let the target's runs vouch for what the source's runs found unchanged."""
        runs = {run.run_no: run for run in all_runs(self._target, experiment)}
        due: dict[int, list[Binding]] = {}
        for mine, theirs in in_step(all_rows(self._source, experiment), all_rows(self._target, experiment)):
            if mine is None or theirs is None or mine.key != theirs.key or mine.run_no <= theirs.run_no:
                continue
            due.setdefault(mine.run_no, []).append(Binding(label=mine.label, key=mine.key))
        for run_no in sorted(due.keys() & runs.keys()):
            run = RunRef(id=runs[run_no].id, experiment=experiment, run_no=run_no)
            for batch in _batches(due[run_no]):
                self._target.publish(run, batch)

    def _copy_units(self, experiment: str) -> None:
        mine, theirs = ended_units(self._source, experiment), ended_units(self._target, experiment)
        changed = [unit for slot, unit in mine.items() if theirs.get(slot) != unit]
        over = [
            unit.model_copy(update={"state": UnitState.SUCCEEDED})
            for slot, unit in theirs.items()
            if slot not in mine
        ]
        for batch in _batches(changed + over):
            self._target.adopt(units=batch)
        self._count("failed units", len(changed))


def _batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), _BATCH):
        yield items[start : start + _BATCH]
