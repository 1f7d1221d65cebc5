"""The stored form of records: nothing is lost, and what cannot be read is told."""

import json
import math
import struct
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forequake.errors import CorruptRecord, SchemaVersion
from forequake.results import (
    BlobRef,
    ComparisonRecord,
    ConsistencyRecord,
    DistributionRecord,
    EnvironmentRecord,
    EvaluationRecord,
    ExperimentRecord,
    Outcome,
    Record,
    RunRecord,
)
from stores._codec import (
    KINDS,
    RUN_SCHEMA,
    UPGRADES,
    Encoded,
    body_of,
    decode,
    decode_run,
    encode,
    encode_run,
    from_us,
    kinds_of,
    to_us,
)
from stores._comparison import differs
from stores._rows import result_row
from stores.testing import (
    sample_catalog,
    sample_catalog_forecast,
    sample_comparison,
    sample_digest,
    sample_distribution,
    sample_environment,
    sample_experiment,
    sample_forecast,
    sample_label,
    sample_region,
    sample_result,
    sample_retrieval,
    sample_run,
    sample_score,
    sample_seal,
)

_BLOB = BlobRef(sha256=sample_digest("blob"), size=4)
_RECORDS: dict[str, Record] = {
    "consistency": sample_result(3, test="L"),
    "comparison": sample_comparison(3),
    "score": sample_score(3),
    "distribution": sample_distribution(sample_result(3, test="L")),
    "region": sample_region(_BLOB),
    "catalog": sample_catalog(_BLOB),
    "retrieval": sample_retrieval(),
    "forecast": sample_forecast(_BLOB),
    "catalog_forecast": sample_catalog_forecast(_BLOB),
    "seal": sample_seal(_BLOB),
    "experiment": sample_experiment(),
    "environment": sample_environment(),
}
_SCORES = st.floats(allow_nan=False)


def _bits(*values: float) -> bytes:
    return struct.pack(f"<{len(values)}d", *values)


def _round_trip(record: Record) -> Record:
    return decode(encode(record), type(record))


def test_there_is_a_sample_of_every_kind_and_every_kind_is_registered() -> None:
    def stored(kind: type[Record]) -> set[type[Record]]:
        below = kind.__subclasses__()
        return {kind for kind in below if "kind" in kind.model_fields and kind is not EvaluationRecord}.union(
            *(stored(kind) for kind in below)
        )

    assert set(KINDS) == set(_RECORDS)
    assert set(KINDS.values()) == stored(Record)
    assert all(kind.model_fields["kind"].default == name for name, kind in KINDS.items())


@pytest.mark.parametrize("kind", sorted(_RECORDS))
def test_every_kind_comes_back(kind: str) -> None:
    record = _RECORDS[kind]
    encoded = encode(record)
    assert (encoded.kind, encoded.key, encoded.version) == (kind, record.key, 1)
    assert _round_trip(record) == record
    assert not {"key", "canon", "kind", "schema_version"} & json.loads(encoded.body).keys()


def test_long_arrays_are_little_endian_doubles_beside_the_text() -> None:
    result = sample_result(3, test="L")
    encoded = encode(result)
    assert result.distribution is not None
    quantiles = result.distribution.model_dump()["quantiles"]
    assert encoded.packed == _bits(*quantiles)
    assert len(encoded.packed) == 8 * 201
    assert "quantiles" not in json.loads(encoded.body)["distribution"]
    whole = sample_distribution(result)
    assert encode(whole).packed == _bits(*whole.values)
    assert encode(whole).body == "{}"
    assert encode(sample_result(3, test="N")).packed is None


@given(st.lists(_SCORES, max_size=50), _SCORES)
def test_any_scores_come_back_bit_by_bit(values: list[float], statistic: float) -> None:
    result = sample_result(1, test="L", statistic=statistic)
    whole = sample_distribution(result).model_copy(update={"values": tuple(values)})
    read = _round_trip(result)
    assert isinstance(read, EvaluationRecord)
    assert read.statistic is not None
    assert _bits(read.statistic) == _bits(statistic)
    back = _round_trip(whole)
    assert isinstance(back, DistributionRecord)
    assert _bits(*back.values) == _bits(*values)


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), _JSON, max_size=4))
def test_any_configuration_comes_back(config: dict[str, Any]) -> None:
    record = sample_experiment().model_copy(update={"config": config})
    read = _round_trip(record)
    assert isinstance(read, ExperimentRecord)
    assert json.dumps(read.config) == json.dumps(config)


