"""Whether events after the cut-off change a forecast, although the input catalog does not hold them.

A run has the events before the window in its input catalog, no network, and a private copy of the model's
folder. What it could know of later events besides lies in that folder: catalogs that come with the model, in
whole. So the model runs once more in a world in which the later events are known there: they are appended to
the catalogs that it brings along, and put into files with the names under which careless models find one.
"""

import shutil
import stat
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from forequake.catalogs import Events, read_catalog
from forequake.errors import InputError
from forequake.models.runs.input_catalog import csep_csv
from forequake.models.sources import PathSource, StagedSource, fetch_source
from forequake.qualification.content import difference
from forequake.qualification.outcome import Check
from forequake.qualification.source_hints import Hint, places_of
from forequake.qualification.trials import Trial

__all__ = ["OwnCatalog", "future_known", "look_ahead_check", "own_catalogs"]

#: Names under which a catalog of everything may lie, beside that of the input catalog.
_NAMES: Final = (
    "catalog.csv",
    "catalog_full.csv",
    "full_catalog.csv",
    "catalog_all.csv",
    "observed.csv",
    "observed_catalog.csv",
    "test_catalog.csv",
    "events.csv",
    "tomorrow.csv",
)
_FOLDERS: Final = ("", "input", "data", "catalogs", "catalog")
_ENDINGS: Final = frozenset({".csv", ".dat", ".txt", ".json", ".xml", ".zmap", ".ndk", ".quakeml", ".csep"})
_MOST_BYTES: Final = 64 << 20
_MOST_FILES: Final = 200
_MEND: Final = (
    "read events from the input catalog alone, and keep no catalog in the model's folder that goes beyond "
    "the first window"
)


@dataclass(frozen=True)
class OwnCatalog:
    """A catalog that comes with a model.

    Attributes
    ----------
    part
        ``input`` where it lies in the folder ``input``, else empty.
    path
        In that folder.
    later
        Its events that are not before the window.
    is_csep
        Whether it has the form of the input catalog, so that lines can be appended.
    """

    part: str
    path: str
    events: int
    later: int
    last: datetime
    is_csep: bool

    @property
    def name(self) -> str:
        """Where it lies in the model's folder."""
        return f"{self.part}/{self.path}" if self.part else self.path


def own_catalogs(source: StagedSource, input_name: str, start: datetime) -> list[OwnCatalog]:
    """Find the catalogs that a model brings along.

    Parameters
    ----------
    input_name
        In the folder ``input`` a run replaces it.
    start
        Of the window.
    """
    found = []
    trees = [("", source.source), *([] if source.inputs is None else [("input", source.inputs)])]
    for part, tree in trees:
        names = [name for name in sorted(tree.entries) if Path(name).suffix.lower() in _ENDINGS]
        for name in names[:_MOST_FILES]:
            path = tree.folder / name
            if (part == "input" and name == input_name) or path.is_symlink() or not path.is_file():
                continue
            if not 0 < path.stat().st_size <= _MOST_BYTES:
                continue
            events = _events(path)
            if events is None or not len(events):
                continue
            later = len(events) - len(events.before(start))
            last = events.times()[-1]
            found.append(OwnCatalog(part, name, len(events), later, last, _is_csep(path)))
    return found


def _events(path: Path) -> Events | None:
    try:
        found = read_catalog(path)
        found.times()
    except (InputError, ValueError, OverflowError):  # also a table of other numbers, read as times
        return None
    return found


def _is_csep(path: Path) -> bool:
    with path.open("rb") as file:
        words = file.readline(300).decode("utf-8", errors="replace").casefold().split(",")
    return len(words) >= 5 and words[0].strip() in {"lon", "longitude"} and "time_string" in words


@contextmanager
def future_known(
    source: StagedSource, everything: Events, later: Events, own: Sequence[OwnCatalog], place: Path
) -> Iterator[StagedSource]:
    """Give a copy of a model's files in which the later events are known, inside the block.

    Parameters
    ----------
    everything, later
        The whole catalog, and its events that are not before the window.
    place
        A folder for the copy.
    """
    with tempfile.TemporaryDirectory(dir=place) as name:
        folder = Path(name) / "model"
        shutil.copytree(source.folder, folder, symlinks=True)
        if source.inputs is not None:
            shutil.copytree(source.inputs.folder, folder / "input", symlinks=True)
        for path in (folder, *folder.rglob("*")):
            if not path.is_symlink():  # on the shelf all is for reading only
                path.chmod(path.stat().st_mode | stat.S_IWUSR)
        _, _, lines = csep_csv(later).partition("\n")
        for catalog in own:
            if catalog.is_csep:
                _append(folder / catalog.name, lines)
        text = csep_csv(everything)
        for inside in _FOLDERS:
            if inside == "input" or (folder / inside).is_dir():
                _plant(folder / inside, text)
        yield fetch_source(PathSource(folder), folder, shelf=Path(name) / "shelf", say=lambda line: None)


def _append(file: Path, lines: str) -> None:
    with file.open("rb") as opened:
        opened.seek(-1, 2)
        ends = opened.read() == b"\n"
    with file.open("a", encoding="utf-8") as opened:
        opened.write(lines if ends else f"\n{lines}")


def _plant(folder: Path, text: str) -> None:
    folder.mkdir(exist_ok=True)
    for name in _NAMES:
        if not (folder / name).exists() and not (folder / name).is_symlink():
            (folder / name).write_text(text, encoding="utf-8")


def look_ahead_check(
    first: Trial,
    future: Trial,
    later: int,
    own: Sequence[OwnCatalog],
    hints: Sequence[Hint],
    *,
    repeats: bool,
) -> Iterator[Check]:
    """Judge a run in a world that knows the future.

    Parameters
    ----------
    later
        Number of events that were put there.
    """
    name = "look-ahead"
    beyond = [catalog for catalog in own if catalog.later]
    named = ", ".join(f"{catalog.name} ({catalog.later} of {catalog.events})" for catalog in beyond)
    where = places_of(hints, "outside")
    if not later:
        yield Check(name, "skipped", "the catalog has no event after the window's start")
    elif first.content is None or future.content is None:
        found = f"with {later} later events in its folder it ends otherwise: {future.failure}"
        yield Check(name, "fail", found, _MEND)
    elif not repeats:
        yield Check(name, "skipped", "the forecast differs from run to run, so nothing can be told")
    elif (unlike := difference(first.content, future.content)) is not None:
        found = f"{later} events after the window's start, in its folder, change the forecast: {unlike}"
        yield Check(name, "fail", found, _MEND + where)
    else:
        yield Check(name, "pass", f"{later} later events in its folder change nothing")
    if beyond:
        yield Check(
            "catalogs of its own",
            "warn",
            f"it brings events with it that are not before the window: {named}",
            "what a model learns from beside the input catalog must end before the first window",
        )
    if where:
        yield Check(
            "paths outside",
            "warn",
            f"its source names paths outside its folder{where}; they are not there in a run elsewhere",
            "keep what the model needs in its folder, and read events from the input catalog alone",
        )
