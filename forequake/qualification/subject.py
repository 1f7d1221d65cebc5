"""What is qualified: a model of an experiment, or a folder that stands for one."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
from pydantic import ValidationError

from forequake.catalogs import Events
from forequake.config import ExperimentConfig, FolderModel, LoadedExperiment, load_experiment
from forequake.config.model_specs import BUILDS, CallableSpec
from forequake.config.program_keys import RunLimits
from forequake.errors import InputError, unknown
from forequake.experiments import Experiment
from forequake.keys import KeyInputs
from forequake.qualification.proposals import (
    FolderOptions,
)
from forequake.qualification.simulated import simulated_catalog
from forequake.quantities import Sha256
from forequake.regions import build_region
from forequake.resolution import resolve
from forequake.results import ExperimentRecord, ResolvedInputs
from forequake.windows import TimeWindow

__all__ = [
    "USUAL_WINDOW",
    "Subject",
    "config_with",
    "limits_with",
    "read_window",
    "subject_of_experiment",
    "with_simulated",
]

#: Of which a model is asked for a forecast, where nobody says another one.
USUAL_WINDOW: Final = "2021-06-01_2021-06-02"
#: Events go on for so many windows after the cut-off.
_WINDOWS_AFTER: Final = 3


class _Unstored(KeyInputs):
    what = "qualification"

    region: Sha256
    catalog: Sha256


@dataclass(frozen=True)
class Subject:
    """A model that is to qualify, in an experiment that is never stored.

    Attributes
    ----------
    experiment
        Its learning catalog goes on after the window's start.
    window
        Of the forecasts that are asked for.
    notes
        What was chosen where nobody said it.
    prefix_is_known
        Whether somebody said how the names of forecasts begin.
    """

    loaded: LoadedExperiment
    experiment: Experiment
    model: FolderModel
    window: TimeWindow
    notes: tuple[str, ...] = ()
    prefix_is_known: bool = True

    @property
    def later(self) -> Events:
        """The events that the model may not know."""
        events = self.experiment.learned_from
        return events.take(np.arange(len(events.before(self.window.start)), len(events)))


def subject_of_experiment(
    config: Path,
    name: str | None,
    options: FolderOptions,
    *,
    own_catalog: bool = False,
    catalog_seed: int = 1,
) -> Subject:
    """Take a model from an experiment, with its region, magnitudes and arguments.

    Parameters
    ----------
    name
        Of the model; None where only one of them has a program.
    options
        What is given goes before what the experiment says.
    own_catalog
        Learn from the experiment's own catalog instead of a simulated one.
    catalog_seed
        Of the simulated catalog.

    Raises
    ------
    InputError
        Where the experiment cannot be read, or has no such model or window.
    """
    loaded = load_experiment(config)
    model = _overridden(_chosen(loaded, name), options)
    window = _window_of(loaded, options.window)
    alone = config_with(loaded.config, models=(model,), tests=())
    loaded = replace(loaded, config=alone)
    if own_catalog:
        # Without models: nothing is staged that is not looked at.
        bare = replace(loaded, config=config_with(alone, models=()))
        experiment = replace(resolve(bare), config=alone)
        return Subject(loaded, experiment, model, window)
    return Subject(loaded, with_simulated(loaded, window, catalog_seed), model, window)


def config_with(config: ExperimentConfig, **changes: Any) -> ExperimentConfig:
    """Give a configuration with other fields; also one that could not be run, such as one without tests."""
    return ExperimentConfig.model_construct(**{**dict(config), **changes})


def _chosen(loaded: LoadedExperiment, name: str | None) -> FolderModel:
    models = {model.name: model for model in loaded.config.models}
    programs = [
        model.name
        for model in models.values()
        if isinstance(model, FolderModel) and model.program is not None
    ]
    if name is None and len(programs) == 1:
        name = programs[0]
    if name is None:
        listed = ", ".join(programs) or "none"
        message = f"say which model with --model; those with a program are: {listed}"
        raise InputError(message)
    if name not in models:
        raise InputError(unknown("model", name, models))
    model = models[name]
    if not isinstance(model, FolderModel) or name not in programs:
        message = f"the model {name!r} has no program that could be asked; there is one in: "
        raise InputError(message + (", ".join(programs) or "none"))
    return model


def _overridden(model: FolderModel, options: FolderOptions) -> FolderModel:
    program = model.program
    if program is None:
        message = f"the model {model.name!r} has no program"
        raise InputError(message)
    if options.build not in (None, "none", *BUILDS):
        message = f"--build: {unknown('kind of environment', str(options.build), ('none', *BUILDS))}"
        raise InputError(message)
    changes: dict[str, Any] = {
        "arguments": {**program.arguments, **options.arguments},
        "build": {None: program.build, "none": None}.get(options.build, options.build),
        "limits": limits_with(program.limits, options.limits),
    }
    if isinstance(program, CallableSpec):
        if options.func or options.args_file or options.seed_argument:
            message = f"--func, --args-file and --seed-argument mean nothing to {model.name!r}, a function"
            raise InputError(message)
    else:
        changes |= {
            "command": options.func or program.command,
            "args_file": options.args_file or program.args_file,
            "seed_argument": options.seed_argument or program.seed_argument,
        }
    fields: dict[str, Any] = {"program": program.model_copy(update=changes)}
    fields |= {"prefix": options.prefix} if options.prefix else {}
    fields |= {"n_catalogs": options.n_sims} if options.n_sims else {}
    return model.model_copy(update=fields)


def limits_with(own: RunLimits, given: Mapping[str, float]) -> RunLimits:
    """Put given limits in the place of others.

    Raises
    ------
    InputError
        Where one of them cannot be a limit.
    """
    try:
        return RunLimits.model_validate({**own.model_dump(), **given})
    except ValidationError as error:
        first = error.errors()[0]
        option = str(first["loc"][0]).replace("_", "-")
        message = f"--{option}: {first['msg'][0].lower()}{first['msg'][1:]}, got {first['input']}"
        raise InputError(message) from error


def _window_of(loaded: LoadedExperiment, text: str | None) -> TimeWindow:
    windows = {window.id: window for window in loaded.config.windows}
    if text is None:
        return loaded.config.windows[0]
    if text in windows:
        return windows[text]
    near = [window for window in windows.values() if _same(window, text)]
    if len(near) == 1:
        return near[0]
    message = f"--window: {unknown('window', text, windows)}"
    raise InputError(message)


def _same(window: TimeWindow, text: str) -> bool:
    try:
        return read_window(text) == window
    except InputError:
        return False


def with_simulated(loaded: LoadedExperiment, window: TimeWindow, seed: int) -> Experiment:
    """Resolve an experiment whose models learn from a simulated catalog; its own one is not read."""
    config = loaded.config
    region = build_region(config.region, loaded.locate)
    events = simulated_catalog(
        region,
        cut_off=window.start,
        until=window.end + _WINDOWS_AFTER * (window.end - window.start),
        magnitude_min=config.magnitudes[0],
        depth_km=config.depth_km,
        seed=seed,
    )
    inputs = ResolvedInputs(region=region.inputs.key, catalog=events.inputs.key, models={})
    of = _Unstored(region=inputs.region, catalog=inputs.catalog)
    shown = config.model_dump(mode="json")
    record = ExperimentRecord(key=of.key, canon=of.canon, name=config.name, config=shown, inputs=inputs)
    return Experiment(record=record, config=config, region=region, events=events)


def read_window(text: str) -> TimeWindow:
    """Read two moments with an underscore between them; what has no offset is UTC."""
    try:
        start, end = (datetime.fromisoformat(part) for part in text.split("_"))
        moments = [moment if moment.tzinfo else moment.replace(tzinfo=UTC) for moment in (start, end)]
        window = TimeWindow(start=moments[0], end=moments[1])
    except (ValueError, ValidationError) as error:
        message = f"--window: expected two dates such as {USUAL_WINDOW}, the second one later, got {text!r}"
        raise InputError(message) from error
    if window.end - window.start > timedelta(days=36_525) or not 1000 <= window.start.year <= 9000:
        message = f"--window: {text!r} is longer than a century, or too long ago or ahead"
        raise InputError(message)
    return window
