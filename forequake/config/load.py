"""Reading an experiment's files, all mistakes at once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue

from forequake.catalogs import CatalogSpec, CompletenessSpec
from forequake.config._catalogs import read_catalog_entry, read_completeness_entry
from forequake.config._entries import find_list, named_entries
from forequake.config._files import Folder
from forequake.config._grid import read_depths, read_magnitudes
from forequake.config._limits import read_limits, with_limits
from forequake.config._model_list import read_models, select_models
from forequake.config._names import as_name
from forequake.config._places import Place, Problems
from forequake.config._region_shape import RegionSection
from forequake.config._section import metadata_of, read_section, unused_keys
from forequake.config._shapes import OTHER_NAMES, ExperimentSection
from forequake.config._tests import check_forecasts, read_test_entry
from forequake.config._tests_together import join_tests
from forequake.config._time_shape import TimeSection
from forequake.config._variables import notes_on_seeds
from forequake.config._windows import TimePlan, read_windows
from forequake.config._yaml import read_yaml, shown_path
from forequake.config.model_specs import ModelSpec
from forequake.config.specs import DEFAULT_ALPHA, ExperimentConfig, TestSpec
from forequake.datasets import is_dataset, locate_dataset
from forequake.errors import ConfigError, Problem, suggestion
from forequake.evaluations.registry import TestDefinition
from forequake.regions.specs import RegionSpec
from forequake.windows import TimeWindow

__all__ = ["LoadedExperiment", "load_experiment"]

#: The file that is meant where a folder is given.
_DEFAULT_FILE = "config.yml"


@dataclass(frozen=True)
class LoadedExperiment:
    """A configuration and where it lies on this machine, which is kept out of the configuration.

    Attributes
    ----------
    folder
        From which the configuration's relative paths start.
    files
        The configuration's own files: of the experiment, and of its models and tests where they have one.
    notes
        What the user should know although nothing is wrong, such as a part of the span that no window covers.
    """

    config: ExperimentConfig
    folder: Path
    files: tuple[Path, ...]
    notes: tuple[str, ...] = ()

    def locate(self, text: str) -> Path:
        """Give the file that a path of the configuration means on this machine.

        Raises
        ------
        InputError
            Where it names a data set that is not there.
        """
        return locate_dataset(text) if is_dataset(text) else self.folder / text


def load_experiment(path: Path) -> LoadedExperiment:
    """Read an experiment in floatCSEP's format.

    Parameters
    ----------
    path
        The experiment's file, or the folder of its ``config.yml``.

    Raises
    ------
    ConfigError
        With all that is wrong in the experiment's files.
    """
    file = _find(path)
    reading = _Reading(file)
    loaded = reading.load()
    if loaded is None or reading.problems:
        raise reading.problems.error()
    return loaded


def _find(path: Path) -> Path:
    file = path.absolute()
    near = None
    message = "there is no such file; expected an experiment's file, or the folder of its config.yml"
    try:
        if file.is_dir():
            file /= _DEFAULT_FILE
        if file.is_file():
            return file
        if file.parent.is_dir():
            near = suggestion(file.name, [found.name for found in file.parent.iterdir() if found.is_file()])
    except OSError as error:
        message = f"the file cannot be reached ({error.strerror})"
    raise ConfigError([Problem(message, file=shown_path(file), suggestion=near)])


class _Reading:
    """One reading of an experiment's files."""

    def __init__(self, file: Path) -> None:
        self.problems = Problems()
        self._files = [file]
        self._folder = Folder(root=file.parent)
        self._unused: dict[str, None] = {}  # a set that keeps its order
        self._notes: list[str] = []

    def load(self) -> LoadedExperiment | None:
        """Read everything; None where something is missing, and then there are problems."""
        document, found = read_yaml(self._files[0])
        self.problems.extend(found)
        root = Place(document)
        if not isinstance(root.value, dict):
            if not found:
                self.problems.add(root, "expected a mapping of keys such as name, time_config, models, tests")
            return None
        self._folder = self._base(root)
        top = read_section(
            ExperimentSection,
            root,
            {key: place for key, place in root.entries.items() if key not in _SHARED},
            self.problems,
            required=_required(root.entries),
            context=self._folder,
            known_too=_SHARED,
        )
        self._use(unused_keys(top))
        plan = self._time(root)
        region, magnitudes, depths = self._region(root)
        models, names = self._models(root, top.order)
        models = with_limits(models, read_limits(root.at("limits"), self.problems))
        self._notes += notes_on_seeds(models)
        tests = self._tests(root, models, names, () if plan is None else plan.windows)
        catalog = self._catalog(root, ("catalog", *OTHER_NAMES["catalog"]))
        input_catalog = self._input_catalog(root, plan)
        completeness = self._completeness(root.at("completeness"))
        if top.name is None or catalog is None or plan is None or region is None or magnitudes is None:
            return None
        if self.problems:
            return None
        config = ExperimentConfig(
            name=top.name,
            seed=top.seed,
            alpha=DEFAULT_ALPHA if top.alpha is None else top.alpha,
            exp_class=plan.exp_class,
            windows=plan.windows,
            growth=plan.growth,
            region=region,
            magnitudes=magnitudes,
            depth_km=depths,
            catalog=catalog,
            input_catalog=input_catalog,
            completeness=completeness,
            models=models,
            tests=tests,
            forecast_quality=top.forecast_quality or "refuse",
            embargo_until=top.embargo_until,
            metadata=_sorted(metadata_of(top)),
            unused=tuple(self._unused),
        )
        return LoadedExperiment(
            config=config,
            folder=self._folder.root,
            files=tuple(self._files),
            notes=(*plan.notes, *self._notes),
        )

    def _base(self, root: Place) -> Folder:
        """Give the folder from which paths start: the file's own, or the one that the key path names."""
        text = root.at("path").value
        if not isinstance(text, str):  # a wrong type is noted with the section
            return self._folder
        base = self._folder.root / text
        if not self._folder.holds_folder(text or "."):
            self.problems.add(root.at("path"), "there is no such folder; relative paths start from it")
            return self._folder
        return Folder(root=base)

    def _entries(self, root: Place, key: str, allowed: Iterable[str]) -> dict[str, Place]:
        """Gather the keys of a mapping and those of them that stand at the top of the file."""
        inside = root.at(key).entries
        outside = {name: place for name, place in root.entries.items() if name in set(allowed)}
        for name in inside.keys() & outside.keys():
            line = inside[name].document.lines.get(inside[name].path)
            self.problems.add(outside[name], f"given here and in {key} (line {line}); leave one of them out")
        return {**outside, **inside}

    def _time(self, root: Place) -> TimePlan | None:
        entries = self._entries(root, "time_config", TimeSection.keys())
        home = root.at("time_config")
        present = {key: place for key, place in entries.items() if place.value is not None}
        listed = present.keys() & {"time_windows", "timewindows"}
        required = {} if listed else {"start_date": "it begins the first window"}
        section = read_section(TimeSection, home, entries, self.problems, required=required)
        return read_windows(section, home, present, self.problems)

    def _region(
        self, root: Place
    ) -> tuple[RegionSpec | None, tuple[float, ...] | None, tuple[float, float] | None]:
        entries = self._entries(root, "region_config", RegionSection.keys())
        home = root.at("region_config")
        present = {key: place for key, place in entries.items() if place.value is not None}
        required = {
            "region": "a region's name, or a file with the corners of its cells; forecasts each on cells of "
            "their own, as floatCSEP has them without a region, need an experiment for each kind of cells"
        }
        if "magnitudes" not in present:
            why = "it gives the magnitude bins (or magnitudes, a list of their lower edges)"
            required |= dict.fromkeys(("mag_min", "mag_max", "mag_bin"), why)
        section = read_section(
            RegionSection,
            home,
            entries,
            self.problems,
            required=required,
            context=self._folder,
        )
        if section.region is not None and section.region.kind == "cells":
            self._use(f"region.{key}" for key in section.region.unused)
        magnitudes = read_magnitudes(section, present, self.problems, self._notes)
        return section.region, magnitudes, read_depths(section, present, self.problems)

    def _catalog(self, root: Place, keys: tuple[str, ...]) -> CatalogSpec | None:
        given = [root.at(name) for name in keys if root.at(name).value is not None]
        for place in given[1:]:
            self.problems.add(place, f"given here and as {keys[0]}; leave one of them out")
        return read_catalog_entry(given[0], self._folder, self.problems) if given else None

    def _input_catalog(self, root: Place, plan: TimePlan | None) -> CatalogSpec | None:
        spec = self._catalog(root, ("input_catalog",))
        if spec is None or plan is None or spec.start is None:
            return spec
        first = min(window.start for window in plan.windows)
        if spec.start >= first:
            self.problems.add(
                root.at("input_catalog", "start_date"),
                "models learn from what came before the first window, which begins at "
                f"{first:%Y-%m-%d %H:%M}; let this catalog start earlier",
            )
        return spec

    def _completeness(self, place: Place) -> CompletenessSpec | None:
        return None if place.value is None else read_completeness_entry(place, self.problems)

    def _models(self, root: Place, order: list[int] | None) -> tuple[tuple[ModelSpec, ...], list[str] | None]:
        found = self._list(root, "models")
        if found is None:
            return (), None
        models, complete, unused = read_models(*found, self.problems)
        self._use(unused)
        names = select_models(models, order, root.at("order"), self.problems)
        right = tuple(model for name in names if (model := models[name]) is not None)
        return right, names if complete else None

    def _tests(
        self,
        root: Place,
        models: tuple[ModelSpec, ...],
        names: list[str] | None,
        windows: tuple[TimeWindow, ...],
    ) -> tuple[TestSpec, ...]:
        found = self._list(root, "tests")
        if found is None:
            return ()
        entries, _ = named_entries(found[0], "tests", self.problems)
        tests: list[TestSpec] = []
        for name, place in entries.items():
            test, section, arguments = read_test_entry(name, place, names, found[1], self.problems)
            self._use(unused_keys(section, "tests."))
            self._use(unused_keys(arguments, "tests.func_kwargs."))
            if isinstance(section.func, TestDefinition):
                check_forecasts(section.func, place, models, self.problems)
            if test is not None:
                tests.append(test)
        return join_tests(tests, entries, [model.name for model in models], windows, self.problems)

    def _list(self, root: Place, key: str) -> tuple[Place, Folder] | None:
        return find_list(root, (key, *OTHER_NAMES[key]), self._folder, self.problems, self._files)

    def _use(self, keys: Iterable[str]) -> None:
        self._unused.update(dict.fromkeys(keys))


def _required(entries: Mapping[str, Place]) -> dict[str, str]:
    """Give the keys without which there is no experiment, under their first names."""
    given = {key for key, place in entries.items() if place.value is not None}
    required = {
        "name": "results are kept under it",
        "catalog": "the file with the observed earthquakes",
        "models": "a list of models, or the file that holds it",
        "tests": "a list of tests, or the file that holds it",
    }
    return {key: why for key, why in required.items() if not given & set(OTHER_NAMES.get(key, ()))}


def _sorted(metadata: dict[str, JsonValue]) -> dict[str, JsonValue]:
    return {as_name(key): metadata[key] for key in sorted(metadata)}


#: Keys of time and region, which floatCSEP also takes at the top of the file.
_SHARED = frozenset([*TimeSection.keys(), *RegionSection.keys()])
