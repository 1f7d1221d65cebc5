"""The pages on real stores, run by Streamlit's own test runner: what they show, and what they say instead."""

import html
import json
import math
import re
import sqlite3
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from dashboard._words import number
from forequake.results import DistributionRecord, EvaluationRecord, KolmogorovQuantile, Outcome, ScoreRecord
from forequake.windows import TimeWindow
from stores import Binding, ResultQuery, ResultRow, RunRef, open_store
from stores.testing import (
    fill_store,
    sample_experiment,
    sample_label,
    sample_result,
    sample_run,
    sample_window,
)
from tests.dashboard.conftest import PageOpener
from tests.dashboard.reading import figures, words

pytestmark = pytest.mark.slow  # whole pages, one after another


def rows_of(store_url: str, experiment: str) -> tuple[ResultRow, ...]:
    return open_store(store_url).latest(ResultQuery(experiment=experiment)).rows


def _headings(drawn: dict[str, Any]) -> list[str]:
    """Give the headings of a matrix, without their links."""
    return [re.sub(r"</?a\b[^>]*>", "", text) for text in drawn["layout"]["xaxis"]["ticktext"]]


def test_a_week_is_shown_with_a_mark_for_each_cell(page: PageOpener, one_week: str) -> None:
    app = page(one_week)
    rows = rows_of(one_week, "week")
    marks = [
        (cell, trace["name"])
        for trace in figures(app)[0]["data"]
        if trace.get("name")
        for cell in trace["customdata"]
    ]
    # 3 models x 7 tests, of which 19 are computed (the reference is not compared with itself); two failed.
    assert len(marks) == 21
    assert len(rows) == 17
    labels = {(cell[0], cell[1]): name for cell, name in marks}
    wording = {"passed": "not rejected", "no_difference": "no difference"}
    for row in rows:
        expected = wording.get(row.outcome.value, row.outcome.value)
        assert labels[row.label.model, row.label.test].startswith(expected)
    assert [name for name in labels.values() if name == "failed"] == ["failed"] * 2
    assert "2 computations ended badly" in [expander.label for expander in app.expander]


def test_the_table_has_every_result_and_never_a_quantile_of_zero(page: PageOpener, one_week: str) -> None:
    table = page(one_week).dataframe[0].value
    rows = rows_of(one_week, "week")
    assert len(table) == 19
    assert sorted(table["outcome"][table["expected"].notna()]) == sorted(
        {"passed": "not rejected", "no_difference": "no difference"}.get(row.outcome, row.outcome)
        for row in rows
    )
    assert any(row.quantiles is not None and 0 in row.quantiles.named().values() for row in rows)
    assert "0" not in set(table["q"].dropna())
    assert "< 1/n" in set(table["q"].dropna())


def test_the_head_tells_events_windows_and_runs(page: PageOpener, one_week: str) -> None:
    app = page(one_week)
    shown = {metric.label: metric.value for metric in app.metric}
    assert shown["Target events"] == str(rows_of(one_week, "week")[0].n_observed)
    assert shown["Windows with results"] == "1 of 1"
    assert shown["Last run"] == "completed"
    assert "Data as of" in words(app)


def test_many_windows_are_counted_from_their_outcomes(page: PageOpener, many_weeks: str) -> None:
    app = page(many_weeks, experiment="weeks")
    rows = rows_of(many_weeks, "weeks")
    drawn = next(trace for trace in figures(app)[0]["data"] if trace.get("name") == "rejected")
    assert len(drawn["text"]) == 9
    for (model, test, _), text in zip(drawn["customdata"], drawn["text"], strict=True):
        cell = [row for row in rows if (row.label.model, row.label.test) == (model, test)]
        rejected = sum(row.outcome is Outcome.REJECTED for row in cell)
        decided = sum(row.outcome is not Outcome.UNDEFINED for row in cell)
        assert text == f"{rejected}/{decided}"
    events = {row.label.window: row.n_observed for row in rows}
    assert {metric.label: metric.value for metric in app.metric}["Target events"] == str(sum(events.values()))


def test_the_newest_experiment_is_chosen_and_written_into_the_address(
    page: PageOpener, many_weeks: str
) -> None:
    app = page(many_weeks)
    assert app.selectbox(key="experiment").value == "later"
    assert app.query_params["experiment"] == "later"


