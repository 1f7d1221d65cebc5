"""Words that the command does not know: exit code 2 and a hint, never a traceback."""

import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = Path(sys.executable).with_name("forequake")


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["--nope"], "--nope"),
        (["runn"], "run"),
        (["run"], "config"),
        (["results", "california", "--format", "xml"], "xml"),
        (["dashboard", "--port", "0"], "--port"),
    ],
)
def test_a_word_that_there_is_not_is_the_users_mistake(words: list[str], hint: str) -> None:
    ended = subprocess.run([COMMAND, *words], capture_output=True, text=True)
    assert ended.returncode == 2
    assert hint in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], ["server", "--help"], ["--version"]])
def test_help_is_no_mistake(words: list[str]) -> None:
    ended = subprocess.run([COMMAND, *words], capture_output=True, text=True)
    assert ended.returncode == 0
    assert "forequake" in ended.stdout
