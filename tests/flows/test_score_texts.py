"""What tables say of scores, in one window and over several."""

import math
from pathlib import Path

import pytest

from flows._outcome_texts import cell_text, outcome_table, score_sums
from flows._summary import all_rows
from forequake.results import Outcome
from stores import ResultQuery, ResultRow, ResultsStore, open_store
from stores.testing import fill_store


def _filled(folder: Path, windows: int) -> tuple[ResultsStore, list[ResultRow]]:
    store = open_store(f"sqlite:///{folder / 'results.sqlite'}")
    fill_store(store, models=("a", "b"), tests=("LL", "IG"), windows=windows)
    return store, list(all_rows(store, ResultQuery(experiment="sample")))


def _undefined(row: ResultRow) -> ResultRow:
    return row.model_copy(update={"statistic": None, "outcome": Outcome.UNDEFINED, "reason": "why"})


def test_one_window_shows_its_score(tmp_path: Path) -> None:
    store, rows = _filled(tmp_path, 1)
    found = {(row.label.test, row.label.model): row for row in rows}
    assert outcome_table(store, rows) == [
        {"model": "a", "LL": f"{found['LL', 'a'].statistic:.6g}", "IG vs a": ""},
        {
            "model": "b",
            "LL": f"{found['LL', 'b'].statistic:.6g}",
            "IG vs a": f"{found['IG', 'b'].statistic:.6g}",
        },
    ]
    assert cell_text(store, [_undefined(rows[0])]) == "undefined"
    assert score_sums(rows) == []


def test_windows_are_summed_and_those_without_a_score_are_counted(tmp_path: Path) -> None:
    store, rows = _filled(tmp_path, 4)
    cell = [row for row in rows if (row.label.test, row.label.model) == ("LL", "a")]
    scores = [row.statistic for row in cell if row.statistic is not None]
    assert cell_text(store, cell) == f"sum {math.fsum(scores):.6g} of 4 windows"
    some = [_undefined(cell[0]), *cell[1:]]
    assert cell_text(store, some) == f"sum {math.fsum(scores[1:]):.6g} of 3 windows, undefined 1"
    assert cell_text(store, [_undefined(row) for row in cell]) == "undefined 4"
    assert [text.partition(":")[0] for text in score_sums(rows)] == ["IG vs a of b", "LL of a", "LL of b"]


@pytest.mark.parametrize("lengthened", [0, 1])
def test_windows_that_share_time_are_not_summed(tmp_path: Path, lengthened: int) -> None:
    store, rows = _filled(tmp_path, 3)
    cell = [row for row in rows if (row.label.test, row.label.model) == ("LL", "a")]
    window = cell[lengthened].label.window.model_copy(update={"end": cell[2].label.window.end})
    label = cell[lengthened].label.model_copy(update={"window": window})
    cell[lengthened] = cell[lengthened].model_copy(update={"label": label})
    assert cell_text(store, cell) == "3 scores"


def test_scores_that_do_not_add_up_show_mean_and_range(tmp_path: Path) -> None:
    store, rows = _filled(tmp_path, 4)
    scored = [row for row in rows if (row.label.test, row.label.model) == ("LL", "a")]
    cell = [
        row.model_copy(update={"test": "roc", "statistic": score})
        for row, score in zip(scored, (0.9, 0.5, 0.8, 0.6), strict=True)
    ]
    assert cell_text(store, cell[:1]) == "0.9"
    assert cell_text(store, cell) == "mean 0.7 (0.5 to 0.9) of 4 windows"
    assert (
        cell_text(store, [*cell[:3], _undefined(cell[3])])
        == "mean 0.7333 (0.5 to 0.9) of 3 windows, undefined 1"
    )
