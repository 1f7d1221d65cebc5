"""Regions in files: corners of square cells, quadkeys, or pyCSEP's dictionary of cells in JSON."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from forequake.errors import RegionError, suggestion
from forequake.regions.cells import Region
from forequake.regions.grids import square_region
from forequake.regions.quadtree import QuadtreeRegion
from forequake.regions.specs import InlineRegion
from forequake.regions.tiles import tiles_of_quadkeys

__all__ = ["CELL_KEYS", "cells_of_mapping", "read_region", "region_from_file"]

#: Keys of the dictionary that `CartesianGrid2D.from_dict` takes, and `origins`, a shorter form of its cells.
CELL_KEYS: Final = ("class_id", "dh", "magnitudes", "name", "origins", "polygons")
_CLASS: Final = "CartesianGrid2D"


def region_from_file(path: Path) -> Region:
    """Read a region from a file.

    Three forms are known by their looks. Corners: longitude and latitude a line, apart by white space or
    commas; lines that start with ``#`` and one heading line without numbers are passed over; the side of the
    cells is the most frequent step between the corners' longitudes or latitudes. Quadkeys: one a line, as
    ``QuadtreeGrid2D.save_quadtree`` writes them. JSON: the dictionary of ``CartesianGrid2D.to_dict``, or a
    catalog of pyCSEP that has it under ``region``.

    Raises
    ------
    RegionError
        Where the file cannot be read, a line is not of its form, or the cells are no region (a cell twice,
        off the grid, overlapping; one corner alone, which has no size).
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        message = f"{path}: the region file cannot be read ({error.strerror})"
        raise RegionError(message) from error
    return read_region(data, path)


def read_region(data: bytes, path: Path) -> Region:
    """Read a region from a file's content; `path` gives the name and stands in messages.

    Raises
    ------
    RegionError
        See `region_from_file`.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"{path}: the region file cannot be read: it is not text in UTF-8 (byte {error.start + 1})"
        raise RegionError(message) from error
    if "\0" in text:
        message = f"{path}: the region file cannot be read: it is not text but holds binary data"
        raise RegionError(message)
    if text.lstrip().startswith(("{", "[")):
        return _named(_from_json(text, path), path)
    lines = list(_lines(text))
    if lines and all(len(words) == 1 and not words[0].strip("0123") for _, words in lines):
        return _from_quadkeys([words[0] for _, words in lines], path)
    return _named(_from_corners(lines, path), path)


def _named(region: Region, path: Path) -> Region:
    return Region(name=path.name, origins=region.origins, cell_size=region.cell_size)


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Give the number and the words of each line that has some."""
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split("#")[0].replace(",", " ").split()
        if words:
            yield number, words


def _from_quadkeys(quadkeys: list[str], path: Path) -> Region:
    try:
        return QuadtreeRegion.from_tiles(tiles_of_quadkeys(quadkeys), name=path.name)
    except RegionError as error:
        message = f"{path}: {error}"
        raise RegionError(message) from error


def _from_corners(lines: Iterable[tuple[int, list[str]]], path: Path) -> Region:
    rows: list[tuple[float, float]] = []
    heading_allowed = True
    for number, words in lines:
        try:
            longitude, latitude = (float(word) for word in words)
        except ValueError as error:
            if heading_allowed and not any(_is_number(word) for word in words):
                heading_allowed = False
                continue
            line = " ".join(words)
            message = (
                f"{path}:{number}: expected a longitude and a latitude, got {line[:60]!r} "
                "(or one quadkey of digits 0 to 3 in every line)"
            )
            raise RegionError(message) from error
        if not (-180 <= longitude <= 360 and -90 <= latitude <= 90):
            message = f"{path}:{number}: longitude {longitude:g}, latitude {latitude:g} is not on Earth"
            raise RegionError(message)
        heading_allowed = False
        rows.append((longitude, latitude))
    if len(rows) < 2:
        message = f"{path}: a region file needs two cells or more, since their distance gives their size"
        raise RegionError(message)
    origins = np.array(rows)
    return square_region(str(path), origins, _cell_size(origins, path))


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _cell_size(origins: NDArray[np.float64], path: Path) -> float:
    """Give the most frequent step between longitudes or between latitudes, whichever is less."""
    sizes = []
    for column in origins.T:
        steps = np.round(np.diff(np.unique(np.round(column, 6))), 6)
        if len(steps):
            values, counts = np.unique(steps, return_counts=True)
            sizes.append(float(values[np.argmax(counts)]))
    if not sizes:
        message = f"{path}: {len(origins) - 1} cells are given twice, and no other is there"
        raise RegionError(message)
    return min(sizes)


