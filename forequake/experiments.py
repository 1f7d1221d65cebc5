"""An experiment with all that decides its results: configuration, region, catalog, contents of files."""

from dataclasses import dataclass, field
from typing import BinaryIO, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from forequake.catalogs import Events, read_catalog
from forequake.config import ExperimentConfig, LoadedExperiment, ModelSpec, TestSpec
from forequake.errors import CatalogError
from forequake.evaluations import Observation, ResultInputs, TestParameters, derive_seed
from forequake.evaluations.registry import TESTS
from forequake.forecasts.sources import content_of, reader_of_model
from forequake.keys import KeyInputs, bytes_digest
from forequake.quantities import Sha256
from forequake.regions import Region, build_region
from forequake.results import (
    BlobRef,
    CatalogSnapshot,
    ExperimentRecord,
    Label,
    Record,
    RegionRecord,
    ResolvedInputs,
)
from forequake.windows import TimeWindow

__all__ = ["Experiment", "ForecastInputs", "RecordReader", "labels_of", "resolve"]

R = TypeVar("R", bound=Record)


class RecordReader(Protocol):
    """What an experiment needs of a store."""

    def get(self, kind: type[R], key: Sha256) -> R:
        """Read one record."""

    def open_blob(self, sha: Sha256) -> BinaryIO:
        """Open a blob for reading."""


class ForecastInputs(KeyInputs):
    """What decides a gridded forecast of a window: its content, how it is read, its grid and its scale."""

    what = "forecast"

    content: Sha256
    reader: str
    region: Sha256
    magnitudes: tuple[float, ...]
    scale: float


class _ExperimentInputs(KeyInputs):
    what = "experiment"

    name: str
    config: dict[str, JsonValue]
    inputs: ResolvedInputs