def test_headings_lead_to_the_pages_of_their_tests(page: PageOpener, ridge: str) -> None:
    links = {}
    for drawn in figures(page(ridge, experiment="ridge")):
        for heading in drawn["layout"].get("xaxis", {}).get("ticktext") or ():
            link = re.search(r'href="([^"]*)"', str(heading))
            name = re.sub(r"<(?!br).*?>", "", str(heading)).replace("<br>", " ")
            links[name] = None if link is None else html.unescape(link[1])
    assert links["S"] == "consistency?experiment=ridge&test=S"
    assert links["T"] == "comparison?experiment=ridge&test=T&against=flat"
    assert links["IG"] == "time?experiment=ridge&time_score=IG"
    assert links["ROC"] == "alarms?experiment=ridge&alarm_diagram=ROC"
    assert links["Molchan"] == "alarms?experiment=ridge&alarm_diagram=Molchan"
    assert [name for name, link in links.items() if link is None and "alib" in name], links


def test_a_link_restores_experiment_window_models_and_tests(page: PageOpener, many_weeks: str) -> None:
    window = "2020-01-08 to 2020-01-15"
    app = page(many_weeks, experiment="weeks", window=window, model=["beta"], test=["N", "S"])
    assert app.selectbox(key="window").value == window
    drawn = figures(app)[0]
    assert drawn["layout"]["yaxis"]["ticktext"] == ["beta"]
    assert _headings(drawn) == ["<b>N</b>", "<b>S</b>"]
    assert "consistency?experiment=weeks" in drawn["layout"]["xaxis"]["ticktext"][0]
    assert "The filters leave 1 of 3 models and 2 of 4 tests." in words(app)


def test_filters_can_be_cleared(page: PageOpener, many_weeks: str) -> None:
    app = page(many_weeks, experiment="weeks", model=["beta"])
    next(button for button in app.button if button.label == "Clear filters").click().run()
    assert figures(app)[0]["layout"]["yaxis"]["ticktext"] == ["alpha", "beta", "gamma"]


def test_choosing_another_experiment_drops_what_it_does_not_have(page: PageOpener, many_weeks: str) -> None:
    app = page(many_weeks, experiment="weeks", window="Latest window", model=["beta"], test=["S"])
    app.selectbox(key="experiment").select("later").run()
    assert not app.exception
    assert figures(app)[0]["layout"]["yaxis"]["ticktext"] == ["alpha"]


def test_models_can_be_sorted_by_a_column(page: PageOpener, many_weeks: str) -> None:
    app = page(many_weeks, experiment="weeks", sort="N")
    drawn = figures(app)[0]
    counted = next(trace for trace in drawn["data"] if trace.get("name") == "rejected")
    shares = [eval_share(text) for (_, test, _), text in cells(counted) if test == "N"]
    assert shares == sorted(shares)


def cells(trace: dict[str, Any]) -> list[tuple[list[str], str]]:
    order = sorted(range(len(trace["y"])), key=lambda place: int(trace["y"][place]))
    return [(trace["customdata"][place], trace["text"][place]) for place in order]


def eval_share(text: str) -> float:
    rejected, decided = text.split("/")
    return int(rejected) / int(decided)


def test_an_unknown_experiment_in_the_link_is_named_with_the_nearest(
    page: PageOpener, many_weeks: str
) -> None:
    app = page(many_weeks, experiment="weks")
    said = words(app)
    assert "There is no experiment 'weks'; did you mean 'weeks'?" in said
    assert not app.get("plotly_chart")


def test_an_unknown_model_in_the_link_is_named_and_the_rest_is_shown(
    page: PageOpener, many_weeks: str
) -> None:
    app = page(many_weeks, experiment="weeks", model=["bta", "gamma"])
    assert "There is no model 'bta'; did you mean 'beta'?" in words(app)
    assert figures(app)[0]["layout"]["yaxis"]["ticktext"] == ["gamma"]