@given(st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)))  # noqa: DTZ001 - the zone comes next
def test_any_time_comes_back(moment: datetime) -> None:
    moment = moment.replace(tzinfo=UTC)
    assert from_us(to_us(moment)) == moment
    read = _round_trip(sample_result(1, computed_at=moment))
    assert isinstance(read, EvaluationRecord)
    assert read.computed_at == moment


def test_microseconds_are_counted_from_1970() -> None:
    assert to_us(datetime(1970, 1, 2, 0, 0, 0, 7, tzinfo=UTC)) == 86_400_000_007
    assert to_us(datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)) == -1
    assert from_us(-1).utcoffset() == timedelta(0)


def test_words_that_look_like_numbers_stay_words() -> None:
    config = {"a": "NaN", "b": ["Infinity", "-Infinity"], "c": 'x NaN"'}
    record = sample_experiment().model_copy(update={"config": config})
    assert _round_trip(record) == record


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("consistency", {"statistic": math.nan}),
        ("consistency", {"n_forecast": math.nan}),
        ("forecast", {"magnitudes": (3.95, math.nan)}),
        ("distribution", {"values": (1.0, math.nan)}),
        ("experiment", {"config": {"a": [{"b": math.nan}]}}),
        ("experiment", {"config": {"a": math.inf}}),
        ("experiment", {"config": {"a": "\ud800"}}),
    ],
)
def test_what_would_not_come_back_is_refused(kind: str, changes: Mapping[str, object]) -> None:
    record = _RECORDS[kind].model_copy(update=dict(changes))
    with pytest.raises(ValueError, match=r"cannot be (stored|written)"):
        encode(record)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"body": ""}, "not JSON"),
        ({"body": "[]"}, "not a JSON object"),
        ({"body": '{"a": NaN}'}, "NaN is not JSON"),
        ({"body": "[" * 100_000}, "not JSON"),
        ({"body": "{}", "packed": None}, "Field required"),
        ({"canon": "{}"}, "canonical text"),
        ({"key": sample_digest("other")}, "canonical text"),
        ({"packed": b"1234567"}, "cannot be read"),
        ({"packed": b"12345678"}, "201"),
        ({"packed": None}, "Field required"),
        ({"packed": _bits(*[math.nan] * 201)}, "NaN"),
        ({"version": 0}, "no upgrade"),
        ({"kind": "comparison"}, "n_reference"),
    ],
)
def test_what_cannot_be_read_is_corrupt(changes: dict[str, Any], message: str) -> None:
    encoded = encode(_RECORDS["consistency"])._replace(**changes)
    with pytest.raises(CorruptRecord, match=message) as told:
        decode(encoded, EvaluationRecord)
    assert encoded.key in str(told.value)
    assert len(str(told.value)) < 400


def test_packed_numbers_without_a_place_are_corrupt() -> None:
    encoded = encode(_RECORDS["environment"])._replace(packed=_bits(1.0))
    with pytest.raises(CorruptRecord, match="no distribution"):
        decode(encoded, EnvironmentRecord)


def test_another_kind_than_asked_for_is_corrupt() -> None:
    with pytest.raises(CorruptRecord, match="ComparisonRecord"):
        decode(encode(_RECORDS["consistency"]), ComparisonRecord)


def test_newer_and_unknown_shapes_are_refused() -> None:
    encoded = encode(_RECORDS["environment"])
    with pytest.raises(SchemaVersion, match="shape 2, this one knows 1"):
        decode(encoded._replace(version=2, body="not even JSON"), EnvironmentRecord)
    with pytest.raises(SchemaVersion, match="'unheard'"):
        decode(encoded._replace(kind="unheard"), Record)


def test_upgrades_are_applied_in_turn_and_never_see_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    assert UPGRADES == {}
    seen: list[frozenset[str]] = []

    def first(body: dict[str, object]) -> dict[str, object]:
        seen.append(frozenset(body))
        return {"python": body["py"], "platform": "Linux"}

    def second(body: dict[str, object]) -> dict[str, object]:
        seen.append(frozenset(body))
        return {**body, "packages": {}}

    monkeypatch.setattr(EnvironmentRecord, "current_schema", 3)
    monkeypatch.setitem(UPGRADES, ("environment", 1), first)
    monkeypatch.setitem(UPGRADES, ("environment", 2), second)
    now = encode(sample_environment())
    assert now.version == 3
    old = Encoded("environment", now.key, 1, now.canon, '{"py": "3.11"}', None)
    read = decode(old, EnvironmentRecord)
    assert (read.key, read.canon, read.schema_version) == (now.key, now.canon, 3)
    assert (read.python, read.platform, read.packages) == ("3.11", "Linux", {})
    assert seen == [{"py"}, {"python", "platform"}]
    assert body_of(old) == {"python": "3.11", "platform": "Linux", "packages": {}}
    assert (
        decode(now._replace(version=2, body='{"python": "3", "platform": "p"}'), EnvironmentRecord).python
        == "3"
    )