@dataclass(frozen=True, eq=False)
class Experiment:
    """A resolved experiment: all keys of forecasts and results follow from it without reading a forecast.

    Attributes
    ----------
    record
        What is stored of it; `record.inputs` pins the contents of its files.
    config
        The configuration.
    region, events
        The cells, and the whole observed catalog before any cut.
    """

    record: ExperimentRecord
    config: ExperimentConfig
    region: Region
    events: Events
    _observed: dict[str, tuple[Events, Sha256]] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        """The experiment's name."""
        return self.config.name

    @property
    def inputs(self) -> ResolvedInputs:
        """The contents of the experiment's files."""
        return self.record.inputs

    @property
    def magnitudes(self) -> NDArray[np.float64]:
        """Lower edges of the magnitude bins; shape (bins,)."""
        return np.array(self.config.magnitudes, dtype=np.float64)

    def model(self, name: str) -> ModelSpec:
        """Find a model by its name."""
        return next(model for model in self.config.models if model.name == name)

    def test(self, name: str) -> TestSpec:
        """Find a test by the name that the experiment gives it."""
        return next(test for test in self.config.tests if test.name == name)

    def scale(self, model: ModelSpec, window: TimeWindow) -> float:
        """Give the factor from a model's own length of time to a window's."""
        return window.years / model.forecast_unit

    def forecast_inputs(self, model: str, window: TimeWindow) -> ForecastInputs:
        """Give what decides the forecast of a model for a window."""
        spec = self.model(model)
        return ForecastInputs(
            content=self.inputs.models[model],
            reader=reader_of_model(spec),
            region=self.inputs.region,
            magnitudes=self.config.magnitudes,
            scale=self.scale(spec, window),
        )

    def observed(self, window: TimeWindow) -> tuple[Events, Sha256]:
        """Give the events that count in a window, and the key of their content."""
        if window.id not in self._observed:
            events = self.events.cut(
                window=window,
                region=self.region,
                magnitude_min=self.config.magnitudes[0],
                depth_km=self.config.depth_km,
            )
            self._observed[window.id] = (events, events.inputs.key)
        return self._observed[window.id]

    def observation(self, window: TimeWindow) -> Observation:
        """Give the observed catalog of a window as a test takes it."""
        return Observation(region=self.region, magnitudes=self.magnitudes, events=self.observed(window)[0])

    def parameters(self, test: TestSpec) -> TestParameters:
        """Give a test's parameters, with the experiment's where it has none of its own."""
        return TestParameters.for_test(
            TESTS[test.test],
            alpha=self.config.alpha if test.alpha is None else test.alpha,
            num_simulations=test.num_simulations,
        )

    def seed(self, test: TestSpec, window: TimeWindow) -> int | None:
        """Give the seed of a test in a window: its own word for word, else one from the experiment's."""
        if not TESTS[test.test].simulated:
            return None
        if test.seed is not None:
            return test.seed
        return derive_seed(self.config.seed or 0, test.test, self.parameters(test), window)

    def labels(self) -> list[Label]:
        """List the places of all results (see `labels_of`)."""
        return labels_of(self.config)

    def result_inputs(self, label: Label) -> ResultInputs:
        """Give what decides the result in a place."""
        test = self.test(label.test)
        reference = None
        if label.reference is not None:
            reference = self.forecast_inputs(label.reference, label.window).key
        return ResultInputs(
            test=test.test,
            parameters=self.parameters(test),
            kernel_version=TESTS[test.test].kernel_version,
            forecast=self.forecast_inputs(label.model, label.window).key,
            reference=reference,
            catalog=self.observed(label.window)[1],
            region=self.inputs.region,
            magnitudes=self.config.magnitudes,
            seed=self.seed(test, label.window),
        )

    def region_record(self) -> tuple[RegionRecord, bytes]:
        """Give the record of the region and the bytes of its blob."""
        data = self.region.to_bytes()
        inputs = self.region.inputs
        record = RegionRecord(
            key=inputs.key,
            canon=inputs.canon,
            name=self.region.name,
            grid=self.region.grid,
            n_cells=len(self.region),
            cell_size=self.region.cell_size,
            origins=BlobRef(sha256=bytes_digest(data), size=len(data)),
        )
        return record, data

    def catalog_record(self) -> tuple[CatalogSnapshot, bytes]:
        """Give the record of the whole observed catalog and the bytes of its blob."""
        data = self.events.to_bytes()
        inputs = self.events.inputs
        times = self.events.take(np.array([0, -1])).times() if len(self.events) else [None, None]
        record = CatalogSnapshot(
            key=inputs.key,
            canon=inputs.canon,
            n_events=len(self.events),
            first=times[0],
            last=times[1],
            events=BlobRef(sha256=bytes_digest(data), size=len(data)),
        )
        return record, data

    @classmethod
    def from_store(cls, reader: RecordReader, key: Sha256) -> Self:
        """Read a resolved experiment back, without any of its files.

        Raises
        ------
        NotFound
            Where the store lacks the experiment, its region or its catalog.
        """
        record = reader.get(ExperimentRecord, key)
        region = reader.get(RegionRecord, record.inputs.region)
        snapshot = reader.get(CatalogSnapshot, record.inputs.catalog)
        with reader.open_blob(region.origins.sha256) as file:
            cells = Region.from_file(file, name=region.name, cell_size=region.cell_size)
        with reader.open_blob(snapshot.events.sha256) as file:
            events = Events.from_file(file)
        config = ExperimentConfig.model_validate(record.config)
        return cls(record=record, config=config, region=cells, events=events)


def labels_of(config: ExperimentConfig) -> list[Label]:
    """List the places of all results of an experiment, model by model and window by window.

    A comparison of the reference with itself is not one of them.
    """
    return [
        Label(
            experiment=config.name,
            test=test.name,
            model=model.name,
            reference=test.reference,
            window=window,
        )
        for model in config.models
        for window in config.windows
        for test in config.tests
        if test.reference != model.name
    ]


def resolve(loaded: LoadedExperiment) -> Experiment:
    """Read an experiment's region and catalog and hash its forecasts: all that keys need.

    Forecasts are hashed, not read: their mistakes show when they are staged.

    Raises
    ------
    RegionError, CatalogError
        Where the region or the catalog cannot be used.
    """
    config = loaded.config
    region = build_region(config.region, loaded.locate)
    events = read_catalog(loaded.locate(config.catalog.title))
    if config.depth_km is not None and np.isnan(events.depth_km).any():
        message = (
            f"{config.catalog.title}: {int(np.isnan(events.depth_km).sum())} events have no depth, but the "
            f"experiment takes depths from {config.depth_km[0]:g} to {config.depth_km[1]:g} km only"
        )
        raise CatalogError(message)
    inputs = ResolvedInputs(
        region=region.inputs.key,
        catalog=events.inputs.key,
        models={model.name: content_of(loaded, model) for model in config.models},
    )
    shown = config.model_dump(mode="json")
    key_inputs = _ExperimentInputs(name=config.name, config=shown, inputs=inputs)
    record = ExperimentRecord(
        key=key_inputs.key, canon=key_inputs.canon, name=config.name, config=shown, inputs=inputs
    )
    return Experiment(record=record, config=config, region=region, events=events)
