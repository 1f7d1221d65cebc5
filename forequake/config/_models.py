"""The models of an experiment."""

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Final

from pydantic_core import PydanticCustomError

from forequake.config._callables import CALLABLE_NEEDS, CALLABLE_UNFIT, check_callable, read_callable
from forequake.config._commands import check_places
from forequake.config._files import Folder, forecast_file, model_folder
from forequake.config._limits import read_limits
from forequake.config._model_shape import (
    CATALOG_FORMATS,
    GRIDDED_FORMATS,
    PROGRAM_KEYS,
    TIME_DEPENDENT_KEYS,
    ModelSection,
)
from forequake.config._names import as_name, fault_of_name
from forequake.config._placeholders import filled_arguments, filled_command
from forequake.config._places import Place, Problems
from forequake.config._references import (
    REFERENCE_KEYS,
    check_reference,
    read_reference,
    reference_needs,
    unfit_keys,
)
from forequake.config._refusals import refuse
from forequake.config._section import metadata_of, read_section, unused_keys
from forequake.config._submissions import (
    SUBMISSION_KEYS,
    is_submission,
    read_submission,
)
from forequake.config._time_shape import class_of, length_text
from forequake.config._variables import check_seed_argument, check_window_dates
from forequake.config.model_specs import (
    CallableSpec,
    FileModel,
    FolderModel,
    GitSource,
    ModelSpec,
    ProgramSpec,
    SourceSpec,
    ZenodoSource,
)
from forequake.config.program_keys import RunLimits
from forequake.config.spec_base import ForecastType

__all__ = ["read_model_entry"]

_PATH_NEEDS: Final = {"path": "the file with the forecast, or the folder of a time-dependent model"}
#: Keys that say what path should be.
_DECISIVE: Final = frozenset(
    {
        "kind",
        "class",
        "model_class",
        "path",
        "filename",
        "flavours",
        "func",
        "fmt",
        "format",
        "forecast_type",
        "giturl",
        "zenodo_id",
    }
)
#: Keys with the other names that they have had.
_OTHER_NAMES: Final = (("fmt", "format"), ("class", "model_class"))


def read_model_entry(
    name: str, place: Place, folder: Folder, problems: Problems
) -> tuple[dict[str, ModelSpec | None], list[str]]:
    """Read what follows a model's name.

    Returns
    -------
    dict
        By name the model, or each of its flavours; None where it has mistakes.
    list of str
        Keys that nothing uses.
    """
    if place.value is not None and not isinstance(place.value, dict):
        problems.add(place, "expected a mapping of the model's keys, such as path")
        return {name: None}, []
    before = len(problems)
    entries = place.entries
    if is_submission(entries):
        return read_submission(name, place, folder, problems)
    built_in = entries["kind"].value == "reference" if "kind" in entries else "reference" in entries
    flavoured = "flavours" in entries and not built_in
    is_function = "kind" in entries and entries["kind"].value == "callable"
    needs = reference_needs(entries) if built_in else {} if flavoured else _PATH_NEEDS
    if is_function:
        needs = CALLABLE_NEEDS
    section = read_section(ModelSection, place, entries, problems, required=needs)
    for key, other in _OTHER_NAMES:
        if {key, other} <= section.given.keys():
            problems.add(entries[other], f"this is another name of {key}, which is given too")
    unfit = unfit_keys(section) if built_in else dict.fromkeys(REFERENCE_KEYS, "file")
    if is_function:
        unfit = dict.fromkeys((*REFERENCE_KEYS, *CALLABLE_UNFIT), "callable")
        check_callable(section, place, problems)
    unfit |= dict.fromkeys(SUBMISSION_KEYS, "file")
    for key, kind in unfit.items():
        if key in entries:
            problems.add(entries[key], f"a model of the kind {kind} does not take this key")
    names = list(_flavours(name, section, place, problems))
    if built_in:
        check_reference(section, entries, problems)
        model = read_reference(name, section) if len(problems) == before else None
        needless = [f"models.{key}" for key in section.given if key in (*PROGRAM_KEYS, "force_stage")]
        return {name: model}, [*unused_keys(section, "models."), *needless]
    check_seed_argument(section.seed_argument, section.func_kwargs, place.at("seed_argument"), problems)
    reader = _Reader(section, place, folder, problems, read_limits(place.at("limits"), problems))
    models: dict[str, ModelSpec | None] = {found: None for found, _, _ in names}
    # A path is looked at beside other mistakes, but not where a wrong key would say what it should be.
    located = len(problems) == before if is_function else "path" in entries or flavoured
    if not (_DECISIVE & entries.keys()) - section.given.keys() and located:
        models = {found: reader.read(found, text, where) for found, text, where in names}
    check_places(models.values(), place.at("func"), problems)
    if len(problems) > before:
        models = dict.fromkeys(models)
    return models, [f"models.{key}" for key in reader.unused()]


def _flavours(
    name: str, section: ModelSection, place: Place, problems: Problems
) -> Iterator[tuple[str, str, Place]]:
    """Give the name, path and place of each model of an entry."""
    base = section.path or ""
    if section.filename is not None:
        base = _below(base, section.filename)
    if section.flavours is None:
        yield name, base, place.at("path" if section.filename is None else "filename")
        return
    for suffix, file in section.flavours.items():
        where = place.at("flavours", suffix)
        flavour = as_name(f"{name}@{suffix}")
        fault = fault_of_name(flavour)
        if fault is not None:
            problems.add(where, f"{fault} (the name is {flavour!r})")
        yield flavour, _below(base, file), where