def test_a_result_is_shown_with_its_sentence_picture_and_provenance(page: PageOpener, one_week: str) -> None:
    row = next(row for row in rows_of(one_week, "week") if row.label.test == "L")
    app = page(one_week, "result", slot=row.label.slot)
    said = words(app)
    assert f"L-test of {row.label.model}" in said
    assert "at 0.05 (lower side)" in said
    record: Any = open_store(one_week).get(EvaluationRecord, row.key)
    version = f"kernel version {record.kernel_version}"
    for expected in (row.key, str(record.seed), version, "run 1", "Python 3.11.7"):
        assert expected in said
    assert f"slot={row.label.slot}&key={row.key}" in said
    assert "observed" in json.dumps(figures(app)[0]["layout"]["annotations"])


def test_the_whole_sample_is_drawn_on_demand(page: PageOpener, one_week: str) -> None:
    row = next(
        row for row in rows_of(one_week, "week") if row.label.test == "L" and row.statistic != float("-inf")
    )
    app = page(one_week, "result", slot=row.label.slot)
    few = len(figures(app)[0]["data"][0]["x"]["bdata"])
    app.toggle(key="sample").set_value(True).run()
    assert not app.exception
    assert len(figures(app)[0]["data"][0]["x"]["bdata"]) > few


def test_a_result_among_windows_leads_to_its_neighbours(page: PageOpener, many_weeks: str) -> None:
    rows = [
        row for row in rows_of(many_weeks, "weeks") if (row.label.test, row.label.model) == ("N", "alpha")
    ]
    app = page(many_weeks, "result", slot=rows[3].label.slot)
    assert len(app.get("plotly_chart")) == 2
    for name, to in (("Previous window", 2), ("Next window", 3), ("Next window", 4)):
        next(button for button in app.button if button.label == name).click().run()
        assert app.query_params["slot"] == rows[to].label.slot
        assert rows[to].key in words(app) + "".join(str(block.proto.body) for block in app.get("html"))


def test_a_replaced_value_is_shown_by_its_key_and_says_so(page: PageOpener, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'revised.sqlite'}"
    store = open_store(url)
    config = sample_experiment()
    old, new, label = sample_result(1), sample_result(2), sample_label()
    store.put([config, old, new])
    for result in (old, new):
        run = store.begin_run(sample_run(config))
        ref = RunRef(id=run.id, experiment=run.experiment, run_no=run.run_no)
        store.publish(ref, [Binding(label=label, key=result.key)])
    app = page(url, "result", slot=label.slot, key=old.key)
    assert "This value is of run 1. Run 2 replaced it" in words(app)
    assert old.key in words(app)
    latest = page(url, "result", slot=label.slot)
    assert new.key in words(latest)
    next(button for button in latest.button if button.label == "run 1").click().run()
    assert old.key in words(latest)


@pytest.mark.parametrize(
    ("slot", "expected"),
    [("", "Choose a result"), ("nonsense", "does not name a result"), ("0" * 64, "no result in the place")],
)
def test_a_link_to_no_result_says_so(page: PageOpener, one_week: str, slot: str, expected: str) -> None:
    app = page(one_week, "result", slot=slot)
    assert expected in words(app)
    assert not app.get("plotly_chart")


def test_an_empty_store_tells_the_command_to_run(page: PageOpener, tmp_path: Path) -> None:
    app = page(f"sqlite:///{tmp_path / 'empty.sqlite'}")
    assert "No experiment yet" in words(app)
    assert "forequake run config.yml" in words(app)


def test_an_experiment_without_results_says_so(page: PageOpener, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'begun.sqlite'}"
    store = open_store(url)
    config = sample_experiment("begun")
    store.put([config])
    store.begin_run(sample_run(config))
    app = page(url)
    assert "has no results yet" in words(app)


def test_a_damaged_store_is_a_message_with_its_name_and_a_way_on(page: PageOpener, tmp_path: Path) -> None:
    file = tmp_path / "damaged.sqlite"
    file.write_bytes(b"this is not a database at all" * 100)
    app = page(f"sqlite:///{file}")
    assert app.error
    assert "damaged.sqlite" in words(app)
    assert "Traceback" not in words(app)
    assert [button.label for button in app.button] == ["Try again"]


