"""Make dashboard/assets/coastline.npz from the file countries-50m.json of the npm package world-atlas.

Usage, where npm can reach its registry::

    npm pack world-atlas@2.0.2 && tar xzf world-atlas-2.0.2.tgz
    python scripts/make_coastline.py package/countries-50m.json dashboard/assets/coastline.npz

The file is a topology: lines ("arcs") that countries share, in whole numbers, each point relative to the
one before. A line of one country is coast; a line of two is their border.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Lines along the date line and round the south pole close polygons; nobody could walk them.
_EDGE_LONGITUDE = 179.99
_EDGE_LATITUDE = -89.9


def arcs_of(geometry: dict[str, Any]) -> set[int]:
    """List the numbers of the lines round a country; a line that is walked backwards stands as ~number."""

    def numbers(part: Any) -> Iterator[int]:
        if isinstance(part, int):
            yield part if part >= 0 else ~part
        else:
            for piece in part:
                yield from numbers(piece)

    return set(numbers(geometry.get("arcs", [])))


def points_of(arc: list[list[int]], transform: dict[str, list[float]]) -> NDArray[np.float64]:
    """Give a line in degrees, shape (points, 2)."""
    return np.cumsum(arc, axis=0) * transform["scale"] + transform["translate"]


def walked(points: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
    """Leave out what runs along an edge of the map or from one side to the other, which breaks a line."""
    at_edge = (np.abs(points[:, 0]) > _EDGE_LONGITUDE) | (points[:, 1] < _EDGE_LATITUDE)
    across = np.abs(np.diff(points[:, 0])) > 180
    left_out = (at_edge[:-1] & at_edge[1:]) | across
    for piece in np.split(np.arange(len(points)), np.flatnonzero(left_out) + 1):
        if len(piece) > 1:
            yield points[piece]


def joined(lines: list[NDArray[np.float64]]) -> NDArray[np.float32]:
    """Put lines behind one another, each followed by NaN, shape (points, 2)."""
    gap = np.full((1, 2), np.nan)
    return np.concatenate([part for line in lines for part in (line, gap)]).astype(np.float32)


def main(source: Path, target: Path) -> None:
    """Convert the file."""
    topology = json.loads(source.read_text(encoding="utf-8"))
    users = Counter(
        arc for geometry in topology["objects"]["countries"]["geometries"] for arc in arcs_of(geometry)
    )
    found: dict[str, list[NDArray[np.float64]]] = {"coast": [], "borders": []}
    for number, arc in enumerate(topology["arcs"]):
        name = "coast" if users[number] == 1 else "borders"
        if users[number]:
            found[name] += walked(points_of(arc, topology["transform"]))
    np.savez_compressed(target, coast=joined(found["coast"]), borders=joined(found["borders"]))
    for name, lines in found.items():
        print(f"{name}: {len(lines)} lines, {sum(map(len, lines))} points")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
