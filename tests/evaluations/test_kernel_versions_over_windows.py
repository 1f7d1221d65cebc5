"""The numbers of the tests over windows, and of a batch, on a small input, bound to their kernels' versions.

N, T and W were worked out with SciPy, the likelihoods by summing logarithms, the corrected p by Holm's
definition; the shares of simulations come from the draws of `RandomState(42)`. Where one of these fails, the
computation has changed: raise the test's `kernel_version` (that of the cumulative test also where a plain one
has changed) and put the new numbers here.
"""

from collections.abc import Callable

import numpy as np
import pytest

from forequake.evaluations import Observation, PreparedForecast, find_test
from forequake.evaluations.batch import batch
from forequake.evaluations.comparison import EventRates
from forequake.evaluations.over_windows import Part, cumulative
from forequake.results import BatchQuantiles
from forequake.windows import TimeWindow

RATES = np.array([[0.9, 0.3, 0.1], [0.5, 0.2, 0.05], [0.4, 0.0, 0.02], [1.2, 0.4, 0.2]])
REFERENCE = np.array([[0.5, 0.2, 0.1], [0.5, 0.2, 0.1], [0.5, 0.2, 0.1], [0.5, 0.2, 0.1]])
POINTS = [
    (10.1, 40.2, 4.1),
    (10.5, 40.5, 4.7),
    (10.9, 40.9, 6.3),
    (11.5, 40.1, 4.0),
    (12.5, 40.3, 4.3),
    (13.0, 40.0, 4.5),
    (13.2, 40.4, 4.4),
]
# letters -> (kernel version, statistic, named quantiles), with 200 simulations and seed 42
GOLDEN: dict[str, tuple[int, float, dict[str, float]]] = {
    "N": (1, 7.0, {"delta1": 0.45846393655054124, "delta2": 0.6865959206266937}),
    "L": (1, -14.439767042171946, {"q": 0.275}),
    "CL": (1, -14.439767042171946, {"q": 0.25}),
    # The sum of these forecasts has the marginals of one of them, scaled: the numbers of S and M.
    "S": (1, -5.217348914034332, {"q": 0.79}),
    "M": (1, -4.22165090819151, {"q": 0.51}),
    "T": (
        1,
        0.03632608541858313,
        {"t": 0.17255323344691612, "t_critical": 2.4469118511449786, "p": 0.868676054274115},
    ),
    "W": (1, -0.3380617018914066, {"p": 0.8125}),
}


def _parts(observe: Callable[..., Observation]) -> list[Part]:
    return [
        Part(
            TimeWindow.from_id(f"20{year}-01-01T00:00:00Z_20{year + 1}-01-01T00:00:00Z"),
            PreparedForecast.of(RATES * factor),
            observe(points, columns=4, rows=1),
            PreparedForecast.of(REFERENCE),
        )
        for year, factor, points in ((10, 0.5, POINTS[:3]), (11, 1.0, POINTS[3:]))
    ]


@pytest.mark.parametrize("letters", ["N", "L", "CL", "S", "M", "T", "W"])
def test_cumulative_numbers_belong_to_their_kernel_version(
    letters: str, observe: Callable[..., Observation]
) -> None:
    definition = find_test(f"cumulative {letters}")
    drawn = {"num_simulations": 200, "seed": 42} if definition.simulated else {}
    parts = _parts(observe)
    found = cumulative(definition.name, lambda: parts, alpha=0.05, **drawn)
    version, statistic, quantiles = GOLDEN[letters]
    assert definition.kernel_version == version
    assert found.statistic == pytest.approx(statistic, rel=1e-12)
    assert found.quantiles is not None
    assert found.quantiles.named() == pytest.approx(quantiles, rel=1e-12)


def test_batch_numbers_belong_to_their_kernel_version(observe: Callable[..., Observation]) -> None:
    places = observe(POINTS, columns=4, rows=1).places
    forecasts = {"a": RATES, "b": REFERENCE, "c": RATES + REFERENCE}
    family = {name: EventRates.of(PreparedForecast.of(rates), places) for name, rates in forecasts.items()}
    found = batch(family, ("c", "b"), alpha=0.05)
    assert find_test("batch T/W").kernel_version == 1
    assert isinstance(found.quantiles, BatchQuantiles)
    assert found.quantiles.named() == pytest.approx(
        {
            "t": 3.113768723468369,
            "t_critical": 2.4469118511449786,
            "p": 0.020748945711000274,
            "p_adjusted": 3 * 0.020748945711000274,
            "w_p": 0.03125,
            "w_p_adjusted": 3 * 0.03125,
            "family": 3,
        },
        rel=1e-10,
    )


@pytest.mark.parametrize("letters", ["DM", "Holm", "calibration"])
def test_the_tests_of_results_have_their_first_version(letters: str) -> None:
    # Their own tests hold published numbers.
    assert find_test(letters).kernel_version == 1
