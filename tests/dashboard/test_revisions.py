"""Two states of an experiment: which places changed, by how much, and how that is drawn."""

import math
from collections.abc import Callable
from typing import Any

import pytest

from dashboard._revisions import Shift, count_shifts, paired, revisions_table, shown_value
from dashboard._theme import LIGHT
from dashboard.figures.revisions import MOST_DUMBBELLS, dumbbell_figure, farthest
from forequake.results import LowerQuantile, Outcome, Side, StudentQuantiles, TailQuantiles, WilcoxonQuantile
from stores import ResultRow
from stores.testing import sample_digest

RowMaker = Callable[..., ResultRow]


def other(row: ResultRow, **changes: Any) -> ResultRow:
    return row.model_copy(update={"key": sample_digest("other"), **changes})


def test_places_are_paired_and_told_apart(row: RowMaker) -> None:
    same, moved, turned, recomputed, gone = (row(model=name) for name in "abcde")
    pairs = paired(
        [same, moved, turned, recomputed, gone],
        [
            same,
            other(moved, quantiles=LowerQuantile(q=0.4)),
            other(turned, quantiles=LowerQuantile(q=0.01), outcome=Outcome.REJECTED),
            other(recomputed, statistic=-12.5 * (1 + 1e-12)),
            row(model="f"),
        ],
    )
    assert {pair.model: pair.shift for pair in pairs} == {
        "a": Shift.SAME,
        "b": Shift.VALUE,
        "c": Shift.OUTCOME,
        "d": Shift.INPUTS,
        "e": Shift.GONE,
        "f": Shift.ADDED,
    }
    assert list(count_shifts(pairs).values()) == [1] * 6
    assert [pair.model for pair in farthest(pairs, "probability")] == ["c", "b", "a", "d"]
    assert [pair.size for pair in farthest(pairs, "probability")][:2] == pytest.approx([0.49, 0.1])


def test_a_change_of_events_or_of_the_reason_is_a_change_of_numbers(row: RowMaker) -> None:
    before = row()
    assert paired([before], [other(before, n_observed=4)])[0].shift is Shift.VALUE
    silent = row(outcome=Outcome.UNDEFINED)
    assert paired([silent], [other(silent, reason="another")])[0].shift is Shift.VALUE
    assert paired([silent], [other(silent)])[0].shift is Shift.INPUTS


def test_what_is_infinite_or_undefined_has_no_distance(row: RowMaker) -> None:
    def gain(value: float) -> ResultRow:
        student = StudentQuantiles(t=1.0, t_critical=2.0, p=0.4)
        return row("T", outcome=Outcome.NO_DIFFERENCE, quantiles=student, information_gain=value)

    (pair,) = paired([gain(-math.inf)], [other(gain(0.2))])
    assert (pair.size, pair.axis) == (None, "gain")
    (pair,) = paired([gain(0.5)], [other(gain(0.2), outcome=Outcome.UNDEFINED, quantiles=None)])
    assert (pair.axis, pair.shift) == (None, Shift.OUTCOME)
    assert farthest([pair], "gain") == farthest([pair], "probability") == []
    assert shown_value(row("W", quantiles=WilcoxonQuantile(p=0.03), information_gain=0.2)) == 0.03


def test_the_table_never_says_a_quantile_of_zero(row: RowMaker) -> None:
    before = row(quantiles=LowerQuantile(q=0.0), outcome=Outcome.REJECTED)
    (entry,) = revisions_table(paired([before], [other(before, quantiles=LowerQuantile(q=0.5))]))
    assert (entry["value before"], entry["value after"]) == ("< 1/n", "0.5")
    assert (entry["number before"], entry["events after"]) == (0.0, 3)


def test_dumbbells_lead_from_the_former_number_to_the_mark_of_the_latter_outcome(row: RowMaker) -> None:
    before = row("N", quantiles=TailQuantiles(delta1=0.9, delta2=0.2), side=Side.TWO_SIDED)
    after = other(before, quantiles=TailQuantiles(delta1=0.99, delta2=0.01), outcome=Outcome.REJECTED)
    figure = dumbbell_figure(farthest(paired([before], [after]), "probability"), "probability", LIGHT)
    zones, line, former, latter = figure.data
    assert list(line.x)[:2] == [0.2, 0.01]
    assert (list(former.x), list(latter.x)) == ([0.2], [0.01])
    assert latter.name == "after: rejected"
    assert list(zones.x) == [0.0, 0.025, None, 0.975, 1.0, None]
    assert "3 events" in latter.hovertext[0]


def test_very_many_are_cut_to_those_that_moved_farthest(row: RowMaker) -> None:
    rows = [row(model=f"m{number}", quantiles=LowerQuantile(q=number / 100)) for number in range(100)]
    pairs = paired(rows, [other(each, quantiles=LowerQuantile(q=0.0)) for each in rows])
    figure = dumbbell_figure(farthest(pairs, "probability"), "probability", LIGHT)
    assert len(figure.layout.yaxis.tickvals) == MOST_DUMBBELLS
    assert "m99" in figure.layout.yaxis.ticktext[0]
