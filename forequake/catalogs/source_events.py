"""Events as a file or a service gives them: with what only its rules need, before any rule."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forequake.catalogs.events import Events
from forequake.errors import CatalogError

__all__ = ["SourceEvents"]

#: The first and the last microsecond of Python's calendar.
_FIRST_US: Final = -62_135_596_800_000_000
_LAST_US: Final = 253_402_300_799_999_999


@dataclass(frozen=True, eq=False)
class SourceEvents:
    """What every reader and every query gives.

    The rules of an authoritative catalog (`forequake.catalogs.apply_rules`) make plain events of it.

    Attributes
    ----------
    events
        In order of time; events of one time stay in the order of the source.
    event_type : array of str, shape (events,)
        In the source's own words, such as "earthquake" or "quarry blast"; "" where it does not say.
    magnitude_type : array of str, shape (events,)
        Scale of `events.magnitude`, such as "Mw" or "ml"; "" where the source does not say.
    notes
        What the user should know of the reading, such as lines that were passed over.
    other_magnitudes : mapping of str to array of float64, shape (events,)
        Further magnitudes of the same events by their type, NaN where an event has none of it.
    """

    events: Events
    event_type: NDArray[np.str_]
    magnitude_type: NDArray[np.str_]
    notes: tuple[str, ...] = ()
    other_magnitudes: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shape = (len(self.events),)
        for array in (self.event_type, self.magnitude_type, *self.other_magnitudes.values()):
            if array.shape != shape:
                message = f"an array has the shape {array.shape}, but there are {shape[0]} events"
                raise ValueError(message)

    def __len__(self) -> int:
        return len(self.events)

    @classmethod
    def in_order(
        cls,
        *,
        time_us: ArrayLike,
        longitude: ArrayLike,
        latitude: ArrayLike,
        depth_km: ArrayLike,
        magnitude: ArrayLike,
        event_id: ArrayLike,
        event_type: ArrayLike | str = "",
        magnitude_type: ArrayLike | str = "",
        notes: tuple[str, ...] = (),
        other_magnitudes: Mapping[str, ArrayLike] | None = None,
    ) -> Self:
        """Put events of any order into order of time; those of one time stay as they were.

        Parameters
        ----------
        time_us, longitude, latitude, depth_km, magnitude, event_id
            As in `Events`, each of shape (events,).
        event_type, magnitude_type
            One text for each event, or one for all.

        Raises
        ------
        CatalogError
            Where a time is outside the years 1 to 9999, such as a leap second at their very end.
        """
        times = np.asarray(time_us, dtype=np.int64)
        if ((times < _FIRST_US) | (times > _LAST_US)).any():
            message = "the catalog has a time outside the years 1 to 9999 in UTC"
            raise CatalogError(message)
        order = np.argsort(times, kind="stable")
        columns = {"longitude": longitude, "latitude": latitude, "depth_km": depth_km, "magnitude": magnitude}
        return cls(
            events=Events(
                time_us=times[order],
                event_id=np.asarray(event_id, dtype=np.str_)[order],
                **{name: np.asarray(column, dtype=np.float64)[order] for name, column in columns.items()},
            ),
            event_type=_texts(event_type, order),
            magnitude_type=_texts(magnitude_type, order),
            notes=notes,
            other_magnitudes={
                name: np.asarray(column, dtype=np.float64)[order]
                for name, column in (other_magnitudes or {}).items()
            },
        )

    def take(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> Self:
        """Give the chosen events."""
        return type(self)(
            events=self.events.take(chosen),
            event_type=self.event_type[chosen],
            magnitude_type=self.magnitude_type[chosen],
            notes=self.notes,
            other_magnitudes={name: column[chosen] for name, column in self.other_magnitudes.items()},
        )


def _texts(texts: ArrayLike | str, order: NDArray[np.intp]) -> NDArray[np.str_]:
    if isinstance(texts, str):
        return np.full(len(order), texts)  # as wide as the text: np.str_ would keep one letter
    return np.asarray(texts, dtype=np.str_)[order]
