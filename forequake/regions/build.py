"""Building regions from what an experiment says, once: they are kept on disk."""

from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Final, assert_never

import numpy as np
from pydantic import JsonValue

from forequake.errors import RegionError, unknown
from forequake.keys import KeyInputs, bytes_digest
from forequake.quantities import Sha256
from forequake.regions._cache import cached_region
from forequake.regions.cells import Region
from forequake.regions.files import read_region
from forequake.regions.grids import WORLD, box_region, square_region
from forequake.regions.named import build_named
from forequake.regions.parts import around_epicentre, inside_polygon
from forequake.regions.quadtree import QuadtreeRegion
from forequake.regions.specs import (
    REGION_NAMES,
    AftershockRegion,
    BoxRegion,
    CatalogQuadtree,
    FileRegion,
    GlobalRegion,
    InlineRegion,
    MaskedRegion,
    NamedRegion,
    QuadkeyRegion,
    RegionSpec,
    ZoomRegion,
)
from forequake.regions.tiles import divided, tiles_of_quadkeys

__all__ = ["build_region", "named_region"]

_Locate = Callable[[str], Path]


#: Version of the rules by which cells follow from a specification; raised by hand with each change of them.
_BUILDERS: Final = 1


class _CacheInputs(KeyInputs):
    """All that decides a region's cells."""

    what = "built region"

    spec: dict[str, JsonValue]
    contents: dict[str, Sha256]
    pycsep: str
    builders: int = _BUILDERS


def build_region(spec: RegionSpec, locate: _Locate) -> Region:
    """Build a region, or load it where it was built before: seconds against milliseconds.

    Parameters
    ----------
    locate
        Gives the file that a path of the specification means on this machine.

    Raises
    ------
    RegionError
        Where the specification names nothing, a file cannot be used, or the cells are no region.
    CatalogError
        Where a quadtree is to follow a catalog that cannot be read.
    """
    if isinstance(spec, InlineRegion):  # they are given one by one: there is nothing to keep
        return square_region(spec.name, spec.origins, spec.cell_size)
    if isinstance(spec, NamedRegion) and spec.name not in REGION_NAMES:
        raise RegionError(unknown("region", spec.name, REGION_NAMES))
    files = {path: _read(locate(path)) for path in _paths(spec)}
    contents = {path: bytes_digest(data) for path, data in files.items()}
    inputs = _CacheInputs(spec=spec.model_dump(mode="json"), contents=contents, pycsep=version("pycsep"))
    name = _name_of(spec)

    def build() -> Region:
        region = _build(spec, locate, files)
        for path, content in contents.items():  # some builders read their file again
            if bytes_digest(_read(locate(path))) != content:
                message = f"{path}: the file changed while the region was built; run again"
                raise RegionError(message)
        return region

    try:
        return cached_region(spec.kind, inputs.key, name, build)
    except RegionError as error:
        if isinstance(spec, FileRegion):  # the message names the file
            raise
        message = f"the region {name}: {error}"
        raise RegionError(message) from error


def named_region(name: str) -> Region:
    """Build one of pyCSEP's regions, or load it where it was built before.

    Parameters
    ----------
    name
        One of `REGION_NAMES`: a function of ``csep.core.regions``.

    Raises
    ------
    RegionError
        Where there is no such region.
    """
    return build_region(NamedRegion(name=name), Path)


def _build(spec: RegionSpec, locate: _Locate, files: Mapping[str, bytes]) -> Region:
    match spec:
        case NamedRegion():
            return build_named(spec.name)
        case FileRegion():
            return read_region(files[spec.path], locate(spec.path))
        case InlineRegion():
            return square_region(spec.name, spec.origins, spec.cell_size)
        case GlobalRegion():
            return box_region("global", WORLD, spec.cell_size)
        case BoxRegion():
            return box_region("box", (spec.west, spec.east, spec.south, spec.north), spec.cell_size)
        case QuadkeyRegion():
            return QuadtreeRegion.from_tiles(tiles_of_quadkeys(spec.quadkeys), name="quadkeys")
        case ZoomRegion():
            codes = np.arange(4**spec.zoom, dtype=np.int64)
            return QuadtreeRegion.from_tiles(
                np.column_stack([np.full_like(codes, spec.zoom), codes]), name="zoom"
            )
        case CatalogQuadtree():
            return _around_events(spec, locate(spec.path))
        case AftershockRegion():
            return around_epicentre(
                _squares(spec.within, locate),
                magnitude=spec.magnitude,
                epicentre=(spec.longitude, spec.latitude),
                num_radii=spec.num_radii,
            )
        case MaskedRegion():
            return inside_polygon(_squares(spec.within, locate), spec.polygon)
    assert_never(spec)


def _squares(spec: RegionSpec, locate: _Locate) -> Region:
    """Build the region from which cells are taken."""
    region = build_region(spec, locate)
    if isinstance(region, QuadtreeRegion):
        message = f"{region.name} has quadtree cells; only square cells can be cut to a part of a region"
        raise RegionError(message)
    return region


def _around_events(spec: CatalogQuadtree, path: Path) -> Region:
    from forequake.catalogs import read_source  # which needs regions itself

    events = read_source(path, spec.format).events
    turned = np.where(events.longitude >= 180.0, events.longitude - 360.0, events.longitude)
    tiles = divided(turned, events.latitude, threshold=spec.threshold, zoom=spec.zoom)
    return QuadtreeRegion.from_tiles(tiles, name="catalog quadtree")


def _paths(spec: RegionSpec) -> list[str]:
    """List the files that decide a region's cells."""
    if isinstance(spec, FileRegion | CatalogQuadtree):
        return [spec.path]
    return _paths(spec.within) if isinstance(spec, AftershockRegion | MaskedRegion) else []


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        message = f"{path}: the file of the region cannot be read ({error.strerror})"
        raise RegionError(message) from error


def _name_of(spec: RegionSpec) -> str:
    match spec:
        case NamedRegion() | InlineRegion():
            return spec.name
        case FileRegion():
            return Path(spec.path).name
        case GlobalRegion():
            return f"global, {spec.cell_size:g} degrees"
        case BoxRegion():
            return f"box {spec.west:g} to {spec.east:g}, {spec.south:g} to {spec.north:g}"
        case QuadkeyRegion():
            return "quadtree"
        case ZoomRegion():
            return f"quadtree of zoom {spec.zoom}"
        case CatalogQuadtree():
            return f"quadtree by {Path(spec.path).name}"
        case AftershockRegion():
            return f"aftershocks of M{spec.magnitude:g} at {spec.longitude:g}, {spec.latitude:g}"
        case MaskedRegion():
            return f"polygon in {_name_of(spec.within)}"
    assert_never(spec)
