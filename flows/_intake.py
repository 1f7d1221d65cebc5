"""Taking in what others hand in: each file is kept in the store by its content, checked, and sealed.

What came is a list for each window that only grows, and a store never overwrites. So of several processes
that see a file at once, one writes the line and the others find it; one that is killed before it wrote the
line has left bytes that nothing refers to, and the next look begins anew.
"""

import contextlib
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from platformdirs import user_cache_path

from forequake.config import LoadedExperiment, SubmissionModel
from forequake.errors import ForecastError, ForequakeError
from forequake.models.holds import held_folder
from forequake.quantities import Sha256, now
from forequake.results import BlobRef, SealRecord
from forequake.seals import counting, read_seals
from forequake.submissions import (
    Found,
    Look,
    SubmissionCheck,
    copy_whole,
    is_known,
    look_into,
    settled,
    source_of,
    status_of,
)
from forequake.windows import TimeWindow
from stores import ResultsStore, open_store, resolve_store

__all__ = ["Received", "Taking", "append_seal", "receive"]

#: ``take``: what is new is sealed; ``try``: it is told what would be; ``look``: nothing new is looked for.
Taking = Literal["take", "try", "look"]

_Say = Callable[[str], None]
#: So many lines a window may have: somebody who hands in another file each minute fills no store.
_MOST: Final = 1000
#: A private copy that a killed process left goes after so many seconds.
_LEFT_OVER: Final = 86_400.0


@dataclass
class Received:
    """All that came for a model.

    Attributes
    ----------
    seals
        By the ids of windows, in the order of numbers, the new ones among them.
    new
        Those that were sealed now, or would be.
    look
        What lies in the folder.
    arriving
        Names of files that are still being written.
    trouble
        Why nothing can be looked for.
    """

    model: SubmissionModel
    seals: dict[str, tuple[SealRecord, ...]] = field(default_factory=dict)
    new: list[SealRecord] = field(default_factory=list)
    look: Look = field(default_factory=Look)
    arriving: list[str] = field(default_factory=list)
    trouble: str | None = None


def receive(
    store: ResultsStore | None, loaded: LoadedExperiment, model: SubmissionModel, taking: Taking, say: _Say
) -> Received:
    """Look what came for a model, and seal what is new.

    Parameters
    ----------
    store
        None where there is none yet, which holds nothing; then nothing is taken.
    say
        Told once of each file that is sealed or refused.

    Raises
    ------
    StoreError
        Where the store of the experiment fails.
    """
    received = Received(model)
    windows = loaded.config.windows
    if store is not None:
        received.seals = read_seals(store, loaded.config.name, model.name, windows)
    if taking == "look":
        return received
    intake = _Intake(None if taking == "try" else store, loaded, model, received, say)
    if model.store is None:
        intake.from_folder()
    else:
        intake.from_store()
    return received


def append_seal(
    store: ResultsStore, known: Sequence[SealRecord], make: Callable[[int], SealRecord]
) -> tuple[tuple[SealRecord, ...], bool]:
    """Write the next line of a list.

    Parameters
    ----------
    known
        The list as it was read.
    make
        Gives the line for a number.

    Returns
    -------
    tuple of SealRecord
        The list as it is now.
    bool
        Whether the line is new; else somebody else wrote the same content just now.
    """
    while True:
        seal = make(len(known) + 1)
        if store.put([seal]).written:
            return (*known, seal), True
        place = read_seals(store, seal.experiment, seal.model, [seal.window])
        known = place.get(seal.window.id, ())
        if known and known[-1].content == seal.content and known[-1].origin == seal.origin:
            return tuple(known), False


