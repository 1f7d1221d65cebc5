"""What a run started from: facts, differences, the document, and commands that a shell takes."""

import hashlib
import json
import subprocess
import threading
import time
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import yaml

from dashboard import _prefect
from dashboard._prefect import answers, flow_run_link, prefect_address
from dashboard._provenance import (
    CatalogFacts,
    Difference,
    config_hash,
    config_text,
    differences,
    document,
    facts_of,
    repeat_commands,
    requirements,
)
from dashboard._runs import duration_of, results_a_minute, state_of, trigger_of
from forequake.results import RunCounts, RunRecord
from stores.testing import sample_environment, sample_experiment, sample_run

COMMAND = ("forequake", "run", "/data/it's here/config.yml", "--store", "main", "--model", "a b")


def run(**changes: Any) -> RunRecord:
    draft = sample_run(sample_experiment())
    moment = "2026-11-21T12:00:00Z"
    given: dict[str, Any] = {"id": "x", "run_no": 1, "started_at": moment, "heartbeat_at": moment}
    return RunRecord.model_validate(dict(draft) | given | {"command": COMMAND} | changes)


def test_only_what_differs_is_listed() -> None:
    before, after = sample_experiment(number=1), sample_experiment(number=2)
    environment = sample_environment()
    upgraded = environment.model_copy(update={"packages": environment.packages | {"numpy": "9.9"}})
    catalog = CatalogFacts("testing", "file.csv", after.inputs.catalog, 12, None, None, None)
    mine = facts_of(before, run(git_commit="a" * 40), environment)
    theirs = facts_of(after, run(git_commit="b" * 40), upgraded, [catalog])
    assert differences(mine, mine) == []
    found = differences(mine, theirs)
    assert [(each.part, each.what) for each in found] == [
        ("code", "commit"),
        ("packages", "numpy"),
        ("configuration", "seed"),
        ("catalogs and region", "catalog"),
    ]
    assert found[2] == Difference("configuration", "seed", "1", "2")
    assert (found[3].after or "").endswith(", 12 events")


def test_parts_of_lists_are_named_and_windows_told_apart() -> None:
    record = sample_experiment()
    windows = [{"start": f"2020-01-0{day}", "end": f"2020-01-0{day + 1}"} for day in (1, 2)]
    config = {"models": [{"name": "etas", "path": "a.csv"}, {"name": "plain"}], "windows": windows}
    before = record.model_copy(update={"config": config})
    changed = {
        "models": [{"name": "plain"}, {"name": "etas", "path": "b.csv"}],
        "windows": windows[1:],
        "magnitudes": [4.0] * 200,
    }
    after = record.model_copy(update={"config": changed})
    found = {
        each.what: (each.before, each.after)
        for each in differences(facts_of(before, None, None), facts_of(after, None, None))
    }
    assert found.pop("magnitudes")[1].startswith("[4.0, 4.0")  # type: ignore[union-attr]
    assert found == {
        "models.etas.path": ("a.csv", "b.csv"),
        "windows 2020-01-01 to 2020-01-02": ("there", None),
    }


def test_the_document_has_all_and_is_json() -> None:
    record, environment = sample_experiment(), sample_environment()
    found = json.loads(json.dumps(document(run(), record, environment, [], [])))
    assert found["experiment"]["config"] == record.config
    assert found["environment"]["packages"] == environment.packages
    assert found["run"]["command"] == list(COMMAND)
    text = json.dumps(record.config, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert found["experiment"]["config_sha256"] == hashlib.sha256(text.encode()).hexdigest()
    assert config_hash(record) == found["experiment"]["config_sha256"]
    assert yaml.safe_load(config_text(record)) == record.config


def test_the_commands_are_those_of_a_shell(tmp_path: Any) -> None:
    environment = sample_environment()
    commands = repeat_commands(run(git_commit="c" * 40), environment)
    assert commands is not None
    assert f"git -C '/data/it'\"'\"'s here' checkout {'c' * 40}" in commands
    last = commands.splitlines()[-1]
    assert last.startswith("repeat/bin/forequake run ")
    assert last.endswith("--model 'a b' --store sqlite:///repeated.sqlite")
    subprocess.run(["bash", "-n"], input=commands, text=True, check=True)
    assert repeat_commands(run(command=()), environment) is None
    bare = repeat_commands(run(git_commit=None), None)
    assert bare is not None
    assert bare.splitlines()[-1].startswith("forequake run ")
    pins = requirements(environment)
    assert pins.count("==") == len(environment.packages) - ("forequake" in environment.packages)


def test_a_silent_run_has_crashed_and_its_time_ends_with_its_last_beat() -> None:
    record = run(heartbeat_at="2026-11-21T12:01:00Z", owner="elsewhere/boot/1/1", tags=("scheduled",))
    soon, later = (record.started_at + timedelta(minutes=minutes) for minutes in (2.5, 4))
    assert (state_of(record, soon), duration_of(record, soon)) == ("running", "2 min 30 s")
    assert (state_of(record, later), duration_of(record, later)) == ("crashed", "60.0 s")
    assert (trigger_of(record), trigger_of(run(tags=()))) == ("schedule", "by hand")
    assert results_a_minute(record, soon) is None
    ended = run(ended_at="2026-11-21T15:00:30Z", state="completed", counts=RunCounts(computed=361))
    assert results_a_minute(ended, later) == pytest.approx(2.0)
    assert duration_of(ended, later) == "3 h 0 min"


@pytest.fixture
def no_prefect(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in _prefect.PREFECT_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(_prefect, "_asked", {})
    return monkeypatch


def test_links_lead_to_prefects_pages_without_a_password(no_prefect: pytest.MonkeyPatch) -> None:
    assert prefect_address() is None
    assert flow_run_link("f", None) is None
    no_prefect.setenv("PREFECT_API_URL", "http://me:secret@127.0.0.1:4207/api")
    assert prefect_address() == "http://127.0.0.1:4207"
    assert flow_run_link("f", "http://localhost:8501/runs") == "http://127.0.0.1:4207/runs/flow-run/f"
    assert flow_run_link(None, None) is None
    # A reader on another machine would be led to a server of their own.
    assert flow_run_link("f", "https://results.example.org/runs") is None
    no_prefect.setenv("PREFECT_UI_URL", "https://prefect.example.org/ui/")
    assert (
        flow_run_link("f", "https://results.example.org/") == "https://prefect.example.org/ui/runs/flow-run/f"
    )
    no_prefect.setenv("PREFECT_UI_URL", "http://[::1")
    assert prefect_address() == "http://127.0.0.1:4207"


def test_prefect_is_asked_beside_the_page(no_prefect: pytest.MonkeyPatch) -> None:
    asked = threading.Event()

    class Slow(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.wait(10)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *words: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Slow)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        address = f"http://127.0.0.1:{server.server_port}"
        begun = time.monotonic()
        assert answers(address) is None
        assert time.monotonic() - begun < 0.5
        asked.set()
        assert _told(address) is True
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    _prefect._asked[address].asked_at = float("-inf")
    answers(address)
    while _prefect._asked[address].under_way:
        time.sleep(0.01)
    assert answers(address) is False


def _told(address: str) -> bool | None:
    deadline = time.monotonic() + 10
    while answers(address) is None and time.monotonic() < deadline:
        time.sleep(0.01)
    return answers(address)
