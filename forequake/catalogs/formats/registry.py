"""Which reader reads which format."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from forequake.catalogs.formats.csep_csv import read_csep_csv
from forequake.catalogs.formats.ingv import read_ingv_emrcmt, read_ingv_horus
from forequake.catalogs.formats.jma_csv import read_jma_csv
from forequake.catalogs.formats.ndk import read_ndk
from forequake.catalogs.formats.pycsep_json import read_pycsep_json
from forequake.catalogs.formats.ucerf3 import read_ucerf3
from forequake.catalogs.formats.zmap import read_zmap
from forequake.catalogs.source_events import SourceEvents
from forequake.catalogs.specs import CatalogFormat

__all__ = ["READERS"]


def _read_quakeml(path: Path) -> SourceEvents:
    from forequake.catalogs.quakeml import read_quakeml  # lxml: only where it is needed

    return read_quakeml(path)


#: What reads a file, by its format.
READERS: Final[dict[CatalogFormat, Callable[[Path], SourceEvents]]] = {
    "csep-csv": read_csep_csv,
    "json": read_pycsep_json,
    "zmap": read_zmap,
    "jma-csv": read_jma_csv,
    "ingv_horus": read_ingv_horus,
    "ingv_emrcmt": read_ingv_emrcmt,
    "ndk": read_ndk,
    "ucerf3": read_ucerf3,
    "quakeml": _read_quakeml,
}
