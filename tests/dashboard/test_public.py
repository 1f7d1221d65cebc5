"""A dashboard for the public: what is under embargo is not there, and nothing tells of the operation."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from dashboard._public import PublicStore
from dashboard.launch import APP, PUBLIC_VARIABLE
from forequake.errors import AccessDenied, NotFound
from forequake.quantities import now
from forequake.results import ExperimentRecord
from stores import ResultQuery, open_store
from stores.testing import fill_store, sample_experiment, sample_label, sample_run

SOON, LONG_AGO = now() + timedelta(days=900), datetime(2020, 1, 1, tzinfo=UTC)
VIEWS = sorted(file.stem for file in (APP.parent / "views").glob("*.py") if not file.stem.startswith("_"))


def _run_again(url: str, name: str, number: int, **config: Any) -> None:
    """Begin a run of an experiment whose files say something else now."""
    record = sample_experiment(name, number)
    record = record.model_copy(update={"config": record.config | config})
    store = open_store(url)
    store.put([record])
    store.begin_run(sample_run(record, owner="secrethost/boot/1/1"))


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Fill a store with an open experiment, one that was under embargo, and one that still is."""
    address = f"sqlite:///{tmp_path_factory.mktemp('secretfolder') / 'results.sqlite'}"
    store = open_store(address)
    for name in ("open", "lifted", "closed"):
        fill_store(store, models=("alpha", "beta"), tests=("N", "T"), windows=3, failed=1, experiment=name)
    _run_again(address, "open", 70, catalog="/secretfolder/data/catalog.csv", other="data/catalog.csv")
    _run_again(address, "lifted", 71, embargo_until=LONG_AGO.isoformat())
    _run_again(address, "closed", 72, embargo_until=SOON.isoformat())
    return address


def test_an_experiment_under_embargo_is_nowhere(url: str) -> None:
    store, whole = PublicStore(open_store(url)), open_store(url)
    assert [summary.name for summary in store.experiments()] == ["lifted", "open"]
    slot = sample_label("N", "alpha", 0, experiment="closed").slot
    assert whole.history(slot)
    assert store.history(slot) == []
    assert whole.latest(ResultQuery(experiment="closed")).rows
    assert store.latest(ResultQuery(experiment="closed")).rows == ()
    assert store.runs("closed") == []
    assert store.units("closed") == []
    assert store.timings("closed") == ()
    assert {run.experiment for run in store.runs(None)} == {"lifted", "open"}
    key = next(summary.record_key for summary in whole.experiments() if summary.name == "closed")
    for question in (
        lambda: store.overview("closed"),
        lambda: store.get(ExperimentRecord, key),
        lambda: store.scan(ExperimentRecord),
        lambda: store.bindings(),
    ):
        with pytest.raises(NotFound):
            question()


def test_an_embargo_ends_by_itself(url: str) -> None:
    store = PublicStore(open_store(url), clock=lambda: SOON)
    assert [summary.name for summary in store.experiments()] == ["closed", "lifted", "open"]


def test_what_cannot_be_understood_is_not_shown(url: str, tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'results.sqlite'}"
    fill_store(open_store(address), models=("alpha",), tests=("N",), windows=1, experiment="odd")
    _run_again(address, "odd", 70, embargo_until="some day")
    assert PublicStore(open_store(address)).experiments() == []


def test_hosts_commands_errors_and_folders_are_left_out(url: str) -> None:
    store = PublicStore(open_store(url))
    (run, *_) = store.runs("open")
    assert (run.owner, run.host, run.command) == ("", "", ())
    (unit, *_) = store.units("open")
    assert unit.error is not None
    assert unit.error.kind
    assert unit.error.message == unit.owner == ""
    key = next(summary.record_key for summary in store.experiments() if summary.name == "open")
    config = store.get(ExperimentRecord, key).config
    assert (config["catalog"], config["other"]) == ("catalog.csv", "data/catalog.csv")


def test_it_can_only_be_read(url: str) -> None:
    for store in (PublicStore(open_store(url)), open_store(url, read_only=True)):
        with pytest.raises(AccessDenied, match="reading only"):
            store.put([sample_experiment("new")])
        with pytest.raises(AccessDenied):
            store.release("host/boot/1/1")
    assert open_store(url).put([sample_experiment("new")]).written


def test_sqlite_itself_refuses_to_write(url: str) -> None:
    import sqlite3

    from stores.sqlite import SqliteStore

    path = Path(url.removeprefix("sqlite:///"))
    store = SqliteStore(path, "name", read_only=True)
    with pytest.raises(sqlite3.OperationalError, match="readonly"), store._connections._borrowed() as db:
        db.execute("DELETE FROM latest")


@pytest.fixture
def public(monkeypatch: pytest.MonkeyPatch, url: str) -> Iterator[None]:
    monkeypatch.setenv(PUBLIC_VARIABLE, "1")
    monkeypatch.setenv("FOREQUAKE_STORE", url)
    monkeypatch.setenv("PREFECT_API_URL", "http://secrethost:4200/api")
    st.cache_data.clear()
    st.cache_resource.clear()
    yield
    st.cache_data.clear()
    st.cache_resource.clear()


def _protos(block: Any) -> Iterator[str]:
    for child in block.children.values():
        if hasattr(child, "children"):
            yield from _protos(child)
        yield str(getattr(child, "proto", ""))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("view", "query"),
    [
        *((view, {"experiment": "open"}) for view in VIEWS if view != "result"),
        ("overview", {"experiment": "closed"}),
        ("result", {"slot": sample_label("N", "alpha", 0, experiment="open").slot}),
        ("result", {"slot": sample_label("N", "alpha", 0, experiment="closed").slot}),
    ],
)
@pytest.mark.usefixtures("public")
def test_no_page_tells_what_is_not_for_the_public(view: str, query: dict[str, str], url: str) -> None:
    message = next(unit.error.message for unit in open_store(url).units("open") if unit.error is not None)
    app = AppTest.from_file(str(APP), default_timeout=60)
    if view != "overview":
        app.switch_page(f"views/{view}.py")
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception, app.exception
    said = "\n".join([*_protos(app.main), *_protos(app.sidebar)])
    assert len(said) > 100
    assert not [word for word in ("secretfolder", "secrethost", message) if word in said]
    if query != {"experiment": "closed"}:
        assert "closed" not in said
