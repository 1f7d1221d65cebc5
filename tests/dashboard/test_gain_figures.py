"""Models against a reference: intervals as stored, marks by outcome and second test, single windows."""

import math
from collections.abc import Callable
from typing import Any

import pytest
from csep.plots import _get_marker_t_color, _get_marker_w_color

from dashboard._theme import LIGHT
from dashboard.figures.cells import Column, Span, window_matrix
from dashboard.figures.gains import Gains, WindowGains, gains_figure, gains_of, window_gains_figure
from dashboard.figures.marks import Status
from dashboard.figures.pairs import pair_figure, pair_matrix
from forequake.results import Outcome, StudentQuantiles, WilcoxonQuantile
from stores import ResultRow, columns_of_rows

RowMaker = Callable[..., ResultRow]
T = Column("T", "alpha", "T")
STUDENT = StudentQuantiles(t=3.0, t_critical=2.0, p=0.01)


@pytest.fixture
def compared(row: RowMaker) -> Callable[..., ResultRow]:
    def make(model: str, gain: float | None, half: float | None = None, **fields: Any) -> ResultRow:
        interval = None if gain is None or half is None else (gain - half, gain + half)
        outcome = (
            Outcome.UNDEFINED
            if gain is None or interval is None
            else Outcome.BETTER
            if interval[0] > 0
            else Outcome.WORSE
            if interval[1] < 0
            else Outcome.NO_DIFFERENCE
        )
        given: dict[str, Any] = {"reference": "alpha", "quantiles": STUDENT if interval else None}
        given |= {"outcome": outcome, "information_gain": gain, "interval": interval}
        return row("T", model, **(given | fields))

    return make


def signed_ranks(row: RowMaker, model: str, p: float) -> ResultRow:
    outcome = Outcome.BETTER if p < 0.05 else Outcome.NO_DIFFERENCE
    return row("W", model, reference="alpha", quantiles=WilcoxonQuantile(p=p), outcome=outcome)


def of(rows: list[ResultRow], ranks: list[ResultRow], models: tuple[str, ...]) -> Gains:
    return gains_of("alpha", window_matrix(("alpha", *models), (T,), rows).cells, ranks)


def test_models_stand_by_their_gain_with_the_stored_interval(row: RowMaker, compared: Any) -> None:
    rows = [compared("beta", -1.6, 0.7), compared("gamma", 0.5, 0.1), compared("delta", 0.1, 0.4)]
    ranks = [signed_ranks(row, "beta", 0.2), signed_ranks(row, "gamma", 0.01)]
    gains = of(rows, ranks, ("beta", "gamma", "delta", "epsilon"))
    assert [gain.cell.model for gain in gains.rows] == ["gamma", "delta", "beta", "epsilon"]
    figure = gains_figure(gains, LIGHT)
    traces = {trace.name: trace for trace in figure.data}
    by_model = {one.label.model: one for one in rows}
    assert list(traces["interval"].x)[:2] == list(by_model["gamma"].interval or ())
    better, worse = traces["better than the reference"], traces["worse than the reference"]
    assert (better.marker.symbol, better.x, better.y) == ("triangle-right", (0.5,), (0,))
    assert (worse.marker.symbol, worse.x, worse.y) == ("triangle-left", (-1.6,), (2,))
    # Filled where pyCSEP fills, in the colour of the same meaning.
    for one, mark, meant in ((ranks[1], better, "green"), (ranks[0], worse, "red")):
        quantiles, interval = one.quantiles, by_model[one.label.model].interval
        assert isinstance(quantiles, WilcoxonQuantile)
        assert interval is not None
        assert _get_marker_t_color(interval) == meant
        filled = mark.marker.color[0] == mark.marker.line.color
        assert filled == _get_marker_w_color(quantiles.p, 95)
    assert traces["no difference"].marker.symbol == "diamond"
    assert list(better.customdata[0]) == [by_model["gamma"].label.slot]
    assert traces["not computed"].y == (3,)
    notes = [note.text for note in figure.layout.annotations]
    assert {"+0.5", "−1.6", "0.010", "0.20", "p of W"} <= set(notes)


