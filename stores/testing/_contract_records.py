"""The contract of records: put, get, get_many, existing, scan."""

import io
import math
import struct
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest

from forequake.errors import CorruptRecord, NotFound, SchemaVersion
from forequake.quantities import Sha256
from forequake.results import (
    ComparisonRecord,
    ConsistencyRecord,
    DistributionRecord,
    EnvironmentRecord,
    EvaluationRecord,
    ExperimentRecord,
    ForecastRecord,
    Outcome,
    Record,
    RegionRecord,
    ScoreRecord,
    SealRecord,
)
from stores._codec import UPGRADES
from stores.base import ResultsStore
from stores.testing._contract_base import ContractBase
from stores.testing.damage import Damage
from stores.testing.processes import is_there
from stores.testing.samples import (
    sample_catalog,
    sample_catalog_forecast,
    sample_comparison,
    sample_digest,
    sample_distribution,
    sample_environment,
    sample_experiment,
    sample_forecast,
    sample_region,
    sample_result,
    sample_retrieval,
    sample_score,
)
from stores.testing.sealed_samples import sample_seal

__all__ = ["RecordsContract"]

_TESTS = ("N", "L", "CL", "S", "M", "T", "W", "LL", "IG")


def _every_kind(store: ResultsStore) -> list[Record]:
    blob = store.put_blob(io.BytesIO(b"an array"))
    return [
        sample_region(blob),
        sample_catalog(blob),
        sample_catalog_forecast(blob),
        sample_retrieval(),
        sample_forecast(blob),
        sample_seal(blob),
        sample_experiment(),
        sample_environment(),
        sample_distribution(sample_result(test="L")),
        *(sample_result(5, test=test) for test in _TESTS),
        *(sample_result(7, test=test, outcome=Outcome.UNDEFINED) for test in _TESTS),
    ]


