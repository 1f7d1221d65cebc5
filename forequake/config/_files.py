"""Paths that an experiment's files name: found, and written as they are recorded."""

import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, Literal

from pydantic import ValidationInfo

from forequake.config._refusals import refuse, refuse_word
from forequake.config.spec_base import ForecastType
from forequake.datasets import DATASETS, PREFIX, is_dataset, locate_dataset, source_file
from forequake.errors import InputError, suggestion

__all__ = ["ENDINGS", "Folder", "forecast_file", "model_folder"]

_ROOT: Final = PurePosixPath()
_Kind = Literal["gridded forecast", "catalog-based forecast", "catalog"]
_KINDS: Final[dict[ForecastType, _Kind]] = {
    "gridded": "gridded forecast",
    "catalog": "catalog-based forecast",
}
#: Endings that tell the reader of a gridded forecast.
ENDINGS: Final = (".csv", ".dat", ".xml", ".hdf5", ".h5")


@dataclass(frozen=True)
class Folder:
    """Where relative paths start.

    Attributes
    ----------
    root
        The experiment's folder.
    here
        The folder of the file that names the paths, relative to `root` unless it is absolute.
    """

    root: Path
    here: PurePosixPath = _ROOT

    def recorded(self, text: str) -> str:
        """Give a path as it is recorded: relative to the experiment's folder, unless it is absolute."""
        return text if self.here == _ROOT else str(self.here / text)

    def holds_file(self, text: str) -> bool:
        """Tell whether a path is that of a file; one that cannot be reached is none."""
        return bool(text.strip()) and os.path.isfile(self.root / self.recorded(text))  # noqa: PTH113  # Path.is_file raises without rights

    def holds_folder(self, text: str) -> bool:
        """Tell whether a path is that of a folder; one that cannot be reached is none."""
        return bool(text.strip()) and os.path.isdir(self.root / self.recorded(text))  # noqa: PTH112  # Path.is_dir raises without rights

    def existing_file(self, text: str, what: str) -> str:
        """Give the recorded form of a path to a file that must exist.

        Raises
        ------
        PydanticCustomError
            Where there is no such file, with the nearest name beside it.
        """
        recorded = self.recorded(text)
        path = self.root / recorded
        try:
            is_file, is_folder = path.is_file(), bool(text.strip()) and path.is_dir()
        except OSError as error:
            refuse(f"{what} cannot be reached ({error.strerror})")
        if is_folder:
            refuse(f"expected {what}, but this is a folder")
        if not is_file:
            refuse(f"there is no such file; expected {what}", _neighbour(text, path))
        return recorded


def _neighbour(text: str, path: Path, *, folders: bool = False) -> str | None:
    """Find the file or folder beside a path whose name is nearest, written as the path was."""
    try:
        beside = list(path.parent.iterdir())
        names = [found.name for found in beside if (found.is_dir() if folders else found.is_file())]
    except (OSError, ValueError):  # ValueError: a character that no path has
        return None
    near = suggestion(path.name, names)
    return None if near is None else str(PurePosixPath(text).parent / near)


def _folder(info: ValidationInfo) -> Folder:
    if not isinstance(info.context, Folder):
        message = "paths are read in a folder only"
        raise TypeError(message)
    return info.context


def _dataset(text: str, kind: _Kind) -> str:
    """Check that a data set exists, holds what is needed, and is there in this installation."""
    name = text.removeprefix(PREFIX)
    fitting = [PREFIX + known for known, dataset in DATASETS.items() if dataset.kind == kind]
    if name not in DATASETS:
        refuse_word("data set in pycsep", text, fitting)
    if DATASETS[name].kind != kind:
        refuse(f"this data set is a {DATASETS[name].kind}, not a {kind}; known: {', '.join(fitting)}")
    try:
        locate_dataset(text)
    except InputError as error:
        refuse(str(error))
    return text


def forecast_file(
    text: str, folder: Folder, forecast_type: ForecastType, *, fetched: bool, any_ending: bool
) -> str:
    """Give the recorded form of a path to a forecast, or of a data set that is one.

    Parameters
    ----------
    fetched
        Whether something brings the file where it is not there.
    any_ending
        Whether the reader is told in another way than by the file's ending.

    Raises
    ------
    PydanticCustomError
        Where there is no such file, or none that can be read.
    """
    recorded = folder.recorded(text)
    if is_dataset(text):
        recorded = _dataset(text, _KINDS[forecast_type])
    elif folder.holds_folder(text):
        refuse("this is a folder, but a time-independent model (class: ti) is one file")
    elif not fetched or folder.holds_file(text):
        folder.existing_file(text, "a file with a forecast")
    ending = source_file(recorded).suffix.lower()
    if not any_ending and ending not in ENDINGS:
        refuse(
            f"no reader for the ending {ending or '(none)'}; gridded forecasts are read from "
            f"{', '.join(ENDINGS)} (say class: td where this is the folder of a time-dependent model)"
        )
    return recorded


def model_folder(text: str, folder: Folder, *, fetched: bool) -> str:
    """Give the recorded form of the path to a time-dependent model's folder.

    Raises
    ------
    PydanticCustomError
        Where there is no such folder and nothing brings it.
    """
    recorded = folder.recorded(text)
    if is_dataset(text) or folder.holds_file(text):
        refuse("this is a file, but a time-dependent model (class: td) is a folder with its forecasts inside")
    if not fetched and not folder.holds_folder(text):
        near = _neighbour(text, folder.root / recorded, folders=True)
        refuse("there is no such folder; expected that of a time-dependent model", near)
    return recorded
