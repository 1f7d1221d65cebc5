"""Files that cannot be read as an experiment at all: a problem, never a traceback."""

from collections.abc import Callable
from pathlib import Path

import pytest

from forequake.config import load_experiment
from forequake.errors import ConfigError, Problem

Write = Callable[..., Path]

#: Bytes of config.yml, the line that is blamed, and what is said.
FILES: dict[str, tuple[bytes, int | None, str]] = {
    "empty": (b"", None, "the file is empty"),
    "comments only": (b"# nothing\n", None, "the file is empty"),
    "null": (b"~\n", None, "expected a mapping of keys"),
    "a list": (b"- a\n- b\n", None, "expected a mapping of keys"),
    "a word": (b"hello\n", None, "expected a mapping of keys"),
    "not closed": (b"name: x\nseed: [1, 2\n", 3, "this is not YAML"),
    "tab": (b"name: x\ntime_config:\n\tstart_date: 2020-01-01\n", 3, "this is not YAML"),
    "two documents": (b"name: x\n---\nname: y\n", 2, "this is not YAML"),
    "unknown alias": (b"name: x\nseed: *other\n", 2, "this is not YAML"),
    "latin 1": (b"name: x\ncatalog: cat\xe1logo.csv\n", 2, "not text in UTF-8"),
    "utf 16": ("name: x\n".encode("utf-16"), 1, "not text in UTF-8"),
    "a control character": (b"name: x\n\ncatalog: a\x07b\n", 3, "U+0007 is not allowed"),
    "nested for ever": (b"name: " + b"[" * 5000, None, "nested too deeply"),
}

BOMB = "a: &a [1,1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"{letter}: &{letter} [" + ",".join([f"*{before}"] * 10) + "]\n"
    for before, letter in zip("abcdefgh", "bcdefghi", strict=True)
)


def _problems(path: Path) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        load_experiment(path)
    return caught.value.problems


@pytest.mark.parametrize(("content", "line", "says"), FILES.values(), ids=FILES)
def test_a_file_that_is_no_mapping_in_yaml(
    content: bytes, line: int | None, says: str, tmp_path: Path
) -> None:
    file = tmp_path / "config.yml"
    file.write_bytes(content)

    (problem,) = _problems(file)

    assert says in problem.message
    assert problem.line == line
    assert problem.file is not None
    assert problem.file.resolve() == file


def test_aliases_cannot_make_a_short_file_endless(tmp_path: Path) -> None:
    file = tmp_path / "config.yml"
    file.write_text(BOMB)

    assert any("holds too much" in problem.message for problem in _problems(file))


def test_a_missing_file_names_its_neighbour(tmp_path: Path) -> None:
    (tmp_path / "config.yml").touch()

    (problem,) = _problems(tmp_path / "confg.yml")

    assert "no such file" in problem.message
    assert problem.suggestion == "config.yml"


def test_a_folder_without_an_experiment(tmp_path: Path) -> None:
    (problem,) = _problems(tmp_path)

    assert problem.file is not None
    assert problem.file.name == "config.yml"
    assert "no such file" in problem.message


def test_a_list_of_models_of_its_own_with_mistakes(write: Write) -> None:
    folder = write(
        (
            "models:\n  - Model A:\n      path: models/a.csv\n"
            "  - Model B:\n      path: models/b.dat\n      forecast_unit: 5\n",
            "models: lists/models.yml\n",
        )
    )
    (folder / "lists").mkdir()
    file = folder / "lists" / "models.yml"
    file.write_text(
        "- Model A:\n    path: ../models/a.csv\n- Model B:\n    path: models/b.dat\n    untt: 1\n"
    )

    problems = _problems(folder)

    assert [(problem.key, problem.line) for problem in problems] == [
        ("models.Model B.path", 4),
        ("models.Model B.untt", 5),
    ]
    assert {problem.file.resolve() for problem in problems if problem.file} == {file}


def test_a_list_of_tests_of_its_own_that_is_not_yaml(write: Write) -> None:
    folder = write(
        ("name: small", "name: small\nseed: x"), ("tests:\n", "test_config: tests.yml\nauthors:\n")
    )
    (folder / "tests.yml").write_text("- N-test:\n    func: [\n")

    problems = _problems(folder)

    assert [problem.key for problem in problems] == ["seed", "tests"]
    assert "this is not YAML" in problems[1].message


def test_a_list_of_tests_of_its_own_that_is_empty(write: Write) -> None:
    folder = write(("tests:\n", "test_config: tests.yml\nauthors:\n"))
    (folder / "tests.yml").touch()

    (problem,) = _problems(folder)

    assert problem.message == "the file is empty"
    assert problem.key == "tests"
