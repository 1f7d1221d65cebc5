"""Forecasts on a shelf: read from the store once for all results that need them."""

import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from forequake.evaluations.batch import batch_of_all
from forequake.evaluations.comparison import EventRates
from forequake.evaluations.evaluated import Numbers
from forequake.evaluations.kernels import PreparedForecast
from forequake.evaluations.own_tests.compute import OwnTests
from forequake.evaluations.own_tests.handover import SimulatedForecast
from forequake.evaluations.own_tests.inputs import OwnTestInputs
from forequake.experiments import Experiment
from forequake.forecasts import rates_from_file
from forequake.forecasts.catalog_based import CountedEvents, catalogs_from_file
from forequake.quantities import Sha256
from forequake.reading import RecordReader
from forequake.recent import Recent
from forequake.results import CatalogForecastRecord, ForecastRecord, Record, Stage
from forequake.timers import Timing
from forequake.windows import TimeWindow

__all__ = ["BatchOfModels", "ForecastShelf", "StoreReader"]

#: Unscaled rates that stay in memory at most, but for a forecast and its reference, which always do.
_SHELF_BYTES: Final = 200_000_000
#: Scaled forecasts with their sums: the one that is tested, and its reference.
_MOST_PREPARED: Final = 2


class StoreReader(RecordReader, Protocol):
    """What results over windows need of a store."""

    def existing(self, kind: type[Record], keys: Collection[Sha256]) -> frozenset[Sha256]:
        """Give those of the keys that the store has."""


@dataclass(frozen=True)
class BatchOfModels:
    """The models of a window, and each compared with each other."""

    family: Mapping[str, EventRates]
    pairs: Mapping[tuple[str, str], Numbers]


@dataclass
class ForecastShelf:
    """Forecasts, read from the store's blobs; the last ones stay in memory.

    Attributes
    ----------
    stop
        Where it is set, a user's own test that is under way is ended.
    own_tests
        The processes of users' own tests, which `close` ends.
    """

    experiment: Experiment
    reader: RecordReader
    stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._unscaled: dict[Sha256, NDArray[np.float64]] = {}  # the latest used one comes last
        self._prepared: Recent[PreparedForecast] = Recent(_MOST_PREPARED)
        self._batches: Recent[BatchOfModels] = Recent(1)
        self._simulated: Recent[SimulatedForecast] = Recent(_MOST_PREPARED)
        self._own_files: dict[Sha256, bytes] = {}
        self.own_tests = OwnTests(self.stop)

    def close(self) -> None:
        """End the processes of users' own tests."""
        self.own_tests.close()

    def gridded(self, model: str, window: TimeWindow) -> PreparedForecast:
        """Give a model's forecast for a window; its sums are computed once for all tests.

        Raises
        ------
        NotFound
            Where the forecast was never made.
        """
        key = self.experiment.forecast_key(model, window)
        return self._prepared.get(key, lambda: self._prepare(key))

    def _prepare(self, key: Sha256) -> PreparedForecast:
        with Timing(Stage.READ):
            record = self.reader.get(ForecastRecord, key)
            unscaled = self._unscaled.pop(record.rates.sha256, None)
            if unscaled is None:
                with self.reader.open_blob(record.rates.sha256) as file:
                    unscaled = rates_from_file(file)
        self._unscaled[record.rates.sha256] = unscaled
        while len(self._unscaled) > 2 and sum(kept.nbytes for kept in self._unscaled.values()) > _SHELF_BYTES:
            self._unscaled.pop(next(iter(self._unscaled)))
        return PreparedForecast.of(unscaled * record.scale)

    def batch(self, models: Sequence[str], window: TimeWindow, alpha: float) -> BatchOfModels:
        """Compare all of these models with each other in a window, once for all results of it.

        Raises
        ------
        NotFound
            Where a forecast was never made.
        """
        return self._batches.get(
            f"{window.id} {alpha} {sorted(models)}", lambda: self._compare(models, window, alpha)
        )

    def _compare(self, models: Sequence[str], window: TimeWindow, alpha: float) -> BatchOfModels:
        places = self.experiment.observation(window).places
        family = {model: EventRates.of(self.gridded(model, window), places) for model in models}
        return BatchOfModels(family, batch_of_all(family, alpha=alpha))

    def catalogs(self, model: str, window: TimeWindow) -> CountedEvents:
        """Give the simulated events of a model that count in a window.

        Raises
        ------
        NotFound
            Where the forecast was never made.
        """
        return self.simulated(model, window).counted

    def simulated(self, model: str, window: TimeWindow) -> SimulatedForecast:
        """Give the simulated catalogs of a model, and which of their events count in a window.

        Raises
        ------
        NotFound
            Where the forecast was never made.
        """
        key = self.experiment.forecast_key(model, window)
        return self._simulated.get(key, lambda: self._count(key, window))

    def own_files(self, inputs: OwnTestInputs) -> dict[str, bytes]:
        """Give what the files of a user's own test hold, by their paths.

        Raises
        ------
        NotFound
            Where the store has one of them no more.
        """
        for sha in inputs.files.values():
            if sha not in self._own_files:
                with self.reader.open_blob(sha) as file:
                    self._own_files[sha] = file.read()
        return {name: self._own_files[sha] for name, sha in inputs.files.items()}

    def _count(self, key: Sha256, window: TimeWindow) -> SimulatedForecast:
        with Timing(Stage.READ):
            record = self.reader.get(CatalogForecastRecord, key)
            with self.reader.open_blob(record.catalogs.sha256) as file:
                forecast = catalogs_from_file(file, record.catalogs.sha256)
        counted = forecast.within(
            region=self.experiment.region,
            magnitudes=self.experiment.magnitudes,
            window=window,
            depth_km=self.experiment.config.depth_km,
        )
        return SimulatedForecast(forecast, counted)
