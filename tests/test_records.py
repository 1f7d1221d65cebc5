"""The records: strict, frozen, under the key of their canonical text, and without NaN."""

import json
import math
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

import forequake.results
from forequake.keys import key_of
from forequake.results import (
    QUANTILE_COUNT,
    AnyEvaluation,
    BlobRef,
    CatalogForecastRecord,
    CatalogSnapshot,
    ComparisonRecord,
    ConsistencyRecord,
    Distribution,
    DistributionRecord,
    EnvironmentRecord,
    EvaluationRecord,
    ForecastRecord,
    Label,
    LowerQuantile,
    Outcome,
    PoissonDistribution,
    ProspectiveStatus,
    Quantiles,
    Record,
    RecordModel,
    RegionRecord,
    RunDraft,
    RunRecord,
    RunState,
    ScoreRecord,
    SealRecord,
    Side,
    SignedRankDistribution,
    SimulatedDistribution,
    StudentDistribution,
    StudentQuantiles,
    TailQuantiles,
    UnitState,
    WilcoxonQuantile,
    _record,
    distributions,
    evaluations,
    inputs,
    runs,
    seals,
    timings,
)
from forequake.windows import TimeWindow

_CANON = '{"in":{},"v":1,"what":"test"}'
_KEY = key_of(_CANON)
_MOMENT = datetime(2020, 1, 1, 12, 0, 0, 5, tzinfo=UTC)
_BLOB = BlobRef(sha256="a" * 64, size=3)


def _result(**changes: Any) -> dict[str, Any]:
    """Give the fields of an N-test: 3 events where 2.5 were expected."""
    return {
        "key": _KEY,
        "canon": _CANON,
        "test": "poisson_number",
        "statistic": 3.0,
        "quantiles": TailQuantiles(delta1=0.456, delta2=0.758),
        "outcome": Outcome.PASSED,
        "alpha": 0.05,
        "side": Side.TWO_SIDED,
        "rule": "rejected when delta1 or delta2 is below alpha/2",
        "n_observed": 3,
        "n_forecast": 2.5,
        "distribution": PoissonDistribution(mean=2.5),
        "kernel_version": 1,
        "computed_at": _MOMENT,
        "seconds": 0.5,
        **changes,
    }


def _score(**changes: Any) -> dict[str, Any]:
    """Give the fields of a joint log-likelihood."""
    return _result(
        test="sequential_likelihood", quantiles=None, distribution=None, side=Side.NONE,
        outcome=Outcome.SCORE_ONLY, rule="a score", **changes,
    )  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [
        {"outcome": Outcome.PASSED},
        {"side": Side.LOWER},
        {"quantiles": LowerQuantile(q=0.5)},
        {"statistic": math.nan},
    ],
)
def test_a_score_has_no_verdict_and_no_quantile(changes: dict[str, Any]) -> None:
    ScoreRecord(**_score())
    with pytest.raises(ValidationError, match=next(iter(changes))):
        ScoreRecord(**{**_score(), **changes})


def test_the_package_gives_what_its_modules_give() -> None:
    modules = (_record, distributions, evaluations, inputs, runs, seals, timings)
    names = forequake.results.__all__
    assert len(set(names)) == len(names)
    assert set(names) == {name for module in modules for name in module.__all__}


def test_a_record_is_frozen_and_takes_no_unknown_field() -> None:
    record = ConsistencyRecord(**_result())
    with pytest.raises(ValidationError, match="frozen"):
        record.outcome = Outcome.REJECTED  # type: ignore[misc] # which is the point
    with pytest.raises(ValidationError, match="Extra inputs"):
        ConsistencyRecord(**_result(p_value=0.5))
    with pytest.raises(ValidationError, match="information_gain"):
        ConsistencyRecord(**_result(information_gain=0.5))


