"""The experiment that `forequake init` writes."""

from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from flows.cli import app
from forequake.config import load_experiment
from forequake.config.schema import file_schema, keys_page
from forequake.config.starting_point import write_starting_point
from forequake.errors import InputError


def test_it_is_read_at_once_and_without_notes(tmp_path: Path) -> None:
    files = write_starting_point(tmp_path / "new" / "étude 1")

    loaded = load_experiment(tmp_path / "new" / "étude 1")

    assert loaded.config.name == "étude 1"
    assert [model.name for model in loaded.config.models] == ["mainshock", "aftershock", "uniform"]
    assert (loaded.notes, loaded.config.unused) == ((), ())
    assert set(loaded.files) <= set(files)


def test_its_files_name_the_schema_beside_them(tmp_path: Path) -> None:
    write_starting_point(tmp_path)

    for name in ("config.yml", "models.yml", "tests.yml"):
        text = (tmp_path / name).read_text(encoding="utf-8")
        schema = tmp_path / text.splitlines()[0].removeprefix("# yaml-language-server: $schema=")
        document = yaml.safe_load(text)
        validator = Draft202012Validator(yaml.safe_load(schema.read_text(encoding="utf-8")))
        found = [error.message for error in validator.iter_errors(_texts(document))]
        assert found == []


def _texts(value: object) -> object:
    match value:
        case dict():
            return {key: _texts(item) for key, item in value.items()}
        case list():
            return [_texts(item) for item in value]
        case str() | int() | float():
            return value
    return str(value)


@pytest.mark.parametrize("held", ["config.yml", ".hidden"])
def test_a_folder_that_holds_something_is_left_alone(held: str, tmp_path: Path) -> None:
    (tmp_path / held).write_text("mine")

    with pytest.raises(InputError, match="not empty"):
        write_starting_point(tmp_path)

    assert [file.name for file in tmp_path.iterdir()] == [held]
    assert (tmp_path / held).read_text() == "mine"


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "here").write_text("mine")

    with pytest.raises(InputError, match="is a file"):
        write_starting_point(tmp_path / "here")

    assert (tmp_path / "here").read_text() == "mine"


def test_the_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    app(["init", str(tmp_path / "new")], standalone_mode=False)
    assert "config.yml" in capsys.readouterr().out

    app(["schema", "--kind", "models"], standalone_mode=False)
    assert yaml.safe_load(capsys.readouterr().out) == file_schema("models")

    app(["schema", "--page"], standalone_mode=False)
    assert capsys.readouterr().out == keys_page()
