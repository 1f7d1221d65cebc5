"""Catalog-based forecasts: simulated catalogs in their compact form, and what tests count in them."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, Final, Self

import numpy as np
from numpy.typing import NDArray

from forequake.catalogs import Events
from forequake.forecasts.catalog_based.compact import COLUMNS, Header, map_compact
from forequake.forecasts.catalog_based.counts import CountedEvents, count_within
from forequake.regions import Region
from forequake.results import BlobRef, QualityFinding
from forequake.windows import TimeWindow

__all__ = ["CatalogForecast"]

#: Events that are looked at together: some 50 MB of temporary arrays.
_CHUNK: Final = 1 << 19


@dataclass(frozen=True, eq=False)
class CatalogForecast:
    """Simulated catalogs of one forecast, mapped from a compact file: what is not used is not read.

    Attributes
    ----------
    path
        The compact file; see `forequake.forecasts.catalog_based.compact`.
    header
        What the source said about its catalogs.
    offsets : array of int64, shape (catalogs + 1,)
        The events of catalog *k* are ``offsets[k]:offsets[k + 1]``.
    time_us : array of int64, shape (events,)
        Origin times in microseconds since 1970-01-01T00:00Z.
    longitude, latitude, depth_km, magnitude : array of float64, shape (events,)
        Exactly as in the source; NaN where it says nothing.
    source
        The file that was read, for messages.
    findings
        What the reading found.
    lifetime
        Removes the compact file with the last forecast that holds it, where it is kept nowhere else.
    """

    path: Path
    header: Header
    offsets: NDArray[np.int64]
    time_us: NDArray[np.int64]
    longitude: NDArray[np.float64]
    latitude: NDArray[np.float64]
    depth_km: NDArray[np.float64]
    magnitude: NDArray[np.float64]
    source: str = ""
    findings: tuple[QualityFinding, ...] = ()
    lifetime: object = None

    def __len__(self) -> int:
        return self.header.n_catalogs

    @property
    def n_events(self) -> int:
        """Events of all catalogs."""
        return self.header.n_events

    @property
    def n_empty(self) -> int:
        """Catalogs without any event, whether the source names them or not."""
        return int((np.diff(self.offsets) == 0).sum())

    @classmethod
    def from_compact(cls, path: Path) -> Self:
        """Map a compact file.

        Raises
        ------
        ForecastError
            Where it is none, or cut short.
        """
        header, offsets, columns = map_compact(path)
        time_us, longitude, latitude, depth_km, magnitude = (columns[name] for name in COLUMNS)
        return cls(path, header, offsets, time_us, longitude, latitude, depth_km, magnitude, source=str(path))

    @cached_property
    def blob(self) -> BlobRef:
        """The name and size of the compact file's content; the file is read once for it."""
        with self.path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return BlobRef(sha256=digest, size=self.path.stat().st_size)

    def open(self) -> BinaryIO:
        """Open the compact file for a store's ``put_blob``; the caller closes it."""
        return self.path.open("rb")

    def catalog(self, number: int) -> Events:
        """Give one catalog in order of time; its events are named by their places in the source, from 0 on.

        Raises
        ------
        IndexError
            Where there are fewer catalogs.
        """
        if not 0 <= number < len(self):
            message = f"there is no catalog {number}: they count from 0 to {len(self) - 1}"
            raise IndexError(message)
        begin, end = int(self.offsets[number]), int(self.offsets[number + 1])
        order = begin + np.argsort(self.time_us[begin:end], kind="stable")
        return Events(
            time_us=self.time_us[order],
            longitude=self.longitude[order],
            latitude=self.latitude[order],
            depth_km=self.depth_km[order],
            magnitude=self.magnitude[order],
            event_id=(order - begin).astype(np.str_),
        )

    def __iter__(self) -> Iterator[Events]:
        return (self.catalog(number) for number in range(len(self)))

    def chunks(self) -> Iterator[tuple[slice, NDArray[np.int32]]]:
        """Give all events piece by piece: where they are, and the catalog of each."""
        for begin in range(0, self.n_events, _CHUNK):
            end = min(begin + _CHUNK, self.n_events)
            first = int(np.searchsorted(self.offsets, begin, side="right")) - 1
            last = int(np.searchsorted(self.offsets, end, side="left"))
            edges = np.clip(self.offsets[first : last + 1], begin, end)
            yield slice(begin, end), np.repeat(np.arange(first, last, dtype=np.int32), edges[1:] - edges[:-1])

    def within(
        self,
        *,
        region: Region,
        magnitudes: NDArray[np.float64],
        window: TimeWindow | None = None,
        depth_km: tuple[float, float] | None = None,
    ) -> CountedEvents:
        """Count the events that lie in a window, a region, depths and magnitude bins.

        Every catalog stays, the empty ones too. The rules are those by which observed events are cut
        (`Events.cut`) and pyCSEP's for the bins (``csep.utils.calc.bin1d_vec``).

        Parameters
        ----------
        magnitudes : array of float64, shape (bins,)
            Lower edges; events below the first are left out, and the last bin is open.
        window
            Half-open; None takes any time.
        depth_km
            Least and greatest depth, both included; a least depth of 0 means the surface; None takes any.
        """
        return count_within(self, region, magnitudes, window, depth_km)

    def expected_rates(
        self,
        region: Region,
        magnitudes: NDArray[np.float64],
        *,
        window: TimeWindow | None = None,
        depth_km: tuple[float, float] | None = None,
    ) -> NDArray[np.float64]:
        """Give the mean number of events of a catalog in each cell and bin, shape (cells, bins).

        Events outside are left out; see `within` for the parameters.
        """
        counted = self.within(region=region, magnitudes=magnitudes, window=window, depth_km=depth_km)
        return counted.expected_rates()
