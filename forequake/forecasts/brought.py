"""Where the files of a model's forecasts are: in the experiment's folder, or where a source brings them."""

import threading
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Final

from forequake.config import FileModel, FolderModel, LoadedExperiment, ModelSpec
from forequake.errors import SourceError
from forequake.models.sources import StagedSource, fetch_source

__all__ = ["bring_source", "file_of", "folder_of", "origin_of"]

#: What this process has brought: whoever reads a forecast compares its content with what was pinned.
_brought: Final[dict[tuple[str, Path, str | None], StagedSource]] = {}
_MOST_BROUGHT: Final = 64
_lock: Final = threading.Lock()


def _nothing(words: str) -> None:
    """Tell nobody."""


def bring_source(
    loaded: LoadedExperiment, model: FileModel | FolderModel, say: Callable[[str], None] = _nothing
) -> StagedSource | None:
    """Fetch the files of a model that has no program, where they are not in the experiment's folder.

    Parameters
    ----------
    say
        Told what is fetched.

    Returns
    -------
    StagedSource or None
        None where they are in the experiment's folder, or nothing brings them.

    Raises
    ------
    SourceError, SourceUnavailable
        Where they cannot be had.
    """
    place, source = loaded.folder / model.path, model.source
    if source is None or (place.is_file() if isinstance(model, FileModel) else place.is_dir()):
        return None
    # A file of areas lies beside one in GEAR1's form.
    alone = isinstance(model, FileModel) and source.kind == "zenodo" and model.format != "gear1"
    only = PurePosixPath(model.path).name if alone else None
    which = source.model_dump_json(), loaded.folder.resolve(), only
    with _lock:
        known = _brought.get(which)
        if known is None or not known.folder.is_dir():
            known = fetch_source(source, loaded.folder, only=only, leave_out=(), say=say)
            while len(_brought) >= _MOST_BROUGHT:
                _brought.pop(next(iter(_brought)))
            _brought[which] = known
    return known


def file_of(loaded: LoadedExperiment, model: FileModel, say: Callable[[str], None] = _nothing) -> Path:
    """Give the file with a model's forecast.

    What a source brings lies, as with floatCSEP, in the folder of the file that `path` names: so its name
    alone counts at the root of the source, and else as many folders before it as are needed.

    Raises
    ------
    SourceError, SourceUnavailable
        Where it cannot be had, or the source has no such file.
    """
    source = bring_source(loaded, model, say)
    if source is None:
        return loaded.locate(model.path)
    parts = PurePosixPath(model.path).parts
    for length in range(1, len(parts) + 1):
        inner = str(PurePosixPath(*parts[-length:]))
        if inner in source.files and (source.folder / inner).is_file():
            return source.folder / inner
    message = f"{source.origin} has no file {parts[-1]}; it has {_some(source)}"
    raise SourceError(message)


def folder_of(loaded: LoadedExperiment, model: FolderModel, say: Callable[[str], None] = _nothing) -> Path:
    """Give the folder of a time-dependent model, which has its forecasts in its folder ``forecasts``.

    Raises
    ------
    SourceError, SourceUnavailable
        Where it cannot be had.
    """
    source = None if model.program is not None else bring_source(loaded, model, say)
    return loaded.folder / model.path if source is None else source.folder


def origin_of(loaded: LoadedExperiment, model: ModelSpec) -> str | None:
    """Say which repository or record, and which commit, brings a model's forecasts; None where none does.

    Raises
    ------
    SourceError, SourceUnavailable
        Where they cannot be had.
    """
    if not isinstance(model, FileModel | FolderModel) or (isinstance(model, FolderModel) and model.program):
        return None
    source = bring_source(loaded, model)
    if source is None:
        return None
    return source.origin if source.commit is None else f"{source.origin}, commit {source.commit}"


def _some(source: StagedSource) -> str:
    names = sorted(source.files)
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
