"""The shelves of sources and environments, and the private folders of runs."""

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from forequake.clearing.thing import (
    ABANDONED_SECONDS,
    GOING,
    Kind,
    Thing,
    folder_size,
    folder_thing,
    remove_folder,
    remove_leftover,
)
from forequake.models.environments.environment_shelf import Ready
from forequake.models.holds import taken
from forequake.models.sources.shelf import Memory
from forequake.models.uses import ModelUse
from forequake.processes import end_orphans

__all__ = ["environments", "runs", "sources", "submissions"]

#: A folder that is younger may not have its lock yet.
_YOUNG_SECONDS: Final = 60.0
_KILLED: Final = "left by a process that was killed"
_CUT_OFF: Final = "left by a removal that was cut off"
_READY: Final = "ready.json"


def runs(shelf: Path) -> Iterator[Thing]:
    """List the private folders of runs; those of runs that are under way stay."""
    for record in sorted(shelf.glob("run-*.json")):
        with contextlib.suppress(OSError):
            folder = record.with_suffix("")
            size, used = folder_size(folder), record.stat().st_mtime
            with _locked(record) as free:
                left, in_use = (_KILLED, "") if free else ("", "a program runs in it")
            yield Thing("runs", folder, size, used, _ending(shelf, folder), left=left, in_use=in_use)
    for folder in _folders(shelf):
        with contextlib.suppress(OSError):
            used = folder.stat().st_mtime
            if folder.name.startswith(GOING):
                yield folder_thing("runs", folder, _CUT_OFF)
            elif folder.name.startswith("made-"):
                yield _private("runs", folder, "a forecast is being made")
            elif folder.name.startswith("run-") and not folder.with_suffix(".json").exists():
                kept = "a run that was kept to be looked at"
                yield Thing("runs", folder, folder_size(folder), used, _removal(folder, used), kept)


def submissions(shelf: Path) -> Iterator[Thing]:
    """List the private folders in which forecasts of others are looked at."""
    for folder in _folders(shelf):
        with contextlib.suppress(OSError):
            if folder.name.startswith(GOING):
                yield folder_thing("downloads", folder, _CUT_OFF)
            else:
                yield _private("downloads", folder, "a submission is being looked at")


def _private(kind: Kind, folder: Path, used_for: str) -> Thing:
    """Describe a folder that is held as long as its process lives (`forequake.models.holds.held_folder`)."""
    used = folder.stat().st_mtime
    with taken(folder) as free:
        busy = not free or time.time() - used < _YOUNG_SECONDS
    left, in_use = ("", used_for) if busy else (_KILLED, "")
    return Thing(kind, folder, folder_size(folder), used, _removal(folder, used), left=left, in_use=in_use)


def environments(shelf: Path, uses: Mapping[str, list[ModelUse]]) -> Iterator[Thing]:
    """List the environments of models.

    Parameters
    ----------
    uses
        By the keys of environments that they need, or needed before.
    """
    for place in (place for platform in _folders(shelf) for place in _folders(platform)):
        yield from runs(place / "programs")
        with _locked(place / "lock") as free:
            building = not free
        ready = _ready(place)
        of_key = uses.get("" if ready is None else ready.key, [])
        for path in sorted(place.iterdir()):
            with contextlib.suppress(OSError):
                if path.name.startswith(GOING):
                    yield folder_thing("environments", path, _CUT_OFF)
                elif path.name.startswith("ready-") and not building:
                    yield folder_thing("environments", path, _KILLED)
                elif path.is_dir() and path.name != "programs":
                    yield _environment(place, path, ready, of_key, building=building)


def _environment(
    place: Path, folder: Path, ready: Ready | None, uses: list[ModelUse], *, building: bool
) -> Thing:
    current = ready is not None and ready.folder == folder.name
    with taken(folder) as free:
        in_use = "a build of it is under way" if building else "" if free else "a model runs in it"
    used = (place / _READY if current else folder).stat().st_mtime
    what_for = ""
    if ready is not None:
        what_for = _words_of(uses, ready.key) or f"Python {ready.python}, {len(ready.packages)} packages"
    return Thing(
        kind="environments",
        path=folder,
        size=folder_size(folder),
        used=used,
        remove=lambda: _remove_environment(place, folder, used, current=current),
        what_for=what_for,
        in_use=in_use,
        left="" if current else "replaced by a later build" if ready else "left by a build that was ended",
        needed_by=_needing(uses, ready.key) if current and ready else (),
    )


