"""The tests of forecasts against observed earthquakes.

Light to import: SciPy is loaded by the first computation. pyCSEP is not needed for gridded forecasts; the
test suite compares with it.
"""

from forequake.evaluations.compute import evaluate, evaluate_catalogs
from forequake.evaluations.evaluated import ZERO_RATE_FLAG, ZERO_RATE_REFERENCE_FLAG, Evaluated
from forequake.evaluations.inputs import (
    DEFAULT_SIMULATIONS,
    Observation,
    ResultInputs,
    TestParameters,
    derive_seed,
)
from forequake.evaluations.kernels import PreparedForecast
from forequake.evaluations.registry import TESTS, TestDefinition, find_test

__all__ = [
    "DEFAULT_SIMULATIONS",
    "TESTS",
    "ZERO_RATE_FLAG",
    "ZERO_RATE_REFERENCE_FLAG",
    "Evaluated",
    "Observation",
    "PreparedForecast",
    "ResultInputs",
    "TestDefinition",
    "TestParameters",
    "derive_seed",
    "evaluate",
    "evaluate_catalogs",
    "find_test",
]
