"""Files of arguments as floatCSEP writes them, and what is refused."""

import json
from pathlib import Path

import pytest
import yaml
from pydantic import JsonValue

from forequake.errors import InputError
from forequake.models.runs import render_arguments
from tests.models.model_runs import WINDOW


def test_plain_text_has_floatcseps_lines(tmp_path: Path) -> None:
    own = tmp_path / "args.txt"
    own.write_text("# of the model\nstart_date = 1999-01-01\nn_sims = 1000\nmag_min = 3.5\n")
    text = render_arguments("args.txt", WINDOW, {"n_sims": 5, "mag_min": 4.0}, template=own)
    assert text == (
        "start_date = 2020-01-02T00:00:00\nend_date = 2020-01-03T00:00:00\nmag_min = 4.0\nn_sims = 5\n"
    )


def test_without_a_file_of_the_model_the_arguments_stand_alone(tmp_path: Path) -> None:
    text = render_arguments("args.txt", WINDOW, {"b": True}, template=tmp_path / "none.txt")
    assert text == "start_date = 2020-01-02T00:00:00\nend_date = 2020-01-03T00:00:00\nb = True\n"


@pytest.mark.parametrize("name", ["args.json", "args.yml", "args.yaml"])
def test_values_in_mappings_are_joined(name: str, tmp_path: Path) -> None:
    own = tmp_path / name
    base = {"catalog": {"mag_min": 3.0, "grid": {"step": 0.1, "size": 2}}, "n_sims": None, "end_date": "x"}
    own.write_text(json.dumps(base) if name.endswith("json") else yaml.safe_dump(base))
    arguments: dict[str, JsonValue] = {"catalog": {"grid": {"step": 0.5}}, "n_sims": 7}
    text = render_arguments(name, WINDOW, arguments, template=own)
    read = json.loads(text) if name.endswith("json") else yaml.safe_load(text)
    assert read == {
        "start_date": "2020-01-02T00:00:00",
        "end_date": "2020-01-03T00:00:00",
        "catalog": {"mag_min": 3.0, "grid": {"step": 0.5, "size": 2}},
        "n_sims": 7,
    }


def test_keys_that_the_model_does_not_know_are_told(tmp_path: Path) -> None:
    own = tmp_path / "args.txt"
    own.write_text("mag_min = 3\n")
    told: list[str] = []
    render_arguments("args.txt", WINDOW, {"mag_max": 8}, template=own, say=told.append)
    assert told == ["args.txt: the model's own file has no key 'mag_max'; it is added"]


@pytest.mark.parametrize(
    ("name", "own", "arguments", "words"),
    [
        ("args.txt", "n_sims = 1\n", {"nsims": 2}, "no key 'nsims'; did you mean 'n_sims'? There is: n_sims"),
        ("args.txt", "n_sims =\n", {}, "leaves 'n_sims' empty; give it among the arguments"),
        ("args.txt", "n_sims\n", {}, ":1: 'n_sims' is not of the form 'key = value'"),
        ("args.json", "{", {}, "the JSON is damaged"),
        ("args.yml", "a: [", {}, "the YAML is damaged"),
        ("args.yml", "- a\n", {}, "is a mapping of names to values"),
        ("args.yml", "a: {b: 1}\n", {"a": 1}, "'a' is a mapping in the model's own file and a value as an"),
        ("args.txt", "", {"start_date": "2020-01-01"}, "'start_date' is the window's"),
        ("args.txt", "", {"a": "1\nend_date = 2030"}, "'a' cannot stand in a line"),
        ("args.ini", "", {}, "unknown ending; it may be .txt, .json, .yml, .yaml"),
    ],
)
def test_what_is_wrong_is_told(
    tmp_path: Path, name: str, own: str, arguments: dict[str, JsonValue], words: str
) -> None:
    (tmp_path / name).write_text(own)
    with pytest.raises(InputError) as caught:
        render_arguments(name, WINDOW, arguments, template=tmp_path / name)
    assert words in str(caught.value)


def test_what_json_and_yaml_call_nothing_is_a_value(tmp_path: Path) -> None:
    own = tmp_path / "args.yml"
    own.write_text("a: {b: {c: }}\n")
    told: list[str] = []
    text = render_arguments("args.yml", WINDOW, {"a": {"d": 1}}, template=own, say=told.append)
    assert yaml.safe_load(text)["a"] == {"b": {"c": None}, "d": 1}
    assert "args.yml: the model's own file leaves 'a.b.c' empty, and no argument gives it" in told
