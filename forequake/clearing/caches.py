"""Forecasts and regions that were read once and are kept ready; whoever lacks one of them makes it again."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from forequake.clearing.thing import (
    ABANDONED_SECONDS,
    GOING,
    Thing,
    folder_size,
    folder_thing,
    remove_folder,
    unused_file,
)

__all__ = ["arrays", "regions", "simulated"]

_KILLED: Final = "left by a process that was killed"
_CATALOGS: Final = ".catalogs"


def arrays(folder: Path) -> Iterator[Thing]:
    """List the rates of gridded forecasts (`forequake.forecasts.arrays.ArrayCache`)."""
    for entry in _entries(folder):
        with contextlib.suppress(OSError):
            if entry.name.startswith("."):
                if entry.name.startswith(GOING) or _is_abandoned(entry):
                    yield folder_thing("forecasts", entry, _KILLED)
            elif entry.is_dir():
                yield _kept_arrays(entry)


def _kept_arrays(entry: Path) -> Thing:
    about = entry / "about.json"  # which readers touch
    used = (about if about.exists() else entry).stat().st_mtime

    def is_as_it_was() -> bool:
        return (about if about.exists() else entry).stat().st_mtime == used

    return Thing(
        kind="forecasts",
        path=entry,
        size=folder_size(entry),
        used=used,
        remove=lambda: remove_folder(entry, is_as_it_was),
        what_for="rates of a gridded forecast",
    )


def simulated(folder: Path) -> Iterator[Thing]:
    """List simulated catalogs in their compact form (`forequake.forecasts.catalog_based.cache`)."""
    for file in _entries(folder):
        with contextlib.suppress(OSError):
            if file.suffix == _CATALOGS:
                yield unused_file("forecasts", file, "simulated catalogs of a forecast")
            elif f"{_CATALOGS}." in file.name and _is_abandoned(file):
                yield folder_thing("forecasts", file, _KILLED)


def regions(folder: Path) -> Iterator[Thing]:
    """List the cells of regions."""
    for file in _entries(folder):
        with contextlib.suppress(OSError):
            if file.suffix == ".cells":
                yield unused_file("regions", file, file.name.rpartition("-")[0])
            elif file.suffix == ".part" and _is_abandoned(file):
                yield folder_thing("regions", file, _KILLED)


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _is_abandoned(path: Path) -> bool:
    return time.time() - path.lstat().st_mtime > ABANDONED_SECONDS
