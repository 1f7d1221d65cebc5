"""What a service is asked for: a span of time, a box, depths and magnitudes."""

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, Self

from forequake.errors import CatalogError

__all__ = ["QueryBounds", "stamp"]

#: Wider on every side than what is wanted: services compare values with more digits than they write, and
#: the exact cut is made later, from the values that were written.
_MARGIN_MAGNITUDE: Final = 0.05
_MARGIN_DEPTH_KM: Final = 0.5
_MARGIN_DEGREES: Final = 0.001
#: Halves of a span share so much, so that an event whose time is revised between two requests is not lost.
_OVERLAP: Final = timedelta(minutes=1)
#: A span that is not halved any further.
_SHORTEST: Final = timedelta(minutes=10)


def stamp(moment: datetime) -> str:
    """Write a time in UTC as the notes have it.

    Examples
    --------
    >>> stamp(datetime(2019, 7, 6, 3, 20, tzinfo=UTC))
    '2019-07-06T03:20:00Z'
    """
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


@dataclass(frozen=True)
class QueryBounds:
    """Limits that a service applies before the exact ones of an experiment do.

    Attributes
    ----------
    start, end
        Span of origin times, with a time zone.
    magnitude_min
        Least magnitude; None asks for any.
    depth_km
        Least and greatest depth in kilometres; None asks for any. A least depth of 0 means the surface,
        so it sets no limit (see `Events.cut`).
    box
        West, east, south and north in degrees; None means the whole world. A west greater than the east,
        or an east beyond 180, spans the antimeridian.

    Raises
    ------
    CatalogError
        Where the span is empty or has no time zone, or a limit is not a number on the Earth.
    """

    start: datetime
    end: datetime
    magnitude_min: float | None = None
    depth_km: tuple[float, float] | None = None
    box: tuple[float, float, float, float] | None = None

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            message = f"the span of a query needs a time zone: {self.start} to {self.end}"
            raise CatalogError(message)
        if self.start >= self.end:
            message = (
                f"a query must start before it ends: {stamp(self.start)} is not before {stamp(self.end)}"
            )
            raise CatalogError(message)
        numbers = [*(self.depth_km or ()), *(self.box or ())]
        numbers += [] if self.magnitude_min is None else [self.magnitude_min]
        if not all(math.isfinite(number) for number in numbers):
            message = f"the limits of a query must be finite numbers: {numbers}"
            raise CatalogError(message)
        if self.box is not None:
            west, east, south, north = self.box
            if not (-360 <= west <= 360 and -360 <= east <= 360 and -90 <= south < north <= 90):
                message = f"the box of a query is not on the Earth: west, east, south, north = {self.box}"
                raise CatalogError(message)

    def parts(self) -> tuple[Self, ...]:
        """Give one part, or two where the box spans the antimeridian; longitudes are within -180 to 180."""
        if self.box is None:
            return (self,)
        west, east, south, north = self.box
        south, north = max(south - _MARGIN_DEGREES, -90.0), min(north + _MARGIN_DEGREES, 90.0)
        width = (east - west) % 360 or (360.0 if east != west else 0.0)
        if width + 2 * _MARGIN_DEGREES >= 360:
            return (replace(self, box=(-180.0, 180.0, south, north)),)
        west = _wrapped(west - _MARGIN_DEGREES)
        east = west + width + 2 * _MARGIN_DEGREES
        if east <= 180:
            return (replace(self, box=(west, east, south, north)),)
        return (
            replace(self, box=(west, 180.0, south, north)),
            replace(self, box=(-180.0, east - 360, south, north)),
        )

    def halves(self) -> tuple[Self, Self] | None:
        """Give both halves of the span, which overlap by a minute, or None where it is too short."""
        if self.end - self.start <= _SHORTEST:
            return None
        middle = self.start + (self.end - self.start) / 2
        return replace(self, end=middle + _OVERLAP), replace(self, start=middle)

    def whole_seconds(self) -> tuple[datetime, datetime]:
        """Give the span in UTC, widened to whole seconds."""
        start = self.start.astimezone(UTC).replace(microsecond=0)
        end = self.end.astimezone(UTC)
        if end.microsecond:
            end = end.replace(microsecond=0) + timedelta(seconds=1)
        return start, end

    @property
    def magnitude_floor(self) -> float | None:
        """The least magnitude with its margin."""
        return None if self.magnitude_min is None else round(self.magnitude_min - _MARGIN_MAGNITUDE, 6)

    @property
    def depths(self) -> tuple[float | None, float | None]:
        """Least and greatest depth in kilometres with their margin; None where there is no limit."""
        if self.depth_km is None:
            return None, None
        least, greatest = self.depth_km
        # The same reading as in `Events.cut`: from the surface means from as high as there are hypocentres.
        lowest = None if least == 0 else round(least - _MARGIN_DEPTH_KM, 6)
        return lowest, round(greatest + _MARGIN_DEPTH_KM, 6)


def _wrapped(longitude: float) -> float:
    """Bring a longitude into -180 to 180; one that is there stays as it is to the last bit."""
    return longitude if -180 <= longitude < 180 else (longitude + 180) % 360 - 180
