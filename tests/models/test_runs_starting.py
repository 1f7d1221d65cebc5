"""Commands as floatCSEP's folders write them: with and without a shell, from one folder or the other."""

import subprocess
from collections.abc import Collection
from pathlib import Path, PurePosixPath

import pytest

from forequake.command_lines import command_words, needs_shell
from forequake.errors import InputError
from forequake.models.environments import chosen_build, runs_itself
from forequake.models.runs import place_below_start


@pytest.mark.parametrize(
    "command",
    [
        "python run.py input/args.txt",
        "python 'a b.py' \"it's\" a\\ b --mode=x",
        "sh -c 'a && b'",
        "run '$HOME' '*' a#b x~ \\$HOME \\;",
        'etas-run "[1, 2]"',
    ],
)
def test_words_alone_need_no_shell_and_are_the_shells(command: str) -> None:
    assert not needs_shell(command)
    shown = subprocess.run(
        ["/bin/sh", "-c", f"printf '%s\\n' {command}"], capture_output=True, text=True, check=True
    )
    assert tuple(shown.stdout.splitlines()) == command_words(command)


@pytest.mark.parametrize(
    "command",
    [
        "cd src && python run.py",
        "python run.py | tee log",
        "python run.py>log",
        "python run.py $HOME",
        'python run.py "$HOME"',
        "python run.py `date`",
        "python run.py;true",
        "python run.py *.txt",
        "python run.py ~/x",
        "N=5 python run.py",
        "cd src",
        "python fit.py\npython run.py",
        "python run.py # the second step",
    ],
)
def test_a_line_for_a_shell_is_given_to_one_as_it_stands(command: str) -> None:
    assert command_words(command) == ("/bin/sh", "-c", command)


@pytest.mark.parametrize(
    ("command", "words"),
    [("", "empty"), (" ", "empty"), ("python 'run", "cannot be split into words"), ("a\0b", "a character")],
)
def test_a_command_that_is_none_is_told(command: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        command_words(command)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("command", "path", "files", "below"),
    [
        ("pymock input/args.txt", "pymock", ["pymock/main.py"], None),
        ("pymock pymock/input/args.txt", "pymock", ["pymock/main.py"], "pymock"),
        ("python ./models/a/run.py", "models/a", ["run.py"], "models/a"),
        ("python models/a/run.py>log", "models/a", ["run.py"], "models/a"),
        ("cd models/a && python run.py", "models/a", ["run.py"], "models/a"),
        ("cd src && python run.py", "src", ["src/run.py"], None),
        ("cd src && python run.py", "src", ["run.py"], "src"),
        ("cd src2 && python run.py", "src", ["run.py"], None),
        ("python etas/run.py", "etas", ["etas/run.py"], None),
        ("python other/etas/run.py", "etas", [], None),
        ("python etas/run.py", "../etas", [], None),
        ("python my models/a b/run.py", "my models/a b", [], "my models/a b"),
    ],
)
def test_a_command_starts_where_its_words_lead(
    command: str, path: str, files: Collection[str], below: str | None
) -> None:
    found = place_below_start(command, path, files)
    assert found == (None if below is None else PurePosixPath(below))


@pytest.mark.parametrize(
    ("files", "build"),
    [
        ({"run.py": ""}, None),
        ({"setup.py": ""}, "venv"),
        ({"setup.cfg": "[options]\npackages = a\n"}, "venv"),
        ({"setup.cfg": "[flake8]\nmax-line-length = 79\n"}, None),
        ({"pyproject.toml": "[project]\nname = 'a'\n"}, "venv"),
        ({"pyproject.toml": "[tool.ruff]\n"}, None),
        ({"pyproject.toml": "["}, None),
    ],
)
def test_a_package_gets_an_environment_without_a_word(
    files: dict[str, str], build: str | None, tmp_path: Path
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert chosen_build(None, tmp_path) == build
    assert chosen_build("docker", tmp_path) == "docker"


@pytest.mark.parametrize(
    ("recipe", "itself"),
    [
        ("FROM a\nENTRYPOINT ['run']\n", True),
        ("FROM a\n cmd run\n", True),
        ("FROM a AS b\nCMD run\nFROM c\nCOPY --from=b x x\n", False),
        ("FROM a\nRUN echo CMD\n", False),
    ],
)
def test_an_image_may_say_what_it_runs(recipe: str, itself: bool, tmp_path: Path) -> None:
    assert not runs_itself(tmp_path)
    (tmp_path / "Dockerfile").write_text(recipe)
    assert runs_itself(tmp_path) == itself
