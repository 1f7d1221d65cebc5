"""README.md does what it says: every block of code is run, or says why not."""

import os
import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
#: Blocks that are run and blocks that are not: a block that is added is counted here on purpose.
RUN, NOT_RUN = 3, 6
FENCE = re.compile(r"^```(?P<info>[^`\n]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
#: GitHub takes the first word for the language and ignores the rest.
TAG = re.compile(r"(?P<language>[a-z]+) (?:(?P<run>run)|no-run: (?P<reason>\S.*\S))")


@dataclass(frozen=True)
class Block:
    """A block of code between two fences."""

    info: str
    body: str

    @property
    def is_run(self) -> bool:
        tag = TAG.fullmatch(self.info)
        return tag is not None and tag["run"] is not None

    @property
    def commands(self) -> list[str]:
        return [line[2:] for line in self.body.splitlines() if line.startswith("$ ")]


BLOCKS = [
    Block(found["info"], found["body"]) for found in FENCE.finditer((ROOT / "README.md").read_text("utf-8"))
]


def test_every_block_is_tagged_and_counted() -> None:
    assert [block.info for block in BLOCKS if TAG.fullmatch(block.info) is None] == []
    assert Counter(block.is_run for block in BLOCKS) == {True: RUN, False: NOT_RUN}


def test_every_block_that_is_run_has_a_command() -> None:
    assert all(block.commands and block.info.startswith("console ") for block in BLOCKS if block.is_run)


def test_the_readme_is_short_and_its_links_lead_somewhere() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert len(text.splitlines()) < 150
    targets = re.findall(r"\]\(([^)#]+)\)", text)
    assert targets
    assert [target for target in targets if "://" not in target and not (ROOT / target).exists()] == []


def test_the_make_targets_that_the_readme_names_exist() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    named = set(re.findall(r"(?:`|\$ )make ([a-z]+)", text))
    listed = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert {"demo", "help", "test"} <= named <= listed


@pytest.mark.slow
@pytest.mark.prefect
def test_the_blocks_run_in_their_order(prefect_api: str, tmp_path: Path) -> None:
    environment = os.environ | {
        "HOME": str(tmp_path),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "FOREQUAKE_STORE": f"sqlite:///{tmp_path / 'results.sqlite'}",
        "PREFECT_API_URL": prefect_api,
    }
    done = 0
    for block in (block for block in BLOCKS if block.is_run):
        for command in block.commands:
            ended = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", command],
                cwd=ROOT,
                env=environment,
                capture_output=True,
                text=True,
                timeout=240,
            )
            assert ended.returncode == 0, f"$ {command}\n{ended.stdout}\n{ended.stderr}"
            assert ended.stdout.strip(), f"$ {command} prints nothing"
        done += 1
    assert done == RUN
    assert (tmp_path / "results.sqlite").is_file()
