"""The catalogs of an experiment: observed, input, and from which magnitude on they are complete."""

from collections.abc import Mapping
from typing import Any, Final

from forequake.catalogs import (
    CatalogRules,
    CatalogSpec,
    CompletenessSpec,
    CompletenessStep,
    FileCatalog,
    Mainshock,
    QueryCatalog,
)
from forequake.catalogs.specs import CATALOG_FORMATS, Box, CatalogFormat
from forequake.config._catalog_shape import (
    QUERIES,
    SERVICES,
    BoxSection,
    CatalogSection,
    CompletenessSection,
    MainshockSection,
    RulesSection,
    StepSection,
)
from forequake.config._files import Folder
from forequake.config._places import Place, Problems
from forequake.config._section import read_section

__all__ = ["read_catalog_entry", "read_completeness_entry"]

#: Open where one end is not given (`forequake.quantities.DepthKm`).
_ANY_DEPTH: Final = (-20.0, 7000.0)


def read_catalog_entry(place: Place, folder: Folder, problems: Problems) -> CatalogSpec | None:
    """Read a catalog: a file, a data set, a query, or a mapping of `CatalogSection`; None with mistakes.

    The value must be there; whether it must is the caller's to say.
    """
    value = place.value
    before = len(problems)
    if isinstance(value, Mapping):
        required = {} if place.at("query").value else {"path": "a file, or query instead of it, a service"}
        section = read_section(
            CatalogSection, place, place.entries, problems, required=required, context=folder
        )
        _check_source(place, problems)
    elif isinstance(value, str):
        what = "query" if value.startswith("query_") else "path"
        section = read_section(CatalogSection, place, {what: place}, problems, required={}, context=folder)
    else:
        problems.add(place, f"expected a file, a query ({', '.join(QUERIES)}), or a mapping with their keys")
        return None
    box = _read_box(place.at("region"), problems)
    rules = _read_rules(place.at("rules"), problems)
    depths = _read_depths(section, place, problems)
    if section.start_date and section.end_date and section.start_date >= section.end_date:
        problems.add(
            place.at("end_date"), f"must be after start_date, {section.start_date:%Y-%m-%dT%H:%M:%S}"
        )
    source = _source(section)
    if len(problems) > before or source is None:
        return None
    return CatalogSpec(
        source=source,
        start=section.start_date,
        end=section.end_date,
        region=box,
        magnitude_min=section.mag_min,
        depth_km=depths,
        rules=rules,
    )


def _check_source(place: Place, problems: Problems) -> None:
    given = {name for name, entry in place.entries.items() if entry.value is not None}
    if {"path", "query"} <= given:
        problems.add(place.at("query"), "the catalog is read from path; leave one of them out")
    elif "query" in given and "format" in given:
        problems.add(place.at("format"), "this is for files; a service's format is known")
    if "address" in given and "query" not in given:
        problems.add(place.at("address"), "this is the address of a service; say which one with query")


def _source(section: CatalogSection) -> FileCatalog | QueryCatalog | None:
    """Give the source; its words have been checked."""
    if section.path is not None:
        format_: CatalogFormat | None = next((one for one in CATALOG_FORMATS if one == section.format), None)
        return FileCatalog(path=section.path, format=format_)
    if section.query is not None:
        return QueryCatalog(service=SERVICES[section.query], address=section.address)
    return None


def _read_box(place: Place, problems: Problems) -> Box | None:
    if not isinstance(place.value, Mapping):
        return None
    why = "a box has west, east, south and north"
    box = read_section(
        BoxSection, place, place.entries, problems, required=dict.fromkeys(BoxSection.keys(), why)
    )
    if box.west is None or box.east is None or box.south is None or box.north is None:
        return None
    if box.south >= box.north:
        problems.add(place.at("north"), f"must be greater than south, {box.south:g}")
    if box.west == box.east:
        problems.add(place.at("east"), f"must differ from west, {box.west:g}")
    return (box.west, box.east, box.south, box.north)


def _read_rules(place: Place, problems: Problems) -> CatalogRules:
    if not isinstance(place.value, Mapping):
        return CatalogRules()
    section = read_section(RulesSection, place, place.entries, problems, required={})
    given: dict[str, Any] = section.given
    if given.get("event_types") == ["all"]:
        given["event_types"] = None
    return CatalogRules.model_validate(given)


def _read_depths(section: CatalogSection, place: Place, problems: Problems) -> tuple[float, float] | None:
    least, most = section.depth_min, section.depth_max
    if least is None and most is None:
        return None
    if least is not None and most is not None and least > most:
        problems.add(place.at("depth_max"), f"must not be less than depth_min, {least:g}")
    return (_ANY_DEPTH[0] if least is None else least, _ANY_DEPTH[1] if most is None else most)


def read_completeness_entry(place: Place, problems: Problems) -> CompletenessSpec | None:
    """Read the completeness of the catalog: a magnitude, or a mapping of `CompletenessSection`."""
    before = len(problems)
    entries = place.entries if isinstance(place.value, Mapping) else {"floor": place}
    section = read_section(CompletenessSection, place, entries, problems, required={})
    if isinstance(place.value, Mapping) and all(entry.value in (None, []) for entry in entries.values()):
        problems.add(place, f"expected some of {', '.join(CompletenessSection.keys())}")
    steps = _read_steps(_items(place.at("steps"), section.steps, problems), problems)
    mainshocks = []
    for item in _items(place.at("mainshocks"), section.mainshocks, problems):
        why = "a mainshock has a time and a magnitude"
        shock = read_section(
            MainshockSection, item, item.entries, problems, required={"time": why, "magnitude": why}
        )
        if shock.time is not None and shock.magnitude is not None:
            mainshocks.append(Mainshock(time=shock.time, magnitude=shock.magnitude))
    if len(problems) > before:
        return None
    return CompletenessSpec(steps=steps, mainshocks=tuple(mainshocks), floor=section.floor)


def _read_steps(items: list[Place], problems: Problems) -> tuple[CompletenessStep, ...]:
    steps: list[CompletenessStep] = []
    for number, item in enumerate(items):
        required = {"magnitude": "from it on the catalog is complete"}
        if number:
            required["start_date"] = "only the first step may hold since ever"
        step = read_section(StepSection, item, item.entries, problems, required=required)
        if step.magnitude is None:
            continue
        last = steps[-1].start if steps else None
        if last is not None and step.start_date is not None and step.start_date <= last:
            problems.add(item.at("start_date"), f"must be after the step before, {last:%Y-%m-%dT%H:%M:%S}")
        else:
            steps.append(CompletenessStep(start=step.start_date, magnitude=step.magnitude))
    return tuple(steps)


def _items(place: Place, values: list[object] | None, problems: Problems) -> list[Place]:
    """Give the places of a list's mappings."""
    mappings = []
    for number, value in enumerate(values or []):
        if isinstance(value, Mapping):
            mappings.append(place.at(number))
        else:
            problems.add(place.at(number), "expected a mapping of keys to values")
    return mappings
