"""Forecasts that others hand in: found in a folder, copied whole, and checked. Nothing is written to a store.

A file counts as complete when its size and its times have not changed for `SETTLED`: one that is still being
written is left for the next look. One that was renamed into place is complete at once, but for that pause.
"""

import contextlib
import errno
import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np

from forequake.config import LoadedExperiment, SubmissionModel
from forequake.errors import ForecastError, ModelFailed
from forequake.forecasts.sources import content_for, reader_for
from forequake.models.runs import ExpectedForecast
from forequake.models.runs.verification import check_forecast
from forequake.quantities import Sha256, now
from forequake.regions import build_region
from forequake.results import ForecastSource, ProspectiveStatus, SealRecord
from forequake.windows import TimeWindow

__all__ = [
    "SETTLED",
    "Found",
    "Look",
    "SubmissionCheck",
    "copy_whole",
    "is_known",
    "look_into",
    "settled",
    "source_of",
    "status_of",
]

#: So long a file must not have changed.
SETTLED: Final = timedelta(seconds=2)
#: Larger files are not taken: as what a program may write.
_MOST_BYTES: Final = 4096 << 20
_PIECE: Final = 1 << 20
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Found:
    """A file that lies in the place of a window's forecast.

    Attributes
    ----------
    modified_at, changed_at
        When its content was changed last, as whoever wrote it says, and when the file system saw a change.
    """

    window: TimeWindow
    path: Path
    size: int
    modified_at: datetime
    changed_at: datetime


@dataclass
class Look:
    """What lies in a folder.

    Attributes
    ----------
    files
        Those that are for a window.
    refused
        What has the name of a window's forecast and cannot be taken, with the reason; nothing is known of its
        content.
    strangers
        Names of files that are for no window of the experiment.
    trouble
        Why the folder cannot be read.
    """

    files: list[Found] = field(default_factory=list)
    refused: dict[str, tuple[str, str]] = field(default_factory=dict)
    strangers: list[str] = field(default_factory=list)
    trouble: str | None = None


def look_into(loaded: LoadedExperiment, model: SubmissionModel) -> Look:
    """Look which files lie in a model's folder; none is opened."""
    look = Look()
    if model.path is None:
        return look
    folder = loaded.folder / model.path
    try:
        names = set(os.listdir(folder))  # noqa: PTH208  # names alone: there may be very many
    except OSError as error:
        look.trouble = f"the folder {model.path} of model {model.name!r} cannot be read ({error.strerror})"
        return look
    expected: set[str] = set()
    for window in loaded.config.windows:
        alone = window.id in loaded.config.alone_on_their_dates
        of_window = [name for name in model.file_names(window, alone=alone) if name in names]
        expected.update(of_window)
        if not of_window:
            continue
        name = of_window[0]
        try:
            found = _about(window, folder / name)
        except OSError as error:
            look.refused[window.id] = name, f"{name} cannot be reached ({error.strerror})"
        else:
            if isinstance(found, str):
                look.refused[window.id] = name, f"{name} {found}"
            else:
                look.files.append(found)
    look.strangers = sorted(name for name in names - expected if not name.startswith("."))
    return look


def _about(window: TimeWindow, path: Path) -> Found | str:
    """Describe a file, or say why it is none that may be taken."""
    about = os.lstat(path)
    if stat.S_ISLNK(about.st_mode):
        return "is a link: put the file itself there"
    if not stat.S_ISREG(about.st_mode):
        return "is not a file"
    if about.st_size > _MOST_BYTES:
        return f"has {about.st_size >> 20} MB; at most {_MOST_BYTES >> 20} are taken"
    return Found(window, path, about.st_size, _time(about.st_mtime_ns), _time(about.st_ctime_ns))


def is_known(found: Found, seals: Sequence[SealRecord]) -> bool:
    """Tell whether a file is what came last for its window, without reading it."""
    if not seals:
        return False
    last = seals[-1]
    return (last.name, last.size, last.modified_at, last.changed_at) == (
        found.path.name,
        found.size,
        found.modified_at,
        found.changed_at,
    )


def settled(files: Sequence[Found], sleep: Callable[[float], object] = time.sleep) -> Iterator[Found]:
    """Give the files that are complete: those that changed just now last, after one pause for all of them.

    Parameters
    ----------
    sleep
        Waits for some seconds.
    """
    young = [found for found in files if now() - found.changed_at < SETTLED]
    yield from (found for found in files if found not in young)
    if not young:
        return
    sleep(SETTLED.total_seconds())
    for found in young:
        with contextlib.suppress(OSError):
            if _about(found.window, found.path) == found:
                yield found


def copy_whole(found: Found, folder: Path) -> tuple[Path, Sha256] | None:
    """Copy a file into a private folder, with its hash; None where it changed meanwhile or has gone."""
    digest = hashlib.sha256()
    target = folder / found.path.name
    try:
        # Neither a link nor a pipe that was put in its place meanwhile is followed or waited for.
        number = os.open(found.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(number, "rb") as source, target.open("wb") as copy:
            if not stat.S_ISREG(os.fstat(number).st_mode):
                return None
            while piece := source.read(_PIECE):
                digest.update(piece)
                copy.write(piece)
                if copy.tell() > found.size:
                    return None
        if _about(found.window, found.path) != found:
            return None
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
        if error.errno in (errno.EACCES, errno.EPERM):
            message = f"{found.path.name} may not be read ({error.strerror})"
            raise ForecastError(message) from error
        return None
    return target, digest.hexdigest()


class SubmissionCheck:
    """Checks what came for a model as one checks what a program made; builds the region when first needed."""

    def __init__(self, loaded: LoadedExperiment, model: SubmissionModel) -> None:
        self._loaded = loaded
        self._model = model
        self._expected: ExpectedForecast | None = None

    def fault(self, path: Path, window: TimeWindow) -> str | None:
        """Tell why a file cannot be used, for whoever sent it; None where it can."""
        try:
            if not path.stat().st_size:
                return "the file is empty"
            check_forecast(path, self._what_is_expected(), window)
        except (ModelFailed, ForecastError) as error:
            text = str(error).replace(f"{path.parent}/", "").replace(f"{path.parent.name}/", "")
            return text.removeprefix(f"{path.name}: ")
        return None

    def _what_is_expected(self) -> ExpectedForecast:
        if self._expected is None:
            config, model = self._loaded.config, self._model
            region = build_region(config.region, self._loaded.locate)
            self._expected = ExpectedForecast(
                forecast_type=model.forecast_type,
                region=region,
                magnitudes=np.array(config.magnitudes, dtype=np.float64),
                format=model.format,
                n_catalogs=model.n_catalogs,
                depth_km=config.depth_km,
                policy=config.forecast_quality,
            )
        return self._expected


def source_of(model: SubmissionModel, path: Path) -> ForecastSource:
    """Give what the forecast in a file is read from."""
    return ForecastSource(content=content_for(model, path), reader=reader_for(model, path))


def status_of(sealed_at: datetime, window: TimeWindow) -> ProspectiveStatus:
    """Tell how a forecast of which only the seal is known stands to its window."""
    if sealed_at < window.start:
        return ProspectiveStatus.PROSPECTIVE
    return ProspectiveStatus.LATE if sealed_at < window.end else ProspectiveStatus.RETROSPECTIVE


def _time(nanoseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=nanoseconds // 1000)
