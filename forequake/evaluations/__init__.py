"""The tests of forecasts against observed earthquakes.

Light to import: pyCSEP and SciPy are loaded by the first computation.
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
from forequake.evaluations.registry import TESTS, TestDefinition, find_test

__all__ = [
    "DEFAULT_SIMULATIONS",
    "TESTS",
    "ZERO_RATE_FLAG",
    "ZERO_RATE_REFERENCE_FLAG",
    "Evaluated",
    "Observation",
    "ResultInputs",
    "TestDefinition",
    "TestParameters",
    "derive_seed",
    "evaluate",
    "evaluate_catalogs",
    "find_test",
]