class RecordsContract(ContractBase):
    """`put`, `get`, `get_many`, `existing` and `scan`."""

    def test_every_kind_comes_back_as_it_was(self, store: ResultsStore) -> None:
        records = _every_kind(store)
        assert store.put(records).written == tuple(record.key for record in records)
        assert [store.get(type(record), record.key) for record in records] == records

    def test_many_are_read_at_once_and_what_is_not_there_is_left_out(self, store: ResultsStore) -> None:
        records = _every_kind(store)
        store.put(records)
        keys = [*(record.key for record in records), sample_digest("none")]
        for kind in {type(record) for record in records}:
            of_kind = {record.key: record for record in records if type(record) is kind}
            assert store.get_many(kind, keys) == of_kind
        assert len(store.get_many(EvaluationRecord, keys)) == 2 * len(_TESTS)
        assert store.get_many(ComparisonRecord, [sample_result(5, test="N").key]) == {}
        assert store.get_many(SealRecord, []) == {}

    def test_of_seals_with_one_number_the_first_stays(self, store: ResultsStore) -> None:
        first, other = (store.put_blob(io.BytesIO(content)) for content in (b"first", b"other"))
        seal = sample_seal(first)
        assert store.put([seal]).written == (seal.key,)
        later = seal.model_copy(update={"sealed_at": seal.window.end, "arrived_at": seal.window.end})
        assert store.put([later]).present == (seal.key,)
        assert store.put([sample_seal(other)]).divergent == (seal.key,)
        second = sample_seal(other, 2)
        assert store.put([second]).written == (second.key,)
        assert store.get_many(SealRecord, [seal.key, second.key]) == {seal.key: seal, second.key: second}

    def test_another_process_reads_at_once_what_was_put(
        self, url: str, store: ResultsStore, others: ProcessPoolExecutor
    ) -> None:
        store.put([sample_result(1)])
        assert others.submit(is_there, url, sample_result(1).key).result(timeout=60)

    def test_putting_again_changes_nothing(self, store: ResultsStore) -> None:
        records = _every_kind(store)
        store.put(records)
        report = store.put(records)
        assert report.present == tuple(record.key for record in records)
        assert (report.written, report.divergent) == ((), ())
        assert [store.get(type(record), record.key) for record in records] == records

    def test_one_batch_may_hold_a_record_twice(self, store: ResultsStore) -> None:
        first, other = sample_result(1), sample_result(2)
        report = store.put([first, other, first, first.model_copy(update={"n_observed": 77})])
        assert report.written == (first.key, other.key)
        assert report.present == (first.key,)
        assert report.divergent == (first.key,)
        assert store.get(EvaluationRecord, first.key).n_observed == first.n_observed

    def test_an_empty_batch_is_no_work(self, store: ResultsStore) -> None:
        report = store.put([])
        assert (report.written, report.present, report.divergent) == ((), (), ())

    def test_a_batch_of_thousands(self, store: ResultsStore) -> None:
        records = [sample_result(number) for number in range(2500)]
        assert len(store.put(records).written) == 2500
        keys = {record.key for record in records}
        assert store.existing(EvaluationRecord, [*keys, sample_digest("none")]) == keys

    @pytest.mark.parametrize(
        "changes",
        [
            {"computed_at": datetime.fromisoformat("2031-01-01T00:00:00.000001Z")},
            {"seconds": 99.0},
            {"environment": sample_digest("elsewhere")},
            {"n_forecast": 3.25 * (1 + 0.9e-9)},
            {"schema_version": 0},
        ],
        ids=lambda changes: next(iter(changes)),
    )
    def test_circumstances_and_last_digits_make_no_other_value(
        self, store: ResultsStore, changes: dict[str, Any]
    ) -> None:
        first = sample_result(0)
        store.put([first])
        report = store.put([first.model_copy(update=changes)])
        assert report.present == (first.key,)
        assert report.divergent == ()
        assert store.get(EvaluationRecord, first.key) == first

    @pytest.mark.parametrize(
        "changes",
        [
            {"outcome": Outcome.REJECTED},
            {"n_forecast": 3.25 * (1 + 2e-9)},
            {"n_forecast": math.inf},
            {"n_observed": 8},
            {"statistic": None},
            {"reason": "another"},
            {"flags": ("event_in_zero_rate_cell",)},
            {"kernel_version": 99},
            {"distribution": None},
        ],
        ids=lambda changes: "-".join(map(str, *changes.items())),
    )
    def test_another_value_is_divergent_and_the_first_stays(
        self, store: ResultsStore, changes: dict[str, Any]
    ) -> None:
        first = sample_result(0, test="L")
        store.put([first])
        report = store.put([sample_result(1), first.model_copy(update=changes)])
        assert report.divergent == (first.key,)
        assert report.written == (sample_result(1).key,)
        assert report.present == ()
        assert store.get(EvaluationRecord, first.key) == first

    def test_below_one_the_tolerance_is_absolute(self, store: ResultsStore) -> None:
        first = sample_result(0, test="L", statistic=1e-12)
        store.put([first])
        assert store.put([first.model_copy(update={"statistic": 9e-10})]).present == (first.key,)
        assert store.put([first.model_copy(update={"statistic": 2e-9})]).divergent == (first.key,)

    def test_one_quantile_of_a_distribution_makes_another_value(self, store: ResultsStore) -> None:
        first = sample_result(0, test="L")
        store.put([first])
        assert first.distribution is not None
        body = first.distribution.model_dump()
        quantiles = list(body["quantiles"])
        quantiles[100] += 1e-6
        distribution = type(first.distribution).model_validate({**body, "quantiles": quantiles})
        report = store.put([first.model_copy(update={"distribution": distribution})])
        assert report.divergent == (first.key,)

    def test_a_result_of_another_kind_is_divergent(self, store: ResultsStore) -> None:
        first = sample_result(0)
        other = sample_comparison(0).model_copy(update={"key": first.key, "canon": first.canon})
        store.put([first])
        assert store.put([other]).divergent == (first.key,)
        assert store.get(EvaluationRecord, first.key) == first

    def test_an_infinity_equals_only_itself(self, store: ResultsStore) -> None:
        first = sample_result(0, test="L", statistic=-math.inf)
        store.put([first])
        assert store.get(EvaluationRecord, first.key).statistic == -math.inf
        assert store.put([first]).present == (first.key,)
        for other in (math.inf, -1.7e308):
            assert store.put([first.model_copy(update={"statistic": other})]).divergent == (first.key,)

    @pytest.mark.parametrize(
        "value", [0.1 + 0.2, -0.0, 5e-324, 2.2250738585072011e-308, 1.7976931348623157e308, 1 / 3]
    )
    def test_floats_come_back_bit_by_bit(self, store: ResultsStore, value: float) -> None:
        result = sample_result(0, test="L", statistic=value)
        whole = sample_distribution(result).model_copy(update={"values": (value, math.inf, -math.inf)})
        store.put([result, whole])
        read = store.get(EvaluationRecord, result.key).statistic
        assert read is not None
        assert struct.pack("<d", read) == struct.pack("<d", value)
        values = store.get(DistributionRecord, result.key).values
        assert struct.pack("<3d", *values) == struct.pack("<3d", value, math.inf, -math.inf)

    def test_times_keep_microseconds_in_utc(self, store: ResultsStore) -> None:
        moment = datetime.fromisoformat("2019-07-06T05:19:53.040001+02:00")
        store.put([sample_result(0, computed_at=moment)])
        read = store.get(EvaluationRecord, sample_result(0).key).computed_at
        assert read.isoformat() == "2019-07-06T03:19:53.040001+00:00"
        assert read.utcoffset() == timedelta(0)

    def test_a_nan_is_refused_and_nothing_is_written(self, store: ResultsStore) -> None:
        good, bad = sample_result(1), sample_result(0).model_copy(update={"statistic": math.nan})
        with pytest.raises(ValueError, match="NaN"):
            store.put([good, bad])
        whole = sample_distribution(good).model_copy(update={"values": (0.0, math.nan)})
        with pytest.raises(ValueError, match="NaN"):
            store.put([good, whole])
        assert store.existing(EvaluationRecord, [good.key, bad.key]) == frozenset()

    def test_a_record_of_no_stored_kind_is_refused(self, store: ResultsStore) -> None:
        result = sample_result(0)
        with pytest.raises(TypeError, match="EvaluationRecord"):
            store.put([Record(key=result.key, canon=result.canon)])
        with pytest.raises(TypeError, match="EvaluationRecord"):
            store.scan(Record)

    def test_a_record_without_its_blob_is_refused(self, store: ResultsStore) -> None:
        blob = store.put_blob(io.BytesIO(b"kept"))
        gone = blob.model_copy(update={"sha256": sample_digest("gone")})
        with pytest.raises(NotFound, match=gone.sha256):
            store.put([sample_result(0), sample_forecast(blob), sample_region(gone)])
        assert store.existing(EvaluationRecord, [sample_result(0).key]) == frozenset()
        assert store.scan(ForecastRecord) == []

    def test_a_result_and_its_distribution_share_a_key(self, store: ResultsStore) -> None:
        result = sample_result(3, test="S")
        whole = sample_distribution(result)
        assert store.put([whole]).written == (result.key,)
        assert store.existing(EvaluationRecord, [result.key]) == frozenset()
        assert store.put([result]).written == (result.key,)
        assert store.get(EvaluationRecord, result.key) == result
        assert store.get(DistributionRecord, result.key) == whole

    def test_a_base_reads_any_of_its_kinds_and_a_kind_only_itself(self, store: ResultsStore) -> None:
        result, comparison, score = sample_result(0), sample_comparison(0), sample_score(0)
        store.put([result, comparison, score])
        assert isinstance(store.get(EvaluationRecord, comparison.key), ComparisonRecord)
        assert store.get(ConsistencyRecord, result.key) == result
        with pytest.raises(NotFound, match=comparison.key):
            store.get(ConsistencyRecord, comparison.key)
        with pytest.raises(NotFound, match=score.key):
            store.get(ComparisonRecord, score.key)
        keys = [result.key, comparison.key, score.key]
        assert store.existing(EvaluationRecord, keys) == frozenset(keys)
        assert store.existing(ComparisonRecord, keys) == {comparison.key}
        assert store.existing(ScoreRecord, keys) == {score.key}
        assert store.existing(EnvironmentRecord, keys) == frozenset()
        assert store.scan(ConsistencyRecord) == [result]
        assert store.scan(ScoreRecord) == [score]

    def test_scores_are_kept_whole_without_quantiles_or_verdict(self, store: ResultsStore) -> None:
        scores = [
            sample_score(0),
            sample_score(1, test="IG"),
            sample_score(2, statistic=-math.inf),
            sample_score(3, test="IG", outcome=Outcome.UNDEFINED),
        ]
        store.put(scores)
        for score in scores:
            read = store.get(EvaluationRecord, score.key)
            assert isinstance(read, ScoreRecord)
            assert read == score

    def test_an_unknown_key_is_not_found(self, store: ResultsStore) -> None:
        key = sample_digest("nothing")
        for kind in (EvaluationRecord, DistributionRecord, ExperimentRecord, RegionRecord):
            with pytest.raises(NotFound, match=key):
                store.get(kind, key)
        assert store.existing(EvaluationRecord, []) == frozenset()

    def test_scan_goes_through_all_keys_in_order(self, store: ResultsStore) -> None:
        records = [sample_result(number, test="LTN"[number % 3]) for number in range(23)]
        store.put([*records, *map(sample_environment, range(3))])
        seen: list[Sha256] = []
        while page := store.scan(EvaluationRecord, after=seen[-1] if seen else None, limit=5):
            assert len(page) <= 5
            seen += [record.key for record in page]
        assert seen == sorted(record.key for record in records)
        assert [record.key for record in store.scan(EvaluationRecord)] == seen
        assert len(store.scan(EnvironmentRecord)) == 3

    def test_damaged_records_are_told(self, store: ResultsStore, damage: Damage) -> None:
        spoiled, renamed, whole = sample_result(0), sample_comparison(1), sample_environment()
        store.put([spoiled, renamed, whole])
        damage.spoil_body("consistency", spoiled.key)
        damage.spoil_canon("comparison", renamed.key)
        damage.spoil_body("environment", whole.key)
        for record in (spoiled, renamed, whole):
            with pytest.raises(CorruptRecord, match=record.key):
                store.get(type(record), record.key)
        with pytest.raises(CorruptRecord):
            store.scan(EvaluationRecord)
        assert store.existing(EvaluationRecord, [spoiled.key]) == {spoiled.key}

    def test_a_damaged_record_keeps_no_other_from_being_written(
        self, store: ResultsStore, damage: Damage
    ) -> None:
        store.put([sample_result(0)])
        damage.spoil_body("consistency", sample_result(0).key)
        with pytest.raises(CorruptRecord, match=sample_result(0).key):
            store.put([sample_result(0), sample_result(1)])
        assert store.get(EvaluationRecord, sample_result(1).key) == sample_result(1)

    def test_a_newer_shape_is_refused(self, store: ResultsStore, damage: Damage) -> None:
        record = sample_environment()
        store.put([record])
        damage.rewrite("environment", record.key, 2, {"python": "4.0", "unheard": True})
        with pytest.raises(SchemaVersion, match="newer"):
            store.get(EnvironmentRecord, record.key)
        with pytest.raises(SchemaVersion, match="newer"):
            store.put([record])

    def test_an_older_shape_is_read_through_upgrades(
        self, store: ResultsStore, damage: Damage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        record = sample_environment()
        store.put([record])
        monkeypatch.setattr(EnvironmentRecord, "current_schema", 3)
        damage.rewrite("environment", record.key, 1, {"version": "3.11.7", "system": "Linux-0"})
        with pytest.raises(CorruptRecord, match="no upgrade"):
            store.get(EnvironmentRecord, record.key)
        monkeypatch.setitem(
            UPGRADES,
            ("environment", 1),
            lambda body: {"python": body["version"], "platform": body["system"]},
        )
        monkeypatch.setitem(
            UPGRADES, ("environment", 2), lambda body: {**body, "packages": dict(record.packages)}
        )
        read = store.get(EnvironmentRecord, record.key)
        assert read == record.model_copy(update={"schema_version": 3})
        assert store.put([record]).present == (record.key,)
