"""Which format a catalog file has, by its ending and its first lines."""

import codecs
import re
from pathlib import Path
from typing import Final

from forequake.catalogs.formats.ucerf3 import is_ucerf3
from forequake.catalogs.specs import CATALOG_FORMATS, CatalogFormat
from forequake.errors import CatalogError

__all__ = ["recognise"]

#: Endings that are of one format only; all others are looked into.
_ENDINGS: Final[dict[str, CatalogFormat]] = {
    ".json": "json",
    ".ndk": "ndk",
    ".zmap": "zmap",
    ".qml": "quakeml",
    ".quakeml": "quakeml",
}
_HEAD_BYTES: Final = 65_536
#: Headings by their first word.
_HEADINGS: Final[dict[str, CatalogFormat]] = {
    "lon": "csep-csv",
    "longitude": "csep-csv",
    "timestamp": "jma-csv",
    "ev_id": "ingv_emrcmt",
    "year": "ingv_horus",
}
_YEARS: Final = frozenset({"year", "yr", "decimalyear", "decimal_year"})
_TIME: Final = re.compile(r"\d{4}-\d{1,2}-\d{1,2}([T ]|$)")
_ZONED: Final = re.compile(r"\d{4}-\d{2}-\d{2}T[\d:.]+([+-]\d{2}:?\d{2}|Z)$")
_NDK_DATE: Final = re.compile(r"\d{4}/\d{2}/\d{2} ")


def recognise(path: Path) -> CatalogFormat | None:
    """Tell a file's format; None where it is empty.

    Raises
    ------
    CatalogError
        Where the file cannot be read, or may be of none or of several formats.
    """
    if path.suffix.lower() in _ENDINGS:
        return _ENDINGS[path.suffix.lower()]
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
        binary = b"\0" in head
        if binary and is_ucerf3(path):
            return "ucerf3"
    except OSError as error:
        message = f"{path}: the catalog cannot be read ({error.strerror})"
        raise CatalogError(message) from error
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        message = f"{path}: this is UTF-16 text; save the file in UTF-8"
        raise CatalogError(message)
    if binary:
        message = f"{path}: this is a binary file, and not UCERF3-ETAS's form of one catalog"
        raise CatalogError(message)
    # Bytes that are no UTF-8 are for the format's reader to refuse, with their line.
    text = head.removeprefix(codecs.BOM_UTF8).decode(errors="replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        return None
    found = _in_text(lines)
    if found is None:
        message = (
            f"{path}: neither its ending nor its first line tells the format of this catalog; say it with "
            f"the key format, one of {', '.join(CATALOG_FORMATS)}; the line is {lines[0][:60]!r}"
        )
        raise CatalogError(message)
    return found


def _in_text(lines: list[str]) -> CatalogFormat | None:
    first = lines[0]
    if first.startswith("<"):
        return "quakeml" if any("quakeml" in line.lower() for line in lines[:20]) else None
    if first.startswith("{"):
        return "json"
    if _NDK_DATE.match(first[5:]) or (len(lines) > 2 and lines[2].startswith("CENTROID:")):
        return "ndk"
    words = re.split(r"[\s,;]+", first.lower().replace('"', ""))
    if words[0] in _HEADINGS:
        # ZMAP has no heading of its own, but people give it one.
        return "zmap" if words[2:3] and words[2] in _YEARS else _HEADINGS[words[0]]
    rows = [line for line in lines if line[0] not in "#%"]
    return _in_row(rows[0]) if rows else None


def _in_row(row: str) -> CatalogFormat | None:
    """Tell the format by one event, which must fit to one format only."""
    found: list[CatalogFormat] = []
    cells = [cell.strip().strip('"').strip() for cell in row.split(",")]
    if len(cells) >= 62 and _TIME.match(cells[1]):
        found.append("ingv_emrcmt")
    elif len(cells) >= 5 and _number(cells[3]) is None:
        found.append("csep-csv")
    if len(parts := row.split(";")) >= 5 and _ZONED.match(parts[0].strip()):
        found.append("jma-csv")
    numbers = [_number(cell) for cell in (cells if len(cells) > 1 else row.split())][:10]
    if len(numbers) == 10 and None not in numbers:
        values = [float(number or 0) for number in numbers]
        if abs(values[0]) <= 360 and values[2] > 360 and 1 <= values[3] <= 12 and 1 <= values[4] <= 31:
            found.append("zmap")
        if values[0] > 360 and 1 <= values[1] <= 12 and 1 <= values[2] <= 31:
            found.append("ingv_horus")
    return found[0] if len(found) == 1 else None


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
