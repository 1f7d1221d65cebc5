"""The regions that pyCSEP builds by name, read from the files that come with it."""

import re
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forequake.datasets import installed_file
from forequake.regions.cells import Region
from forequake.regions.grids import WORLD, box_region
from forequake.regions.quadtree import QuadtreeRegion
from forequake.regions.specs import GlobalRegion
from forequake.regions.tiles import tiles_of_quadkeys

__all__ = ["build_named"]

_FOLDER: Final = "artifacts/Regions"
_QUADKEYS: Final = f"{_FOLDER}/california_qk_zoom=12.txt"
#: The tag of a cell in CSEP's templates of forecasts, which also hold a rate for each of its bins.
_CELL: Final = re.compile(rb"""<cell\s+lat=['"]([^'"]+)['"]\s+lon=['"]([^'"]+)['"]""")


@dataclass(frozen=True)
class _Grid:
    """A file with the middles of square cells of 0.1 degrees.

    Attributes
    ----------
    template
        Whether it is a template of a forecast; else rows of longitude and latitude.
    """

    file: str
    template: bool = False


_CELL_SIZE: Final = 0.1
_GRIDS: Final = {
    "california_relm_collection_region": _Grid("RELMCollectionArea.dat"),
    "california_relm_region": _Grid("csep-forecast-template-M5.xml", template=True),
    "italy_csep_collection_region": _Grid("italy.collection.nodes.dat"),
    "italy_csep_region": _Grid("forecast.italy.M5.xml", template=True),
    "nz_csep_collection_region": _Grid("nz.collection.nodes.dat"),
    "nz_csep_region": _Grid("nz.testing.nodes.dat"),
}


def build_named(name: str) -> Region:
    """Build one of `REGION_NAMES`: the cells of ``csep.core.regions``, in their order.

    The files are read without pyCSEP, whose import alone takes longer than all of this.

    Raises
    ------
    InputError
        Where the installed pycsep lacks the file.
    """
    if name == "global_region":  # pyCSEP would make 6.5 million polygons
        return box_region(name, WORLD, GlobalRegion().cell_size)
    if name == "california_quadtree_region":
        quadkeys = installed_file(_QUADKEYS).read_text(encoding="ascii").split()
        return QuadtreeRegion.from_tiles(tiles_of_quadkeys(quadkeys), name=name)
    # The difference as pyCSEP takes it: another order of the sum changes the last digit.
    return Region(name=name, origins=_middles(_GRIDS[name]) - _CELL_SIZE / 2, cell_size=_CELL_SIZE)


def _middles(grid: _Grid) -> NDArray[np.float64]:
    file = installed_file(f"{_FOLDER}/{grid.file}")
    if not grid.template:
        return np.loadtxt(file, dtype=np.float64)
    places = [(float(longitude), float(latitude)) for latitude, longitude in _CELL.findall(file.read_bytes())]
    return np.array(places, dtype=np.float64)