def _from_json(text: str, path: Path) -> Region:
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        message = f"{path}:{error.lineno}: this is no valid JSON ({error.msg})"
        raise RegionError(message) from error
    except (ValueError, RecursionError) as error:
        message = f"{path}: this is no JSON that can be read ({error})"
        raise RegionError(message) from error
    if isinstance(content, Mapping) and isinstance(content.get("region"), Mapping):
        content = content["region"]  # pyCSEP writes it into its catalogs
    if not isinstance(content, Mapping):
        message = (
            f"{path}: expected a dictionary with dh and polygons, as pyCSEP's CartesianGrid2D.to_dict gives"
        )
        raise RegionError(message)
    try:
        spec = cells_of_mapping(content)
        return square_region(str(path), spec.origins, spec.cell_size)
    except RegionError as error:
        message = str(error) if str(error).startswith(str(path)) else f"{path}: {error}"
        raise RegionError(message) from error


def cells_of_mapping(mapping: Mapping[object, object]) -> InlineRegion:
    """Read the dictionary of `CartesianGrid2D.to_dict`, with `origins` (pairs) allowed for `polygons`.

    Raises
    ------
    RegionError
        With the key, and what is allowed there.
    """
    for key in mapping:
        if key not in CELL_KEYS:
            near = suggestion(str(key), CELL_KEYS)
            hint = f"; did you mean {near!r}?" if near else ""
            message = f"unknown key {key!r} in a dictionary of cells, which has {', '.join(CELL_KEYS)}{hint}"
            raise RegionError(message)
    given = mapping.keys() & {"polygons", "origins"}
    if len(given) != 1:
        message = (
            "a dictionary of cells needs either polygons, their lower left corners as a list of "
            "{lon: ..., lat: ...}, or origins, the same as a list of [lon, lat]"
        )
        raise RegionError(message)
    if mapping.get("dh") is None:
        message = "a dictionary of cells needs dh, the side of a cell in degrees"
        raise RegionError(message)
    if mapping.get("class_id", _CLASS) != _CLASS:
        message = f"class_id must be {_CLASS}, got {mapping['class_id']!r}; give quadtree cells as quadkeys"
        raise RegionError(message)
    key = str(given.pop())
    try:
        return InlineRegion.model_validate(
            {
                "name": "cells" if mapping.get("name") is None else str(mapping["name"]),
                "cell_size": mapping["dh"],
                "origins": _points(mapping[key], key),
                "unused": ("magnitudes",) if "magnitudes" in mapping else (),
            },
            strict=True,
        )
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        field, *place = detail["loc"]
        if field == "cell_size":
            message = f"dh must be a number of degrees above 0 and up to 180, got {mapping['dh']!r}"
        elif place:
            message = (
                f"{key}[{place[0]}]: expected a longitude from -180 to 360 and a latitude from -90 to 90 "
                f"degrees, got {detail['input']!r}"
            )
        else:
            message = f"{key} must not be empty"
        raise RegionError(message) from error


def _points(cells: object, key: str) -> tuple[tuple[object, object], ...]:
    """Give longitude and latitude of each cell of a list."""
    if not isinstance(cells, list | tuple):
        message = f"{key}: expected a list of cells, got {str(cells)[:60]!r}"
        raise RegionError(message)
    points: list[tuple[object, object]] = []
    for number, cell in enumerate(cells):
        match cell:
            case {"lon": longitude, "lat": latitude, **others} if not others:
                points.append((longitude, latitude))
            case [longitude, latitude]:
                points.append((longitude, latitude))
            case _:
                message = f"{key}[{number}]: expected lon and lat of a cell, got {str(cell)[:60]!r}"
                raise RegionError(message)
    return tuple(points)
