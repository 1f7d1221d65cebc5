"""The contract of a store's care: check and repair, threads, crashes, errors."""

import io
import multiprocessing
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import pytest

from forequake.errors import CorruptRecord, NotFound, StoreError
from forequake.results import EvaluationRecord, Outcome, RunRecord
from stores._open import open_store
from stores.base import ResultsStore
from stores.exchange import Binding, Finding, ResultQuery, RunRef
from stores.testing._contract_base import PROCESSES, ContractBase, begin, ref
from stores.testing.damage import Damage
from stores.testing.filling import fill_store
from stores.testing.processes import put_results, write_until_killed
from stores.testing.samples import (
    sample_digest,
    sample_environment,
    sample_experiment,
    sample_forecast,
    sample_label,
    sample_region,
    sample_result,
    sample_run,
)

__all__ = ["CareContract", "SharingContract"]


def _codes(store: ResultsStore, *, repair: bool = False) -> list[tuple[str, str]]:
    return [(finding.code, finding.severity) for finding in store.check(repair=repair)]


def _fill(store: ResultsStore) -> RunRecord:
    return fill_store(store, models=("alpha", "beta"), tests=("N", "L", "T"), windows=3)


class CareContract(ContractBase):
    """`check`, with and without repair."""

    def test_a_healthy_store_has_no_findings(self, store: ResultsStore) -> None:
        assert list(store.check()) == []
        _fill(store)
        _fill(store)
        assert list(store.check()) == []
        assert list(store.check(repair=True)) == []

    def test_a_check_may_be_left_half_way(self, store: ResultsStore, damage: Damage) -> None:
        for number in range(2):
            store.put([sample_environment(number)])
            damage.spoil_body("environment", sample_environment(number).key)
        finding = next(iter(store.check()))
        assert finding.code == "corrupt_record"
        assert store.put([sample_result(0)]).written == (sample_result(0).key,)

    def test_damaged_records_are_found(self, store: ResultsStore, damage: Damage) -> None:
        _fill(store)
        results = store.scan(EvaluationRecord)
        kinds = [str(result.kind) for result in results[:2]]
        damage.spoil_body(kinds[0], results[0].key)
        damage.spoil_canon(kinds[1], results[1].key)
        damage.spoil_body("environment", sample_environment().key)
        findings = list(store.check())
        assert {finding.code for finding in findings} == {"corrupt_record"}
        assert {finding.severity for finding in findings} == {"error"}
        text = "\n".join(finding.message for finding in findings)
        assert len(findings) == 3
        assert all(key in text for key in (results[0].key, results[1].key, sample_environment().key))

    def test_a_newer_record_is_noted(self, store: ResultsStore, damage: Damage) -> None:
        store.put([sample_environment()])
        damage.rewrite("environment", sample_environment().key, 99, {})
        assert _codes(store) == [("newer_record", "note")]

    def test_damaged_blobs_are_found(self, store: ResultsStore, damage: Damage) -> None:
        gone, spoiled, unused = (
            store.put_blob(io.BytesIO(name)) for name in (b"gone", b"spoiled", b"unused")
        )
        store.put([sample_region(gone), sample_forecast(spoiled)])
        damage.drop_blob(gone.sha256)
        damage.spoil_blob(spoiled.sha256)
        findings = {finding.code: finding for finding in store.check()}
        assert set(findings) == {"missing_blob", "corrupt_blob", "unreferenced_blob"}
        assert gone.sha256 in findings["missing_blob"].message
        assert spoiled.sha256 in findings["corrupt_blob"].message
        assert unused.sha256 in findings["unreferenced_blob"].message
        severities = [findings[code].severity for code in sorted(findings)]
        assert severities == ["error", "error", "note"]

    def test_a_binding_without_its_result_is_found(self, store: ResultsStore, damage: Damage) -> None:
        _fill(store)
        row = store.latest(ResultQuery(experiment="sample")).rows[0]
        damage.drop_result(row.key)
        (finding,) = (found for found in store.check(repair=True) if found.severity == "error")
        assert finding.code == "dangling_binding"
        assert row.key in finding.message
        assert not finding.repaired

    def test_latest_rows_are_built_again(self, store: ResultsStore, damage: Damage) -> None:
        _fill(store)
        _fill(store)
        query = ResultQuery(experiment="sample")
        before = store.latest(query).rows
        wrong, missing = before[0].label.slot, before[1].label.slot
        damage.spoil_latest(wrong)
        damage.drop_latest(missing)
        token = store.overview("sample").token
        findings = list(store.check())
        assert [finding.code for finding in findings] == ["wrong_latest"] * 2
        assert not any(finding.repaired for finding in findings)
        assert store.latest(query).rows[0].outcome is Outcome.SCORE_ONLY
        repaired = list(store.check(repair=True))
        assert [(finding.code, finding.repaired) for finding in repaired] == [("wrong_latest", True)] * 2
        after = store.latest(query).rows
        # Which run vouched last for the row that was gone is not told by its bindings.
        assert [row.model_copy(update={"run_no": 2}) for row in after] == list(before)
        assert [row.run_no for row in after] == [2, 1, *[2] * (len(after) - 2)]
        assert store.overview("sample").token != token
        assert list(store.check()) == []

    def test_a_repair_changes_no_record_and_no_blob(self, store: ResultsStore, damage: Damage) -> None:
        _fill(store)
        blob = store.put_blob(io.BytesIO(b"spoiled"))
        store.put([sample_region(blob, 7)])
        damage.spoil_blob(blob.sha256)
        result = store.scan(EvaluationRecord)[0]
        damage.spoil_body(str(result.kind), result.key)
        first = [(finding.code, finding.message) for finding in store.check()]
        assert {code for code, _ in first} == {"corrupt_blob", "corrupt_record"}
        again: list[Finding] = list(store.check(repair=True))
        assert [(finding.code, finding.message) for finding in again] == first
        assert not any(finding.repaired for finding in again)


