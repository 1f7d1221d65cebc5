"""The variables that a model declares: where they come from, what counts in keys, and what nobody reads."""

import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from forequake.errors import ModelFailed
from forequake.models.programs import ProgramInputs
from forequake.models.runs import declared_variables, run_model
from forequake.models.runs.variables import Secrets
from forequake.models.sources import PathSource, fetch_source
from tests.models.model_runs import WINDOW, request

linux = pytest.mark.skipif(sys.platform != "linux", reason="what is watched is known on Linux alone")
_WORD = "hunter2-hunter2"
CODE = """
import json, os, sys
word = os.environ["TOKEN"]
print(json.dumps({"progress": 0.5, "step": "login with " + word}), flush=True)
sys.exit("refused: " + word)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    # Not pytest's own folder, which other users may not enter.
    with tempfile.TemporaryDirectory(prefix="forequake-tests-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@linux
def test_what_is_passed_on_is_told_nowhere(folder: Path) -> None:
    (folder / "own").mkdir()
    (folder / "own" / "run.py").write_text(CODE)
    source = fetch_source(PathSource(folder / "own"), folder, shelf=folder / "shelf", say=lambda line: None)
    seen: list[Mapping[str, Any]] = []
    variables = {"TOKEN": _WORD}
    asked = request(
        "good", folder, source=source, variables=variables, secret={"TOKEN"}, on_progress=seen.append
    )

    with pytest.raises(ModelFailed) as caught:
        run_model(asked)

    assert str(caught.value).endswith("it said last: refused: [TOKEN]")
    assert _WORD not in caught.value.output
    assert seen == [{"progress": 0.5, "step": "login with [TOKEN]"}]


def test_values_come_from_the_file_or_from_the_surroundings() -> None:
    given = declared_variables({"MODE": "fast", "TOKEN": None}, {"TOKEN": "t", "OTHER": "o"})

    assert given == {"MODE": "fast", "TOKEN": "t"}
    with pytest.raises(ModelFailed, match="needs the environment variable TOKEN") as caught:
        declared_variables({"TOKEN": None}, {})
    assert caught.value.cause == "cannot_start"


def test_secrets_are_taken_out_also_where_a_text_begins_within_one() -> None:
    secrets = Secrets({"A": "abcdefgh", "B": "xabcdefghy", "SHORT": "ab"})

    assert secrets.out_of("defgh and xabcdefghy, abcdefgh") == "[A] and [B], [A]"
    assert secrets.out_of("fgh, ab") == "fgh, ab"
    assert secrets.out_of_all({"step": ["abcdefgh", 1, None]}) == {"step": ["[A]", 1, None]}


def test_variables_and_the_place_of_the_seed_count_in_keys_only_where_they_are() -> None:
    def inputs(**more: Any) -> ProgramInputs:
        return ProgramInputs(
            source="0" * 64,
            inputs=None,
            environment="1" * 64,
            command="run",
            arguments={},
            args_file="args.txt",
            input_catalog="catalog.csv",
            output=("m", "csv"),
            past="2" * 64,
            window=WINDOW,
            seed=1,
            **more,
        )

    assert "variables" not in inputs().canon
    assert "seed_argument" not in inputs().canon
    others: list[dict[str, Any]] = [
        {"seed_argument": "seed"},
        {"variables": {"A": "1"}},
        {"variables": {"A": None}},
    ]
    assert len({inputs().key, *(inputs(**more).key for more in others)}) == 4
