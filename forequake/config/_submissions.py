"""Models whose forecasts others hand in, among the models of an experiment."""

import re
from collections.abc import Mapping
from typing import Final

from forequake.config._files import Folder
from forequake.config._model_shape import CATALOG_FORMATS, GRIDDED_FORMATS, ModelSection
from forequake.config._places import Place, Problems
from forequake.config._section import metadata_of, read_section, unused_keys
from forequake.config.model_specs import ModelSpec
from forequake.config.spec_base import ForecastType
from forequake.config.submission_specs import SubmissionModel, SubmissionStore
from forequake.datasets import is_dataset

__all__ = ["SUBMISSION_KEYS", "is_submission", "read_submission"]

#: Keys that only submissions take.
SUBMISSION_KEYS: Final = ("store", "experiment", "model", "late")
_OF_STORES: Final = ("experiment", "model")
#: Keys that submissions take in common with others; no other key of a model means anything for them.
_SHARED: Final = ("kind", "path", "forecast_type", "forecast_unit", "fmt", "format", "n_sims", "prefix")
#: A name of a store, or an address that can hold no password.
_STORE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*|sqlite://[^@]+|mongodb://[^@]+")


def is_submission(entries: Mapping[str, Place]) -> bool:
    """Tell whether a model's entry is one of this kind."""
    return "kind" in entries and entries["kind"].value == "submission"


def _needs(entries: Mapping[str, Place]) -> dict[str, str]:
    """Give the keys that a submission needs, and why."""
    if "store" in entries:
        return {"experiment": "the experiment whose forecasts are taken from that store"}
    return {"path": "the folder into which others put forecasts (or store, from which they are taken)"}


def _unfit(section: ModelSection) -> dict[str, str]:
    """Give the keys that a submission does not take, each with the kind of model that does not."""
    fields = type(section).model_fields
    others = {field.alias or name for name, field in fields.items() if not section.marks(name)}
    unfit = others - {*_SHARED, *SUBMISSION_KEYS}
    if section.store is None:
        return dict.fromkeys(sorted(unfit | set(_OF_STORES)), "submission (path)")
    return dict.fromkeys(sorted(unfit | {"path", "prefix"}), "submission (store)")


def read_submission(
    name: str, place: Place, folder: Folder, problems: Problems
) -> tuple[dict[str, ModelSpec | None], list[str]]:
    """Read what follows the name of a submission.

    Its folder need not be there: others make it, and a share that is away stops no other model.

    Returns
    -------
    dict
        By name the model; None where it has mistakes.
    list of str
        Keys that nothing uses.
    """
    before, entries = len(problems), place.entries
    section = read_section(ModelSection, place, entries, problems, required=_needs(entries))
    if section.fmt is not None and section.format is not None:
        problems.add(entries["format"], "this is another name of fmt, which is given too")
    for key, kind in _unfit(section).items():
        if key in entries:
            problems.add(entries[key], f"a model of the kind {kind} does not take this key")
    reader, forecast_type = _reader(section, place, problems)
    if section.store is not None and not _STORE.fullmatch(section.store):
        message = "expected NAME (its address stands in FOREQUAKE_STORE_NAME), or an address without password"
        problems.add(place.at("store"), message)
    path = section.path
    if path is not None and (is_dataset(path) or folder.holds_file(path)):
        problems.add(place.at("path"), "this is a file; expected the folder into which others put forecasts")
    if len(problems) > before:
        return {name: None}, []
    store = None
    if section.store is not None and section.experiment is not None:
        store = SubmissionStore(
            name=section.store, experiment=section.experiment, model=section.model or name
        )
    gridded = forecast_type == "gridded"
    model = SubmissionModel(
        name=name,
        path=None if path is None else folder.recorded(path),
        store=store,
        late=section.late or "mark",
        prefix=section.prefix or name,
        format=reader,
        forecast_type=forecast_type,
        forecast_unit=section.forecast_unit if gridded else None,
        n_catalogs=None if gridded else section.n_sims,
        metadata=metadata_of(section),
    )
    unused = "n_sims" if gridded else "forecast_unit"
    ignored = [f"models.{unused}"] if unused in section.given else []
    return {name: model}, [*unused_keys(section, "models."), *ignored]


def _reader(section: ModelSection, place: Place, problems: Problems) -> tuple[str, ForecastType]:
    """Give the ending of the files, which tells their reader, and which kind of forecast they hold."""
    format = section.fmt or section.format
    by_format: ForecastType = "catalog" if (format or "csv") in CATALOG_FORMATS else "gridded"
    forecast_type = section.forecast_type or by_format
    known = GRIDDED_FORMATS if forecast_type == "gridded" else CATALOG_FORMATS
    if format is not None and format not in known:
        kind = "gridded" if forecast_type == "gridded" else "catalog-based"
        where = place.at("fmt" if section.fmt is not None else "format")
        problems.add(where, f"{kind} forecasts are not read from {format}, but from {', '.join(known)}")
    # A format that has no reader of its own leaves it to the file, which then ends in csv.
    return ("csv" if format is None or known.get(format) is None else format), forecast_type
