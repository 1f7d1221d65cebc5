"""Folders that go with their processes: only those of processes that have gone are removed."""

import subprocess
import sys
from pathlib import Path

from forequake.models.holds import held_folder, remove_abandoned

_OTHER = """
import pathlib, sys, time
from forequake.models.holds import held_folder
with held_folder(pathlib.Path(sys.argv[1]), "made-") as folder:
    (folder / "forecast.csv").touch()
    print("there", flush=True)
    time.sleep(60)
"""


def test_a_killed_process_leaves_a_folder_to_the_next_start(tmp_path: Path) -> None:
    other = subprocess.Popen([sys.executable, "-c", _OTHER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == "there\n"
        with held_folder(tmp_path, "made-") as own:
            assert remove_abandoned(tmp_path, "made-") == 0
            other.kill()
            other.wait()
            assert remove_abandoned(tmp_path, "made-") == 1
            assert list(tmp_path.iterdir()) == [own]
        assert list(tmp_path.iterdir()) == []
    finally:
        other.kill()
        other.communicate()


def test_what_others_put_there_stays(tmp_path: Path) -> None:
    for name in ("made-x-y-z", "made-1-0-z", "made-later", "run-1-2-3"):
        (tmp_path / name).mkdir()
    assert remove_abandoned(tmp_path, "made-") == 0
    assert len(list(tmp_path.iterdir())) == 4
