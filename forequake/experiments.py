"""An experiment with all that decides its results: configuration, region, catalog, contents of files."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from forequake.catalogs import Events
from forequake.config import (
    ExperimentConfig,
    LearningReference,
    ModelSpec,
    ReferenceModel,
    TestSpec,
    WindowModel,
)
from forequake.config.model_specs import forecast_type_of
from forequake.errors import ForecastError
from forequake.evaluations import Observation, ResultInputs, TestParameters, derive_seed
from forequake.evaluations.registry import TESTS
from forequake.forecast_inputs import CatalogForecastInputs, ForecastInputs
from forequake.forecasts.arrivals import absence
from forequake.forecasts.fitting import FIT_VERSION
from forequake.forecasts.sources import reader_of_model
from forequake.keys import KeyTemplate, bytes_digest
from forequake.own_code import own_inputs
from forequake.places import labels_of
from forequake.quantities import Sha256, now
from forequake.reading import RecordReader
from forequake.recent import Recent
from forequake.regions import Region
from forequake.results import (
    BlobRef,
    CatalogSnapshot,
    ExperimentRecord,
    ForecastSource,
    Label,
    RegionRecord,
    ResolvedInputs,
)
from forequake.seals import Sealed
from forequake.windows import TimeWindow

__all__ = [
    "WINDOW_OPEN",
    "Experiment",
]

_DAY: Final = timedelta(days=1)
#: Why results of windows to come or under way are not there.
WINDOW_OPEN: Final = "the window has not ended: its results are computed once it has"
#: Windows whose events stay in memory: growing windows hold nearly all events each.
_MOST_OBSERVED: Final = 8


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
    learning
        The catalog from which models learn, where it is another one.
    notes
        What the readers of the catalogs told when the experiment was resolved.
    troubles
        Why a model has no forecasts, such as files that cannot be had, by the model's name.
    sealed
        The forecasts that were sealed, which stand whatever becomes of their files.
    revised
        Of models whose programs made some of these, the windows for which they would make others now.
    read_at
        When the catalogs were read, or asked for.
    """

    record: ExperimentRecord
    config: ExperimentConfig
    region: Region
    events: Events
    learning: Events | None = None
    notes: tuple[str, ...] = ()
    troubles: Mapping[str, str] = field(default_factory=dict)
    sealed: Sealed = field(default_factory=Sealed, repr=False)
    revised: Mapping[str, tuple[TimeWindow, ...]] = field(default_factory=dict)
    read_at: datetime | None = None
    _catalog_keys: dict[str, Sha256] = field(default_factory=dict, repr=False)
    _forecast_keys: dict[tuple[str, TimeWindow], Sha256] = field(default_factory=dict, repr=False)
    _seeds: dict[tuple[str, TimeWindow], int | None] = field(default_factory=dict, repr=False)
    _families: dict[TimeWindow, tuple[Sha256, ...]] = field(default_factory=dict, repr=False)
    _templates: dict[str, KeyTemplate] = field(default_factory=dict, repr=False)
    _observed: Recent[Events] = field(default_factory=lambda: Recent(_MOST_OBSERVED), repr=False)
    _observations: Recent[Observation] = field(default_factory=lambda: Recent(_MOST_OBSERVED), repr=False)

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

    @property
    def learned_from(self) -> Events:
        """The catalog from which models learn, before any cut."""
        return self.events if self.learning is None else self.learning

    def model(self, name: str) -> ModelSpec:
        """Find a model by its name."""
        return self._models[name]

    def test(self, name: str) -> TestSpec:
        """Find a test by the name that the experiment gives it."""
        return self._tests[name]

    @cached_property
    def _models(self) -> dict[str, ModelSpec]:
        return {model.name: model for model in self.config.models}

    @cached_property
    def _tests(self) -> dict[str, TestSpec]:
        return {test.name: test for test in self.config.tests}

    def scale(self, model: ModelSpec, window: TimeWindow) -> float:
        """Give the factor from the length of time that a model's rates stand for to a window's.

        The rates of a time-dependent model are those of its windows, unless it says their unit in days;
        those of a reference that learns are those of the time whose mean it takes.
        """
        if isinstance(model, LearningReference):
            source = self.source(model.name, window)
            return window.years / ((source and source.unit_years) or 1.0)
        if not isinstance(model, WindowModel):
            return window.years / model.forecast_unit
        if model.forecast_unit is None:
            return 1.0
        return (window.end - window.start) / _DAY / model.forecast_unit

    def source(self, model: str, window: TimeWindow) -> ForecastSource | None:
        """Give what a forecast is read from; None where it was not there when the run began."""
        spec = self.model(model)
        if isinstance(spec, WindowModel | LearningReference):
            return self.inputs.forecasts.get(model, {}).get(window.id)
        if model not in self.inputs.models:
            return None
        return ForecastSource(content=self.inputs.models[model], reader=reader_of_model(spec))

    def over_windows(self, label: Label) -> bool:
        """Tell whether a place is for a result over all windows."""
        return TESTS[self.test(label.test).test].scope == "windows"

    def windows_of(self, label: Label) -> tuple[TimeWindow, ...]:
        """Give the windows of which the result in a place speaks."""
        return self.config.windows if self.over_windows(label) else (label.window,)

    def models_of(self, label: Label, window: TimeWindow) -> tuple[str, ...]:
        """Give the models whose forecasts for a window the result in a place needs.

        A comparison with every other model needs all that have a forecast there.
        """
        names = [name for name in (label.model, label.reference) if name is not None]
        if TESTS[self.test(label.test).test].against_all:
            models = (model.name for model in self.config.models)
            names += [name for name in models if self.source(name, window) is not None]
        return tuple(dict.fromkeys(names))

    def has_ended(self, window: TimeWindow) -> bool:
        """Tell whether a window has ended.

        One that has not cannot be compared with its forecasts yet: events that are still to come would speak
        against every one of them.
        """
        return window.end <= now()

    def absence(self, label: Label, window: TimeWindow) -> str | None:
        """Tell which forecast for a window the result in a place lacks, or give None."""
        for name in (label.model, label.reference):
            if name is not None and self.source(name, window) is None:
                known = self.sealed.reason(name, window) or self.troubles.get(name)
                return known or absence(self.config, self.model(name), window)
        return None

    def obstacle(self, label: Label) -> str | None:
        """Tell which forecast a result lacks, or give None where it has what it needs.

        A window that has begun should have its forecasts; its results wait until it has ended. A result over
        windows needs one that has both.
        """
        obstacles: dict[str, None] = {}
        for window in self.windows_of(label):
            lacking = self.absence(label, window) if window.start <= now() else None
            reason = lacking or (None if self.has_ended(window) else WINDOW_OPEN)
            if reason is None:
                return None
            obstacles[reason] = None
        return WINDOW_OPEN if WINDOW_OPEN in obstacles else next(iter(obstacles))

    def is_catalog_based(self, model: str) -> bool:
        """Tell whether a model's forecasts are simulated catalogs."""
        return forecast_type_of(self.model(model)) == "catalog"

    def forecast_inputs(self, model: str, window: TimeWindow) -> ForecastInputs | CatalogForecastInputs:
        """Give what decides the forecast of a model for a window.

        Raises
        ------
        ForecastError
            Where the forecast is not there.
        """
        source, spec = self.source(model, window), self.model(model)
        if source is None:
            message = f"there is no forecast of model {model!r} for the window {window.id}"
            raise ForecastError(message)
        if not isinstance(spec, ReferenceModel | LearningReference) and self.is_catalog_based(model):
            return CatalogForecastInputs(
                content=source.content,
                reader=source.reader,
                n_catalogs=spec.n_catalogs,
                region=self.inputs.region,
                magnitudes=self.config.magnitudes,
                depth_km=self.config.depth_km,
                window=window,
                policy=self.config.forecast_quality,
            )
        return ForecastInputs(
            content=source.content,
            reader=source.reader,
            region=self.inputs.region,
            magnitudes=self.config.magnitudes,
            scale=self.scale(spec, window),
            policy=self.config.forecast_quality,
            fit=FIT_VERSION,
        )

    def forecast_key(self, model: str, window: TimeWindow) -> Sha256:
        """Give the key of the forecast of a model for a window: that of `forecast_inputs`, kept.

        Raises
        ------
        ForecastError
            Where the forecast is not there.
        """
        place = model, window
        if place not in self._forecast_keys:
            self._forecast_keys[place] = self.forecast_inputs(model, window).key
        return self._forecast_keys[place]

    def observed(self, window: TimeWindow) -> tuple[Events, Sha256]:
        """Give the events that count in a window, and the key of their content."""
        events = self._observed.get(
            window.id,
            lambda: self.events.cut(
                window=window,
                region=self.region,
                magnitude_min=self.config.magnitudes[0],
                depth_km=self.config.depth_km,
            ),
        )
        if window.id not in self._catalog_keys:
            self._catalog_keys[window.id] = events.inputs.key
        return events, self._catalog_keys[window.id]

    def catalog_key(self, window: TimeWindow) -> Sha256:
        """Give the key of the events that count in a window."""
        return self._catalog_keys.get(window.id) or self.observed(window)[1]

    def observation(self, window: TimeWindow) -> Observation:
        """Give the observed catalog of a window as a test takes it."""
        return self._observations.get(
            window.id,
            lambda: Observation(
                region=self.region, magnitudes=self.magnitudes, events=self.observed(window)[0]
            ),
        )

    def parameters(self, test: TestSpec) -> TestParameters:
        """Give a test's parameters, with the experiment's where it has none of its own."""
        return TestParameters.for_test(
            TESTS[test.test],
            alpha=self.config.alpha if test.alpha is None else test.alpha,
            num_simulations=test.num_simulations,
            variance=test.variance,
            compat=test.compat,
        )

    def seed(self, test: TestSpec, window: TimeWindow) -> int | None:
        """Give the seed of a test in a window: its own word for word, else one from the experiment's."""
        if not TESTS[test.test].seeded:
            return None
        if test.seed is not None:
            return test.seed
        place = test.name, window
        if place not in self._seeds:
            self._seeds[place] = derive_seed(self.config.seed or 0, test.draws, self.parameters(test), window)
        return self._seeds[place]

    def labels(self) -> list[Label]:
        """List the places of all results (see `labels_of`)."""
        return labels_of(self.config)

    def result_inputs(self, label: Label) -> ResultInputs:
        """Give what decides the result in a place."""
        test = self.test(label.test)
        reference = label.reference
        return ResultInputs(
            test=test.test,
            parameters=self.parameters(test),
            kernel_version=TESTS[test.test].kernel_version,
            forecast=self.forecast_key(label.model, label.window),
            reference=None if reference is None else self.forecast_key(reference, label.window),
            catalog=self.catalog_key(label.window),
            region=self.inputs.region,
            magnitudes=self.config.magnitudes,
            seed=self.seed(test, label.window),
            family=self._family(label),
            own=own_inputs(test, self.inputs, label.window),
        )

    def _family(self, label: Label) -> tuple[Sha256, ...]:
        if not TESTS[self.test(label.test).test].against_all:
            return ()
        window = label.window  # whose comparisons all have the same family
        if window not in self._families:
            models = self.models_of(label, window)
            self._families[window] = tuple(sorted(self.forecast_key(model, window) for model in models))
        return self._families[window]

    def result_key(self, label: Label) -> Sha256:
        """Give the key of the result in a place: that of `result_inputs`, without writing out all of them."""
        template = self._templates.get(label.test)
        family, own = self._family(label), own_inputs(self.test(label.test), self.inputs, label.window)
        varying = ["forecast", "reference", "catalog", "seed"]
        varying += [name for name, value in (("family", family), ("own", own)) if value]
        if template is None:
            template = KeyTemplate(self.result_inputs(label), *varying)
            self._templates[label.test] = template
        reference = label.reference
        return template.key(
            forecast=self.forecast_key(label.model, label.window),
            reference=None if reference is None else self.forecast_key(reference, label.window),
            catalog=self.catalog_key(label.window),
            seed=self.seed(self.test(label.test), label.window),
            family=family,
            own=own,
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
