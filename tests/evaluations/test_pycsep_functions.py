"""Every test of the installed pyCSEP, and every name that floatCSEP knows, is a test here or has a reason."""

import inspect
import pkgutil
from importlib import import_module
from typing import Final

import pytest

from forequake.errors import InputError
from forequake.evaluations import TESTS, find_test

#: Public functions of pyCSEP's modules of tests that are no tests, and why.
NO_TESTS: Final = {
    "poisson_evaluations.poisson_spatial_likelihood": "terms of one likelihood, cell by cell, for a map",
    "poisson_evaluations.binary_spatial_likelihood": "terms of one likelihood, cell by cell, for a map",
    "binomial_evaluations.binary_joint_log_likelihood_ndarray": "the statistic of binary S and CL: arrays in",
    "binomial_evaluations.matrix_binary_t_test": "the arithmetic of binary_paired_t_test: arrays in",
}
#: Scores and curves that pyCSEP keeps elsewhere: spec of its own, by module and function.
SCORES: Final = (
    "csep.utils.stats.get_Kagan_I1_score",
    "csep.plots.plot_ROC_diagram",
    "csep.plots.plot_concentration_ROC_diagram",
    "csep.plots.plot_Molchan_diagram",
)
#: Tests that floatCSEP 0.5.2 adds to pyCSEP's, in ``floatcsep.utils.helpers``.
OF_FLOATCSEP: Final = ("sequential_likelihood", "sequential_information_gain", "vector_poisson_t_w_test")
#: Names in floatCSEP's table of tests that are no functions of pyCSEP 0.8 nor of floatCSEP: it ends at them.
NOWHERE: Final = ("binomial_spatial_test", "brier_score", "paired_ttest_point_process")


def _modules() -> list[str]:
    package = import_module("csep.core")
    return [found.name for found in pkgutil.iter_modules(package.__path__) if "evaluations" in found.name]


def _functions() -> list[str]:
    """Give the public functions that the modules define themselves, as ``module.function``."""
    found = []
    for name in _modules():
        module = import_module(f"csep.core.{name}")
        for function, value in inspect.getmembers(module, inspect.isfunction):
            if value.__module__ == module.__name__ and not function.startswith("_"):
                found.append(f"{name}.{function}")
    return found


def test_each_test_of_pycsep_is_one_here() -> None:
    assert _modules() == [
        "binomial_evaluations",
        "brier_evaluations",
        "catalog_evaluations",
        "poisson_evaluations",
    ]
    functions = _functions()
    assert len(functions) == 23  # of pyCSEP 0.8
    for function in functions:
        if function not in NO_TESTS:
            short = find_test(function)
            assert short.floatcsep == function
            assert (
                find_test(f"csep.core.{function}") is find_test(short.short) is find_test(short.name) is short
            )
    assert NO_TESTS.keys() <= set(functions)


def test_a_name_is_pycseps_or_floatcseps_or_forequakes_own() -> None:
    functions = {*_functions(), *OF_FLOATCSEP, *(".".join(name.split(".")[-2:]) for name in SCORES)}
    assert {test.floatcsep for test in TESTS.values()} - {None} <= functions


@pytest.mark.parametrize("name", SCORES)
def test_each_score_of_pycsep_is_one_here(name: str) -> None:
    module, function = name.rsplit(".", 1)
    assert callable(getattr(import_module(module), function))
    assert find_test(name).kind == "score"


@pytest.mark.parametrize("name", OF_FLOATCSEP)
def test_each_test_of_floatcsep_is_one_here(name: str) -> None:
    assert find_test(name) is find_test(f"floatcsep.utils.helpers.{name}")


@pytest.mark.parametrize("name", NOWHERE)
def test_what_floatcsep_names_and_nobody_has_is_refused(name: str) -> None:
    assert not any(function.endswith(f".{name}") for function in _functions())
    with pytest.raises(InputError, match=f"there is no test '{name}'"):
        find_test(name)


@pytest.mark.parametrize("name", NO_TESTS)
def test_what_is_no_test_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="there is no test"):
        find_test(name)
