"""Data sets that come with pycsep, under names that begin with ``csep:``, found without importing it."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import Final, Literal

from forequake.errors import InputError, unknown

__all__ = [
    "DATASETS",
    "PREFIX",
    "Dataset",
    "find_dataset",
    "installed_file",
    "is_dataset",
    "locate_dataset",
    "source_file",
]

#: What the name of a data set begins with where a path could stand.
PREFIX: Final = "csep:"

_FORECASTS: Final = "artifacts/ExampleForecasts"
_POLYGONS: Final = "artifacts/Regions/Polygons"


@dataclass(frozen=True)
class Dataset:
    """A file inside the installed csep package.

    Attributes
    ----------
    kind
        What the file holds.
    path
        Where it lies inside the package.
    """

    kind: Literal["gridded forecast", "catalog-based forecast", "catalog", "polygon"]
    path: PurePosixPath


def _dataset(
    kind: Literal["gridded forecast", "catalog-based forecast", "catalog", "polygon"], path: str
) -> Dataset:
    return Dataset(kind=kind, path=PurePosixPath(path))


#: Data sets by name: those of ``csep.utils.datasets``, without ``_fname``.
DATASETS: Final[dict[str, Dataset]] = {
    "helmstetter_mainshock": _dataset(
        "gridded forecast", f"{_FORECASTS}/GriddedForecasts/helmstetter_et_al.hkj-fromXML.dat"
    ),
    "helmstetter_aftershock": _dataset(
        "gridded forecast", f"{_FORECASTS}/GriddedForecasts/helmstetter_et_al.hkj.aftershock-fromXML.dat"
    ),
    "hires_ssm_italy": _dataset("gridded forecast", f"{_FORECASTS}/GriddedForecasts/HiRes_SSM_Italy.dat"),
    "gear1_downsampled": _dataset("gridded forecast", f"{_FORECASTS}/GriddedForecasts/GEAR1_downsampled.dat"),
    "ucerf3_ascii_format_landers": _dataset(
        "catalog-based forecast",
        f"{_FORECASTS}/CatalogForecasts/ucerf3-landers_1992-06-28T11-57-34-14.csv",
    ),
    "comcat_example_catalog": _dataset("catalog", "artifacts/ObservedCatalogs/sample_comcat_catalog.csv"),
    "relm_testing_polygon": _dataset("polygon", f"{_POLYGONS}/California/RELMTestingPolygon.txt"),
    "relm_collection_polygon": _dataset("polygon", f"{_POLYGONS}/California/RELMCollectionPolygon.txt"),
    "italy_testing_polygon": _dataset("polygon", f"{_POLYGONS}/Italy/ItalyTestingPolygon.txt"),
    "italy_collection_polygon": _dataset("polygon", f"{_POLYGONS}/Italy/ItalyCollectionPolygon.txt"),
}


def is_dataset(text: str) -> bool:
    """Tell whether a path of a configuration names a data set."""
    return text.startswith(PREFIX)


def find_dataset(text: str) -> Dataset:
    """Find a data set by its name with the prefix.

    Raises
    ------
    InputError
        Where there is none of the name; the message gives the nearest one.

    Examples
    --------
    >>> find_dataset("csep:comcat_example_catalog").kind
    'catalog'
    """
    name = text.removeprefix(PREFIX)
    if name in DATASETS:
        return DATASETS[name]
    raise InputError(unknown("data set in pycsep", text, [PREFIX + known for known in DATASETS]))


def locate_dataset(text: str) -> Path:
    """Give the file of a data set in this installation.

    Raises
    ------
    InputError
        Where there is no such data set, or pycsep is not installed or lacks the file.
    """
    return installed_file(str(find_dataset(text).path))


def installed_file(path: str) -> Path:
    """Give a file of the installed csep package by its path inside the package.

    Raises
    ------
    InputError
        Where pycsep is not installed or lacks the file.
    """
    package = find_spec("csep")  # finds the package's folder without running it, which takes 1.4 s
    folders = [] if package is None else list(package.submodule_search_locations or ())
    for folder in folders:
        file = Path(folder) / path
        if file.is_file():
            return file
    message = f"the installed pycsep does not hold {path}; install pycsep 0.8"
    raise InputError(message)


def source_file(text: str) -> Path:
    """Give a path of a configuration as a path with the file's real ending, whether or not it exists here.

    Raises
    ------
    InputError
        Where the text names a data set that does not exist.

    Examples
    --------
    >>> source_file("csep:helmstetter_mainshock").suffix
    '.dat'
    """
    return Path(find_dataset(text).path) if is_dataset(text) else Path(text)
