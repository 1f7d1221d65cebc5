"""The page of alarm diagrams on real stores: curves and areas as stored, and what it says instead."""

from functools import partial
from pathlib import Path

import pytest

from dashboard._words import window_name
from forequake.results import EvaluationRecord, Outcome, ScoreRecord
from stores import Binding, ResultQuery, RunRef, open_store
from stores.testing import (
    fill_store,
    sample_experiment,
    sample_label,
    sample_run,
    sample_score,
    sample_window,
)
from tests.dashboard.conftest import PageOpener
from tests.dashboard.reading import figures, words

pytestmark = pytest.mark.slow  # whole pages, one after another


@pytest.fixture
def page(page: PageOpener) -> PageOpener:
    return partial(page, view="alarms")


@pytest.fixture(scope="module")
def alarms(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('alarms') / 'results.sqlite'}"
    fill_store(open_store(url), tests=("N", "ROC", "Molchan"), windows=5, experiment="alarms")
    return url


def test_curves_and_areas_are_those_of_the_stored_results(alarms: str, page: PageOpener) -> None:
    store = open_store(alarms)
    rows = store.latest(ResultQuery(experiment="alarms", tests=("Molchan",))).rows
    place = next(
        n for n in range(5) if any(row.label.window == sample_window(n) for row in rows if row.statistic)
    )
    window = sample_window(place)
    app = page(alarms, experiment="alarms", alarm_diagram="Molchan", window=window_name(window))
    curves, areas = figures(app)
    drawn = {
        trace["legendgroup"]: trace
        for trace in curves["data"]
        if trace["mode"] == "lines" and trace.get("legendgroup")
    }
    here = [row for row in rows if row.label.window == window and row.statistic is not None]
    assert set(drawn) == {row.label.model for row in here}
    for row in here:
        record = store.get(EvaluationRecord, row.key)
        assert isinstance(record, ScoreRecord)
        assert record.curve is not None
        y = drawn[row.label.model]["y"]
        assert (len(y["bdata"]) if isinstance(y, dict) else len(y)) >= len(record.curve.y)
    models = {trace["name"] for trace in areas["data"] if trace.get("customdata")}
    assert models == {row.label.model for row in rows}


def test_a_window_without_events_says_so(tmp_path: Path, page: PageOpener) -> None:
    url = f"sqlite:///{tmp_path / 'quiet.sqlite'}"
    store = open_store(url)
    config, result, label = sample_experiment(), sample_score(1, test="ROC"), sample_label("ROC")
    silent = {"outcome": Outcome.UNDEFINED, "statistic": None, "reason": "no target events"}
    result = result.model_copy(update=silent)
    store.put([config, result])
    run = store.begin_run(sample_run(config))
    ref = RunRef(id=run.id, experiment=run.experiment, run_no=run.run_no)
    store.publish(ref, [Binding(label=label, key=result.key)])
    app = page(url)
    assert "ROC is undefined in this window: no target events." in words(app)
    assert not figures(app)


def test_other_experiments_learn_how_to_get_alarm_scores(one_week: str, page: PageOpener) -> None:
    app = page(one_week, experiment="week")
    assert "no alarm scores" in words(app)
    assert "func: roc" in words(app)
    assert not figures(app)
