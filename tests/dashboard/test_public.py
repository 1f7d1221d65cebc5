"""A dashboard for the public: what is under embargo is not there, and nothing tells of the operation."""

import http.client
import inspect
import io
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from dashboard._public import PublicStore
from dashboard.launch import APP, PUBLIC_VARIABLE
from forequake.errors import AccessDenied, NotFound
from forequake.experiments import Experiment
from forequake.quantities import now
from forequake.results import (
    CatalogForecastRecord,
    CatalogRetrieval,
    EvaluationRecord,
    ExperimentRecord,
    ForecastRecord,
    ModelRunRecord,
)
from stores import Page, PastStore, ReadOnlyStore, ResultQuery, ResultsStore, open_store
from stores.testing import (
    fill_store,
    sample_catalog_forecast,
    sample_experiment,
    sample_label,
    sample_retrieval,
    sample_run,
)
from tests.conftest import CaliforniaRun
from tests.dashboard.conftest import Server
from tests.dashboard.offered import Offers
from tests.dashboard.reading import words

SOON, LONG_AGO = now() + timedelta(days=900), datetime(2020, 1, 1, tzinfo=UTC)
VIEWS = sorted(file.stem for file in (APP.parent / "views").glob("*.py") if not file.stem.startswith("_"))


def _put(store: ResultsStore, name: str, number: int, **config: Any) -> ExperimentRecord:
    """Store what an experiment's files say now."""
    record = sample_experiment(name, number)
    record = record.model_copy(update={"config": record.config | config})
    store.put([record])
    return record


def _run_again(url: str, name: str, number: int, **config: Any) -> None:
    """Begin a run of an experiment whose files say something else now."""
    store = open_store(url)
    record = _put(store, name, number, **config)
    store.begin_run(sample_run(record, owner="secrethost/boot/1/1"))


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Fill a store with an open experiment, one that was under embargo, and one that still is."""
    address = f"sqlite:///{tmp_path_factory.mktemp('secretfolder') / 'results.sqlite'}"
    store = open_store(address)
    for name in ("open", "lifted", "closed"):
        fill_store(store, models=("alpha", "beta"), tests=("N", "T"), windows=3, failed=1, experiment=name)
    _run_again(
        address,
        "open",
        70,
        catalog="/secretfolder/data/catalog.csv",
        input_catalog="secretfolder/learning.csv",
        metadata={"authors": "A/B", "note": "see ~secretuser/plan.txt"},
        models=[
            {
                "name": "alpha",
                "path": "../secretfolder/alpha",
                "source": {"url": "https://me:secrethost@h/a/b"},
            },
            {"name": "beta", "store": {"name": "secrethost", "experiment": "closed", "model": "beta"}},
            {
                "name": "gamma",
                "program": {"command": "run secretfolder/x", "variables": {"KEY": "secrethost"}},
            },
        ],
    )
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
        lambda: store.scan(EvaluationRecord),
        lambda: store.scan(ForecastRecord),
        lambda: store.bindings(),
    ):
        with pytest.raises(NotFound):
            question()


def test_no_question_about_a_hidden_experiment_has_an_answer(url: str) -> None:
    """Whatever a store is asked by an experiment's name, also what it will be asked in later versions."""
    given: dict[str, Any] = {"experiment": "closed", "query": ResultQuery(experiment="closed"), "test": "N"}
    whole, asked = open_store(url), []
    for name, method in inspect.getmembers(ReadOnlyStore, inspect.isfunction):
        takes = inspect.signature(method).parameters
        if name.startswith("_") or not {"experiment", "query"} & set(takes):
            continue
        if name == "summarise":  # it writes
            continue
        words = {word: given[word] for word in takes if word in given}
        answered = bool(getattr(whole, name)(**words))
        assert answered or name == "timings", name
        for store in (PublicStore(whole), PastStore(PublicStore(whole), now())):
            try:
                answer = getattr(store, name)(**words)
            except NotFound:
                continue
            assert not (answer.rows if isinstance(answer, Page) else answer), name
        asked.append(name)
    assert {"columns", "coverage", "latest", "overview", "runs", "units"} <= set(asked)


