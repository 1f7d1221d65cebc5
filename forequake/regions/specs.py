"""What a region is built from: the form in which an experiment records it."""

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from forequake.quantities import Latitude, Longitude

__all__ = [
    "DEEPEST_ZOOM",
    "FINEST_GRID_ZOOM",
    "REGION_NAMES",
    "AftershockRegion",
    "BoxRegion",
    "CatalogQuadtree",
    "FileRegion",
    "GlobalRegion",
    "InlineRegion",
    "MaskedRegion",
    "NamedRegion",
    "QuadkeyRegion",
    "RegionSpec",
    "ZoomRegion",
]

#: The regions that pyCSEP builds by name.
REGION_NAMES: Final = (
    "california_quadtree_region",
    "california_relm_collection_region",
    "california_relm_region",
    "global_region",
    "italy_csep_collection_region",
    "italy_csep_region",
    "nz_csep_collection_region",
    "nz_csep_region",
)
#: The longest quadkey: a cell of 4 centimetres at the equator.
DEEPEST_ZOOM: Final = 30
#: The finest grid of equal quadtree cells, of which there are 4**zoom: 4 million.
FINEST_GRID_ZOOM: Final = 11

#: Side of a square cell in degrees.
_CellSize = Annotated[float, Field(gt=0, le=180, allow_inf_nan=False)]
#: Depth of a quadtree: 1 is the first division of the world, into four cells.
_Zoom = Annotated[int, Field(ge=1, le=DEEPEST_ZOOM)]
#: A point: degrees east, degrees north.
_Point = tuple[Longitude, Latitude]


class _Spec(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NamedRegion(_Spec):
    """One of pyCSEP's regions.

    Attributes
    ----------
    name
        One of `REGION_NAMES`.
    """

    kind: Literal["named"] = "named"
    name: str


class FileRegion(_Spec):
    """A region from a file: cell corners, quadkeys, or pyCSEP's dictionary in JSON.

    Attributes
    ----------
    path
        Relative to the experiment's folder, unless it is absolute.
    """

    kind: Literal["file"] = "file"
    path: str


class InlineRegion(_Spec):
    """Square cells, one by one: the dictionary that pyCSEP's ``CartesianGrid2D.to_dict`` gives.

    Attributes
    ----------
    cell_size
        Side of a cell in degrees (``dh`` of the dictionary).
    origins
        Lower left corners, degrees east and north (``polygons`` of the dictionary).
    unused
        Keys of the dictionary that have no effect, since the experiment's own count.
    """

    kind: Literal["cells"] = "cells"
    name: str = "cells"
    cell_size: _CellSize
    origins: tuple[_Point, ...] = Field(min_length=1)
    unused: tuple[str, ...] = ()


class GlobalRegion(_Spec):
    """The whole world in square cells, from -180 and -90 degrees on.

    Attributes
    ----------
    cell_size
        In degrees; 180 is a multiple of it, or the last cells would not end at the poles.
    """

    kind: Literal["global"] = "global"
    cell_size: _CellSize = 0.1


class BoxRegion(_Spec):
    """A box in square cells; it may cross the date line, as from 170 to 190 degrees east."""

    kind: Literal["box"] = "box"
    west: Longitude
    east: Longitude
    south: Latitude
    north: Latitude
    cell_size: _CellSize


class QuadkeyRegion(_Spec):
    """Quadtree cells, one by one.

    Attributes
    ----------
    quadkeys
        One digit of 0 to 3 for each level, as pyCSEP's ``QuadtreeGrid2D.from_quadkeys`` takes them.
    """

    kind: Literal["quadkeys"] = "quadkeys"
    quadkeys: tuple[str, ...] = Field(min_length=1)


class ZoomRegion(_Spec):
    """The whole world (to 85.05 degrees north and south) in quadtree cells of one level.

    Attributes
    ----------
    zoom
        There are 4**zoom cells.
    """

    kind: Literal["zoom"] = "zoom"
    zoom: Annotated[int, Field(ge=1, le=FINEST_GRID_ZOOM)]


class CatalogQuadtree(_Spec):
    """The whole world in quadtree cells that are the smaller the more earthquakes a catalog has in them.

    Attributes
    ----------
    path
        Of the catalog: a learning catalog, not the one that tests use.
    format
        Of the catalog's file; None tells it from the file.
    threshold
        A cell with more events is divided.
    zoom
        No cell is divided further.
    """

    kind: Literal["catalog_quadtree"] = "catalog_quadtree"
    path: str
    format: str | None = None
    threshold: Annotated[int, Field(ge=1)]
    zoom: _Zoom = 11


#: Where the cells come from of which an aftershock region or a polygon takes some.
_SquareSource = Annotated[
    NamedRegion | FileRegion | InlineRegion | GlobalRegion | BoxRegion, Field(discriminator="kind")
]


class AftershockRegion(_Spec):
    """The cells whose centres lie within some rupture lengths of an epicentre.

    The length of a rupture is that of strike-slip earthquakes by Wells and Coppersmith, as in pyCSEP's
    ``generate_aftershock_region``.

    Attributes
    ----------
    num_radii
        Radius of the region in rupture lengths.
    within
        The cells from which it is cut.
    """

    kind: Literal["aftershock"] = "aftershock"
    magnitude: Annotated[float, Field(gt=0, le=10)]
    longitude: Longitude
    latitude: Latitude
    num_radii: Annotated[float, Field(gt=0, le=100)] = 3.0
    within: _SquareSource = NamedRegion(name="california_relm_region")


class MaskedRegion(_Spec):
    """The cells whose centres lie in a polygon, as in pyCSEP's ``masked_region``.

    Attributes
    ----------
    polygon
        Its corners in order: degrees east, degrees north.
    within
        The cells from which it is cut.
    """

    kind: Literal["polygon"] = "polygon"
    polygon: tuple[_Point, ...] = Field(min_length=3)
    within: _SquareSource


#: Where the cells come from; `kind` tells which.
RegionSpec = Annotated[
    NamedRegion
    | FileRegion
    | InlineRegion
    | GlobalRegion
    | BoxRegion
    | QuadkeyRegion
    | ZoomRegion
    | CatalogQuadtree
    | AftershockRegion
    | MaskedRegion,
    Field(discriminator="kind"),
]
