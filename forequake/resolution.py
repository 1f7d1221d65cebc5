"""Resolving an experiment: its region built, its catalogs read, the contents of its forecasts pinned."""

import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from pydantic import JsonValue

from forequake.catalogs import CatalogSpec, Events, FileCatalog, LoadedCatalog, load_catalog
from forequake.catalogs.queries import QueryBounds
from forequake.config import (
    ExperimentConfig,
    FileModel,
    FolderModel,
    LearningReference,
    LoadedExperiment,
    ModelSpec,
    SubmissionModel,
    WindowModel,
)
from forequake.errors import CatalogError, ModelError
from forequake.experiments import Experiment
from forequake.forecasts.arrivals import arrived
from forequake.forecasts.brought import bring_source
from forequake.forecasts.references.learned import learned_sources
from forequake.forecasts.sources import content_of
from forequake.keys import KeyInputs
from forequake.models.functions import StagedFunction
from forequake.models.programs import StagedProgram, program_sources, stage_program
from forequake.models.uses import ModelUse, note_use
from forequake.own_code import pin_own_files
from forequake.quantities import Sha256, now
from forequake.regions import Region, build_region
from forequake.renewal import Renewal
from forequake.results import ExperimentRecord, ForecastSource, ResolvedInputs, Stage
from forequake.seals import Sealed
from forequake.timers import Timing
from forequake.windows import TimeWindow

__all__ = ["resolve"]


class _ExperimentInputs(KeyInputs):
    what = "experiment"

    name: str
    config: dict[str, JsonValue]
    inputs: ResolvedInputs


#: A run reads its catalogs when it is prepared and again when it begins: a service is asked once for both.
_SECONDS_FRESH: Final = 60.0
_MOST_ANSWERS: Final = 8
_answers: Final[dict[tuple[str, QueryBounds, bool], tuple[float, LoadedCatalog | None]]] = {}
_lock: Final = threading.Lock()
#: Degrees of longitude around the Earth.
_ROUND: Final = 360


def resolve(
    loaded: LoadedExperiment,
    say: Callable[[str], None] = lambda words: None,
    renewal: Renewal | None = None,
    sealed: Sealed | None = None,
) -> Experiment:
    """Read an experiment's region and catalogs and hash its forecasts: all that keys need.

    Forecasts are hashed, not read: their mistakes show when they are staged. The files of models that others
    keep are fetched, and nothing is built or run.

    Parameters
    ----------
    say
        Told what is fetched.
    renewal
        Which sources of models are asked anew; None asks none that is there.
    sealed
        The forecasts that were sealed. None, where no store was asked, takes what lies in the folders of
        submissions as it is.

    Raises
    ------
    RegionError, CatalogError
        Where the region or a catalog cannot be used.
    CatalogUnavailable
        Where a service does not give a catalog.
    InputError
        Where a file of a user's own test cannot be read.
    """
    config, region = loaded.config, build_region(loaded.config.region, loaded.locate)
    bounds = _bounds(config, region)
    testing, read_at = _catalog(loaded, config.catalog, bounds)
    _check_depths(config, testing.events)
    learning = None
    if config.input_catalog is not None:
        learning, read_at = _catalog(loaded, config.input_catalog, bounds, learning=True)
    troubles = {} if sealed is None else dict(sealed.troubles)
    past = (learning or testing).events
    search = _Search(loaded, region, past, read_at, say, troubles, renewal, sealed)
    inputs = ResolvedInputs(
        region=region.inputs.key,
        catalog=testing.events.inputs.key,
        models=_contents(loaded, say, troubles),
        forecasts=search.forecasts(),
        input_catalog=None if learning is None else learning.events.inputs.key,
        own_files=pin_own_files(loaded),
    )
    return Experiment(
        record=_record(config, inputs),
        config=config,
        region=region,
        events=testing.events,
        learning=None if learning is None else learning.events,
        notes=testing.notes + (() if learning is None else _learning_notes(config, learning)),
        troubles=troubles,
        sealed=sealed or Sealed(),
        revised=search.revised,
        read_at=read_at,
    )


def _record(config: ExperimentConfig, inputs: ResolvedInputs) -> ExperimentRecord:
    shown = config.model_dump(mode="json")
    key_inputs = _ExperimentInputs(name=config.name, config=shown, inputs=inputs)
    return ExperimentRecord(
        key=key_inputs.key, canon=key_inputs.canon, name=config.name, config=shown, inputs=inputs
    )


def _learning_notes(config: ExperimentConfig, learning: LoadedCatalog) -> tuple[str, ...]:
    first = min(window.start for window in config.windows)
    events = learning.events  # in order of time
    # Else a cut of this catalog reads as if it were one of the observed catalog.
    told = tuple(f"input catalog: {line}" for line in learning.notes)
    if len(events) and events.take(np.array([0])).times()[0] < first:
        return told
    return (*told, f"{learning.source}: the input catalog has no event before the first window")


def _catalog(
    loaded: LoadedExperiment, spec: CatalogSpec, bounds: QueryBounds, *, learning: bool = False
) -> tuple[LoadedCatalog, datetime]:
    """Read a catalog, or ask its service unless it was just asked the same; tell when."""
    began = now()
    if isinstance(spec.source, FileCatalog):
        return load_catalog(spec, loaded.locate, bounds, learning=learning), began
    question = spec.model_dump_json(), bounds, learning
    with _lock:
        asked_at, answer = _answers.get(question, (-math.inf, None))
    age = time.monotonic() - asked_at
    if answer is not None and age < _SECONDS_FRESH:
        return answer, began - timedelta(seconds=age)
    asked_at = time.monotonic()
    answer = load_catalog(spec, loaded.locate, bounds, learning=learning)
    with _lock:
        while len(_answers) >= _MOST_ANSWERS:
            _answers.pop(next(iter(_answers)))
        _answers[question] = asked_at, answer
    return answer, began


