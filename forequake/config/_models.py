"""The models of an experiment."""

from typing import Final

from forequake.config._files import Folder
from forequake.config._places import Place, Problems
from forequake.config._section import metadata_of, read_section
from forequake.config._shapes import ModelSection
from forequake.config.model_specs import FileModel, ReferenceModel

__all__ = ["read_model_entry"]

#: Keys that only a file has, and keys that only a built-in reference has.
_FILE_KEYS: Final = ("path",)
_REFERENCE_KEYS: Final = ("reference", "total", "b_value")
_FILE_NEEDS: Final = {"path": "the file with the forecast"}
_REFERENCE_NEEDS: Final = {
    "reference": "the kind of reference, such as uniform",
    "total": "the expected number of events in forecast_unit years",
}


def read_model_entry(
    name: str, place: Place, folder: Folder, problems: Problems
) -> tuple[FileModel | ReferenceModel | None, ModelSection]:
    """Read what follows a model's name; the model is None where it has mistakes."""
    if place.value is not None and not isinstance(place.value, dict):
        problems.add(place, "expected a mapping of the model's keys, such as path")
        return None, ModelSection()
    before = len(problems)
    entries = place.entries
    built_in = entries["kind"].value == "reference" if "kind" in entries else "reference" in entries
    section = read_section(
        ModelSection,
        place,
        entries,
        problems,
        required=_REFERENCE_NEEDS if built_in else _FILE_NEEDS,
        context=folder,
    )
    for key in _FILE_KEYS if built_in else _REFERENCE_KEYS:
        if key in entries:
            kind = "reference" if built_in else "file"
            problems.add(entries[key], f"a model of the kind {kind} does not take this key")
    if len(problems) > before:
        return None, section
    return _model(name, section), section


def _model(name: str, section: ModelSection) -> FileModel | ReferenceModel | None:
    unit = 1.0 if section.forecast_unit is None else section.forecast_unit
    metadata = metadata_of(section)
    if section.path is not None:
        return FileModel(name=name, path=section.path, forecast_unit=unit, metadata=metadata)
    if section.total is None:
        return None
    return ReferenceModel(
        name=name,
        reference=section.reference or "uniform",
        total=section.total,
        b_value=1.0 if section.b_value is None else section.b_value,
        forecast_unit=unit,
        metadata=metadata,
    )