def _below(folder: str, file: str) -> str:
    return str(PurePosixPath(folder) / file)


class _Reader:
    """Makes the models of one entry, which differ in name and path."""

    def __init__(
        self, section: ModelSection, place: Place, folder: Folder, problems: Problems, limits: RunLimits
    ) -> None:
        self._section = section
        self._place = place
        self._limits = limits
        self._folder = folder
        self._problems = problems
        self._format = section.fmt or section.format
        self._ignored: set[str] = set()

    def unused(self) -> list[str]:
        """List the keys that the models do not use, in the order of the shape."""
        unused = {*unused_keys(self._section), *self._ignored}
        return [key for key in self._section.given if key in unused]

    def read(self, name: str, path: str, place: Place) -> ModelSpec | None:
        """Make one model, or note why it cannot be made."""
        try:
            return self._folder_model(name, path) if self._is_folder(path) else self._file_model(name, path)
        except PydanticCustomError as error:
            near = (error.context or {}).get("near")
            if near is not None and self._section.flavours is not None:  # they are written from path on
                near = near.removeprefix(f"{self._section.path}/")
            self._problems.add(place, error.message(), near)
            return None

    def _is_folder(self, path: str) -> bool:
        section = self._section
        word = class_of(section.class_ or section.model_class)
        if section.kind is not None or word is not None:
            return section.kind in {"folder", "callable"} or (section.kind is None and word == "td")
        if self._folder.holds_file(path):
            return False
        return self._folder.holds_folder(path) or section.func is not None

    def _file_model(self, name: str, path: str) -> FileModel:
        section, source = self._section, self._source()
        forecast_type = section.forecast_type or "gridded"
        known = self._format is not None or forecast_type == "catalog"
        recorded = forecast_file(
            path, self._folder, forecast_type, fetched=source is not None, any_ending=known
        )
        self._ignored.update({*TIME_DEPENDENT_KEYS, "force_stage"})
        gridded = forecast_type == "gridded"
        # The events of a catalog have times, by which a window takes them: no unit changes their number.
        self._ignored.add("n_sims" if gridded else "forecast_unit")
        return FileModel(
            name=name,
            path=recorded,
            format=self._reader(forecast_type),
            forecast_type=forecast_type,
            forecast_unit=section.forecast_unit if gridded and section.forecast_unit is not None else 1.0,
            n_catalogs=None if gridded else section.n_sims,
            source=source,
            metadata=metadata_of(section),
        )

    def _folder_model(self, name: str, path: str) -> FolderModel:
        section, source = self._section, self._source()
        program: ProgramSpec | CallableSpec | None
        if section.kind == "callable":
            recorded, function = read_callable(name, section, path, self._place, self._folder, self._problems)
            program = function.model_copy(update={"limits": self._limits})
        else:
            recorded = model_folder(path, self._folder, fetched=source is not None)
            program = self._program({"name": name, "prefix": section.prefix or name})
        by_format: ForecastType = "catalog" if (self._format or "csv") in CATALOG_FORMATS else "gridded"
        forecast_type = section.forecast_type or by_format
        reader = self._reader(forecast_type)
        # The catalogs of a window stand for it, whatever the unit: floatCSEP passes over both keys, too.
        self._ignored.add("forecast_unit" if forecast_type == "catalog" else "n_sims")
        if section.func is None:
            self._ignored.update({"func_kwargs", "args_file", "input_cat", "force_stage", *PROGRAM_KEYS})
        return FolderModel(
            name=name,
            path=recorded,
            prefix=section.prefix or name,
            format="csv" if self._format is None or reader is None else self._format,
            forecast_type=forecast_type,
            forecast_unit=section.forecast_unit if forecast_type == "gridded" else None,
            n_catalogs=section.n_sims if forecast_type == "catalog" else None,
            program=program,
            lead_time=None if program is None else length_text(section.lead_time),
            source=source,
            force_stage=bool(section.force_stage) and source is not None,
            metadata=metadata_of(section),
        )

    def _reader(self, forecast_type: ForecastType) -> str | None:
        """Give the name of the reader that the format means, None where the file tells."""
        if self._format is None:
            return None
        known = GRIDDED_FORMATS if forecast_type == "gridded" else CATALOG_FORMATS
        if self._format not in known:
            kind = "gridded" if forecast_type == "gridded" else "catalog-based"
            refuse(f"{kind} forecasts are not read from {self._format}, but from {', '.join(known)}")
        return known[self._format]

    def _source(self) -> SourceSpec | None:
        section = self._section
        if section.giturl is not None:
            if section.zenodo_id is not None:
                self._ignored.add("zenodo_id")
            return GitSource(url=section.giturl, revision=section.repo_hash)
        self._ignored.add("repo_hash")
        if section.zenodo_id is None:
            self._ignored.add("force_stage")
        return None if section.zenodo_id is None else ZenodoSource(record=section.zenodo_id)

    def _program(self, names: Mapping[str, str]) -> ProgramSpec | None:
        section = self._section
        if section.func is None:
            return None
        given = {
            "arguments": filled_arguments(section.func_kwargs or {}, names),
            "args_file": section.args_file,
            "input_catalog": section.input_cat,
            "build": section.build,
            "variables": section.variables,
            "seed_argument": section.seed_argument,
            "force_build": section.force_build,
        }
        check_window_dates(section.func_kwargs, self._place.at("func_kwargs"), self._problems)
        program = ProgramSpec.model_validate(
            {
                "command": filled_command(section.func, names),
                **{key: value for key, value in given.items() if value is not None},
            }
        )
        return program.model_copy(update={"limits": self._limits})
