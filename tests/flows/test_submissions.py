"""Forecasts that others hand in: real files, a real store, processes that are killed or come at once."""

import json
import os
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flows import _intake
from flows._intake import Received, Taking, receive
from flows._sealed import sealed_forecasts
from forequake import submissions
from forequake.config import LoadedExperiment, SubmissionModel, load_experiment
from forequake.results import ProspectiveStatus, SealRecord
from forequake.seals import judge
from forequake.windows import TimeWindow
from stores import ResultsStore, open_store
from tests.flows.conftest import COMMAND, catalog_of, table_of

#: Windows by their place in time: long over, under way, to come.
PAST, OPEN, AHEAD = range(3)


class Lab:
    """An experiment of three windows with a folder that others fill."""

    def __init__(self, folder: Path, *, late: str = "mark", model: str | None = None) -> None:
        now = datetime.now(UTC).replace(microsecond=0, tzinfo=None)
        edges = [now + timedelta(hours=hours) for hours in (-3, -1, 1, 3)]
        self.folder = folder
        self.drop = folder / "drop box"
        self.drop.mkdir(parents=True)
        (folder / "region.txt").write_text("0 0\n1 0\n")
        (folder / "flat.csv").write_text(table_of(1.0, 1.0))
        (folder / "catalog.csep").write_text(catalog_of(8, now - timedelta(days=9), now))
        windows = [[edges[number].isoformat(), edges[number + 1].isoformat()] for number in range(3)]
        entry = model or f"{{kind: submission, path: drop box, forecast_type: gridded, late: {late}}}"
        (folder / "config.yml").write_text(
            f"name: live\ntime_config: {{time_windows: {json.dumps(windows)}}}\n"
            "region_config: {region: region.txt, mag_min: 5.0, mag_max: 5.2, mag_bin: 0.1}\n"
            f"catalog: catalog.csep\nmodels:\n- flat: {{path: flat.csv}}\n- theirs: {entry}\n"
            "tests:\n- N-test: {func: poisson_evaluations.number_test}\n"
        )
        self.store_url = f"sqlite:///{folder / 'results.sqlite'}"

    @property
    def loaded(self) -> LoadedExperiment:
        return load_experiment(self.folder)

    @property
    def store(self) -> ResultsStore:
        return open_store(self.store_url)

    @property
    def model(self) -> SubmissionModel:
        model = self.loaded.config.models[1]
        assert isinstance(model, SubmissionModel)
        return model

    def window(self, number: int) -> TimeWindow:
        return self.loaded.config.windows[number]

    def hand_in(self, number: int, text: str = table_of(1.6, 0.4)) -> Path:
        """Write a file and move it into its place."""
        path = self.drop / self.model.file_names(self.window(number))[0]
        partial = path.with_name(f".{path.name}.part")
        partial.write_text(text)
        partial.rename(path)
        return path

    def receive(self, taking: Taking = "take", said: list[str] | None = None) -> Received:
        words: list[str] = [] if said is None else said
        return receive(self.store, self.loaded, self.model, taking, words.append)

    def became(self, number: int) -> list[str]:
        """Tell what became of all that came for a window."""
        seals = self.receive("look").seals.get(self.window(number).id, ())
        return [found.verdict.value for found in judge(seals, self.model.late)]


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    monkeypatch.setattr(submissions, "SETTLED", timedelta(milliseconds=20))
    return Lab(tmp_path / "an experiment")


def test_the_last_before_the_window_counts_and_what_comes_later_changes_nothing(lab: Lab) -> None:
    lab.hand_in(AHEAD)
    path = lab.hand_in(OPEN)
    assert len(lab.receive().new) == 2
    assert lab.became(AHEAD) == ["taken"]
    assert lab.became(OPEN) == ["late"]
    lab.hand_in(AHEAD, table_of(1.5, 0.5))
    lab.hand_in(OPEN, table_of(1.5, 0.5))
    assert len(lab.receive().new) == 2
    assert lab.became(AHEAD) == ["replaced", "taken"]
    assert lab.became(OPEN) == ["late", "refused"]
    assert lab.receive().new == []
    path.unlink()
    sealed = sealed_forecasts(lab.store, lab.loaded, "take", print)
    late = sealed.find("theirs", lab.window(OPEN))
    assert sealed.troubles == {}
    assert late is not None
    assert late.prospective is ProspectiveStatus.LATE
    assert late.file is not None
    assert sealed.open(late.file.sha256).read().decode() == table_of(1.6, 0.4)


