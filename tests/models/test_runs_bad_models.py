"""Models that misbehave, run for real: each ends in the right state, and leaves nothing behind.

``python -m tests.models.model_runs`` prints how each of them ended.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from forequake.models.runs import run_model
from forequake.models.sources import verify
from tests.models.model_runs import CASES, Case, request, run_beside, run_case, staged

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="what is watched is known on Linux alone"),
]
#: What takes another user, whom only root can be.
OF_ROOT = {"leaves_files", "looks_for_tomorrow", "calls_home"}


@pytest.fixture
def folder() -> Iterator[Path]:
    # Not pytest's own folder, which other users may not enter.
    with tempfile.TemporaryDirectory(prefix="forequake-tests-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.parametrize("case", CASES[1:], ids=lambda case: case.model)
def test_it_ends_in_the_right_state_and_disturbs_nobody(case: Case, folder: Path) -> None:
    if case.model in OF_ROOT and os.geteuid() != 0:
        pytest.skip("only root can become another user")
    ended, good = run_beside(case, folder)
    assert ended.state == case.state, ended.message
    assert case.words in ended.message
    assert ended.seconds < 15
    assert good.run is not None, good.message
    assert good.run.log == "2 events\n"
    assert (ended.files, good.files) == (0, 0)
    if ended.run is not None:
        assert ended.run.sha256 == good.run.sha256  # they write the same forecast


def test_no_process_stays(folder: Path) -> None:
    for name in ("forks_a_daemon", "is_deaf", "multiplies"):
        (folder / name).mkdir()
        case = next(case for case in CASES if case.model == name)
        assert run_case(case, folder / name).processes == 0


def test_what_deletes_its_source_deletes_only_its_copy(folder: Path) -> None:
    source = staged("deletes_its_source", folder)
    for _ in range(2):
        run_model(request("deletes_its_source", folder, source=source))
        verify(source)


def test_what_prints_a_gigabyte_has_only_the_end_kept(folder: Path) -> None:
    case = next(case for case in CASES if case.model == "prints_a_gigabyte")
    ended = run_case(case, folder)
    assert ended.run is not None
    assert ended.run.log.endswith("xxx\ndone\n")
    assert len(ended.run.log) < 20_000
    assert ended.run.peak_memory < 100 << 20


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_files_that_are_left_where_all_may_write_are_removed(folder: Path) -> None:
    case = next(case for case in CASES if case.model == "leaves_files")
    assert run_case(case, folder).state == "succeeded"
    assert [
        *Path("/tmp").glob("forequake-bad-model-*"),
        *Path("/dev/shm").glob("forequake-bad-model-*"),
    ] == []
