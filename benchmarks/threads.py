"""What two threads gain over one on a block of tests of one forecast, as workers with threads run them."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np

from benchmarks.gridded_tests import GriddedCase, gridded_case
from forequake.evaluations import Evaluated, PreparedForecast, TestParameters, evaluate, find_test

__all__ = ["thread_rows"]

_TESTS: Final = ("L", "CL", "S", "M", "binary S", "binary CL", "Brier")
#: Blocks by case: each of these tests with so many seeds.
_SEEDS: Final = {"california": 6, "global": 1}


def _block(case: GriddedCase, seeds: int, threads: int) -> tuple[float, list[bytes]]:
    """Give the wall time of a block in milliseconds, and its samples."""
    prepared, observation = PreparedForecast.of(case.rates), case.observation()

    def sample(job: tuple[int, str]) -> Evaluated:
        seed, test = job
        return evaluate(test, TestParameters.for_test(find_test(test)), prepared, observation, seed=seed)

    with ThreadPoolExecutor(threads) as pool:
        start = time.perf_counter()
        results = list(pool.map(sample, [(seed, test) for seed in range(seeds) for test in _TESTS]))
        took = (time.perf_counter() - start) * 1e3
    return took, [result.sample.tobytes() for result in results if result.sample is not None]


def thread_rows(turns: int) -> Iterator[str]:
    """Give a table of blocks with one thread and with two, and print what two gain.

    Raises
    ------
    SystemExit
        Where two threads have other numbers than one.
    """
    yield "| tests | one thread ms | two threads ms | ratio | quartiles |"
    yield "| --- | ---: | ---: | ---: | --- |"
    for name, seeds in _SEEDS.items():
        case = gridded_case(name)
        times = np.empty((2, turns))
        for turn in range(turns):
            times[0, turn], one = _block(case, seeds, 1)
            times[1, turn], two = _block(case, seeds, 2)
            if one != two:
                message = f"{name}: two threads have other numbers than one"
                raise SystemExit(message)
        ratios = times[0] / times[1]
        low, middle, high = np.percentile(ratios, [25, 50, 75])
        print(f"ratio {name}_two_threads {middle:.2f}", flush=True)
        alone, beside = np.median(times, axis=1)
        tests = f"{name}: {seeds * len(_TESTS)}"
        yield f"| {tests} | {alone:.1f} | {beside:.1f} | {middle:.2f} | {low:.2f} to {high:.2f} |"
