"""The pages of runs, of provenance and of comparisons on filled stores."""

import json
from datetime import timedelta
from typing import Any

import pytest

from forequake.quantities import now
from forequake.results import EvaluationRecord, Outcome, RunChange, RunState, RunTimings, Stage, UnderWay
from forequake.timers import Timers
from stores import ResultQuery, RunRef, open_store
from stores.testing import fill_store, sample_experiment, sample_run, sample_window
from tests.dashboard.conftest import PageOpener
from tests.dashboard.reading import figures, words

pytestmark = pytest.mark.slow  # whole pages, one after another


@pytest.fixture(autouse=True)
def _no_prefect(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PREFECT_UI_URL", "PREFECT_API_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def revised(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Fill a store with two runs of one experiment that found other results, and with another experiment."""
    url = f"sqlite:///{tmp_path_factory.mktemp('revised') / 'results.sqlite'}"
    store = open_store(url)
    tests = ("N", "S", "T")
    fill_store(store, tests=tests, windows=3, experiment="revised", seed=1)
    fill_store(store, tests=tests, windows=3, experiment="revised", seed=2, failed=1)
    fill_store(store, tests=tests, windows=3, experiment="twin", seed=1)
    return url


def test_the_monitor_counts_as_the_store_does(page: PageOpener, revised: str) -> None:
    app = page(revised, "runs", experiment="revised")
    store = open_store(revised)
    last, first = store.runs("revised")
    shown = {metric.label: metric.value for metric in app.metric}
    assert shown["Last run"] == "2: completed"
    assert shown["Results"] == str(sum(map(sum, store.coverage("revised").counts)))
    assert shown["Failed"] == "1"
    (heat, *_) = figures(app)[0]["data"]
    assert len(heat["customdata"]) == 3
    assert "a computation failed" in json.dumps(heat["customdata"])
    table = app.dataframe[-1].value
    assert list(table["run"]) == [last.run_no, first.run_no]
    assert list(table["computed"]) == [last.counts.computed, first.counts.computed]
    assert "is not known" in words(app)


def test_a_run_under_way_tells_what_it_is_at_before_its_first_result(
    page: PageOpener, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'results.sqlite'}"
    store = open_store(url)
    record = sample_experiment("fresh")
    store.put([record])
    run = store.begin_run(sample_run(record).model_copy(update={"owner": "elsewhere/boot/1/1"}))
    timers = Timers()
    timers.add(Stage.TESTS, "alpha", 2.0, sample_window())
    at = UnderWay(stage=Stage.RUN, model="alpha", window=sample_window().id, since=run.started_at)
    timings = RunTimings(stages=timers.timings().stages, under_way=(at,))
    ref = RunRef(id=run.id, experiment="fresh", run_no=1)
    store.update_run(ref, RunChange(timings=timings), expect=RunState.RUNNING)
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    app = page(url, "runs", experiment="fresh")
    assert {metric.label: metric.value for metric in app.metric}["Last run"] == "1: running"
    assert "run program of **alpha**" in words(app)
    assert "There is no window yet" in words(app)
    later = now() + timedelta(minutes=10)
    monkeypatch.setattr("forequake.quantities.now", lambda: later)
    app.run()
    assert {metric.label: metric.value for metric in app.metric}["Last run"] == "1: crashed"
    assert "gave no sign of life" in words(app)
    assert "Prefect does not answer" in words(app)


def test_provenance_has_the_facts_of_a_run_and_what_another_had_otherwise(
    page: PageOpener, revised: str
) -> None:
    app = page(revised, "provenance", experiment="revised", compared_with="run 1")
    store = open_store(revised)
    last, first = store.runs("revised")
    said = words(app)
    assert last.id in said
    assert last.experiment_key in said
    differing = app.dataframe[0].value
    assert set(zip(differing["part"], differing["what"], strict=True)) == {
        ("configuration", "seed"),
        ("catalogs and region", "catalog"),
    }
    assert list(differing[differing["what"] == "seed"].iloc[0])[2:] == ["1", "2"]
    former = words(page(revised, "provenance", experiment="revised", run="run 1"))
    assert first.id in former
    assert "Superseded by run 2" in former
    assert (
        "there is no 'run 9' here"
        in words(page(revised, "provenance", experiment="revised", run="run 9")).lower()
    )


def _outcomes(url: str, run_no: int) -> dict[Any, Outcome]:
    """Give the outcomes that a run bound, by place, from the history of each."""
    store = open_store(url)
    rows = store.latest(ResultQuery(experiment="revised")).rows
    found = {}
    for row in rows:
        for bound in store.history(row.label.slot):
            if bound.run_no == run_no:
                place = (row.label.test, row.label.model, row.label.window.id)
                found[place] = store.get(EvaluationRecord, bound.key).outcome
    return found


def test_changed_outcomes_are_those_of_the_stores_history(page: PageOpener, revised: str) -> None:
    before, after = _outcomes(revised, 1), _outcomes(revised, 2)
    changed = {place for place in after if before[place] is not after[place]}
    app = page(revised, "revisions", experiment="revised")
    shown = {metric.label: metric.value for metric in app.metric}
    assert shown["Other outcome"] == str(len(changed))
    (table,) = [
        each.value
        for each in app.dataframe
        if "change" in each.value and set(each.value["change"]) == {"other outcome"}
    ]
    assert {(row["test"], row["model"], row["window"]) for _, row in table.iterrows()} == changed
    one = page(revised, "revisions", experiment="revised", window="2020-01-08 to 2020-01-15")
    count = {metric.label: metric.value for metric in one.metric}["Other outcome"]
    assert count == str(sum(window == sample_window(1).id for *_, window in changed))


def test_a_twin_has_the_same_results_until_it_is_compared_with_the_later_run(
    page: PageOpener, revised: str
) -> None:
    app = page(revised, "revisions", experiment="revised", other="twin", after="run 1")
    assert {metric.label: metric.value for metric in app.metric} == {
        "Other outcome": "0",
        "The same result": "24",
    }
    assert "No outcome changed" in words(app)
    alone = page(revised, "revisions", experiment="twin")
    assert "There is one run only" in words(alone)
    past = page(revised, "revisions", experiment="twin", before_at="2001-01-01")
    assert {metric.label: metric.value for metric in past.metric}["Only after"] == "24"
    assert "is no time" in words(page(revised, "revisions", experiment="twin", before_at="soon"))


def test_a_run_that_repeats_results_changes_nothing(page: PageOpener, revised: str, tmp_path: Any) -> None:
    url = f"sqlite:///{tmp_path / 'again.sqlite'}"
    store = open_store(url)
    for _ in range(2):
        fill_store(store, tests=("N",), windows=2, experiment="again")
    rows = store.latest(ResultQuery(experiment="again")).rows
    app = page(url, "revisions", experiment="again")
    assert {metric.label: metric.value for metric in app.metric}["The same result"] == str(len(rows))
    assert not figures(app)