def test_an_embargo_ends_by_itself(url: str) -> None:
    store = PublicStore(open_store(url), clock=lambda: SOON)
    assert [summary.name for summary in store.experiments()] == ["closed", "lifted", "open"]


@pytest.mark.parametrize("told", ["some day", 5, ["2020-01-01"]])
def test_what_cannot_be_understood_is_not_shown(told: Any, tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'results.sqlite'}"
    store = open_store(address)
    store.begin_run(sample_run(_put(store, "odd", 70, embargo_until=told)))
    assert PublicStore(open_store(address)).experiments() == []


@pytest.mark.parametrize("told", ["2031-05-01T00:00:00", "2031-05-01T00:00:00Z", "2031-05-01T09:00:00+09:00"])
def test_an_embargo_without_a_zone_is_one_in_utc(told: str, tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'results.sqlite'}"
    store = open_store(address)
    store.begin_run(sample_run(_put(store, "soon", 70, embargo_until=told)))
    end = datetime(2031, 5, 1, tzinfo=UTC)
    for moment, count in ((end - timedelta(seconds=1), 0), (end, 1)):
        assert len(PublicStore(store, clock=partial(datetime.astimezone, moment)).experiments()) == count


def test_a_page_that_is_open_when_an_embargo_ends_or_begins_follows(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments, seconds = [SOON - timedelta(seconds=1)], [1000.0]
    monkeypatch.setattr("dashboard._public.time.monotonic", lambda: seconds[0])
    store = PublicStore(open_store(url), clock=lambda: moments[0])
    slot = sample_label("N", "alpha", 0, experiment="closed").slot
    for moment, shown in ((SOON, True), (SOON - timedelta(seconds=1), False)):
        assert bool(store.history(slot)) is not shown
        moments[0], seconds[0] = moment, seconds[0] + 5
        assert bool(store.history(slot)) is shown


def test_hosts_commands_errors_and_folders_are_left_out(url: str) -> None:
    store = PublicStore(open_store(url))
    (run, *_) = store.runs("open")
    assert (run.owner, run.host, run.command) == ("", "", ())
    (unit, *_) = store.units("open")
    assert unit.error is not None
    assert unit.error.kind
    assert unit.error.message == unit.owner == ""
    key = next(summary.record_key for summary in store.experiments() if summary.name == "open")
    record = store.get(ExperimentRecord, key)
    text = record.model_dump_json()
    assert not [word for word in ("secret", "closed") if word in text]
    config: Any = record.config
    assert (config["catalog"], config["input_catalog"]) == ("catalog.csv", "learning.csv")
    assert config["metadata"] == {"authors": "A/B", "note": "see plan.txt"}
    assert [config["models"][0][name] for name in ("path", "source")] == ["alpha", {"url": "https://h/a/b"}]
    assert config["models"][1]["store"]["model"] == "beta"
    assert config["models"][2]["program"] == {"command": "run x", "variables": {}}


def test_what_programs_were_given_is_without_folders(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'results.sqlite'}")
    run = ModelRunRecord(
        origin="/secretfolder/models/etas",
        tree="0" * 64,
        environment="0" * 64,
        command=("run", "--data=/secretfolder/x.csv", "secretfolder/args.txt"),
        arguments="catalog = ../secretfolder/catalog.csv\nseed = 3\n",
        seed=3,
        variables={"TOKEN": "secret"},
        n_input_events=1,
        output="0" * 64,
        sealed_at=LONG_AGO,
        cpu_seconds=1,
        peak_memory=1,
        isolated=True,
        another_user=False,
        log="secret",
    )
    record = sample_catalog_forecast(store.put_blob(io.BytesIO(b"catalogs")))
    store.put([record.model_copy(update={"source": "secretfolder/out.csv", "run": run})])
    shown = PublicStore(store).get(CatalogForecastRecord, record.key)
    assert "secret" not in shown.model_dump_json()
    assert shown.run is not None
    assert shown.run.command == ("run", "--data=x.csv", "args.txt")
    assert shown.run.arguments == "catalog = catalog.csv\nseed = 3\n"
    retrieval = sample_retrieval().model_copy(update={"source": "/secretfolder/catalog.csv"})
    store.put([retrieval])
    assert [each.source for each in PublicStore(store).scan(CatalogRetrieval)] == ["catalog.csv"]


def test_what_is_left_out_changes_no_key_of_a_forecast(california: CaliforniaRun) -> None:
    whole = open_store(california.store_url)
    (key,) = (summary.record_key for summary in whole.experiments())
    one, other = (Experiment.from_store(store, key) for store in (whole, PublicStore(whole)))
    for model in one.config.models:
        for window in one.config.windows:
            assert one.forecast_key(model.name, window) == other.forecast_key(model.name, window)


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


def _opened(view: str, query: dict[str, str]) -> AppTest:
    app = AppTest.from_file(str(APP), default_timeout=60)
    if view != "overview":
        app.switch_page(f"views/{view}.py")
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception, app.exception
    return app


@pytest.mark.slow
@pytest.mark.parametrize(
    ("view", "query"),
    [
        *((view, {"experiment": "open"}) for view in VIEWS if view != "result"),
        ("result", {"slot": sample_label("N", "alpha", 0, experiment="open").slot}),
    ],
)
@pytest.mark.usefixtures("public")
def test_no_page_and_no_file_tells_what_is_not_for_the_public(
    view: str, query: dict[str, str], url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = next(unit.error.message for unit in open_store(url).units("open") if unit.error is not None)
    offers = Offers(monkeypatch)
    app = _opened(view, query)
    said = "\n".join([*_protos(app.main), *_protos(app.sidebar)])
    assert len(said) > 100
    files = {name: offers.of(name) for name in offers.made if not name.endswith(".html")}
    for text in (said.encode(), *files.values()):
        assert not [word for word in ("secret", "closed", message) if word.encode() in text]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("view", "parameter"),
    [(view, "experiment") for view in VIEWS if view != "result"]
    + [("revisions", "other"), ("result", "slot")],
)
@pytest.mark.usefixtures("public")
def test_a_hidden_experiment_is_like_one_that_never_was(
    view: str, parameter: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said, offers = [], Offers(monkeypatch)
    for name in ("closed", "clozed"):
        asked = sample_label("N", "alpha", 0, experiment=name).slot if parameter == "slot" else name
        query = {parameter: asked} if parameter != "other" else {"experiment": "open", parameter: asked}
        app = _opened(view, query)
        said.append(words(app).replace(asked, "…") + str([one.options for one in app.selectbox]))
    assert said[0] == said[1]
    assert "closed" not in said[0]
    assert not [name for name in offers.made if "closed" in name]


@pytest.mark.slow
def test_the_server_gives_no_files_but_its_own(url: str, serve: Server) -> None:
    settings = tomllib.loads((APP.parent / ".streamlit" / "config.toml").read_text())
    assert not {"enableStaticServing", "enableAgentApi"} & set(settings["server"])
    with serve(url) as base:
        whole = _answer(f"{base}/")[1]
        for path in (
            "app/static/",
            "app/static/coastline.npz",
            "assets/coastline.npz",
            "app.py",
            "_public.py",
        ):
            assert _answer(f"{base}/{path}")[1] in (whole, b"")
        for path in ("media/x", "media/../app.py", "component/x/y", "_stcore/agent/interact"):
            status, body = _answer(f"{base}/{path}")
            assert status >= 400
            assert len(body) < 500
        assert not [word for word in (b"open", b"closed") if b"experiment " + word in whole]


def _answer(address: str) -> tuple[int, bytes]:
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    try:
        connection.request("GET", parts.path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()