class SharingContract(ContractBase):
    """Threads, processes, crashes, and the messages of errors."""

    def test_a_process_has_one_store_for_an_address(self, url: str) -> None:
        store = open_store(url)
        found: list[ResultsStore] = []
        threads = [threading.Thread(target=lambda: found.append(open_store(url))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert all(other is store for other in found)
        store.close()
        assert store.closed
        again = open_store(url)
        assert again is not store
        assert again.experiments() == []
        again.close()

    def test_a_closed_store_says_so(self, url: str) -> None:
        store = open_store(url)
        store.close()
        store.close()
        with pytest.raises(StoreError, match="closed"):
            store.get(EvaluationRecord, sample_digest("x"))
        with pytest.raises(StoreError, match="closed"):
            store.put([sample_result(0)])

    def test_threads_share_a_store(self, store: ResultsStore, run: RunRef) -> None:
        def work(number: int) -> None:
            for step in range(10):
                result = sample_result(10 * number + step, test="L")
                assert store.put([result, sample_result(step)]).divergent == ()
                place = sample_label("L", f"model-{number}", step)
                store.publish(run, [Binding(label=place, key=result.key)])
                assert store.get(EvaluationRecord, result.key) == result
                store.put_blob(io.BytesIO(b"shared by all"))

        with ThreadPoolExecutor(6) as pool:
            for future in [pool.submit(work, number) for number in range(6)]:
                future.result(timeout=60)
        assert len(store.latest(ResultQuery(experiment="sample")).rows) == 60
        assert store.overview("sample").n_windows == 10
        assert {code for code, severity in _codes(store) if severity == "error"} == set()

    def test_of_processes_that_put_the_same_one_writes_it(
        self, url: str, store: ResultsStore, others: ProcessPoolExecutor
    ) -> None:
        numbers = list(range(40))
        start = time.time() + 0.1
        futures = [others.submit(put_results, url, numbers, start) for _ in range(PROCESSES)]
        counts = [future.result(timeout=60) for future in futures]
        assert sum(written for written, _, _ in counts) == 40
        assert sum(present for _, present, _ in counts) == 40 * (PROCESSES - 1)
        assert sum(divergent for _, _, divergent in counts) == 0
        assert len(store.scan(EvaluationRecord)) == 40

    def test_a_killed_writer_loses_nothing_that_was_acknowledged(self, url: str, store: ResultsStore) -> None:
        context = multiprocessing.get_context("spawn")
        run = ref(begin(store))
        acknowledged: list[int] = []
        for attempt, patience in enumerate((3, 11)):
            ours, theirs = context.Pipe(duplex=False)
            writer = context.Process(
                target=write_until_killed, args=(url, run, 1000 * attempt, theirs), daemon=True
            )
            writer.start()
            theirs.close()
            for _ in range(patience):
                assert ours.poll(60)
                acknowledged.append(ours.recv())
            writer.kill()
            writer.join()
            while ours.poll():
                try:
                    acknowledged.append(ours.recv())
                except EOFError:
                    break
            ours.close()
            writer.close()
        keys = {number: sample_result(number, test="L").key for number in acknowledged}
        for number, key in keys.items():
            assert store.get(EvaluationRecord, key) == sample_result(number, test="L")
            (bound,) = store.history(sample_label("L", "alpha", number).slot)
            assert bound.key == key
        assert {row.key for row in store.latest(ResultQuery(experiment="sample")).rows} >= set(keys.values())
        # Without transactions each of the two may be cut off between a binding and its row, but not one that
        # was acknowledged; the row is built again.
        slots = {sample_label("L", "alpha", number).slot for number in acknowledged}
        errors = [finding for finding in store.check(repair=True) if finding.severity == "error"]
        assert len(errors) <= (0 if self.transactions else 2)
        for finding in errors:
            assert (finding.code, finding.repaired) == ("wrong_latest", True)
            assert not any(slot in finding.message for slot in slots)
        assert [code for code, severity in _codes(store) if severity == "error"] == []
        # What the dead one had begun can be done again.
        store.put([sample_result(acknowledged[-1] + 1, test="L")])

    def test_errors_name_the_store_and_no_secret(self, store: ResultsStore, damage: Damage) -> None:
        run = ref(begin(store))
        store.put([sample_result(0)])
        damage.spoil_body("consistency", sample_result(0).key)
        messages = [store.name]
        with pytest.raises(NotFound) as missing:
            store.get(EvaluationRecord, sample_digest("gone"))
        with pytest.raises(NotFound) as unpublished:
            store.publish(run, [Binding(label=sample_label(), key=sample_digest("gone"))])
        with pytest.raises(NotFound) as unbegun:
            store.begin_run(sample_run(sample_experiment("unknown")))
        with pytest.raises(NotFound) as unseen:
            store.open_blob(sample_digest("gone"))
        with pytest.raises(CorruptRecord) as corrupt:
            store.get(EvaluationRecord, sample_result(0).key)
        errors = [error.value for error in (missing, unpublished, unbegun, unseen, corrupt)]
        messages += [str(error) for error in errors]
        assert "://" in store.name
        assert all(store.name in message for message in messages)
        assert not any(error.transient for error in errors)
        if self.secret is not None:
            assert not any(self.secret in message for message in messages)
