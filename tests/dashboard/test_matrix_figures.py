"""The matrix as a figure: each mark its shape, colour, place, text and what a click carries."""

import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from dashboard._theme import DARK, LIGHT, Theme
from dashboard.figures.cells import Column, CountedCell, CountedMatrix, counted_matrix, window_matrix
from dashboard.figures.legend import counted_legend, window_legend
from dashboard.figures.marks import MARKS, Status
from dashboard.figures.matrix import counted_figure, window_figure
from forequake.results import (
    LowerQuantile,
    Outcome,
    StudentQuantiles,
    TailQuantiles,
    UnitError,
    UnitRecord,
    UnitState,
)
from stores import Overview, OverviewCell, ResultRow
from stores.testing import sample_label

RowMaker = Callable[..., ResultRow]

N = Column("N", None, "N")
S = Column("S", None, "S")
T = Column("T", "alpha", "T")


def traces(figure: Any) -> dict[str, Any]:
    return {trace.name: trace for trace in figure.data if trace.name}


@pytest.mark.parametrize(
    ("outcome", "symbol", "colour"),
    [
        (Outcome.PASSED, "square", "#0072B2"),
        (Outcome.REJECTED, "x", "#D55E00"),
        (Outcome.UNDEFINED, "circle-open", "#909090"),
        (Outcome.BETTER, "triangle-up", "#0072B2"),
        (Outcome.WORSE, "triangle-down", "#D55E00"),
        (Outcome.NO_DIFFERENCE, "diamond-open", "#909090"),
    ],
)
def test_an_outcome_has_its_own_shape_and_colour(
    row: RowMaker, outcome: Outcome, symbol: str, colour: str
) -> None:
    compares = outcome in (Outcome.BETTER, Outcome.WORSE, Outcome.NO_DIFFERENCE)
    column, reference = (T, "alpha") if compares else (S, None)
    matrix = window_matrix(
        ("beta",), (column,), [row(column.test, "beta", outcome=outcome, reference=reference)]
    )
    (trace,) = window_figure(matrix, LIGHT).data
    assert (trace.marker.symbol, trace.marker.color) == (symbol, colour)
    assert list(trace.customdata[0]) == ["beta", column.test, reference or ""]


def test_no_two_statuses_share_a_shape() -> None:
    shapes = [mark.symbol for mark in MARKS.values()]
    assert sorted(set(shapes)) == sorted(shapes)
    assert set(MARKS) == set(Status)


def test_cells_stand_at_their_model_and_test_from_top_to_bottom(row: RowMaker) -> None:
    rows = [row("N", "alpha"), row("S", "alpha"), row("S", "beta")]
    figure = window_figure(window_matrix(("alpha", "beta"), (N, S), rows), LIGHT)
    passed = traces(figure)["not rejected"]
    assert list(zip(passed.x, passed.y, strict=True)) == [(0, 0), (1, 0), (1, 1)]
    assert figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1]
    assert list(figure.layout.yaxis.ticktext) == ["alpha", "beta"]
    assert list(figure.layout.xaxis.ticktext) == ["<b>N</b>", "<b>S</b>"]


def test_the_number_below_a_mark_is_the_one_that_decides(row: RowMaker) -> None:
    student = StudentQuantiles(t=26.8, t_critical=4.3, p=0.0014)
    rows = [
        row("N", "beta", quantiles=TailQuantiles(delta1=0.31, delta2=0.88)),
        row("S", "beta", outcome=Outcome.REJECTED, quantiles=LowerQuantile(q=0.0)),
        row("T", "beta", outcome=Outcome.BETTER, reference="alpha", quantiles=student, information_gain=0.51),
    ]
    found = traces(window_figure(window_matrix(("beta",), (N, S, T), rows), LIGHT))
    assert found["not rejected"].text == ("0.31",)
    assert found["rejected"].text == ("<1/n",)
    assert found["better than the reference"].text == ("+0.51",)


def test_the_pointer_shows_quantiles_and_events(row: RowMaker) -> None:
    rows = [row("N", "a", quantiles=TailQuantiles(delta1=0.31, delta2=0.88), n_observed=7)]
    (trace,) = window_figure(window_matrix(("a",), (N,), rows), LIGHT).data
    for expected in ("<b>N of a</b>", "not rejected at 0.05 (two-sided)", "delta1 = 0.31", "7 events"):
        assert expected in trace.hovertext[0]


def test_names_and_messages_of_others_are_never_markup(row: RowMaker) -> None:
    model = "<b>bold</b><img src=x>"
    failed = UnitRecord(
        label=sample_label("S", model),
        state=UnitState.FAILED,
        attempts=1,
        error=UnitError(kind="Error", message="<script>"),
        owner="host/boot/1/1",
        changed_at=datetime(2024, 1, 1, tzinfo=UTC),
    )
    figure = window_figure(window_matrix((model,), (N, S), [row("N", model)], [failed]), LIGHT)
    shown = [*figure.layout.yaxis.ticktext, *(text for t in figure.data for text in t.hovertext or ())]
    assert len(shown) == 3
    assert not any("<img" in text or "<script" in text or "<b>bold" in text for text in shown)


def test_a_failed_computation_is_an_exclamation_mark_in_the_colour_of_text() -> None:
    failed = UnitRecord(
        label=sample_label("S", "a"),
        state=UnitState.KILLED,
        attempts=3,
        owner="host/boot/1/1",
        changed_at=datetime(2024, 1, 1, tzinfo=UTC),
    )
    square, letter = window_figure(window_matrix(("a",), (S,), [], [failed]), LIGHT).data
    assert square.marker.symbol == "square-open"
    assert letter.text == ("<b>!</b>",)
    assert letter.textfont.color == LIGHT.text
    assert "killed, attempt 3" in square.hovertext[0]