def test_a_file_of_a_window_that_is_over_is_retrospective_and_may_be_refused(tmp_path: Path) -> None:
    lab = Lab(tmp_path, late="refuse")
    lab.hand_in(PAST)
    (seal,) = lab.receive().new
    assert seal.prospective is ProspectiveStatus.RETROSPECTIVE
    assert lab.became(PAST) == ["refused"]
    sealed = sealed_forecasts(lab.store, lab.loaded, "look", print)
    assert sealed.find("theirs", lab.window(PAST)) is None
    assert "late: refuse" in (sealed.reason("theirs", lab.window(PAST)) or "")


def test_bad_files_are_told_once_and_a_better_one_replaces_them(lab: Lab) -> None:
    said: list[str] = []
    path = lab.hand_in(AHEAD, "".join(table_of(1.0, 1.0).splitlines(keepends=True)[:2]))
    lab.receive(said=said)
    lab.receive(said=said)
    assert len(said) == 1
    assert "1 of the region's 2 cells have no rate" in said[0]
    assert lab.became(AHEAD) == ["refused"]
    for text in ("", "nonsense\n", "\0" * 99):
        lab.hand_in(AHEAD, text)
        lab.receive(said=said)
    assert len(said) == 4
    assert not any("Traceback" in text or str(lab.folder) in text for text in said)
    lab.hand_in(AHEAD)
    lab.receive()
    assert lab.became(AHEAD) == ["refused"] * 4 + ["taken"]
    os.utime(path, (1, 1))  # touched: the same content
    assert lab.receive().new == []


def test_what_is_no_file_or_still_grows_or_belongs_to_no_window_is_not_taken(lab: Lab) -> None:
    names = [lab.model.file_names(lab.window(number))[0] for number in range(3)]
    (lab.drop / names[PAST]).symlink_to(lab.folder / "flat.csv")
    os.mkfifo(lab.drop / names[OPEN])
    (lab.drop / "theirs_2020-01-01_2020-01-02.csv").write_text("")
    stop = threading.Event()

    def write_slowly() -> None:
        with (lab.drop / names[AHEAD]).open("w") as file:
            while not stop.wait(0.002):
                file.write("x\n")
                file.flush()

    writer = threading.Thread(target=write_slowly)
    writer.start()
    try:
        while not (lab.drop / names[AHEAD]).exists():
            time.sleep(0.001)
        received = lab.receive()
    finally:
        stop.set()
        writer.join()
    assert received.new == []
    assert received.arriving == [names[AHEAD]]
    assert {name: reason.split(" is ")[1] for name, reason in received.look.refused.values()} == {
        names[PAST]: "a link: put the file itself there",
        names[OPEN]: "not a file",
    }
    assert received.look.strangers == ["theirs_2020-01-01_2020-01-02.csv"]