def test_a_key_is_the_hash_of_the_canonical_text() -> None:
    with pytest.raises(ValidationError, match="not the hash"):
        ConsistencyRecord(**_result(canon=_CANON + " "))
    with pytest.raises(ValidationError, match="not the hash"):
        ConsistencyRecord(**_result(key="0" * 64))
    with pytest.raises(ValidationError, match="pattern"):
        ConsistencyRecord(**_result(key=_KEY.upper()))


@pytest.mark.parametrize("field", ["statistic", "n_forecast", "seconds", "alpha"])
def test_nan_is_no_number_of_a_result(field: str) -> None:
    with pytest.raises(ValidationError, match=field):
        ConsistencyRecord(**_result(**{field: math.nan}))


@pytest.mark.parametrize("field", ["information_gain", "n_reference"])
def test_nan_is_no_number_of_a_comparison(field: str) -> None:
    fields = _result(n_reference=2.0, information_gain=0.1)
    assert ComparisonRecord(**fields).information_gain == 0.1
    with pytest.raises(ValidationError, match="never a score"):
        ComparisonRecord(**{**fields, field: math.nan})
    with pytest.raises(ValidationError, match="never a score"):
        ComparisonRecord(**fields, interval=(math.nan, 1.0))


@pytest.mark.parametrize("value", [math.inf, -math.inf])
def test_infinities_are_scores_and_come_back_from_json(value: float) -> None:
    record = ConsistencyRecord(**_result(statistic=value))
    text = record.model_dump_json()
    assert json.loads(text)["statistic"] == ("Infinity" if value > 0 else "-Infinity")
    assert ConsistencyRecord.model_validate_json(text) == record


@pytest.mark.parametrize("alpha", [0.0, 1.0, -0.05, 5.0])
def test_alpha_lies_between_0_and_1(alpha: float) -> None:
    with pytest.raises(ValidationError, match="alpha"):
        ConsistencyRecord(**_result(alpha=alpha))


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"kind": "tails", "delta1": 0.1, "delta2": 1.0}, TailQuantiles),
        ({"kind": "lower", "q": 0.0}, LowerQuantile),
        ({"kind": "student_t", "t": -2.5, "t_critical": 2.0, "p": 0.05}, StudentQuantiles),
        ({"kind": "wilcoxon", "p": 0.25}, WilcoxonQuantile),
    ],
)
def test_quantiles_are_told_apart_by_their_kind(fields: dict[str, Any], kind: type[RecordModel]) -> None:
    quantiles = TypeAdapter[Quantiles](Quantiles).validate_python(fields)
    assert type(quantiles) is kind
    assert quantiles.named() == {name: value for name, value in fields.items() if name != "kind"}
    for name in quantiles.named():
        with pytest.raises(ValidationError, match=name):
            kind.model_validate({**fields, name: math.nan})
    with pytest.raises(ValidationError, match="does not match"):
        TypeAdapter[Quantiles](Quantiles).validate_python({**fields, "kind": "other"})


@pytest.mark.parametrize("value", [-1e-9, 1.0000001, math.inf])
def test_a_quantile_is_a_probability(value: float) -> None:
    for kind, name in ((LowerQuantile, "q"), (WilcoxonQuantile, "p")):
        with pytest.raises(ValidationError):
            kind.model_validate({name: value})


def test_distributions_are_told_apart_by_their_kind() -> None:
    adapter = TypeAdapter[Distribution](Distribution)
    for distribution in (
        PoissonDistribution(mean=0.0),
        SimulatedDistribution(size=1000, quantiles=(-math.inf, *[0.5] * (QUANTILE_COUNT - 1))),
        StudentDistribution(degrees_of_freedom=1, scale=0.1),
        SignedRankDistribution(size=0, exact=True),
    ):
        assert adapter.validate_json(distribution.model_dump_json()) == distribution


