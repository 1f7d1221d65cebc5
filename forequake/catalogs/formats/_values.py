"""Numbers of events as files write them: many at once, and each with its place where one is wrong."""

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forequake.errors import CatalogError

__all__ = ["LIMITS", "checked_number", "checked_numbers"]

#: What is believed of each kind of number. Years have four digits or three: two would be of any century.
LIMITS: Final = {
    "longitude": (-180.0, 360.0),
    "latitude": (-90.0, 90.0),
    "magnitude": (-10.0, 12.0),
    "depth": (-20.0, 7000.0),
    "time in milliseconds": (-62_135_596_800_000.0, 253_402_300_799_999.0),  # years 1 to 9999
    "year": (100.0, 9999.0),
    "month": (1.0, 12.0),
    "day": (1.0, 31.0),
    "hour": (0.0, 24.0),
    "minute": (0.0, 60.0),
    "second": (0.0, 60.0),
    "scalar moment": (1e-3, 1e3),
    "exponent of the moment": (10.0, 40.0),
}
_MISSING: Final = frozenset({"", "nan", "none", "null"})


def checked_numbers(
    values: Sequence[Any],
    what: str,
    place: Callable[[int], str],
    *,
    optional: bool = False,
    limits: tuple[float, float] | None = None,
) -> NDArray[np.float64]:
    """Turn texts or numbers into an array.

    Parameters
    ----------
    what
        A key of `LIMITS`, or with other `limits` what the number is.
    place
        Gives the place of a value by its index.
    optional
        A missing value is NaN instead of a mistake.

    Raises
    ------
    CatalogError
        For the first that is missing, no number, or outside the limits.
    """
    least, greatest = limits or LIMITS[what]
    try:
        numbers = np.fromiter(map(float, values), dtype=np.float64, count=len(values))
    except (TypeError, ValueError):
        pass
    else:
        if ((numbers >= least) & (numbers <= greatest)).all():
            return numbers
    return np.array(
        [
            checked_number(place(row), what, value, optional=optional, limits=(least, greatest))
            for row, value in enumerate(values)
        ],
        dtype=np.float64,
    )


def checked_number(
    place: str,
    what: str,
    value: object,
    *,
    optional: bool = False,
    limits: tuple[float, float] | None = None,
) -> float:
    """Turn one text or number into a number (see `checked_numbers`)."""
    if value is None or str(value).strip().lower() in _MISSING:
        if optional:
            return math.nan
        message = f"{place}: the event has no {what}; give it one or take the event out"
        raise CatalogError(message)
    try:
        number = float(str(value))
    except ValueError as error:
        message = f"{place}: the {what} {value!r} is not a number"
        raise CatalogError(message) from error
    least, greatest = limits or LIMITS[what]
    if not least <= number <= greatest:
        message = f"{place}: the {what} {value!r} is not between {least:g} and {greatest:g}"
        raise CatalogError(message)
    return number