def test_a_store_that_does_not_answer_is_asked_again_on_demand(page: PageOpener, tmp_path: Path) -> None:
    file = tmp_path / "busy.sqlite"
    fill_store(open_store(f"sqlite:///{file}"), windows=1, tests=("N",))
    open_store(f"sqlite:///{file}").close()
    blocker = sqlite3.connect(file, isolation_level=None)
    blocker.execute("PRAGMA locking_mode=EXCLUSIVE")
    blocker.execute("BEGIN EXCLUSIVE")
    app = page(f"sqlite:///{file}?busy_timeout=0.1")
    assert "does not answer" in words(app)
    blocker.close()
    app.button[0].click().run()
    assert not app.exception
    assert not app.error
    assert app.get("plotly_chart")


def test_no_password_is_shown_where_the_address_is_wrong(page: PageOpener) -> None:
    app = page("mysql://anna:hunter2@host/db")
    assert app.error
    assert "hunter2" not in words(app)


def test_names_that_look_like_markup_are_shown_as_they_are(page: PageOpener, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'odd.sqlite'}"
    odd = "<i>a</i>*b*"
    fill_store(open_store(url), models=("alpha", odd), windows=1, experiment="$x$ :red[y]")
    app = page(url)
    assert app.header[0].value == "\\$x\\$ \\:red\\[y\\]"
    assert "&lt;i&gt;a&lt;/i&gt;*b*" in figures(app)[0]["layout"]["yaxis"]["ticktext"]