class _Intake:
    """One look at what came for a model; `store` is None where nothing is to be written."""

    def __init__(
        self,
        store: ResultsStore | None,
        loaded: LoadedExperiment,
        model: SubmissionModel,
        received: Received,
        say: _Say,
    ) -> None:
        self._store = store
        self._loaded = loaded
        self._model = model
        self._received = received
        self._say = say
        self._check = SubmissionCheck(loaded, model)

    def from_folder(self) -> None:
        received = self._received
        looked_at = now()
        received.look = look_into(self._loaded, self._model)
        received.trouble = received.look.trouble
        new = [found for found in received.look.files if not is_known(found, self._known(found.window))]
        waiting = {found.path.name: None for found in new}
        for found in settled(new):
            with _private_folder() as folder:
                if self._take_file(found, folder, looked_at):
                    waiting.pop(found.path.name)
        received.arriving = list(waiting)

    def _take_file(self, found: Found, folder: Path, looked_at: datetime) -> bool:
        """Seal a file unless it is what came last; tell whether it could be read whole."""
        window, known = found.window, self._known(found.window)
        try:
            copied = copy_whole(found, folder)
        except ForecastError as error:
            self._received.look.refused[window.id] = found.path.name, str(error)
            return True
        if copied is None:
            return False
        path, content = copied
        if known and known[-1].content == content:
            return True  # touched, or copied once more
        self._seal(
            path,
            window,
            content,
            origin="folder",
            size=found.size,
            arrived_at=looked_at,
            modified_at=found.modified_at,
            changed_at=found.changed_at,
        )
        return True

    def from_store(self) -> None:
        """Take over what counts in another store, with the time at which it was sealed there."""
        place = self._model.store
        if place is None:
            return
        try:
            origin = open_store(resolve_store(place.name))
            theirs = read_seals(origin, place.experiment, place.model, self._loaded.config.windows)
        except ForequakeError as error:
            self._received.trouble = f"the store of model {self._model.name!r} cannot be read: {error}"
            return
        looked_at = now()
        for seals in theirs.values():
            seal = counting(seals, "mark")
            if seal is None or seal.file is None or self._has(seal):
                continue
            with _private_folder() as folder:
                path = folder / seal.name
                with origin.open_blob(seal.file.sha256) as data, path.open("wb") as file:
                    shutil.copyfileobj(data, file)
                self._seal(
                    path,
                    seal.window,
                    seal.file.sha256,
                    origin="store",
                    size=seal.file.size,
                    arrived_at=looked_at,
                    sealed_at=seal.sealed_at,
                    prospective=seal.prospective,
                    run=seal.run,
                )

    def _has(self, seal: SealRecord) -> bool:
        return any(
            (known.content, known.sealed_at) == (seal.content, seal.sealed_at)
            for known in self._known(seal.window)
        )

    def _known(self, window: TimeWindow) -> tuple[SealRecord, ...]:
        return self._received.seals.get(window.id, ())

    def _seal(self, path: Path, window: TimeWindow, content: Sha256, **about: object) -> None:
        known = self._known(window)
        if len(known) >= _MOST:
            self._received.look.refused[window.id] = path.name, f"{_MOST} files came for this window already"
            return
        stands = counting(known, "mark")
        file: BlobRef | None = None
        source = fault = None
        began = about.get("sealed_at") is None and now() >= window.start
        if stands is not None and began:
            fault = (
                f"it came after the window began; the one that was sealed at "
                f"{stands.sealed_at:%Y-%m-%d %H:%M:%S} UTC stands"
            )
            sealed_at = now()
        else:
            if self._store is not None:
                with path.open("rb") as data:
                    file = self._store.put_blob(data)
            sealed_at = now()  # from here on the content cannot change any more, whatever the check takes
            fault = self._check.fault(path, window)
            if fault is None:
                source = source_of(self._model, path)
        fields: dict[str, object] = {"name": path.name, "content": content, "source": source, "fault": fault}
        fields |= {"file": file if fault is None else None, "sealed_at": sealed_at} | about

        def make(number: int) -> SealRecord:
            return self._line(window, number, fields)

        if self._store is None:
            self._received.seals[window.id] = (*known, make(len(known) + 1))
            new = True
        else:
            self._received.seals[window.id], new = append_seal(self._store, known, make)
        if new:
            seal = self._received.seals[window.id][-1]
            self._received.new.append(seal)
            self._tell(seal)

    def _line(self, window: TimeWindow, number: int, fields: Mapping[str, object]) -> SealRecord:
        """Make a line. Its times are never before the last line's: a clock that was set back helps nobody."""
        times: dict[str, object] = {}
        known = self._known(window)
        if known and fields["origin"] == "folder":
            for name in ("arrived_at", "sealed_at"):
                moment = fields[name]
                if isinstance(moment, datetime):
                    times[name] = max(moment, known[-1].sealed_at)
        merged = {**fields, **times}
        sealed_at = merged["sealed_at"]
        if "prospective" not in merged and isinstance(sealed_at, datetime):
            merged["prospective"] = status_of(sealed_at, window)
        return SealRecord.at(self._loaded.config.name, self._model.name, window, number, **merged)

    def _tell(self, seal: SealRecord) -> None:
        text = f"submission {seal.name} of model {seal.model!r}"
        self._say(f"{text} refused: {seal.fault}" if seal.fault else f"{text} came: {seal.prospective.value}")


@contextmanager
def _private_folder() -> Iterator[Path]:
    """Give a folder that goes in the end; those that killed processes left a day ago go as well."""
    shelf = user_cache_path("forequake") / "submissions"
    shelf.mkdir(parents=True, exist_ok=True)
    for left in shelf.iterdir():
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > _LEFT_OVER:
                shutil.rmtree(left)
    with held_folder(shelf, "came-") as folder:
        yield folder
