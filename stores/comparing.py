"""Whether a store has all that another one has, piece by piece and exactly."""

from collections.abc import Callable
from typing import Final

from forequake.errors import CorruptRecord, NotFound
from forequake.quantities import Sha256
from forequake.results import Label, Record, RecordModel
from stores._codec import encode
from stores._comparison import differs
from stores._walking import (
    EACH_KIND,
    all_bindings,
    all_records,
    all_rows,
    all_runs,
    ended_units,
    in_step,
)
from stores.base import ResultsStore
from stores.blobs import CHUNK
from stores.exchange import ResultRow

__all__ = ["StoreComparison", "compare_stores"]

#: So many differences are named; all are counted.
_NAMED: Final = 20
#: After so many pieces the progress is told.
_TOLD: Final = 100
#: What a latest row says of its result, whose last digits another computation may have given otherwise.
_OF_THE_VALUE: Final = frozenset(ResultRow.model_fields) - {"label", "key", "run_no", "bound_at"}


class StoreComparison(RecordModel):
    """What comparing a copy with its source gave.

    Attributes
    ----------
    compared
        Pieces of the source that were read from both stores, by what they are.
    other_circumstances
        Records of the same value that the target had from a computation of its own, with another time,
        duration or environment.
    behind
        Pieces that the target does not have, or has as they were earlier: copying again may bring them.
    differing
        Pieces that are another value in the target, which no copy overwrites.
    named
        The first differences in words.
    """

    compared: dict[str, int]
    other_circumstances: int = 0
    behind: int = 0
    differing: int = 0
    named: tuple[str, ...] = ()

    @property
    def equal(self) -> bool:
        """Whether the target has all that the source has, and nothing else of its experiments."""
        return not self.behind and not self.differing


def compare_stores(
    source: ResultsStore, target: ResultsStore, progress: Callable[[str, int], None] = lambda what, done: None
) -> StoreComparison:
    """Read all of a store, and compare every piece with the same one of a store to which it was copied.

    Records, runs, bindings, latest rows and badly ended units must be equal to the last digit; a blob is read
    to its end, which compares its hash. What the target has of other experiments is passed over.

    Raises
    ------
    StoreError
        Where one of the stores fails, or a record cannot be read.
    """
    comparing = _Comparing(source, target, progress)
    comparing.records()
    names = [summary.name for summary in source.experiments()]
    comparing.bindings(frozenset(names))
    for name in names:
        comparing.experiment(name)
    return comparing.result()


class _Comparing:
    """One comparison, and what it has found so far."""

    def __init__(
        self, source: ResultsStore, target: ResultsStore, progress: Callable[[str, int], None]
    ) -> None:
        self._source = source
        self._target = target
        self._progress = progress
        self._compared: dict[str, int] = {}
        self._own: set[Sha256] = set()  # records that the target computed itself
        self._behind = self._differing = 0
        self._named: list[str] = []

    def result(self) -> StoreComparison:
        return StoreComparison(
            compared=self._compared,
            other_circumstances=len(self._own),
            behind=self._behind,
            differing=self._differing,
            named=tuple(self._named),
        )

    def records(self) -> None:
        blobs: dict[Sha256, str] = {}
        for kind in EACH_KIND:
            walks = all_records(self._source, kind), all_records(self._target, kind)
            for mine, theirs in in_step(*walks):
                if mine is None:
                    continue  # of another experiment
                self._count(kind.words)
                what = f"the record {mine.key} ({kind.words})"
                blobs |= dict.fromkeys(mine.blobs, what)
                if theirs is None:
                    self._lacks(what)
                else:
                    self._compare_records(mine, theirs, what)
        for sha, user in blobs.items():
            self._count("blobs")
            self._read_blob(sha, user)

    def _compare_records(self, mine: Record, theirs: Record, what: str) -> None:
        if differs(theirs, mine):
            self._has_another(what)
        elif encode(mine) != encode(theirs):
            self._own.add(mine.key)

    def _read_blob(self, sha: Sha256, user: str) -> None:
        try:
            with self._target.open_blob(sha) as stream:
                while stream.read(CHUNK):
                    pass
        except NotFound:
            self._lacks(f"the blob {sha} of {user}")
        except CorruptRecord as error:
            self._has_another(str(error))

    def bindings(self, experiments: frozenset[str]) -> None:
        for mine, theirs in in_step(all_bindings(self._source), all_bindings(self._target)):
            bound = mine or theirs
            if bound is None or bound.label.experiment not in experiments:
                continue
            if mine is not None and theirs is not None and mine != theirs:
                self._count("bindings")
                self._has_another(f"the binding of {_place(bound.label)} by run {bound.run_no}")
            else:
                self._compare("bindings", mine, theirs, f"of {_place(bound.label)} by run {bound.run_no}")

    def experiment(self, name: str) -> None:
        """Compare what an experiment has besides its bindings."""
        both = (self._source, self._target)
        runs = [{run.id: run for run in all_runs(store, name)} for store in both]
        for run_id in sorted(runs[0].keys() | runs[1].keys()):
            mine, theirs = (found.get(run_id) for found in runs)
            self._compare("runs", mine, theirs, f"{run_id} of {name!r}")
        for row, other in in_step(*(all_rows(store, name) for store in both)):
            shown = row or other
            if row is not None and other is not None and row.key in self._own:
                row = row.model_copy(update={name: getattr(other, name) for name in _OF_THE_VALUE})
            self._compare("latest rows", row, other, "" if shown is None else f"of {_place(shown.label)}")
        units = [ended_units(store, name) for store in both]
        for slot in sorted(units[0].keys() | units[1].keys()):
            unit, same = (found.get(slot) for found in units)
            self._compare("failed units", unit, same, f"in the slot {slot} of {name!r}")

    def _compare(self, words: str, mine: object, theirs: object, what: str) -> None:
        """Compare what may have changed in the source, and then is only behind in the target."""
        self._count(words)
        if mine == theirs:
            return
        if mine is None:
            fault = f"{self._source.name} does not have one of the {words}, {what}"
        elif theirs is None:
            fault = f"{self._target.name} does not have one of the {words}, {what}"
        else:
            fault = f"one of the {words} is not the same, {what}"
        self._behind += 1
        self._name(fault)

    def _lacks(self, what: str) -> None:
        self._behind += 1
        self._name(f"{self._target.name} does not have {what}")

    def _has_another(self, what: str) -> None:
        self._differing += 1
        self._name(f"{self._target.name} has another value: {what}")

    def _name(self, fault: str) -> None:
        if len(self._named) < _NAMED:
            self._named.append(fault)

    def _count(self, words: str) -> None:
        self._compared[words] = self._compared.get(words, 0) + 1
        if self._compared[words] % _TOLD == 0:
            self._progress(f"comparing {words}", self._compared[words])


def _place(label: Label) -> str:
    return f"{label.test} of {label.model} in {label.window.id} ({label.experiment!r})"