def _bounds(config: ExperimentConfig, region: Region) -> QueryBounds:
    """Give the limits of the experiment, for catalogs that leave them open."""
    west, east, *_ = box = region.box
    return QueryBounds(
        start=min(window.start for window in config.windows),
        end=max(window.end for window in config.windows),
        magnitude_min=config.magnitudes[0],
        depth_km=config.depth_km,
        box=None if east - west >= _ROUND else box,
    )


def _check_depths(config: ExperimentConfig, events: Events) -> None:
    if config.depth_km is not None and np.isnan(events.depth_km).any():
        message = (
            f"{config.catalog.title}: {int(np.isnan(events.depth_km).sum())} events have no depth, but the "
            f"experiment takes depths from {config.depth_km[0]:g} to {config.depth_km[1]:g} km only"
        )
        raise CatalogError(message)


def _contents(
    loaded: LoadedExperiment, say: Callable[[str], None], troubles: dict[str, str]
) -> dict[str, Sha256]:
    """Hash what serves all windows; why a source does not bring a file is noted in `troubles`."""
    contents = {}
    for model in loaded.config.models:
        if isinstance(model, WindowModel | LearningReference):
            continue
        try:
            contents[model.name] = content_of(loaded, model, say)
        except ModelError as error:
            troubles[model.name] = _not_had(model, error)
            continue
        if isinstance(model, FileModel):
            _note_brought(loaded, model)
    return contents


@dataclass
class _Search:
    """Finds what the forecasts of each window are made of, of models that have one for each.

    Attributes
    ----------
    learning, read_at
        The catalog from which models learn, and when it was read: no time of issue after it has come.
    troubles
        A model whose files cannot be had stops no other one: why is noted here.
    revised
        As of `Experiment`.
    """

    loaded: LoadedExperiment
    region: Region
    learning: Events
    read_at: datetime
    say: Callable[[str], None]
    troubles: dict[str, str]
    renewal: Renewal | None
    sealed: Sealed | None
    revised: dict[str, tuple[TimeWindow, ...]] = field(default_factory=dict)

    def forecasts(self) -> dict[str, dict[str, ForecastSource]]:
        """Give the sources by the names of models and the ids of windows."""
        config = self.loaded.config
        begun = [window for window in config.windows if window.start <= self.read_at]
        sources: dict[str, dict[str, ForecastSource]] = {}
        for model in config.models:
            if isinstance(model, SubmissionModel):
                sealed = None if self.sealed is None else self.sealed.sources(model.name)
                sources[model.name] = arrived(self.loaded, model) if sealed is None else sealed
            elif isinstance(model, FolderModel):
                try:
                    sources[model.name] = self._of_folder(model)
                except ModelError as error:
                    self.troubles[model.name] = _not_had(model, error)
            elif isinstance(model, LearningReference):
                sources[model.name] = learned_sources(model, config, self.region, self.learning, begun)
        return sources

    def _of_folder(self, model: FolderModel) -> dict[str, ForecastSource]:
        """Give what is sealed, else what lies there as a file, else what decides a program's forecast."""
        sealed = {} if self.sealed is None else self.sealed.sources(model.name)
        found = {**arrived(self.loaded, model, self.say), **sealed}
        if model.program is None:
            _note_brought(self.loaded, model)
            return found
        issued = [window for window in self.loaded.config.windows if model.issue_time(window) <= self.read_at]
        lacking = [window for window in issued if window.id not in found]
        if not lacking and not sealed:
            return found
        try:
            made = self._made(model, [window for window in issued if window.id in sealed] + lacking)
        except ModelError as error:
            self.troubles[model.name] = _not_had(model, error)
            return found
        self.revised[model.name] = tuple(
            window for window in issued if window.id in sealed and self._differs(model, window, made)
        )
        return {**made, **found}

    def _made(self, model: FolderModel, windows: list[TimeWindow]) -> dict[str, ForecastSource]:
        config, demand = self.loaded.config, None if self.renewal is None else self.renewal.source(model)
        with Timing(Stage.SOURCE, model.name):
            program = stage_program(self.loaded.folder, model, self.say, demand)
        _note(self.loaded, model, program)
        return program_sources(model, program, self.learning, windows, config, self.region.inputs.key)

    def _differs(self, model: FolderModel, window: TimeWindow, made: Mapping[str, ForecastSource]) -> bool:
        seal = None if self.sealed is None else self.sealed.find(model.name, window)
        return seal is not None and seal.inputs is not None and seal.inputs != made[window.id].content


def _not_had(model: ModelSpec, error: ModelError) -> str:
    return f"the files of model {model.name!r} cannot be had: {error}"


def _note(loaded: LoadedExperiment, model: FolderModel, program: StagedProgram | StagedFunction) -> None:
    source = program.source
    use = ModelUse(
        experiment=loaded.config.name,
        folder=str(loaded.folder),
        model=model.name,
        origin=source.origin,
        trees=(source.tree,) if source.inputs is None else (source.tree, source.inputs.sha256),
        environment=program.environment,
    )
    note_use(use)


def _note_brought(loaded: LoadedExperiment, model: FileModel | FolderModel) -> None:
    source = bring_source(loaded, model)
    if source is not None:
        use = ModelUse(
            experiment=loaded.config.name,
            folder=str(loaded.folder),
            model=model.name,
            origin=source.origin,
            trees=(source.tree,),
        )
        note_use(use)