@pytest.mark.parametrize("count", [0, 200, 202])
def test_a_simulated_distribution_has_201_quantiles(count: int) -> None:
    assert QUANTILE_COUNT == 201
    with pytest.raises(ValidationError, match="201"):
        SimulatedDistribution(size=1000, quantiles=(0.0,) * count)
    with pytest.raises(ValidationError, match="never a score"):
        SimulatedDistribution(size=1000, quantiles=(math.nan,) * 201)


def test_a_whole_distribution_may_hold_infinities_but_no_nan() -> None:
    record = DistributionRecord(key=_KEY, canon=_CANON, values=(-math.inf, 0.0))
    assert DistributionRecord.model_validate_json(record.model_dump_json()) == record
    with pytest.raises(ValidationError, match="never a score"):
        DistributionRecord(key=_KEY, canon=_CANON, values=(math.nan,))


def test_evaluations_are_told_apart_by_their_kind() -> None:
    adapter = TypeAdapter[AnyEvaluation](AnyEvaluation)
    consistency = ConsistencyRecord(**_result())
    comparison = ComparisonRecord(**_result(n_reference=2.0))
    score = ScoreRecord(**_score())
    for record in (consistency, comparison, score):
        read = adapter.validate_json(record.model_dump_json())
        assert read == record
        assert type(read) is type(record)


def test_circumstances_are_fields_and_never_values() -> None:
    made = {"source", "made_at", "seconds", "check_seconds", "prospective", "run"}
    expected: dict[type[Record], set[str]] = {
        EvaluationRecord: {"environment", "computed_at", "seconds"},
        ForecastRecord: {"rates", "findings"} | made,
        CatalogForecastRecord: {"catalogs"} | made,
        SealRecord: {"name", "arrived_at", "sealed_at", "modified_at", "changed_at", "run", "prospective"},
        RegionRecord: {"name", "origins"},
        CatalogSnapshot: {"events"},
        EnvironmentRecord: set(),
    }
    for kind, names in expected.items():
        assert kind.circumstances == names
        assert names <= kind.model_fields.keys()
    assert ConsistencyRecord.circumstances == ComparisonRecord.circumstances == EvaluationRecord.circumstances


def test_records_name_the_blobs_that_they_need() -> None:
    shared = {"key": _KEY, "canon": _CANON}
    region = RegionRecord(**shared, name="r", n_cells=1, cell_size=0.1, origins=_BLOB)
    catalog = CatalogSnapshot(**shared, n_events=0, events=_BLOB)
    assert region.blobs == catalog.blobs == (_BLOB.sha256,)
    assert ConsistencyRecord(**_result()).blobs == ()


def test_a_forecast_is_retrospective_unless_it_says_more() -> None:
    fields: dict[str, Any] = {
        "key": _KEY,
        "canon": _CANON,
        "content": "b" * 64,
        "reader": "dat 1",
        "source": "a.dat",
        "region": "c" * 64,
        "magnitudes": (4.0,),
        "rates": _BLOB,
        "scale": 0.25,
        "total": 2.5,
        "made_at": _MOMENT,
        "seconds": 0.0,
    }
    assert ForecastRecord(**fields).prospective is ProspectiveStatus.RETROSPECTIVE
    assert ForecastRecord(**fields).blobs == (_BLOB.sha256,)
    for name, value in {"scale": 0.0, "total": -1.0, "seconds": -1.0}.items():
        with pytest.raises(ValidationError, match=name):
            ForecastRecord(**{**fields, name: value})
    with pytest.raises(ValidationError, match="total"):
        ForecastRecord(**{**fields, "total": math.inf})


