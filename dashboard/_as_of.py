"""Which store a page reads: that of now, or as it stood at the time that a permanent link names."""

from datetime import datetime
from typing import Final

from pydantic import TypeAdapter, ValidationError

from forequake.quantities import UtcDatetime

__all__ = ["address_at", "moment_of", "parted", "written"]

#: Between a store's address and a time; no address has a line break.
_MARK: Final = "\nas of "
_TIME: Final = TypeAdapter(UtcDatetime)


def written(moment: datetime) -> str:
    """Write a time as it stands in a link: to the microsecond, since results of one second differ.

    Examples
    --------
    >>> from datetime import UTC
    >>> written(datetime(2024, 5, 1, 12, tzinfo=UTC))
    '2024-05-01T12:00:00.000000Z'
    """
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z"


def moment_of(text: str) -> datetime | None:
    """Read a time of a link; None where it is none.

    Examples
    --------
    >>> moment_of("2024-05-01T12:00:00Z").hour, moment_of("noon")
    (12, None)
    """
    try:
        return _TIME.validate_strings(text)
    except ValidationError:
        return None


def address_at(address: str, moment: datetime | None) -> str:
    """Give the address of a store as it stood at a time; None stands for now.

    Examples
    --------
    >>> parted(address_at("sqlite:///s", moment_of("2024-05-01T12:00:00Z")))[0], parted("sqlite:///s")
    ('sqlite:///s', ('sqlite:///s', None))
    """
    return address if moment is None else f"{address}{_MARK}{written(moment)}"


def parted(address: str) -> tuple[str, datetime | None]:
    """Take an address of `address_at` apart."""
    plain, _, moment = address.partition(_MARK)
    return plain, moment_of(moment) if moment else None