@pytest.fixture(scope="module")
def scored_weeks(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Fill a store with scores of five windows."""
    url = f"sqlite:///{tmp_path_factory.mktemp('scored-weeks') / 'results.sqlite'}"
    fill_store(open_store(url), tests=("N", "LL", "IG"), windows=5, experiment="scored")
    return url


def test_scores_stand_as_sums_over_windows(page: PageOpener, scored_weeks: str) -> None:
    app = page(scored_weeks)
    rows = rows_of(scored_weeks, "scored")
    counted = next(trace for trace in figures(app)[0]["data"] if trace.get("name") == "counted")
    shown = dict(zip(map(tuple, counted["customdata"]), counted["text"], strict=True))
    for model, reference in (("alpha", None), ("gamma", None), ("gamma", "alpha")):
        test = "LL" if reference is None else "IG"
        cell = [row for row in rows if (row.label.model, row.label.test) == (model, test)]
        total = math.fsum(row.statistic for row in cell if row.statistic is not None)
        assert len(cell) == 5
        assert shown[model, test, reference or ""] == f"Σ {number(total)}<br>of 5"
    assert "sum of the scores" in words(app)
    table = app.dataframe[0].value
    assert table["sum of scores"].notna().sum() == 5  # LL of three models, IG of two


def test_a_score_is_shown_without_a_verdict(page: PageOpener, scored_weeks: str) -> None:
    rows = [row for row in rows_of(scored_weeks, "scored") if row.label.test == "IG"]
    row = next(row for row in rows if row.label.model == "beta")
    app = page(scored_weeks, "result", slot=row.label.slot)
    said = words(app)
    assert "IG of beta against alpha" in said
    assert f"Information gain over alpha: {number(row.statistic, 5)} nats" in said
    assert "Alpha" not in said
    assert app.metric[0].label == "Sum over 5 windows, in nats"
    (trace, _) = figures(app)[0]["data"]
    assert (trace["name"], len(trace["customdata"])) == ("score only", 5)


def test_a_score_that_is_an_area_is_shown_with_its_curve(page: PageOpener, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'results.sqlite'}"
    store = open_store(url)
    fill_store(store, models=("alpha",), tests=("ROC", "Molchan"), windows=3, experiment="areas")
    for row in rows_of(url, "areas"):
        app = page(url, "result", slot=row.label.slot)
        falls = row.label.test == "Molchan"
        curve = store.get(ScoreRecord, row.key).curve
        assert curve is not None
        line = next(trace for trace in figures(app)[0]["data"] if str(trace.get("fill")).startswith("to"))
        assert (line["x"], line["y"]) == (list(curve.x), list(curve.y))
        assert figures(app)[0]["layout"]["yaxis"]["title"]["text"] == (
            "share missed" if falls else "share found"
        )
        series = figures(app)[1]
        assert series["layout"]["yaxis"]["title"]["text"] == "score"
        assert [metric.label for metric in app.metric] == ["Mean of 3 windows"]  # areas do not add up
        name = "Area skill score" if falls else "Area under the ROC curve"
        assert f"{name}: {number(row.statistic, 5)}; " in words(app)


@pytest.fixture(scope="module")
def beyond_windows(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Fill a store with three windows of N and of all pairs of models, and a calibration over them."""
    url = f"sqlite:///{tmp_path_factory.mktemp('beyond-windows') / 'results.sqlite'}"
    store = open_store(url)
    names = ("alpha", "beta", "gamma")
    run = fill_store(store, models=names, tests=("N",), windows=3, experiment="beyond")
    events = {row.label.window: row.n_observed for row in rows_of(url, "beyond")}
    span = TimeWindow(start=sample_window(0).start, end=sample_window(2).end)
    found = []
    for count, (model, other) in enumerate(permutations(names, 2)):
        for window in range(3):
            record = sample_result(100 + 10 * count + window, test="T")
            place = sample_label("batch", model, window, experiment="beyond", reference=other)
            update = {"test": "batch_t_w", "n_observed": events[place.window]}
            found.append((record.model_copy(update=update), place))
    for count, model in enumerate(names):
        record = sample_result(500 + count)
        update = {
            "test": "calibration",
            "quantiles": KolmogorovQuantile(p=0.25),
            "distribution": None,
            "n_windows": 2,
            "missing": (sample_window(1).id,),
            "flags": ("undefined_windows_left_out",),
        }
        found.append(
            (record.model_copy(update=update), sample_label("calibration", model, span, experiment="beyond"))
        )
        store.put([DistributionRecord(key=record.key, canon=record.canon, values=(0.2, 0.7))])
    store.put([record for record, _ in found])
    store.publish(
        RunRef(id=run.id, experiment="beyond", run_no=run.run_no),
        [Binding(label=label, key=record.key) for record, label in found],
    )
    return url


def test_results_over_windows_have_a_matrix_of_their_own(page: PageOpener, beyond_windows: str) -> None:
    app = page(beyond_windows)
    shown = {metric.label: metric.value for metric in app.metric}
    assert shown["Windows with results"] == "3 of 3"
    numbers = [row for row in rows_of(beyond_windows, "beyond") if row.label.test == "N"]
    events = {row.label.window: row.n_observed for row in numbers}
    assert shown["Target events"] == str(sum(events.values()))
    assert "2020-01-01 to 2020-01-22" not in app.selectbox(key="window").options
    counted, spanning, pairs = (figures(app)[place] for place in range(3))
    assert _headings(counted) == ["<b>N</b>", "<b>batch<br>T/W</b>"]
    (text,) = {
        trace["name"]: trace["text"] for trace in counted["data"] if trace.get("name") == "counted"
    }.values()
    assert text == ["▲0 ▼0<br>of 6"] * 3  # two others in three windows
    (marks,) = spanning["data"]
    assert (marks["name"], marks["text"]) == ("not rejected", ["0.25"] * 3)
    assert all("over 2 windows, 1 missing" in hover for hover in marks["hovertext"])
    assert len(pairs["data"][0]["customdata"]) == 6
    assert "1 window missing from some of them" in words(app)


def test_a_window_shows_pairs_and_nothing_over_windows(page: PageOpener, beyond_windows: str) -> None:
    app = page(beyond_windows, window="2020-01-08 to 2020-01-15")
    matrix, pairs = (figures(app)[place] for place in range(2))
    assert _headings(matrix) == ["<b>N</b>", "<b>batch<br>T/W</b>"]
    assert len(pairs["data"][0]["customdata"]) == 6
    assert "Tests over all windows stand with all windows." in words(app)


def test_a_result_over_windows_names_what_is_missing(page: PageOpener, beyond_windows: str) -> None:
    row = next(row for row in rows_of(beyond_windows, "beyond") if row.label.test == "calibration")
    app = page(beyond_windows, "result", slot=row.label.slot)
    said = words(app)
    assert "Calibration of alpha" in said
    assert "in 2 windows, 1 missing." in said
    assert "Missing: 2020-01-08 to 2020-01-15." in said
    assert "Windows in which the test says nothing are left out." in said
    assert "uniform" in [trace.get("name") for trace in figures(app)[0]["data"]]
    assert len(app.get("plotly_chart")) == 1  # no series over time
    assert "Next window" not in [button.label for button in app.button]