def test_a_catalog_based_forecast_expects_the_mean_of_its_catalogs() -> None:
    fields: dict[str, Any] = {
        "key": _KEY,
        "canon": _CANON,
        "content": "b" * 64,
        "reader": "csep-csv 1",
        "source": "a.csv",
        "region": "c" * 64,
        "magnitudes": (4.0,),
        "window": TimeWindow(start=_MOMENT, end=_MOMENT + timedelta(days=7)),
        "catalogs": _BLOB,
        "n_catalogs": 8,
        "n_empty": 3,
        "n_events": 40,
        "n_counted": 20,
        "made_at": _MOMENT,
        "seconds": 0.0,
    }
    record = CatalogForecastRecord(**fields)
    assert record.total == 2.5
    assert record.blobs == (_BLOB.sha256,)
    with pytest.raises(ValidationError, match="n_catalogs"):
        CatalogForecastRecord(**{**fields, "n_catalogs": 0})


def test_times_are_kept_in_utc() -> None:
    local = datetime(2020, 1, 1, 14, 0, 0, 5, tzinfo=timezone(timedelta(hours=2)))
    record = ConsistencyRecord(**_result(computed_at=local))
    assert record.computed_at == _MOMENT
    assert record.computed_at.utcoffset() == timedelta(0)
    with pytest.raises(ValidationError, match="timezone"):
        ConsistencyRecord(**_result(computed_at=datetime(2020, 1, 1)))  # noqa: DTZ001 - as it must not be


def _label(**changes: Any) -> Label:
    window = TimeWindow(start=_MOMENT, end=_MOMENT + timedelta(days=7))
    return Label.model_validate({"experiment": "a", "test": "N", "model": "m", "window": window, **changes})


def test_each_part_of_a_label_makes_another_slot() -> None:
    window = _label().window
    labels = [
        _label(),
        _label(experiment="b"),
        _label(test="L"),
        _label(model="n"),
        _label(reference=""),
        _label(reference="m"),
        _label(window=window.model_copy(update={"end": window.end + timedelta(microseconds=1)})),
        _label(window=window.model_copy(update={"start": window.start - timedelta(microseconds=1)})),
    ]
    assert len({label.slot for label in labels}) == len(labels)
    # Parts are kept apart: moving a letter from one to the next makes another slot.
    assert _label(test="NN", model="m").slot != _label(test="N", model="Nm").slot


@given(st.text(), st.text(), st.none() | st.text())
def test_a_label_that_comes_back_has_the_same_slot(test: str, model: str, reference: str | None) -> None:
    label = _label(test=test, model=model, reference=reference)
    assert Label.model_validate_json(label.model_dump_json()).slot == label.slot


def test_a_run_begins_running_and_keeps_its_draft() -> None:
    draft = RunDraft(experiment="a", experiment_key=_KEY, owner="host/boot/1/1", tags=("x",))
    run = RunRecord(**dict(draft), id="u", run_no=1, started_at=_MOMENT, heartbeat_at=_MOMENT)
    assert run.state is RunState.RUNNING
    assert run.ended_at is None
    assert RunRecord.model_validate_json(run.model_dump_json()) == run
    with pytest.raises(ValidationError, match="run_no"):
        RunRecord(**dict(draft), id="u", run_no=0, started_at=_MOMENT, heartbeat_at=_MOMENT)


def test_words_of_states_and_outcomes() -> None:
    assert [outcome.value for outcome in Outcome] == [
        "passed",
        "rejected",
        "better",
        "worse",
        "no_difference",
        "score_only",
        "undefined",
    ]
    assert {state.value for state in list(UnitState)[:6]} == {
        "running",
        "failed",
        "timed_out",
        "killed",
        "crashed",
        "upstream_failed",
    }


def test_every_record_is_strict_and_frozen() -> None:
    def below(kind: type[RecordModel]) -> set[type[RecordModel]]:
        return {kind}.union(*(below(child) for child in kind.__subclasses__()))

    kinds = below(RecordModel)
    assert len(kinds) > 30
    for kind in kinds:
        assert kind.model_config.get("frozen"), kind
        assert kind.model_config.get("extra") == "forbid", kind
    assert all(kind.model_fields["schema_version"].default == 1 for kind in kinds if issubclass(kind, Record))