def test_kinds_of_a_class() -> None:
    assert kinds_of(EvaluationRecord) == ("consistency", "comparison", "score")
    assert kinds_of(ConsistencyRecord) == ("consistency",)
    with pytest.raises(TypeError, match=r"Record; it keeps .*ForecastRecord"):
        kinds_of(Record)


def _run() -> RunRecord:
    draft = sample_run(sample_experiment())
    moment = datetime(2020, 1, 1, 0, 0, 0, 1, tzinfo=UTC)
    return RunRecord(**dict(draft), id="x", run_no=1, started_at=moment, heartbeat_at=moment)


def test_a_run_comes_back() -> None:
    assert decode_run(encode_run(_run())) == _run()


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", CorruptRecord),
        ("{}", CorruptRecord),
        ('{"schema_version": 1}', CorruptRecord),
        ('{"schema_version": 0}', CorruptRecord),
        ('{"schema_version": "1"}', CorruptRecord),
        (f'{{"schema_version": {RUN_SCHEMA + 1}}}', SchemaVersion),
    ],
)
def test_a_run_that_cannot_be_read_is_told(text: str, error: type[Exception]) -> None:
    with pytest.raises(error, match="run"):
        decode_run(text)


def test_a_row_is_read_without_the_distribution() -> None:
    result = sample_result(3, test="L", statistic=-math.inf)
    moment = datetime(2020, 1, 1, tzinfo=UTC)
    encoded = encode(result)._replace(packed=None)
    row = result_row(sample_label("L"), encoded, run_no=2, bound_at=moment)
    assert (row.statistic, row.quantiles, row.seed) == (-math.inf, result.quantiles, result.seed)
    with pytest.raises(CorruptRecord, match="outcome"):
        result_row(
            sample_label("L"),
            encoded._replace(body=encoded.body.replace('"passed"', '"unheard"')),
            run_no=2,
            bound_at=moment,
        )


@pytest.mark.parametrize(
    ("kind", "changes", "expected"),
    [
        ("consistency", {}, False),
        ("consistency", {"seconds": 7.0, "environment": sample_digest("e"), "schema_version": 9}, False),
        ("consistency", {"computed_at": datetime(2031, 1, 1, tzinfo=UTC)}, False),
        ("consistency", {"outcome": Outcome.REJECTED}, True),
        ("consistency", {"seed": 1004}, True),
        ("consistency", {"n_forecast": 3.2734375 * (1 + 1e-10)}, False),
        ("consistency", {"n_forecast": 3.2734375 * (1 + 1e-8)}, True),
        ("consistency", {"statistic": None}, True),
        ("comparison", {"interval": (-0.328125, 0.671875 + 1e-10)}, False),
        ("comparison", {"interval": (-0.328125, 0.671875 + 1e-8)}, True),
        ("comparison", {"interval": None}, True),
        ("comparison", {"information_gain": math.inf}, True),
        ("region", {"name": "another", "origins": BlobRef(sha256=sample_digest("o"), size=5)}, False),
        ("region", {"n_cells": 5}, True),
        ("environment", {"packages": {"numpy": "2.3.5", "pycsep": "0.8.1"}}, True),
        ("environment", {"packages": {"numpy": "2.3.5"}}, True),
        ("forecast", {"findings": ()}, False),
        ("forecast", {"magnitudes": (3.95, 4.05, 4.15 + 1e-12)}, False),
        ("retrieval", {"retrieved_at": datetime(2031, 1, 1, tzinfo=UTC)}, True),
    ],
)
def test_what_makes_another_value(kind: str, changes: dict[str, Any], expected: bool) -> None:
    record = _RECORDS[kind]
    assert differs(record, record.model_copy(update=changes)) is expected


def test_free_json_is_compared_by_type_and_number() -> None:
    def config(value: object) -> ExperimentRecord:
        return sample_experiment().model_copy(update={"config": {"a": [value]}})

    same = [(1, 1), (1.0, 1 + 1e-12), (1, 1.0), ("a", "a"), (None, None), ({"b": 1.0}, {"b": 1.0 + 1e-12})]
    other = [
        (1, 2),
        (10**12, 10**12 + 1),
        (1, True),
        (0, False),
        ("1", 1),
        (None, 0),
        ([], {}),
        ([1], [1, 2]),
    ]
    assert not any(differs(config(one), config(two)) for one, two in same)
    assert all(differs(config(one), config(two)) and differs(config(two), config(one)) for one, two in other)
