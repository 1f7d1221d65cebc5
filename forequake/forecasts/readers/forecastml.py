"""ForecastML, CSEP's XML form: cells of one depth layer, with a rate for each magnitude bin."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forequake.errors import ForecastError
from forequake.forecasts.gridded import ForecastScope, ForecastTable
from forequake.forecasts.readers._tags import Cells, cells_by_tags
from forequake.forecasts.readers._text import unreadable
from forequake.results import QualityFinding

__all__ = ["read_forecastml"]

#: Offsets of the fast way are 32 bits wide; a larger file is read element by element.
_LARGEST_FAST: Final = 2**31 - 1


@dataclass
class _Head:
    """What stands around the cells."""

    texts: dict[str, str] = field(default_factory=dict)
    cell: dict[str, str] = field(default_factory=dict)
    layers: list[dict[str, str]] = field(default_factory=list)


def read_forecastml(path: Path) -> ForecastTable:
    """Read ``.xml`` as floatCSEP's ``GriddedForecastParsers.xml`` does.

    Cells are given by their middles and `defaultCellDimension`. A bin's `m` is its middle in ForecastML,
    while floatCSEP takes it for the lower edge: which of the two it is shows where the table is laid on an
    experiment's bins. A document type, with the entities and foreign files that it can bring, is refused.

    Raises
    ------
    ForecastError
        Where the file cannot be read, is no ForecastML, or has several depth layers.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from error
    if not data or data.isspace():
        message = f"{path}: the file has no rates"
        raise ForecastError(message)
    regular = cells_by_tags(data) if len(data) <= _LARGEST_FAST else None
    if regular is not None:
        cells, rest = regular
        return _table(path, _head(path, _parse(path, rest)), cells)
    root = _parse(path, data)
    return _table(path, _head(path, root), _by_element(path, root))


def _parse(path: Path, data: bytes) -> Any:
    """Parse a document with everything switched off that reaches beyond it."""
    from lxml import etree

    parser = etree.XMLParser(
        resolve_entities=False, load_dtd=False, no_network=True, dtd_validation=False, remove_comments=True
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        line, words = getattr(error, "lineno", None), getattr(error, "msg", None) or str(error)
        message = f"{path}{f':{line}' if line else ''}: the XML is cut short or damaged: {words}"
        raise ForecastError(message) from error
    if root.getroottree().docinfo.doctype:
        message = f"{path}: the XML declares a document type; a forecast needs none, and it is refused"
        raise ForecastError(message)
    return root


def _name(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


def _attributes(element: Any) -> dict[str, str]:
    return {str(name): str(value) for name, value in element.attrib.items()}


def _data_of(path: Path, root: Any) -> Any:
    """Give the element `forecastData`."""
    data = next((child for child in root if _name(child) == "forecastData"), None)
    if data is None:
        message = f"{path}: the XML has no element forecastData in its root, which is {_name(root)!r}"
        raise ForecastError(message)
    return data


def _head(path: Path, root: Any) -> _Head:
    head = _Head()
    for child in _data_of(path, root):
        match _name(child):
            case "depthLayer":
                head.layers.append(_attributes(child))
            case "defaultCellDimension":
                head.cell = _attributes(child)
            case name:
                head.texts[name] = (child.text or "").strip()
    return head


def _by_element(path: Path, root: Any) -> Cells:
    """Read the cells element by element: slower, for every form of XML, with the line of what is wrong."""
    middles: list[tuple[float, float]] = []
    rates: list[dict[float, float]] = []
    for layer in _named(_data_of(path, root), "depthLayer"):
        for cell in _named(layer, "cell"):
            place = f"{path}:{cell.sourceline}"
            middles.append((_number(place, "lon", cell.get("lon")), _number(place, "lat", cell.get("lat"))))
            rates.append({})
            for element in _named(cell, "bin"):
                place = f"{path}:{element.sourceline}"
                magnitude = _number(place, "m", element.get("m"))
                if magnitude in rates[-1]:
                    message = f"{place}: the cell has two bins of magnitude {magnitude:g}"
                    raise ForecastError(message)
                rates[-1][magnitude] = _number(place, "rate", element.text)
    return _filled(np.array(middles).reshape(-1, 2), rates)


def _named(element: Any, name: str) -> list[Any]:
    return [child for child in element if _name(child) == name]


def _filled(middles: NDArray[np.float64], cells: list[dict[float, float]]) -> Cells:
    """Put the bins of cells into one table, with zero and a mark where a cell lacks one."""
    magnitudes = np.array(sorted({magnitude for cell in cells for magnitude in cell}))
    rates = np.zeros((len(cells), len(magnitudes)))
    given = np.zeros(rates.shape, dtype=bool)
    for row, cell in enumerate(cells):
        places = np.searchsorted(magnitudes, list(cell))
        rates[row, places] = list(cell.values())
        given[row, places] = True
    return Cells(middles, magnitudes, rates, None if given.all() else given)


def _number(place: str, what: str, text: str | None) -> float:
    try:
        if text is not None and "_" not in text:
            return float(text)
    except ValueError:
        pass
    shown = "missing" if text is None else f"{text.strip()[:40]!r}, which is not a number"
    message = f"{place}: the {what} is {shown}; the file is damaged"
    raise ForecastError(message)


def _table(path: Path, head: _Head, cells: Cells) -> ForecastTable:
    if len(head.layers) != 1:
        message = f"{path}: there are {len(head.layers)} depth layers; a test speaks of one"
        raise ForecastError(message)
    if not cells.rates.size:
        message = (
            f"{path}: the file has no rates; ForecastML gives them as <cell><bin m=...>rate</bin></cell>"
        )
        raise ForecastError(message)
    width, height = (
        _number(str(path), f"{name} of defaultCellDimension", head.cell.get(name))
        for name in ("lonRange", "latRange")
    )
    corners = [
        cells.middles[:, 0] - width / 2.0,
        cells.middles[:, 0] + width / 2.0,
        cells.middles[:, 1] - height / 2.0,
        cells.middles[:, 1] + height / 2.0,
    ]
    bins = head.texts.get("defaultMagBinDimension")
    return ForecastTable(
        path=path,
        corners=np.column_stack(corners),
        magnitudes=cells.magnitudes,
        rates=cells.rates,
        given=cells.given,
        bin_width=None if bins is None else _number(str(path), "defaultMagBinDimension", bins),
        scope=_scope(path, head),
        findings=_open_top(head),
    )


def _scope(path: Path, head: _Head) -> ForecastScope:
    layer = head.layers[0]
    depth = [
        _number(str(path), f"{name} of depthLayer", layer[name]) for name in ("min", "max") if name in layer
    ]
    return ForecastScope(
        valid_from=_moment(path, head, "forecastStartDate"),
        valid_to=_moment(path, head, "forecastEndDate"),
        depth_km=(depth[0], depth[1]) if len(depth) == 2 else None,
    )


def _moment(path: Path, head: _Head, name: str) -> datetime | None:
    text = head.texts.get(name)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        message = f"{path}: {name} is {text!r}, which is not a date in ISO 8601"
        raise ForecastError(message) from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _open_top(head: _Head) -> tuple[QualityFinding, ...]:
    if head.texts.get("lastMagBinOpen", "1") not in {"0", "0.0", "false"}:
        return ()
    message = "the file says that its last magnitude bin is closed; it is taken as open, as in every test"
    return (QualityFinding(code="closed_last_bin", severity="note", message=message),)
