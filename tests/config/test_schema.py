"""The schema that editors read: a valid one, which takes what is read and refuses what is not."""

from datetime import date, datetime
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from forequake.catalogs import CatalogRules
from forequake.config import ExperimentConfig
from forequake.config._catalog_shape import RulesSection
from forequake.config.schema import SECTIONS, SchemaKind, file_schema
from forequake.config.specs import DEFAULT_ALPHA, DEFAULT_SIMULATIONS
from tests.config.test_every_key import BASE, CASES, _changed

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*/*.yml"))


def _as_editors_see(value: Any) -> Any:
    """Give dates as text: editors read YAML without them."""
    match value:
        case dict():
            return {str(key): _as_editors_see(item) for key, item in value.items()}
        case list():
            return [_as_editors_see(item) for item in value]
        case datetime() | date():
            return value.isoformat()
    return value


def _complaints(kind: SchemaKind, document: Any) -> list[str]:
    found = Draft202012Validator(file_schema(kind)).iter_errors(_as_editors_see(document))
    return [error.message for error in found]


@pytest.mark.parametrize("kind", get_args(SchemaKind))
def test_it_is_a_schema_of_2020(kind: SchemaKind) -> None:
    schema = file_schema(kind)

    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_it_takes_the_examples(file: Path) -> None:
    kind: SchemaKind = (
        "models" if "models" in file.stem else "tests" if "tests" in file.stem else "experiment"
    )

    assert _complaints(kind, yaml.safe_load(file.read_text(encoding="utf-8"))) == []


def test_it_takes_whatever_is_read() -> None:
    validator = Draft202012Validator(file_schema())
    refused = {
        name: [error.message for error in validator.iter_errors(_changed(BASE, changes))]
        for name, (changes, _, _) in CASES.items()
    }

    assert {name: messages for name, messages in refused.items() if messages} == {}


@pytest.mark.parametrize(
    "broken",
    [
        {"modles": []},
        {"name": None},
        {"models": None},
        {"seed": -1},
        {"time_config": {"horizon": 2}},
        {"time_config": {"growth": "cummulative"}},
        {"models": [{"A": {"path": "a", "forcast_unit": 1}}]},
        {"models": [{"A": {"path": "a"}, "B": {"path": "b"}}]},
        {"tests": [{"N": {"func": "poisson_evaluations.numbr_test"}}]},
        {"catalog": {"query": "query_comcat", "rules": {"duplicates": "drp"}}},
    ],
    ids=str,
)
def test_it_refuses_what_is_refused_for_its_form(broken: dict[str, Any]) -> None:
    assert _complaints("experiment", _changed(BASE, broken)) != []


def test_every_key_says_what_it_means() -> None:
    silent = [
        f"{section.__name__}.{name}"
        for section in SECTIONS
        for name, field in section.model_fields.items()
        if not field.description
    ]

    assert silent == []


def test_defaults_that_are_shown_are_those_that_hold() -> None:
    shown = file_schema()["$defs"]
    assert isinstance(shown, dict)
    arguments = shown["ArgumentSection"]["properties"]  # type: ignore[index, call-overload]
    rules = {
        name: field.json_schema_extra.get("default")
        for name, field in RulesSection.model_fields.items()
        if isinstance(field.json_schema_extra, dict)
    }
    real = CatalogRules().model_dump(mode="json")

    assert arguments["num_simulations"]["default"] == DEFAULT_SIMULATIONS  # type: ignore[index, call-overload]
    assert ExperimentConfig.model_fields["alpha"].default == DEFAULT_ALPHA
    assert {name: real[name] for name, value in rules.items() if value is not None} == {
        name: value for name, value in rules.items() if value is not None
    }
