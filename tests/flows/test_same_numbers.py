"""Scores do not depend on how a run is cut and who computes: bit for bit the same."""

import multiprocessing
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from forequake.results import DistributionRecord, EvaluationRecord
from stores import open_store
from tests.flows.ticks import COMMAND  # noqa: F401 - has the server of processes load Prefect beforehand

pytestmark = pytest.mark.prefect

Make = Callable[..., Any]

_WINDOWS = 6
_MORE_TESTS = """
- L: {func: poisson_evaluations.likelihood_test, func_kwargs: {num_simulations: 200}}
- S: {func: poisson_evaluations.spatial_test, func_kwargs: {num_simulations: 200}}
- M: {func: poisson_evaluations.magnitude_test, func_kwargs: {num_simulations: 200}}
- W: {func: poisson_evaluations.w_test, ref_model: flat}
- bCL: {func: binomial_evaluations.binary_conditional_likelihood_test, func_kwargs: {num_simulations: 200}}
- Brier: {func: brier_evaluations.brier_score_test, func_kwargs: {num_simulations: 200}}
- LL: {func: sequential_likelihood}
- IG: {func: sequential_information_gain, ref_model: flat}
"""


def _run(config: str, store: str, workers: int, windows: int, environment: dict[str, str]) -> None:
    """Run an experiment with so many threads, in blocks of so many windows."""
    os.environ.update(environment)
    from prefect.task_runners import ThreadPoolTaskRunner

    from flows.run_experiment import run_experiment
    from forequake import plan

    plan._MOST_WINDOWS = windows  # type: ignore[misc]
    runner: Any = ThreadPoolTaskRunner(max_workers=workers)
    run_experiment.with_options(task_runner=runner)(config=config, store=store)


def _in_processes(count: int, config: Path, store: str, workers: int, windows: int) -> None:
    context = multiprocessing.get_context("forkserver")
    given = (str(config), store, workers, windows, dict(os.environ))
    processes = [context.Process(target=_run, args=given) for _ in range(count)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(timeout=120)
        assert process.exitcode == 0
        process.close()


def _numbers(store: str) -> dict[tuple[str, str], str]:
    """Give all that was computed, as text in which every float has all its digits."""
    opened = open_store(store)
    kinds = (EvaluationRecord, DistributionRecord)
    return {
        (type(record).__name__, record.key): record.model_dump_json(exclude=set(record.circumstances))
        for kind in kinds
        for record in opened.scan(kind, limit=10_000)
    }


def _blocks(store: str) -> int:
    with sqlite3.connect(store.removeprefix("sqlite:///")) as db:
        (count,) = db.execute("SELECT count(*) FROM claims").fetchone()
    return int(count)


def test_workers_processes_and_blocks_change_no_bit(prefect_api: str, make_experiment: Make) -> None:
    small = make_experiment(windows=_WINDOWS, simulations=200)
    small.config.write_text(small.config.read_text() + _MORE_TESTS.lstrip())
    alone, threads, shared = (small.store_url.replace("results", name) for name in ("one", "four", "two"))
    _in_processes(1, small.config, alone, workers=1, windows=50)
    _in_processes(1, small.config, threads, workers=4, windows=1)
    _in_processes(2, small.config, shared, workers=4, windows=1)
    assert _blocks(alone) < _blocks(threads) == _blocks(shared)
    expected = _numbers(alone)
    assert len(expected) > 20 * _WINDOWS  # two models, eleven tests, and half of them with distributions
    assert _numbers(threads) == expected
    assert _numbers(shared) == expected