def test_a_clock_that_was_set_back_makes_no_forecast_prospective(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = lab.window(AHEAD)
    lab.hand_in(AHEAD, "cut short\n")
    monkeypatch.setattr(_intake, "now", lambda: window.start + timedelta(minutes=1))
    lab.receive()
    monkeypatch.setattr(_intake, "now", lambda: window.start - timedelta(minutes=9))
    lab.hand_in(AHEAD)
    (seal,) = lab.receive().new
    assert seal.sealed_at == seal.arrived_at == window.start + timedelta(minutes=1)
    assert lab.became(AHEAD) == ["refused", "late"]


def test_of_several_that_look_at_once_one_seals(lab: Lab) -> None:
    lab.hand_in(AHEAD)
    at_once = threading.Barrier(4)
    found: list[Received] = []

    def look() -> None:
        at_once.wait()
        found.append(lab.receive())

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(len(received.new) for received in found) == 1
    assert lab.became(AHEAD) == ["taken"]


_KILLED = """
import os, signal, sys
from stores.sqlite.store import SqliteStore
SqliteStore.put = lambda *arguments: os.kill(os.getpid(), signal.SIGKILL)
from flows.cli import main
sys.argv = ["forequake", "submissions", *sys.argv[1:]]
main()
"""


def test_a_process_that_is_killed_before_the_seal_leaves_it_to_the_next(lab: Lab) -> None:
    lab.hand_in(AHEAD)
    words = [sys.executable, "-c", _KILLED, str(lab.folder), "--store", lab.store_url]
    assert subprocess.run(words, capture_output=True, timeout=60).returncode == -9
    assert lab.became(AHEAD) == []
    assert [finding.code for finding in lab.store.check()] == ["unreferenced_blob"]
    assert len(lab.receive().new) == 1
    assert list(lab.store.check()) == []


def test_forecasts_of_another_store_come_with_the_time_of_their_seal(lab: Lab, tmp_path: Path) -> None:
    lab.hand_in(AHEAD)
    lab.hand_in(OPEN)
    first = {seal.window: seal for seal in lab.receive().new}
    entry = f"{{kind: submission, store: '{lab.store_url}', experiment: live, forecast_type: gridded}}"
    other = Lab(tmp_path / "other", model=entry)
    text = (lab.folder / "config.yml").read_text().replace("name: live", "name: copy")
    (other.folder / "config.yml").write_text(
        text.replace(text[text.index("{kind") : text.index("tests")], entry + "\n")
    )
    taken = other.receive().new
    assert {seal.window: (seal.sealed_at, seal.content, seal.origin) for seal in taken} == {
        window: (seal.sealed_at, seal.content, "store") for window, seal in first.items()
    }
    assert (other.became(AHEAD), other.became(OPEN)) == (["taken"], ["late"])
    assert other.receive().new == []
    (other.folder / "config.yml").write_text(
        (other.folder / "config.yml").read_text().replace(lab.store_url, "elsewhere")
    )
    assert "FOREQUAKE_STORE_ELSEWHERE" in (other.receive().trouble or "")
    assert other.became(AHEAD) == ["taken"]


def test_the_command_lists_what_came(lab: Lab) -> None:
    lab.hand_in(AHEAD)
    words = [COMMAND, "submissions", str(lab.folder), "--store", lab.store_url, "--json"]
    tried = subprocess.run([*words, "--dry-run"], capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(tried.stdout)["models"][0]["came"][0]["status"] == "taken"
    assert not (lab.folder / "results.sqlite").exists()
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True)
    (model,) = json.loads(done.stdout)["models"]
    (came,) = model["came"]
    assert (came["window"], came["status"], came["new"]) == (lab.window(AHEAD).id, "taken", True)
    assert model["missing"] == [lab.window(PAST).id, lab.window(OPEN).id]
    lab.drop.rename(lab.folder / "away")
    away = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert away.returncode == 1
    assert "cannot be read" in json.loads(away.stdout)["models"][0]["trouble"]


@pytest.mark.prefect
def test_a_run_tests_what_was_sealed(prefect_api: str, lab: Lab) -> None:
    handed_in = [lab.hand_in(PAST), lab.hand_in(AHEAD)]
    words = [COMMAND, "run", str(lab.folder), "--store", lab.store_url, "--json"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=180)
    assert done.returncode == 1, done.stderr  # nothing came for the window that is under way
    assert "| INFO" not in done.stderr  # Prefect writes its log itself
    for path in handed_in:
        path.unlink()
    seals = lab.store.scan(SealRecord)
    assert {seal.prospective.value for seal in seals} == {"retrospective", "prospective"}
    again = subprocess.run(words, capture_output=True, text=True, timeout=180)
    run = json.loads(again.stdout)["run"]
    assert (run["counts"]["cached"], run["counts"]["computed"]) == (2, 0)
    results = [COMMAND, "results", "live", "--store", lab.store_url]
    table = subprocess.run(results, capture_output=True, text=True, timeout=60, check=True)
    assert "Mark: the forecast of theirs is retrospective." in table.stdout
    objects = subprocess.run([*results, "--format", "json"], capture_output=True, timeout=60, check=True)
    found = {row["model"]: row["prospective"] for row in json.loads(objects.stdout)}
    assert found == {"flat": None, "theirs": "retrospective"}
