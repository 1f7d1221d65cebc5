"""The keys of an experiment's files as a JSON Schema, for editors, and as a page, for people."""

from collections.abc import Mapping
from typing import Any, Final, Literal

from pydantic import JsonValue

from forequake.config._catalog_shape import (
    BoxSection,
    CatalogSection,
    CompletenessSection,
    MainshockSection,
    RulesSection,
    StepSection,
)
from forequake.config._limits import LimitsSection
from forequake.config._model_shape import ModelSection
from forequake.config._region_shape import RegionSection
from forequake.config._section import Section
from forequake.config._shapes import OTHER_NAMES, ExperimentSection
from forequake.config._test_shape import ArgumentSection, TestSection
from forequake.config._time_shape import TimeSection

__all__ = ["SECTIONS", "SchemaKind", "file_schema", "keys_page"]

#: Which of an experiment's files: the whole experiment, or a list of models or tests of its own.
SchemaKind = Literal["experiment", "models", "tests"]

#: The sections in the order of the page, with the words over them.
SECTIONS: Final[dict[type[Section], str]] = {
    ExperimentSection: "config.yml",
    TimeSection: "time_config (or at the top of config.yml)",
    RegionSection: "region_config (or at the top of config.yml)",
    ModelSection: "A model, in models or models.yml",
    LimitsSection: "limits, of a model or of all",
    TestSection: "A test, in tests or tests.yml",
    ArgumentSection: "func_kwargs of a test",
    CatalogSection: "catalog or input_catalog, where it is more than a file or a query",
    BoxSection: "region of a catalog",
    RulesSection: "rules of a catalog",
    CompletenessSection: "completeness, where it is more than a magnitude",
    StepSection: "One of the steps of completeness",
    MainshockSection: "One of the mainshocks of completeness",
}
_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_Schema = dict[str, Any]


def file_schema(kind: SchemaKind = "experiment") -> dict[str, JsonValue]:
    """Give the JSON Schema (draft 2020-12) of one of an experiment's files.

    It knows keys and types. What a value means, such as whether a file is there, only reading the experiment
    tells (`forequake.config.load_experiment`).
    """
    shared: _Schema = {}
    for section in SECTIONS:
        shared |= _section(section)
    shared |= {
        "Models": _list_of("ModelSection", "models"),
        "Tests": _list_of("TestSection", "tests"),
        "Catalog": _text_or("CatalogSection"),
        "Completeness": {"anyOf": [{"type": ["number", "null"]}, {"$ref": "#/$defs/CompletenessSection"}]},
        "Steps": {"type": "array", "items": {"$ref": "#/$defs/StepSection"}},
        "Mainshocks": {"type": "array", "items": {"$ref": "#/$defs/MainshockSection"}},
    }
    head = {"$schema": _DIALECT, "title": f"forequake: {kind}"}
    if kind == "experiment":
        body = _experiment(shared)
    else:
        body = shared["Models" if kind == "models" else "Tests"]["anyOf"][1]
    return {**head, **body, "$defs": _needed(body, shared)}


def keys_page() -> str:
    """Give the page of all keys in Markdown: what each means, and what its absence stands for."""
    parts = [_INTRODUCTION]
    for section, title in SECTIONS.items():
        rows = [f"| `{name}` | {meaning} | {default} |" for name, meaning, default in _rows(section)]
        module = section.__module__.replace(".", "/")
        place = (
            f"Read by `{section.__name__}` in `{module}.py`; the test of a key is `[{section.__name__}.KEY]`."
        )
        table = "| key | meaning | default |\n|---|---|---|\n" + "\n".join(rows)
        parts.append(f"## {title}\n\n{place}\n\n{table}\n")
    return "\n".join(parts)


_INTRODUCTION: Final = """\
# All keys of an experiment's files

The format is that of floatCSEP 0.5 ([what differs](floatcsep.md)); older names are read too. A key that is
not on this page is refused, with the nearest one that is. `forequake schema` prints the same keys for
editors, `forequake schema --page` this page.

- **kept** keys tell people something; they are stored with the experiment.
- **not used** keys steer floatCSEP's own pictures or running. They are accepted, named once when the
  experiment is checked, and have no effect.

Below each heading stands where its keys are read. The tests are those of `tests/config/test_every_key.py`.
"""


def _rows(section: type[Section]) -> list[tuple[str, str, str]]:
    rows = []
    for name, field in section.model_fields.items():
        meaning = str(field.description)
        marks = section.marks(name)
        if "metadata" in marks:
            meaning = f"**kept.** {meaning}"
        if "unused" in marks:
            meaning = f"**not used.** {meaning}"
        extra = field.json_schema_extra
        default = extra.get("default") if isinstance(extra, Mapping) else None
        rows.append((field.alias or name, meaning, "" if default is None else f"`{default}`"))
    return rows


def _section(section: type[Section]) -> _Schema:
    """Give a section's schema and those that it refers to, by name."""
    schema = section.model_json_schema(by_alias=True)
    found: _Schema = {name: _plain(part) for name, part in schema.pop("$defs", {}).items()}
    return {**found, section.__name__: _plain(schema)}


def _plain(schema: Any) -> Any:
    """Leave out what pydantic adds for programs, titles and None as a default, and set references."""
    match schema:
        case {"x-definition": str(name), **rest}:
            return {**_plain(rest), "$ref": f"#/$defs/{name}"}
        case Mapping():
            kept = {key: _plain(value) for key, value in schema.items()}
            if isinstance(kept.get("title"), str):
                del kept["title"]
            if "default" in kept and kept["default"] is None:
                del kept["default"]
            return kept
        case list():
            return [_plain(item) for item in schema]
    return schema


def _text_or(section: str) -> _Schema:
    return {"anyOf": [{"type": ["string", "null"]}, {"$ref": f"#/$defs/{section}"}]}


def _list_of(section: str, what: str) -> _Schema:
    entry = {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": {"$ref": f"#/$defs/{section}"},
    }
    return {
        "anyOf": [
            {"type": ["string", "null"], "description": f"A YAML file with the list of {what}."},
            {"type": "array", "minItems": 1, "items": entry},
        ]
    }


def _experiment(shared: _Schema) -> _Schema:
    """Give the top of config.yml, where the keys of time and region may stand too."""
    top = dict(shared["ExperimentSection"])
    properties = dict(top["properties"])
    for name in ("TimeSection", "RegionSection"):
        properties |= shared[name]["properties"]
    needed = [{"anyOf": [{"required": [name]} for name in (key, *OTHER_NAMES[key])]} for key in OTHER_NAMES]
    return {**top, "properties": properties, "required": ["name"], "allOf": needed}


def _needed(body: _Schema, shared: _Schema) -> _Schema:
    """Keep the definitions that a schema refers to, directly or not."""
    names: dict[str, None] = {}
    open_ends: list[Any] = [body]
    while open_ends:
        for name in _references(open_ends.pop()):
            if name not in names:
                names[name] = None
                open_ends.append(shared[name])
    return {name: shared[name] for name in sorted(names)}


def _references(schema: Any) -> list[str]:
    match schema:
        case Mapping():
            own = [schema["$ref"].rpartition("/")[2]] if isinstance(schema.get("$ref"), str) else []
            return own + [name for value in schema.values() for name in _references(value)]
        case list():
            return [name for item in schema for name in _references(item)]
    return []