def counted(**counts: int) -> dict[Status, int]:
    return {Status(name): count for name, count in counts.items()}


def test_counts_are_shaded_by_their_share_and_ringed_beyond_chance() -> None:
    cells = (
        CountedCell("a", S, counted(passed=38, rejected=2, undefined=3), limit=4),
        CountedCell("b", S, counted(passed=10, rejected=30, missing=3), limit=4),
    )
    found = traces(counted_figure(CountedMatrix(("a", "b"), (S,), cells), LIGHT))
    assert found["rejected"].text == ("2/40", "30/40")
    assert list(found["rejected"].marker.color) == [0.05, 0.75]
    assert (found["rejected"].marker.cmin, found["rejected"].marker.cmax) == (0, 1)
    assert list(found["beyond chance"].y) == [1]


def test_what_has_no_verdict_is_named_below_the_cell() -> None:
    cells = (CountedCell("a", S, counted(passed=30, undefined=3, failed=2, missing=5), limit=4),)
    figure = counted_figure(CountedMatrix(("a",), (S,), cells), LIGHT)
    assert figure.data[-1].text == ("3 undef.<br>2 failed<br>5 missing",)
    assert figure.data[-1].y[0] > 0


def test_comparisons_count_both_directions_and_have_no_share() -> None:
    cells = (CountedCell("b", T, counted(better=3, worse=1, no_difference=6)), CountedCell("alpha", T))
    (trace,) = counted_figure(CountedMatrix(("b", "alpha"), (T,), cells), LIGHT).data
    assert trace.text == ("▲3 ▼1<br>of 10", "–")


def _luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("name", "least"), [("agree", 3), ("differ", 3), ("silent", 3), ("text", 7), ("muted", 4.5)]
)
def test_marks_and_letters_stand_out_from_the_page(theme: Theme, name: str, least: float) -> None:
    # WCAG 2.2: 3 for graphics, 4.5 for small letters, 7 for enhanced contrast.
    colours = {key: str(value) for key, value in vars(theme).items()}
    light, dark = sorted((_luminance(colours[name]), _luminance(theme.background)), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= least


def test_legends_name_only_what_is_there() -> None:
    legend = window_legend([Status.PASSED, Status.FAILED, Status.PASSED], LIGHT)
    assert legend.count("<img") == 2
    assert "not rejected" in legend
    assert "failed" in legend
    assert "undefined" not in legend


def test_the_legend_over_windows_names_only_what_is_there() -> None:
    plain, compared = Column("N", None, "N"), Column("T", "a", "T")
    batch = Column("batch", None, "batch T/W", against_all=True)

    def legend(*cells: CountedCell) -> str:
        return counted_legend(LIGHT, CountedMatrix(("b",), (plain,), cells))

    assert "chance" not in legend(CountedCell("b", compared, {Status.BETTER: 2}))
    assert "▲ windows better" in legend(CountedCell("b", compared, {Status.BETTER: 2}))
    assert "share" not in legend(CountedCell("b", batch, {Status.WORSE: 2}))
    assert "▲ comparisons better" in legend(CountedCell("b", batch, {Status.WORSE: 2}))
    assert "chance" in legend(CountedCell("b", plain, {Status.REJECTED: 2}, limit=1))
    assert "Σ" in legend(CountedCell("b", plain, {Status.SCORE_ONLY: 2}, total=1.0))
    assert "⌀" in legend(CountedCell("b", plain, {Status.SCORE_ONLY: 2}, spread=(0.5, 0.4, 0.6)))


def test_a_score_is_a_number_in_a_window_and_a_sum_over_all(row: RowMaker) -> None:
    column = Column("LL", None, "LL")
    rows = [
        row("LL", "a", outcome=Outcome.SCORE_ONLY, quantiles=None, statistic=-12.3456),
        row("LL", "b", outcome=Outcome.SCORE_ONLY, quantiles=None, statistic=-math.inf),
    ]
    (trace,) = window_figure(window_matrix(("a", "b"), (column,), rows), LIGHT).data
    assert (trace.marker.symbol, trace.text) == ("hexagon-open", ("−12.35", "−∞"))
    assert "score only<br>score −12.3456" in trace.hovertext[0]
    outcomes = {Outcome.SCORE_ONLY: 10, Outcome.UNDEFINED: 1}
    counts = [
        OverviewCell(
            test="LL",
            model=model,
            reference=None,
            outcomes=outcomes,
            n_windows=11,
            last_computed_at=datetime(2024, 1, 1, tzinfo=UTC),
        )
        for model in "ab"
    ]
    overview = Overview(experiment="e", token=1, cells=tuple(counts), n_windows=12, last_computed_at=None)
    matrix = counted_matrix(
        ("a", "b"),
        (column,),
        overview,
        expected=12,
        alphas={"LL": 0.05},
        independent=True,
        totals={("a", "LL", None): -123.4567, ("b", "LL", None): None},
    )
    figure = traces(counted_figure(matrix, LIGHT))
    assert figure.keys() == {"counted"}
    assert figure["counted"].text == ("Σ −123.5<br>of 10", "10 scores")
    assert "sum of the scores: −123.457 nats" in figure["counted"].hovertext[0]
    assert [cell.limit for cell in matrix.cells] == [None, None]
    small = [trace.text for trace in counted_figure(matrix, LIGHT).data if not trace.name]
    assert small == [("1 undef.<br>1 missing",) * 2]
