"""Workers that need the same forecasts make each of them once, whatever becomes of one of them."""

import io
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from flows._turns import Turns
from forequake.errors import StoreUnavailable
from forequake.quantities import Sha256
from forequake.results import ForecastRecord
from stores import ResultsStore, open_store
from stores.testing.samples import sample_forecast


class Worker:
    """One process of several, as far as the store sees it."""

    def __init__(self, store: ResultsStore, owner: str) -> None:
        self.store, self.stop, self.waited = store, threading.Event(), 0
        self.turns = Turns(store, ForecastRecord, owner, self.stop, self._waits)
        self.records = {number: _record(store, number) for number in range(4)}

    def _waits(self) -> None:
        self.waited += 1

    def each(self, *numbers: int) -> Iterator[int]:
        return self.turns.each(numbers, self.key)

    def key(self, number: int) -> Sha256:
        return self.records[number].key

    def put(self, number: int) -> None:
        self.store.put([self.records[number]])


def _record(store: ResultsStore, number: int) -> ForecastRecord:
    return sample_forecast(store.put_blob(io.BytesIO(b"rates")), number)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ResultsStore]:
    with open_store(f"sqlite:///{tmp_path / 'results.sqlite'}") as opened:
        yield opened


@pytest.fixture
def workers(store: ResultsStore, tmp_path: Path) -> Iterator[tuple[Worker, Worker]]:
    with open_store(f"sqlite:///{tmp_path / 'results.sqlite'}") as other:
        yield Worker(store, "host/boot/1/1"), Worker(other, "host/boot/2/1")


def test_what_another_one_makes_comes_last_and_not_if_it_stored_it(workers: tuple[Worker, Worker]) -> None:
    first, second = workers
    ours = first.each(0, 1, 2)
    assert next(ours) == 0
    theirs = second.each(0, 1, 2)
    assert [next(theirs)] == [1]
    first.put(0)
    assert next(ours) == 2  # the second one is at 1
    second.put(1)
    first.put(2)
    assert list(ours) == []
    assert list(theirs) == []
    assert (first.waited, second.waited) == (0, 0)


def test_where_the_other_one_fails_it_is_our_turn(workers: tuple[Worker, Worker]) -> None:
    first, second = workers
    theirs = second.each(0)
    assert next(theirs) == 0
    threading.Timer(0.3, lambda: theirs.close()).start()  # type: ignore[attr-defined]
    given = []
    for number in first.each(0):
        given.append(number)
        first.put(number)
    assert given == [0]
    assert first.waited == 1


def test_who_is_asked_to_stop_waits_for_nobody(workers: tuple[Worker, Worker]) -> None:
    first, second = workers
    with closing(second.each(0)) as theirs:  # type: ignore[type-var]
        next(theirs)
        first.stop.set()
        assert list(first.each(0)) == []


def test_the_lease_of_one_that_was_killed_is_free_when_it_is_released(workers: tuple[Worker, Worker]) -> None:
    first, second = workers
    theirs = second.each(0)
    next(theirs)
    first.store.release("host/boot/2/1")
    assert list(first.each(0)) == [0]
    theirs.close()  # type: ignore[attr-defined]  # that its lease is lost harms nothing


def test_a_lease_that_could_not_be_given_back_serves_the_next_attempt(
    workers: tuple[Worker, Worker], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = workers

    def away(*_: object) -> None:
        message = "the store is away"
        raise StoreUnavailable(message)

    with monkeypatch.context() as patch:
        patch.setattr(type(first.store), "finish", away)
        assert list(first.each(0)) == [0]
    assert list(first.each(0)) == [0]
    assert list(second.each(0)) == [0]


def test_what_needs_no_lease_is_given_at_once(workers: tuple[Worker, Worker]) -> None:
    first, _ = workers
    assert list(first.turns.each([0, 1], lambda number: None)) == [0, 1]
