"""The Global CMT project's ndk format: five lines an event."""

import math
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

import numpy as np

from forequake.catalogs.formats._rows import open_text
from forequake.catalogs.formats._times import iso_time
from forequake.catalogs.formats._values import checked_number
from forequake.catalogs.source_events import SourceEvents
from forequake.errors import CatalogError

__all__ = ["read_ndk"]


def read_ndk(path: Path) -> SourceEvents:
    """Read reference hypocentres with the moment magnitudes of their centroid moment tensors.

    The magnitude is Mw = 2/3 (log10 M0 - 9.1), M0 the scalar moment in N m, unrounded, as pyCSEP has it. The
    reported mb and MS are kept beside it (0.0 in the file means none). Time, place and depth are the first
    line's, those of the hypocentre; the id is the CMT event name. pyCSEP cuts seconds to whole ones, numbers
    the events, and passes over an event that it cannot read with a warning; here the tenths and the names
    are kept, and an event that cannot be read is a mistake.

    Raises
    ------
    CatalogError
        With the file and the line.
    """
    rows = list(_events(path))
    columns = list(zip(*rows, strict=True)) if rows else [()] * 8
    times, longitudes, latitudes, depths, magnitudes, names, body, surface = columns
    return SourceEvents.in_order(
        time_us=np.array(times, dtype=np.int64),
        longitude=longitudes,
        latitude=latitudes,
        depth_km=depths,
        magnitude=magnitudes,
        event_id=np.array(names, dtype=np.str_),
        event_type="earthquake",
        magnitude_type="Mw",
        other_magnitudes={"mb": np.array(body, dtype=np.float64), "MS": np.array(surface, dtype=np.float64)},
    )


def _events(path: Path) -> Iterator[tuple[int, float, float, float, float, str, float, float]]:
    with open_text(path) as file:
        numbered = ((number, line) for number, line in enumerate(file, 1) if line.strip())
        for block in zip_longest(*[numbered] * 5):
            first = block[0][0]
            if None in block:
                message = f"{path}:{first}: the event has less than its five lines; the file may be cut off"
                raise CatalogError(message)
            hypocentre, name, centroid, tensor, axes = (line for _, line in block)
            if not centroid.startswith("CENTROID:"):
                message = f"{path}:{block[2][0]}: expected CENTROID: in the third line of an event"
                raise CatalogError(message)
            place = f"{path}:{first}"
            yield (
                iso_time(place, f"{hypocentre[5:15].strip().replace('/', '-')}T{_clock(hypocentre)}"),
                checked_number(place, "longitude", hypocentre[34:41].strip()),
                checked_number(place, "latitude", hypocentre[27:33].strip()),
                checked_number(place, "depth", hypocentre[42:47].strip(), optional=True),
                _moment_magnitude(f"{path}:{block[3][0]}", tensor, f"{path}:{block[4][0]}", axes),
                name[:16].strip(),
                *_reported(place, hypocentre),
            )


def _clock(hypocentre: str) -> str:
    return hypocentre[16:26].strip().replace(" ", "0")


def _moment_magnitude(tensor_place: str, tensor: str, axes_place: str, axes: str) -> float:
    """Give Mw; the file has the moment in dyne cm, ten million of which are a newton metre."""
    exponent = checked_number(tensor_place, "exponent of the moment", tensor[:2].strip())
    moment = checked_number(axes_place, "scalar moment", axes[49:56].strip())
    # In pyCSEP's order of operations, so that not even the last digit differs.
    return 2.0 / 3.0 * (math.log10(moment * 10 ** (int(exponent) - 7)) - 9.1)


def _reported(place: str, hypocentre: str) -> tuple[float, float]:
    """Give mb and MS."""
    texts = [*hypocentre[48:55].split(), "", ""][:2]
    body, surface = (checked_number(place, "magnitude", text, optional=True) for text in texts)
    return body or math.nan, surface or math.nan