def test_what_lacks_an_interval_says_so(row: RowMaker, compared: Any) -> None:
    rows = [
        compared("beta", 0.7, n_observed=1, reason="1 event: a variance needs two"),
        compared("gamma", -math.inf, reason="a rate of zero at an event"),
        compared("delta", None, n_observed=0, reason="no target events"),
    ]
    figure = gains_figure(of(rows, [], ("beta", "gamma", "delta")), LIGHT)
    (mark,) = (trace for trace in figure.data if trace.name == "undefined")
    texts = dict(zip(mark.y, mark.text, strict=True))
    assert texts[0] == " too few events: no interval"
    assert mark.x[0] == 0.7
    assert "−∞" in texts[1]
    assert "no target events" in texts[2]
    (arrow,) = (trace for trace in figure.data if trace.name == "infinite")
    assert arrow.x == (figure.layout.xaxis.range[0],)
    assert "interval" not in {trace.name for trace in figure.data}


def test_results_over_windows_tell_how_many(row: RowMaker, compared: Any) -> None:
    one = compared("beta", 0.5, 0.1)
    cells = window_matrix(("beta",), (T,), [one], (), {one.key: Span(7, ("lost",))}).cells
    notes = [note.text for note in gains_figure(gains_of("alpha", cells, []), LIGHT).layout.annotations]
    assert "7, 1 missing" in notes


def test_windows_are_drawn_one_by_one_and_counted(row: RowMaker, compared: Any) -> None:
    silent = compared("gamma", None, window=1, reason="no event")
    rows = {
        "beta": [compared("beta", 0.5, 0.1, window=0), compared("beta", 0.2, 0.4, window=1)],
        "gamma": [compared("gamma", -0.5, 0.1, window=0), silent],
    }
    counts = {"beta": {Status.BETTER: 1, Status.NO_DIFFERENCE: 1}, "gamma": {Status.WORSE: 9}}
    figure = window_gains_figure(WindowGains("alpha", rows, counts), LIGHT)
    marks = {slot[0]: x for trace in figure.data for slot, x in zip(trace.customdata, trace.x, strict=True)}
    drawn = [one for some in rows.values() for one in some if one.information_gain is not None]
    assert marks == {one.label.slot: one.information_gain for one in drawn}
    assert "interval" not in {trace.name for trace in figure.data}
    assert [note.text for note in figure.layout.annotations][-1] == "9"


def test_several_references_are_the_columns_of_the_matrix(compared: Any) -> None:
    rows = [
        compared(model, gain, 0.1, reference=reference, window=window, n_observed=count, n_forecast=2.0)
        for model, reference, gain in (
            ("beta", "alpha", 0.5),
            ("gamma", "alpha", -0.5),
            ("alpha", "beta", -0.5),
            ("gamma", "beta", -1.0),
        )
        for window, count in ((0, 3), (1, 1))
    ]
    lost = rows.pop()  # the second window of gamma against beta
    common = pair_matrix(("alpha", "beta", "gamma"), columns_of_rows(rows))
    assert (common.models, common.others) == (("alpha", "beta", "gamma"), ("alpha", "beta"))
    assert ([window.id for window in common.windows], common.left_out) == ([rows[0].label.window.id], 1)
    own = pair_matrix(("alpha", "beta", "gamma"), columns_of_rows(rows), common=False)
    sizes = {(pair.model, pair.other): sum(pair.counts.values()) for pair in own.pairs}
    assert sizes == {("alpha", "beta"): 2, ("beta", "alpha"): 2, ("gamma", "alpha"): 2, ("gamma", "beta"): 1}
    assert own.windows[-1] == lost.label.window
    figure = pair_figure(own, LIGHT)
    assert list(figure.layout.xaxis.tickvals) == [0, 1]
    assert "of 1" in "".join(figure.data[0].text)
    assert {tuple(place) for place in figure.data[0].customdata} == {
        (pair.model, "T", pair.other) for pair in own.pairs
    }
