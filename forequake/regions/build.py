"""Building regions: pyCSEP's by name, kept on disk once built, and files of cell corners."""

import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from platformdirs import user_cache_path

from forequake.errors import RegionError, unknown
from forequake.regions.cells import Region

__all__ = ["REGION_NAMES", "named_region", "region_from_file"]

#: The regions that pyCSEP builds by name and that forequake takes.
REGION_NAMES: Final = (
    "california_relm_collection_region",
    "california_relm_region",
    "global_region",
    "italy_csep_collection_region",
    "italy_csep_region",
    "nz_csep_collection_region",
    "nz_csep_region",
)


#: Places of the rectangle that encloses a region; a global grid of 0.05 degrees has half as many.
_MOST_PLACES: Final = 50_000_000


def named_region(name: str) -> Region:
    """Build one of pyCSEP's regions, or load it where it was built before (1.5 s against milliseconds).

    The cache is a file a region and version of pyCSEP in the user's cache folder; it may be deleted at any
    time, and where it cannot be written the region is built each time.

    Parameters
    ----------
    name
        One of `REGION_NAMES`: a function of ``csep.core.regions``.

    Raises
    ------
    RegionError
        Where there is no such region.
    """
    if name not in REGION_NAMES:
        raise RegionError(unknown("region", name, REGION_NAMES))
    file = user_cache_path("forequake") / f"{name}-pycsep-{version('pycsep')}.npz"
    cached = _load(name, file)
    if cached is not None:
        return cached
    region = _build(name)
    _keep(region, file)
    return region


def region_from_file(path: Path) -> Region:
    """Read a region from a text file of cell corners: longitude and latitude a line.

    Columns stand apart by white space or commas; lines that start with ``#`` and one heading line of words
    are passed over. The side of the cells is the most frequent step between the corners' longitudes or
    latitudes.

    Raises
    ------
    RegionError
        Where a line has not two numbers, a corner is repeated or off the grid, or one cell stands alone.
    """
    origins = _read_corners(path)
    if len(origins) < 2:
        message = f"{path}: a region file needs two cells or more, since their distance gives their size"
        raise RegionError(message)
    repeated = len(origins) - len(np.unique(np.round(origins, 6), axis=0))
    if repeated:
        message = f"{path}: {repeated} cells are given twice"
        raise RegionError(message)
    size = _cell_size(origins)
    places = np.rint((origins - origins.min(axis=0)) / size)
    if np.prod(places.max(axis=0) + 1) > _MOST_PLACES:
        message = f"{path}: cells of {size:g} degrees are too small for corners that lie so far apart"
        raise RegionError(message)
    off = np.abs(origins.min(axis=0) + places * size - origins).max(axis=1) > size * 1e-3
    if off.any():
        first = origins[np.argmax(off)]
        message = f"{path}: the corner {first[0]:g}, {first[1]:g} does not lie on a grid of {size:g} degrees"
        raise RegionError(message)
    return Region(name=path.name, origins=origins, cell_size=size)


def _read_corners(path: Path) -> NDArray[np.float64]:
    rows: list[tuple[float, float]] = []
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path}: the region file cannot be read ({error})"
        raise RegionError(message) from error
    heading_allowed = True
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split("#")[0].replace(",", " ").split()
        if not words:
            continue
        try:
            longitude, latitude = (float(word) for word in words)
        except ValueError as error:
            if heading_allowed and len(words) == 2 and not any(char.isdigit() for char in line):
                heading_allowed = False
                continue
            message = f"{path}:{number}: expected a longitude and a latitude, got {line.strip()!r}"
            raise RegionError(message) from error
        if not (-180 <= longitude <= 360 and -90 <= latitude <= 90):
            message = f"{path}:{number}: longitude {longitude:g}, latitude {latitude:g} is not on Earth"
            raise RegionError(message)
        heading_allowed = False
        rows.append((longitude, latitude))
    return np.array(rows, dtype=np.float64).reshape(-1, 2)


def _cell_size(origins: NDArray[np.float64]) -> float:
    """Give the most frequent step between neighbouring longitudes or latitudes (the smaller of equals)."""
    steps = np.concatenate([np.diff(np.unique(np.round(column, 6))) for column in origins.T])
    sizes, counts = np.unique(np.round(steps, 6), return_counts=True)
    return float(sizes[np.argmax(counts)])


def _build(name: str) -> Region:
    from csep.core import regions

    built = {
        "california_relm_collection_region": regions.california_relm_collection_region,
        "california_relm_region": regions.california_relm_region,
        "global_region": regions.global_region,
        "italy_csep_collection_region": regions.italy_csep_collection_region,
        "italy_csep_region": regions.italy_csep_region,
        "nz_csep_collection_region": regions.nz_csep_collection_region,
        "nz_csep_region": regions.nz_csep_region,
    }[name]()
    return Region(name=name, origins=np.asarray(built.origins(), dtype=float), cell_size=float(built.dh))


def _load(name: str, file: Path) -> Region | None:
    try:
        with np.load(file, allow_pickle=False) as arrays:
            return Region(name=name, origins=arrays["origins"], cell_size=float(arrays["cell_size"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, EOFError):  # a damaged cache is rebuilt, never an error
        return None


def _keep(region: Region, file: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=file.parent, suffix=".tmp", delete=False) as temporary:
            np.savez(temporary, origins=region.origins, cell_size=region.cell_size)
        Path(temporary.name).replace(file)
    except OSError:  # a cache that cannot be written costs time, not results
        return
