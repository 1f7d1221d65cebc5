"""What tables say of results over windows, of all pairs of models, and of quantiles of 0."""

from pathlib import Path

import pytest

from flows._outcome_texts import (
    cell_text,
    is_over_windows,
    outcome_table,
    pairs_text,
    quantile_text,
    reason_lines,
)
from forequake.results import (
    AdjustedQuantile,
    BatchQuantiles,
    ConsistencyRecord,
    EvaluationRecord,
    LowerQuantile,
    Outcome,
    PoissonDistribution,
    TailQuantiles,
)
from forequake.windows import TimeWindow
from stores import Binding, ResultQuery, ResultRow, ResultsStore, RunRef, open_store
from stores.testing import sample_experiment, sample_label, sample_result, sample_run, sample_window

SPAN = TimeWindow(start=sample_window(0).start, end=sample_window(3).end)


def _stored(folder: Path, *results: tuple[EvaluationRecord, dict[str, object]]) -> ResultsStore:
    """Put results into places of model alpha, in the first window if nothing else is said."""
    store = open_store(f"sqlite:///{folder / 'results.sqlite'}")
    config = sample_experiment()
    store.put([config, *(record for record, _ in results)])
    run = store.begin_run(sample_run(config))
    ref = RunRef(id=run.id, experiment=run.experiment, run_no=run.run_no)
    store.publish(
        ref,
        [Binding(label=sample_label().model_copy(update=place), key=record.key) for record, place in results],
    )
    return store


def _rows(store: ResultsStore) -> dict[str, ResultRow]:
    return {row.label.test: row for row in store.latest(ResultQuery(experiment="sample")).rows}


def _changed(record: EvaluationRecord, **fields: object) -> ConsistencyRecord:
    return ConsistencyRecord.model_validate(record.model_dump() | fields)


def test_results_over_windows_stand_behind_and_say_how_many_are_missing(tmp_path: Path) -> None:
    record = _changed(sample_result(2), test="cumulative_number", n_windows=3, missing=(sample_window(1).id,))
    store = _stored(
        tmp_path, (record, {"test": "all N", "window": SPAN}), (sample_result(3, test="S"), {"test": "S"})
    )
    rows = _rows(store)
    assert [is_over_windows(rows[name]) for name in ("all N", "S")] == [True, False]
    (line,) = outcome_table(store, rows.values())
    assert list(line) == ["model", "S", "all N"]
    assert line["all N"] == "passed (delta1 0.4, delta2 0.8), over 3 windows, 1 missing"


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (_changed(sample_result(1, test="S"), quantiles=LowerQuantile(q=0.0)), "q < 1/1000"),
        (
            _changed(
                sample_result(1, test="catalog S"),
                quantiles=TailQuantiles(delta1=1.0, delta2=0.0),
                num_simulations=None,
            ),
            "delta1 1, delta2 < 1/1000",
        ),
        (
            _changed(
                sample_result(1),
                quantiles=TailQuantiles(delta1=0.0, delta2=1.0),
                distribution=PoissonDistribution(mean=0.1),
            ),
            "delta1 < 1e-300, delta2 1",
        ),
        (
            _changed(sample_result(1), quantiles=AdjustedQuantile(p=0.01, p_adjusted=0.03, family=3)),
            "p 0.01, corrected p 0.03, family of 3",
        ),
    ],
)
def test_no_quantile_is_shown_as_zero(tmp_path: Path, record: ConsistencyRecord, expected: str) -> None:
    store = _stored(tmp_path, (record, {"test": "any"}))
    assert quantile_text(store, _rows(store)["any"]) == expected


def test_all_pairs_of_a_model_are_one_cell(tmp_path: Path) -> None:
    store = _stored(tmp_path, (sample_result(1, test="T"), {"test": "pairs", "reference": "b"}))
    row = _rows(store)["pairs"].model_copy(update={"test": "batch_t_w"})
    p = {"t": 3.0, "t_critical": 2.0, "p": 0.01, "p_adjusted": 0.03, "family": 3}

    def against(other: str, outcome: Outcome) -> ResultRow:
        label = row.label.model_copy(update={"reference": other})
        return row.model_copy(update={"label": label, "outcome": outcome, "quantiles": BatchQuantiles(**p)})

    found = [
        against("b", Outcome.BETTER),
        against("c", Outcome.WORSE),
        against("d", Outcome.BETTER),
        against("e", Outcome.NO_DIFFERENCE),
        against("f", Outcome.UNDEFINED),
    ]
    assert cell_text(store, found) == "better than 2, worse than 1 of 4, undefined 1"
    window = row.label.model_copy(update={"window": sample_window(1)})
    later = [*found, found[0].model_copy(update={"label": window})]
    assert cell_text(store, later) == "better 3, worse 1 of 5 comparisons, undefined 1"
    assert pairs_text(found) == "better than b, d; worse than c; undefined: f; no difference from 1"
    assert list(outcome_table(store, found)[0]) == ["model", "pairs"]


def test_reasons_that_differ_by_their_numbers_are_said_once(tmp_path: Path) -> None:
    store = _stored(tmp_path, (sample_result(1), {"test": "N"}))
    row = _rows(store)["N"].model_copy(update={"outcome": Outcome.UNDEFINED})
    rows = [
        row.model_copy(update={"reason": reason})
        for reason in ("no target events", "a rate is zero (1 of 7)", "a rate is zero (2 of 9)")
    ]
    assert reason_lines(rows) == ["Undefined, N: no target events.", "Undefined, N: a rate is zero."]
    assert reason_lines(rows[1:2]) == ["Undefined, N: a rate is zero (1 of 7)."]
    many = [row.model_copy(update={"reason": f"reason {number}"}) for number in range(11)]
    assert reason_lines(many)[-1] == "... and 3 more reasons."
