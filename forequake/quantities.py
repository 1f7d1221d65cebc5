"""Types with units, used wherever a number or a time enters a record or a configuration."""

import math
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, Field

__all__ = [
    "DepthKm",
    "Latitude",
    "Longitude",
    "Magnitude",
    "Probability",
    "Rate",
    "Score",
    "Sha256",
    "UtcDatetime",
    "now",
]


def _to_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def _not_nan(value: float) -> float:
    if math.isnan(value):
        message = "not a number (NaN) is never a score; an undefined result says so and gives its reason"
        raise ValueError(message)
    return value


#: Degrees east, from -180 to 360 (both conventions are in use).
Longitude = Annotated[float, Field(ge=-180, le=360)]
#: Degrees north.
Latitude = Annotated[float, Field(ge=-90, le=90)]
#: Kilometres, positive downwards; negative above the datum.
DepthKm = Annotated[float, Field(ge=-20, le=7000)]
#: Moment magnitude, or whatever magnitude the catalog prefers.
Magnitude = Annotated[float, Field(ge=-5, le=12)]
#: An expected number of earthquakes: finite, not negative.
Rate = Annotated[float, Field(ge=0, allow_inf_nan=False)]
#: A probability or a quantile.
Probability = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
#: A statistic: may be infinite, never NaN.
Score = Annotated[float, AfterValidator(_not_nan)]
#: 64 lower-case hexadecimal digits.
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
#: A time with a zone, kept in UTC, with microseconds.
UtcDatetime = Annotated[AwareDatetime, AfterValidator(_to_utc)]


def now() -> datetime:
    """Give the present time in UTC."""
    return datetime.now(UTC)
