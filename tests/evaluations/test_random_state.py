"""Nothing that belongs to the whole process changes, and threads change nothing."""

import subprocess
import sys
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray

from forequake.evaluations import (
    TESTS,
    Evaluated,
    Observation,
    PreparedForecast,
    TestParameters,
    evaluate,
    find_test,
)

LETTERS = tuple(
    definition.short
    for definition in TESTS.values()
    if definition.forecast == "gridded" and definition.stands_alone
)


def _jobs(
    observe: Callable[..., Observation], run: Callable[..., Evaluated], repeats: int
) -> list[Callable[[], Evaluated]]:
    random = np.random.default_rng(5)
    jobs: list[Callable[[], Evaluated]] = []
    for seed in range(repeats):
        rates, reference = random.gamma(1.0, size=(2, 12, 3))
        cells = random.integers(12, size=int(random.integers(2, 14)))
        observation = observe([(10.5 + cell // 3, 40.5 + cell % 3, 4.2 + 0.5 * (cell % 3)) for cell in cells])
        for letters in LETTERS:

            def job(
                letters: str = letters,
                rates: np.ndarray = rates,
                reference: np.ndarray = reference,
                observation: Observation = observation,
                seed: int = seed,
            ) -> Evaluated:
                return run(letters, rates, observation, reference=reference, seed=seed)

            jobs.append(job)
    return jobs


def _numbers(results: list[Evaluated]) -> list[object]:
    return [
        (
            result.test,
            result.statistic,
            result.quantiles,
            result.outcome,
            result.distribution,
            None if result.sample is None else result.sample.tobytes(),
        )
        for result in results
    ]


def _state() -> tuple[bytes, int]:
    _, words, position, *_ = np.random.get_state(legacy=True)  # noqa: NPY002  # looked at, not used
    return np.asarray(words).tobytes(), int(position)


def test_eight_threads_give_what_one_gives_and_leave_the_generator_alone(
    observe: Callable[..., Observation], run: Callable[..., Evaluated]
) -> None:
    jobs = _jobs(observe, run, repeats=12)
    before, filters = _state(), list(warnings.filters)
    serial = [job() for job in jobs]
    with ThreadPoolExecutor(8) as pool:
        threaded = list(pool.map(lambda job: job(), reversed(jobs)))
    assert _numbers(threaded[::-1]) == _numbers(serial)
    assert _state() == before
    assert list(warnings.filters) == filters


def test_threads_may_share_a_prepared_forecast(observe: Callable[..., Observation]) -> None:
    random = np.random.default_rng(8)
    rates, reference = random.gamma(1.0, size=(2, 12, 3))
    observation = observe([(10.5 + n % 4, 40.5 + n % 3, 4.2) for n in range(8)])

    def results(
        forecast: NDArray[np.float64] | PreparedForecast, other: NDArray[np.float64] | PreparedForecast
    ) -> list[Evaluated]:
        def result(letters: str) -> Evaluated:
            definition = find_test(letters)
            variance = 100.0 if definition.needs_variance else None
            return evaluate(
                letters,
                TestParameters.for_test(definition, variance=variance),
                forecast,
                observation,
                reference=other if definition.needs_reference else None,
                seed=0 if definition.simulated else None,
            )

        with ThreadPoolExecutor(8) as pool:
            return list(pool.map(result, LETTERS))

    prepared = PreparedForecast.of(rates), PreparedForecast.of(reference)
    assert _numbers(results(*prepared)) == _numbers(results(rates, reference))


@pytest.mark.parametrize("letters", LETTERS)
def test_the_generator_of_the_process_is_not_used(
    letters: str, observe: Callable[..., Observation], run: Callable[..., Evaluated]
) -> None:
    points = [(10.5 + n % 4, 40.5 + n % 3, 4.2) for n in range(3)]
    rates = np.random.default_rng(1).gamma(1.0, size=(12, 3))
    before = _state()
    first = run(letters, rates, observe(points), reference=np.ones((12, 3)))
    assert _state() == before
    np.random.random_sample(3)  # noqa: NPY002  # somebody else's use of it must not change the numbers
    assert _numbers([run(letters, rates, observe(points), reference=np.ones((12, 3)))]) == _numbers([first])


def test_importing_the_tests_is_cheap_and_draws_nothing() -> None:
    script = (
        "import sys\n"
        "import forequake.evaluations\n"
        "assert not {'csep', 'scipy', 'pandas', 'matplotlib'} & set(sys.modules)\n"
        "import numpy as np\n"
        "np.random.seed(3)\n"
        "before = np.random.get_state()[1].tobytes()\n"
        "import forequake.evaluations.kernels\n"
        "assert np.random.get_state()[1].tobytes() == before\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
