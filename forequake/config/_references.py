"""The built-in references among the models of an experiment."""

from collections.abc import Mapping
from typing import Final

from forequake.config._model_shape import ModelSection
from forequake.config._places import Place, Problems
from forequake.config._section import metadata_of
from forequake.config.model_specs import (
    DEFAULT_BACKGROUND,
    DEFAULT_MAG_BIN,
    DEFAULT_NEIGHBOURS,
    LearningReference,
    ReferenceModel,
    Smoothing,
)

__all__ = ["REFERENCE_KEYS", "check_reference", "read_reference", "reference_needs", "unfit_keys"]

_SMOOTHING_KEYS: Final = ("kernel", "neighbours", "bandwidth_km", "background")
_LEARNING_KEYS: Final = ("mag_min", "mag_bin", "start_date", "end_date")
_MEAN_KEYS: Final = ("last", "space")
#: Keys that only references take.
REFERENCE_KEYS: Final = ("reference", "total", "b_value", *_LEARNING_KEYS, *_MEAN_KEYS, *_SMOOTHING_KEYS)
#: Keys of models that come from files.
_FILE_KEYS: Final = ("path", "flavours", "filename", "class", "model_class")
_UNIFORM_NEEDS: Final = {"total": "the expected number of events in forecast_unit years"}


def reference_needs(entries: Mapping[str, Place]) -> dict[str, str]:
    """Give the keys that a reference needs, and why."""
    needs = {"reference": "the kind of reference, such as uniform"}
    word = entries["reference"].value if "reference" in entries else "uniform"
    return needs | _UNIFORM_NEEDS if word == "uniform" else needs


def unfit_keys(section: ModelSection) -> dict[str, str]:
    """Give the keys that a reference does not take, each with the kind of model that does not."""
    unfit = dict.fromkeys(_FILE_KEYS, "reference")
    if section.reference is None:  # a wrong word, which is noted with the section
        return unfit
    others: tuple[str, ...] = ("total", "forecast_unit")
    if section.reference == "uniform":
        others = (*_LEARNING_KEYS, *_MEAN_KEYS, *_SMOOTHING_KEYS)
    elif section.reference == "smoothed_seismicity":
        others += _MEAN_KEYS
    return unfit | dict.fromkeys(others, f"reference ({section.reference})")


def check_reference(section: ModelSection, entries: Mapping[str, Place], problems: Problems) -> None:
    """Note keys of a reference that contradict one another."""
    if section.neighbours is not None and section.bandwidth_km is not None:
        problems.add(entries["bandwidth_km"], "neighbours gives the kernel's distance; leave one of them out")
    start, end = section.start_date, section.end_date
    if start is not None and end is not None and start >= end:
        problems.add(entries["end_date"], "a reference must begin to learn before it ends (start_date)")
    if section.reference == "running_mean" and section.space != "smoothed":
        for key in _SMOOTHING_KEYS:
            if key in section.given and key in entries:
                problems.add(entries[key], "a running mean takes this key with `space: smoothed` only")


def read_reference(name: str, section: ModelSection) -> ReferenceModel | LearningReference | None:
    """Make a reference of keys without mistakes; None where there are some after all."""
    if section.reference in ("smoothed_seismicity", "running_mean"):
        smoothed = section.reference == "smoothed_seismicity" or section.space == "smoothed"
        return LearningReference(
            name=name,
            reference=section.reference,
            smoothing=_smoothing(section) if smoothed else None,
            last=None if section.last is None else f"{section.last.count} {section.last.unit}s",
            mag_min=section.mag_min,
            mag_bin=DEFAULT_MAG_BIN if section.mag_bin is None else section.mag_bin,
            start=section.start_date,
            end=section.end_date,
            b_value=section.b_value,
            metadata=metadata_of(section),
        )
    if section.total is None:
        return None
    return ReferenceModel(
        name=name,
        reference=section.reference or "uniform",
        total=section.total,
        b_value=1.0 if section.b_value is None else section.b_value,
        forecast_unit=1.0 if section.forecast_unit is None else section.forecast_unit,
        metadata=metadata_of(section),
    )


def _smoothing(section: ModelSection) -> Smoothing:
    neighbours = section.neighbours
    if neighbours is None and section.bandwidth_km is None:
        neighbours = DEFAULT_NEIGHBOURS
    return Smoothing(
        kernel=section.kernel or "power_law",
        neighbours=neighbours,
        bandwidth_km=section.bandwidth_km,
        background=DEFAULT_BACKGROUND if section.background is None else section.background,
    )
