"""Each test's numbers on a small input, bound to its kernel's version.

The numbers were computed once with pyCSEP 0.8.0 (N and NBD-N with SciPy, W's p by counting, binary T by its
``matrix_binary_t_test``, binary S, CL and Brier on rates above 0). Where one of these fails,
the computation has changed: raise the test's `kernel_version` and put the new numbers here, so that stored
results of the old computation are not taken for those of the new one.
"""

from collections.abc import Callable

import numpy as np
import pytest

from forequake.evaluations import TESTS, Evaluated, Observation, find_test

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
    "N": (1, 7.0, {"delta1": 0.1406574739604225, "delta2": 0.9311429735377947}),
    "L": (2, -10.225325500492108, {"q": 0.115}),
    "CL": (2, -10.225325500492108, {"q": 0.435}),
    "S": (2, -5.21734891403433, {"q": 0.79}),
    "M": (2, -4.22165090819151, {"q": 0.51}),
    "T": (
        1,
        0.1812463056585598,
        {"t": 1.1600780349310056, "t_critical": 2.4469118511449786, "p": 0.2900875040836438},
    ),
    "W": (1, -1.1853345186684447, {"p": 36 / 128}),
    "NBD-N": (1, 7.0, {"delta1": 0.17970510802760586, "delta2": 0.8374012698040678}),
    "binary S": (1, -2.2083813579252216, {"q": 1.0}),
    "binary CL": (1, -8.204629927373137, {"q": 0.66}),
    # As many events as active bins here: the numbers of T.
    "binary T": (
        1,
        0.1812463056585598,
        {"t": 1.1600780349310056, "t_critical": 2.4469118511449786, "p": 0.2900875040836438},
    ),
    "Brier": (1, -0.4930973902369315, {"q": 0.66}),
    # Of floatCSEP 0.5.2.
    "LL": (1, -10.225325500492108, {}),
    "IG": (1, 1.268724139609919, {}),
    # By hand, of three events in the second and the last of four cells.
    "ROC": (1, 3 / 4, {}),
    "concentration ROC": (1, 17 / 24, {}),
    "Molchan": (1, 5 / 8, {}),
    "Kagan I1": (1, 0.33274936809791994, {}),
}
#: With an event in every cell, an ROC curve says nothing.
NOT_EVERYWHERE = {"ROC", "concentration ROC", "Molchan", "Kagan I1"}


@pytest.mark.parametrize(
    "letters",
    [test.short for test in TESTS.values() if test.forecast == "gridded" and test.stands_alone],
)
def test_numbers_belong_to_their_kernel_version(
    letters: str,
    observe: Callable[..., Observation],
    run: Callable[..., Evaluated],
) -> None:
    version, statistic, quantiles = GOLDEN[letters]
    points = [POINTS[3], *POINTS[5:]] if letters in NOT_EVERYWHERE else POINTS
    observation = observe(points, columns=4, rows=1)
    result = run(letters, RATES, observation, reference=REFERENCE, num_simulations=200, seed=42)
    assert find_test(letters).kernel_version == result.kernel_version == version
    assert result.statistic == pytest.approx(statistic, rel=1e-12)
    named = {} if result.quantiles is None else result.quantiles.named()
    assert named == pytest.approx(quantiles, rel=1e-12)
