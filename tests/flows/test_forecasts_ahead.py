"""Programs that forecast before their windows begin, and what stands once it is sealed."""

import io
import json
import subprocess
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from flows._ahead import seal_windows
from flows._following import Following
from flows._preparation import prepare
from flows._sealed import Sealing
from flows._session import Session
from flows._withdrawal import withdraw_seals
from forequake.ahead import due_ahead
from forequake.config import FolderModel
from forequake.experiments import Experiment
from forequake.keys import bytes_digest
from forequake.results import ForecastSource, ProspectiveStatus, SealRecord
from forequake.windows import TimeWindow
from stores import ResultQuery, ResultsStore, RunRef, open_store
from tests.flows.conftest import COMMAND, catalog_of, table_of
from tests.flows.test_program_models import PROGRAM

#: Windows by their place in time: over, under way, soon (its time of issue has come), and later.
OVER, OPEN, SOON, LATER = range(4)
FOLLOWING = Following("past", 2, lambda model, view: None, print)


class Lab:
    """An experiment of four windows with a program that forecasts an hour ahead."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        now = datetime.now(UTC).replace(microsecond=0, tzinfo=None)
        edges = [now + timedelta(minutes=minutes) for minutes in (-400, -90, 30, 90, 200)]
        program = folder / "models" / "past"
        program.mkdir(parents=True)
        (program / "forecast.py").write_text(
            PROGRAM.replace("start[:10]", "start").replace("end[:10]", "end")
        )
        (folder / "region.txt").write_text("0 0\n1 0\n")
        (folder / "catalog.csep").write_text(catalog_of(20, now - timedelta(days=9), now))
        windows = [[edges[number].isoformat(), edges[number + 1].isoformat()] for number in range(4)]
        (folder / "config.yml").write_text(
            f"name: live\ntime_config: {{time_windows: {json.dumps(windows)}}}\n"
            "region_config: {region: region.txt, mag_min: 5.0, mag_max: 5.2, mag_bin: 0.1}\n"
            "catalog: catalog.csep\nmodels:\n"
            "- past: {path: models/past, func: python forecast.py, forecast_type: gridded, fmt: csv, "
            "args_file: args.json, func_kwargs: {factor: 0.5}, lead_time: 1 hour}\n"
            "tests:\n- N-test: {func: poisson_evaluations.number_test}\n"
        )
        self.store_url = f"sqlite:///{folder / 'results.sqlite'}"

    @property
    def store(self) -> ResultsStore:
        return open_store(self.store_url)

    def prepare(self) -> Experiment:
        return prepare(str(self.folder), sealing=Sealing(lambda: self.store))[1]

    def window(self, number: int) -> TimeWindow:
        return self.prepare().config.windows[number]

    def revise(self) -> None:
        """Add an event that came late to the catalog, before all windows."""
        path = self.folder / "catalog.csep"
        first, *rows = path.read_text().splitlines()
        event = f"0.5,0.5,5.1,{datetime.now(UTC) - timedelta(days=8):%Y-%m-%dT%H:%M:%S},10,0,late"
        ordered = sorted([event, *rows], key=lambda row: row.split(",")[3])
        path.write_text("\n".join([first, *ordered]) + "\n")

    def command(self, *words: str) -> dict[str, Any]:
        line = [COMMAND, words[0], str(self.folder), *words[1:], "--store", self.store_url, "--json"]
        done = subprocess.run(line, capture_output=True, text=True, timeout=180)
        assert done.returncode == 0, done.stdout + done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def seals(self) -> dict[str, list[SealRecord]]:
        found: dict[str, list[SealRecord]] = {}
        for seal in sorted(self.store.scan(SealRecord), key=lambda seal: seal.number):
            found.setdefault(seal.window.id, []).append(seal)
        return found

    def seal_by_hand(self, number: int, text: str) -> None:
        """Seal a forecast as if it had been made before its window began."""
        window, data = self.window(number), text.encode()
        seal = SealRecord.at(
            "live",
            "past",
            window,
            1,
            origin="program",
            name="past.csv",
            content=bytes_digest(data),
            source=ForecastSource(content=bytes_digest(data), reader="floatcsep-csv/1"),
            file=self.store.put_blob(io.BytesIO(data)),
            arrived_at=window.start - timedelta(minutes=1),
            sealed_at=window.start - timedelta(minutes=1),
            prospective=ProspectiveStatus.PROSPECTIVE,
        )
        self.store.put([seal])


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path / "live")


@pytest.mark.prefect
def test_what_is_sealed_stands_until_somebody_asks_for_a_new_one(prefect_api: str, lab: Lab) -> None:
    lab.seal_by_hand(OVER, table_of(8.0, 8.0))
    run = lab.command("run")["run"]
    windows = [lab.window(number).id for number in range(4)]
    assert (run["counts"]["sealed"], run["counts"]["computed"]) == (2, 1)
    (row,) = lab.store.latest(ResultQuery(experiment="live")).rows
    assert (row.label.window.id, row.n_forecast) == (windows[OVER], 8.0 * 1.75 * 2)
    first = lab.seals()
    assert first[windows[SOON]][0].prospective is ProspectiveStatus.PROSPECTIVE
    assert windows[LATER] not in first
    made = first[windows[SOON]][0].run
    assert made is not None
    catalog = (lab.folder / "catalog.csep").read_text().splitlines()[1:]
    issued = (lab.window(SOON).start - timedelta(hours=1)).isoformat()
    assert made.n_input_events == sum(line.split(",")[3] < issued for line in catalog)

    lab.revise()
    plan = lab.command("plan")
    assert plan["sealed_and_changed_since"] == {"past": [windows[OPEN], windows[SOON]]}
    assert (plan["due"], plan["forecasts_to_seal"]) == (0, {})

    again = lab.command("run", "--force-forecasts", "--window", windows[SOON])["run"]
    assert again["counts"]["sealed"] == 1
    found = lab.seals()
    assert [seal.origin for seal in found[windows[SOON]]] == ["program", "withdrawal", "program"]
    assert [seal.origin for seal in found[windows[OPEN]]] == ["program"]
    assert found[windows[SOON]][2].content != found[windows[SOON]][0].content


def test_of_two_runs_at_once_one_makes_the_forecast(lab: Lab) -> None:
    loaded, experiment = prepare(str(lab.folder), sealing=Sealing(lambda: lab.store))
    model = experiment.model("past")
    assert isinstance(model, FolderModel)
    due = due_ahead(experiment)["past"]
    assert [window.id for window in due] == [lab.window(number).id for number in (OPEN, SOON)]
    at_once = threading.Barrier(2)
    sealed: list[int] = []

    def run(name: str) -> None:
        at_once.wait()
        done, broken = seal_windows(
            lab.store,
            Session(f"host/boot/{name}/1"),
            (loaded, experiment),
            RunRef(id=name, experiment="live", run_no=1),
            model,
            due,
            FOLLOWING,
            None,
        )
        assert broken == {}
        sealed.append(done)

    threads = [threading.Thread(target=run, args=(name,)) for name in ("1", "2")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(sealed) == 2
    assert {len(seals) for seals in lab.seals().values()} == {1}
    assert due_ahead(lab.prepare()) == {}
    assert due_ahead(lab.prepare(), models=["another"]) == {}
    assert withdraw_seals(lab.store, loaded, ["another"], []) == 0
    assert withdraw_seals(lab.store, loaded, [], [lab.window(SOON).id]) == 1
    assert [window.id for window in due_ahead(lab.prepare())["past"]] == [lab.window(SOON).id]


def test_a_program_that_fails_is_told_and_left_for_the_next_run(lab: Lab) -> None:
    config = lab.folder / "config.yml"
    config.write_text(config.read_text().replace("python forecast.py", "python nothing.py"))
    loaded, experiment = prepare(str(lab.folder), sealing=Sealing(lambda: lab.store))
    model = experiment.model("past")
    assert isinstance(model, FolderModel)
    due = due_ahead(experiment)["past"]
    run = RunRef(id="1", experiment="live", run_no=1)
    for _ in range(2):  # the claim was given back
        sealed, broken = seal_windows(
            lab.store, Session("host/boot/1/1"), (loaded, experiment), run, model, due, FOLLOWING, None
        )
        assert sealed == 0
        assert set(broken) == {window.id for window in due}
    assert all("exit code 2" in reason for reason in broken.values())
    assert lab.seals() == {}


def test_without_a_lead_time_a_program_runs_when_its_window_begins(lab: Lab) -> None:
    config = lab.folder / "config.yml"
    config.write_text(config.read_text().replace(", lead_time: 1 hour", ""))
    experiment = lab.prepare()
    model = experiment.model("past")
    assert isinstance(model, FolderModel)
    assert "lead_time" not in model.model_dump()
    assert [window.id for window in due_ahead(experiment)["past"]] == [lab.window(OPEN).id]