def _remove_environment(place: Path, folder: Path, used: float, *, current: bool) -> bool:
    (place / "lock").open("a").close()
    with _locked(place / "lock") as free:
        if not free:
            return False
        ready = _ready(place)
        if current != (ready is not None and ready.folder == folder.name):
            return False
        with taken(folder) as unused:
            if not unused or (current and (place / _READY).stat().st_mtime != used):
                return False
        if current:  # without the word of it, the folder counts for nobody any more
            (place / _READY).unlink()
        return remove_folder(folder)


def sources(shelf: Path, uses: Mapping[str, list[ModelUse]]) -> Iterator[Thing]:
    """List the sources of models, and what was being fetched; what came from where is never forgotten.

    Parameters
    ----------
    uses
        By the hashes of trees that they need, or needed before.
    """
    origins: dict[str, str] = {}
    for file in (shelf / "origins").glob("*.json"):
        with contextlib.suppress(OSError, ValidationError):
            memory = Memory.model_validate_json(file.read_bytes())
            origins |= dict.fromkeys(filter(None, (memory.tree, memory.inputs)), memory.origin)
    for folder in _folders(shelf / "trees"):
        with contextlib.suppress(OSError):
            if folder.name.startswith(GOING):
                yield folder_thing("sources", folder, _CUT_OFF)
                continue
            with taken(folder) as free:
                in_use = "" if free else "a process works with it"
            used, noted = folder.stat().st_mtime, uses.get(folder.name, [])
            what_for = _words_of(noted, folder.name) or origins.get(folder.name, "")
            yield Thing(
                kind="sources",
                path=folder,
                size=folder_size(folder),
                used=used,
                remove=_removal(folder, used),
                what_for=what_for,
                in_use=in_use,
                needed_by=_needing(noted, folder.name),
            )
    yield from _downloads(shelf / "partial")
    for file in (shelf / "origins").glob("*.json.*"):
        with contextlib.suppress(OSError):
            if time.time() - file.stat().st_mtime > ABANDONED_SECONDS:
                yield folder_thing("downloads", file, _KILLED)


def _downloads(partial: Path) -> Iterator[Thing]:
    for folder in _folders(partial):
        with contextlib.suppress(OSError):
            used = folder.stat().st_mtime
            with _locked(folder / "lock") as free:
                busy = not free or time.time() - used < _YOUNG_SECONDS

            def remove(folder: Path = folder) -> bool:
                with _locked(folder / "lock") as free:
                    return free and remove_leftover(folder)

            left, in_use = ("", "it is being fetched") if busy else (_KILLED, "")
            yield Thing("downloads", folder, folder_size(folder), used, remove, left=left, in_use=in_use)


def _words_of(uses: list[ModelUse], key: str) -> str:
    """Say which models of which experiments use a thing, or used it before they changed."""
    said: dict[str, None] = {}
    for use in uses:
        before = "" if key in use.needed else ", as it was before"
        said[f"{use.model} of {use.experiment} ({use.origin}){before}"] = None
    return "; ".join(said)


def _needing(uses: list[ModelUse], key: str) -> tuple[ModelUse, ...]:
    return tuple(use for use in uses if key in use.needed)


def _removal(folder: Path, used: float) -> Callable[[], bool]:
    return lambda: remove_folder(folder, lambda: folder.stat().st_mtime == used)


def _ending(shelf: Path, folder: Path) -> Callable[[], bool]:
    def remove() -> bool:
        end_orphans(shelf)
        return not folder.exists() and not folder.with_suffix(".json").exists()

    return remove


def _ready(place: Path) -> Ready | None:
    try:
        return Ready.model_validate_json((place / _READY).read_bytes())
    except (OSError, ValidationError):
        return None


def _folders(folder: Path) -> list[Path]:
    with contextlib.suppress(OSError):
        return sorted(path for path in folder.iterdir() if path.is_dir() and not path.is_symlink())
    return []


@contextmanager
def _locked(file: Path) -> Iterator[bool]:
    """Tell whether nobody holds a file's lock; it is held meanwhile. A file that is not there is not made."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        yield True
        return
    except OSError:
        yield False
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            free = True
        except OSError:
            free = False
        yield free
    finally:
        os.close(descriptor)
