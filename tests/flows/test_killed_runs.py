"""forequake killed while a model runs: the next start ends what is left, and makes what is missing.

All moments: ``python -m tests.flows.killed_runs``.
"""

from pathlib import Path

import pytest

from tests.flows.killed_runs import WINDOWS, kill_and_go_on

pytestmark = [pytest.mark.prefect, pytest.mark.slow]


def test_the_next_start_ends_the_orphan_and_runs_what_is_missing(
    prefect_api: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "experiment"
    folder.mkdir()
    killed = kill_and_go_on(folder, "run, with its supervisor")
    assert killed.at_work == 3  # supervisor, program, and a helper of the program's own
    assert killed.left_before == 1
    assert killed.left_after == killed.folders == 0
    assert killed.forecasts == (1, WINDOWS - 1, 0, 0)
    assert killed.results == (0, 4 * WINDOWS, 0, 0)


def test_a_forecast_that_was_sealed_but_not_stored_is_made_again_and_no_other(
    prefect_api: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "experiment"
    folder.mkdir()
    killed = kill_and_go_on(folder, "seal")
    assert killed.left_before == killed.left_after == killed.folders == 0
    assert killed.forecasts == (1, WINDOWS - 1, 0, 0)
    assert killed.results == (0, 4 * WINDOWS, 0, 0)
