"""Events as arrays, and how they are cut to what an experiment tests."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, BinaryIO, Final, Self

import numpy as np
from numpy.typing import NDArray

from forequake.array_files import read_arrays
from forequake.keys import KeyInputs, array_digest
from forequake.quantities import Sha256
from forequake.windows import TimeWindow

if TYPE_CHECKING:
    from forequake.regions import Region

__all__ = ["Events"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class _EventInputs(KeyInputs):
    what = "catalog"

    time_us: Sha256
    longitude: Sha256
    latitude: Sha256
    depth_km: Sha256
    magnitude: Sha256
    event_id: Sha256


@dataclass(frozen=True, eq=False)
class Events:
    """Earthquakes in order of time.

    Attributes
    ----------
    time_us : array of int64, shape (events,)
        Origin time in microseconds since 1970-01-01T00:00Z.
    longitude, latitude : array of float64, shape (events,)
        Epicentres in degrees east and north.
    depth_km : array of float64, shape (events,)
        Hypocentral depth in kilometres, positive downwards.
    magnitude : array of float64, shape (events,)
    event_id : array of str, shape (events,)
    """

    time_us: NDArray[np.int64]
    longitude: NDArray[np.float64]
    latitude: NDArray[np.float64]
    depth_km: NDArray[np.float64]
    magnitude: NDArray[np.float64]
    event_id: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.time_us)

    @property
    def inputs(self) -> _EventInputs:
        """What the key of these events is made of: the events, and nothing of where they came from."""
        # The width of a text array is that of its longest text, so it does not belong to the content.
        ids = "\n".join(str(name) for name in self.event_id).encode()
        numbers = {
            name: array_digest(getattr(self, name))
            for name in ("time_us", "longitude", "latitude", "depth_km", "magnitude")
        }
        return _EventInputs(**numbers, event_id=array_digest(np.frombuffer(ids, dtype=np.uint8)))

    def times(self) -> list[datetime]:
        """Give the origin times as datetimes in UTC."""
        return [_EPOCH + int(time) * _MICROSECOND for time in self.time_us]

    def take(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> Self:
        """Give the chosen events."""
        return type(self)(**{field.name: getattr(self, field.name)[chosen] for field in fields(self)})

    def before(self, moment: datetime) -> Self:
        """Give the events before a moment; one at the moment itself is not among them."""
        return self.take(np.arange(np.searchsorted(self.time_us, (moment - _EPOCH) // _MICROSECOND)))

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Put the events of several spans one after the other; the spans are in order of time."""
        columns = {field.name: [getattr(part, field.name) for part in parts] for field in fields(cls)}
        return cls(**{name: np.concatenate(arrays) for name, arrays in columns.items()})

    def cut(
        self,
        *,
        window: TimeWindow,
        region: "Region",
        magnitude_min: float,
        depth_km: tuple[float, float] | None,
    ) -> Self:
        """Give the events that a test of this window counts.

        Parameters
        ----------
        window
            Half-open: an event at its end belongs to the next one.
        region
            Events outside its cells are left out.
        magnitude_min
            Events below it are left out. There is no upper limit, since the last magnitude bin is open.
        depth_km
            Least and greatest depth, both included; None takes any depth. A least depth of 0 means the
            surface, not the datum: hypocentres under mountains lie above sea level and count.
        """
        start, end = ((moment - _EPOCH) // _MICROSECOND for moment in (window.start, window.end))
        first, last = np.searchsorted(self.time_us, (start, end))
        chosen = self.magnitude[first:last] >= magnitude_min
        if depth_km is not None:
            depths = self.depth_km[first:last]
            least = -np.inf if depth_km[0] == 0 else depth_km[0]
            chosen &= (depths >= least) & (depths <= depth_km[1])
        inside = self.take(first + np.flatnonzero(chosen))
        return inside.take(region.cells_of(inside.longitude, inside.latitude) >= 0)

    def to_bytes(self) -> bytes:
        """Write the arrays in ``.npz`` form."""
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **{field.name: getattr(self, field.name) for field in fields(self)})
        return buffer.getvalue()

    @classmethod
    def from_file(cls, file: BinaryIO) -> Self:
        """Read what `to_bytes` wrote."""
        arrays = read_arrays(io.BytesIO(file.read()))
        return cls(**{field.name: arrays[field.name] for field in fields(cls)})
