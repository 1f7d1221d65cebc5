"""The fixtures of the contract suite."""

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import ClassVar

import pytest

from forequake.results import RunRecord
from stores._open import open_store
from stores.base import ResultsStore
from stores.exchange import RunRef
from stores.testing.damage import Damage
from stores.testing.processes import ready
from stores.testing.samples import sample_experiment, sample_run

__all__ = ["PROCESSES", "ContractBase", "begin", "ref"]

#: How many other processes take part.
PROCESSES = 3


class ContractBase:
    """What every part of the suite starts from.

    A store's own test class overrides the fixtures `url` and `damage`.
    """

    #: A password in the address, which must appear in no name and no message.
    secret: ClassVar[str | None] = None
    #: Whether a binding and its latest row are written in one transaction.
    transactions: ClassVar[bool] = True

    @pytest.fixture
    def url(self) -> str:
        """Give the address of a new and empty store, that other processes of this machine can open too."""
        raise NotImplementedError

    @pytest.fixture
    def damage(self, url: str) -> Damage:
        """Give what damages the store at the address."""
        raise NotImplementedError

    @pytest.fixture
    def store(self, url: str) -> Iterator[ResultsStore]:
        with open_store(url) as store:
            yield store

    @pytest.fixture(scope="session")
    def others(self) -> Iterator[ProcessPoolExecutor]:
        """Give other processes, started from nothing."""
        with ProcessPoolExecutor(PROCESSES, multiprocessing.get_context("spawn")) as pool:
            started = [pool.submit(ready) for _ in range(PROCESSES)]
            assert all(future.result(timeout=60) for future in started)
            yield pool

    @pytest.fixture
    def run(self, store: ResultsStore) -> RunRef:
        """Begin the first run of an experiment."""
        return ref(begin(store))


def begin(store: ResultsStore, experiment: str = "sample", number: int = 0) -> RunRecord:
    """Begin a run of a sample experiment."""
    record = sample_experiment(experiment, number)
    store.put([record])
    return store.begin_run(sample_run(record))


def ref(run: RunRecord) -> RunRef:
    """Name a run to the store."""
    return RunRef(id=run.id, experiment=run.experiment, run_no=run.run_no)
