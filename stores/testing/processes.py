"""What the contract suite does in other processes: functions that a spawned process can import."""

import io
import itertools
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from multiprocessing.connection import Connection

from forequake.errors import ClaimLost, StoreUnavailable
from forequake.quantities import Sha256
from forequake.results import EvaluationRecord, RunDraft, UnitEnd
from stores._open import open_store
from stores.exchange import Binding, Block, Claim, PublishReport, RunRef
from stores.testing.samples import sample_label, sample_result

__all__ = [
    "begin_runs",
    "claim_blocks",
    "finish_block",
    "is_there",
    "publish_all",
    "put_results",
    "ready",
    "wait_until",
    "write_through_outages",
    "write_until_killed",
]


def ready() -> bool:
    """Tell that a process has started and imported what it needs."""
    return True


def wait_until(start: float) -> None:
    """Wait for a time in seconds since 1970, at which several processes begin at once."""
    time.sleep(max(0.0, start - time.time()))


def is_there(url: str, key: Sha256) -> bool:
    """Tell whether a result can be read in this process."""
    return open_store(url).get(EvaluationRecord, key).key == key


def begin_runs(url: str, draft: RunDraft, count: int, start: float) -> list[int]:
    """Begin runs; give their numbers."""
    store = open_store(url)
    wait_until(start)
    return [store.begin_run(draft).run_no for _ in range(count)]


def claim_blocks(url: str, blocks: Sequence[Block], owner: str, ttl: timedelta, start: float) -> list[Claim]:
    """Ask for blocks one by one; give what was got."""
    store = open_store(url)
    wait_until(start)
    return [claim for block in blocks for claim in store.claim([block], owner, ttl)]


def finish_block(url: str, claim: Claim, ends: Sequence[UnitEnd]) -> bool:
    """Finish a block; tell whether the claim still held."""
    try:
        open_store(url).finish(claim, ends)
    except ClaimLost:
        return False
    return True


def put_results(url: str, numbers: Sequence[int], start: float) -> tuple[int, int, int]:
    """Put sample results one by one; count those written, present and divergent."""
    store = open_store(url)
    wait_until(start)
    reports = [store.put([sample_result(number)]) for number in numbers]
    return (
        sum(len(report.written) for report in reports),
        sum(len(report.present) for report in reports),
        sum(len(report.divergent) for report in reports),
    )


def publish_all(url: str, run: RunRef, bindings: Sequence[Binding], start: float) -> list[PublishReport]:
    """Publish bindings one by one."""
    store = open_store(url)
    wait_until(start)
    return [store.publish(run, [binding]) for binding in bindings]


def write_until_killed(url: str, run: RunRef, first: int, told: Connection) -> None:
    """Put and publish results and blobs, and tell the number of each one that is acknowledged."""
    store = open_store(url)
    number = first
    while True:
        result = sample_result(number, test="L")
        store.put([result])
        label = sample_label("L", "alpha", number, experiment=run.experiment)
        store.publish(run, [Binding(label=label, key=result.key)])
        store.put_blob(io.BytesIO(f"blob {number}".encode() * 1000))
        told.send(number)
        number += 1


def write_through_outages(url: str, run: RunRef, told: Connection) -> None:
    """Put and publish results and blobs, again where the store does not answer; tell what is acknowledged.

    Told is the name of the call and the number of its batch, whose results are ten from ten times that number
    on.
    """
    store = open_store(url)
    for batch in itertools.count():
        results = [sample_result(10 * batch + place, test="L") for place in range(10)]
        labels = [
            sample_label("L", "alpha", 10 * batch + place, experiment=run.experiment) for place in range(10)
        ]
        bindings = [
            Binding(label=label, key=result.key) for label, result in zip(labels, results, strict=True)
        ]
        _until_done(partial(store.put, results))
        told.send(("put", batch))
        _until_done(partial(store.publish, run, bindings))
        told.send(("publish", batch))
        content = f"blob {batch}".encode() * 1000
        _until_done(lambda: store.put_blob(io.BytesIO(content)))  # noqa: B023 - it is called here
        told.send(("put_blob", batch))


def _until_done(call: Callable[[], object]) -> None:
    while True:
        try:
            call()
        except StoreUnavailable:
            time.sleep(0.1)
        else:
            return
