"""Mistakes in tests: one each, found alone, in its line, under its key."""

from collections.abc import Callable
from pathlib import Path

import pytest

from forequake.config import load_experiment
from forequake.errors import ConfigError

ALL_TESTS = (
    "tests:\n  - N-test:\n      func: poisson_evaluations.number_test\n"
    "  - S-test:\n      func: poisson_evaluations.spatial_test\n"
    "      func_kwargs:\n        seed: 23\n        num_simulations: 100\n"
    "  - T-test:\n      func: poisson_evaluations.paired_t_test\n      ref_model: Model A\n"
)

#: What is replaced, by what, the key and the line that are blamed, what is said, and what is suggested.
BROKEN: dict[str, tuple[str, ...]] = {
    "no tests listed": (
        ALL_TESTS,
        "tests: []\n",
        "tests",
        "tests: []",
        "list of tests is empty",
    ),
    "test function misspelt": (
        "poisson_evaluations.number_test",
        "poisson_evaluations.numbr_test",
        "tests.N-test.func",
        "func: poisson_evaluations.numbr_test",
        "no such test",
        "poisson_evaluations.number_test",
    ),
    "test function without module": (
        "poisson_evaluations.number_test",
        "number_test",
        "tests.N-test.func",
        "func: number_test",
        "no such test",
        "poisson_evaluations.number_test",
    ),
    "calibration of nothing": (
        "poisson_evaluations.number_test",
        "catalog_evaluations.calibration_test",
        "tests.N-test.func_kwargs.of",
        "- N-test:",
        "takes the results of another test of the experiment (N, NBD-N,",
    ),
    "calibration of a test that there is not": (
        "poisson_evaluations.paired_t_test\n      ref_model: Model A",
        "calibration\n      func_kwargs: {of: N-tets}",
        "tests.T-test.func_kwargs.of",
        "func_kwargs: {of: N-tets}",
        "there is no such test; the calibration-test takes the results of another test",
        "N-test",
    ),
    "matrix of comparisons with one reference": (
        "poisson_evaluations.paired_t_test",
        "vector_poisson_t_w_test",
        "tests.T-test.ref_model",
        "ref_model: Model A",
        "compares all models with each other and takes no reference",
    ),
    "relative score without reference": (
        "poisson_evaluations.number_test",
        "sequential_information_gain",
        "tests.N-test.ref_model",
        "- N-test:",
        "compares models with a reference",
    ),
    "score with a reference that it does not need": (
        "poisson_evaluations.paired_t_test",
        "sequential_likelihood",
        "tests.T-test.ref_model",
        "ref_model: Model A",
        "takes no reference",
    ),
    "relative score with a reference that does not exist": (
        "poisson_evaluations.paired_t_test\n      ref_model: Model A",
        "floatcsep.utils.helpers.sequential_information_gain\n      ref_model: Model C",
        "tests.T-test.ref_model",
        "ref_model: Model C",
        "no such model",
        "Model B",
    ),
    "seed of a score": (
        "poisson_evaluations.number_test",
        "sequential_likelihood\n      func_kwargs: {seed: 1}",
        "tests.N-test.func_kwargs.seed",
        "func_kwargs: {seed: 1}",
        "draws no random numbers",
    ),
    "test key misspelt": (
        "ref_model: Model A",
        "ref_modl: Model A",
        "tests.T-test.ref_modl",
        "ref_modl: Model A",
        "unknown key",
        "ref_model",
    ),
    "test without function": (
        "      func: poisson_evaluations.number_test\n",
        "",
        "tests.N-test.func",
        "- N-test:",
        "required",
    ),
    "comparison without reference": (
        "      ref_model: Model A\n",
        "",
        "tests.T-test.ref_model",
        "- T-test:",
        "compares models with a reference",
    ),
    "reference that does not exist": (
        "ref_model: Model A",
        "ref_model: Modle A",
        "tests.T-test.ref_model",
        "ref_model: Modle A",
        "no such model",
        "Model A",
    ),
    "reference that is not needed": (
        "poisson_evaluations.number_test",
        "poisson_evaluations.number_test\n      ref_model: Model B",
        "tests.N-test.ref_model",
        "ref_model: Model B",
        "takes no reference",
    ),
    "test twice": ("  - S-test:", "  - N-test:", "tests.N-test", "- N-test:", "given twice"),
    "test with a slash": ("  - S-test:", "  - S/test:", "tests.S/test", "- S/test:", "without /"),
    "seed of a test that draws nothing": (
        "poisson_evaluations.number_test",
        "poisson_evaluations.number_test\n      func_kwargs: {seed: 1}",
        "tests.N-test.func_kwargs.seed",
        "func_kwargs: {seed: 1}",
        "draws no random numbers",
    ),
    "seed of a test negative": (
        "seed: 23",
        "seed: -23",
        "tests.S-test.func_kwargs.seed",
        "seed: -23",
        "0 or more",
    ),
    "no simulations": (
        "num_simulations: 100",
        "num_simulations: 0",
        "tests.S-test.func_kwargs.num_simulations",
        "num_simulations: 0",
        "greater than 0",
    ),
    "simulations misspelt": (
        "num_simulations: 100",
        "num_simulation: 100",
        "tests.S-test.func_kwargs.num_simulation",
        "num_simulation: 100",
        "unknown key",
        "num_simulations",
    ),
    "alpha of the wrong test": (
        "num_simulations: 100",
        "alpha: 0.1",
        "tests.S-test.func_kwargs.alpha",
        "alpha: 0.1",
        "only the T-test",
    ),
    "negative binomial test without a variance": (
        "poisson_evaluations.number_test",
        "binomial_evaluations.negative_binomial_number_test",
        "tests.N-test.func_kwargs.variance",
        "- N-test:",
        "needs the variance of the number of events",
    ),
    "compat with something else": (
        "num_simulations: 100",
        "compat: floatcsep",
        "tests.S-test.func_kwargs.compat",
        "compat: floatcsep",
        "pycsep",
    ),
    "compat of a test that is none of pyCSEP's": (
        "poisson_evaluations.number_test",
        "sequential_likelihood\n      func_kwargs: {compat: pycsep}",
        "tests.N-test.func_kwargs.compat",
        "func_kwargs: {compat: pycsep}",
        "the LL-test is none of pyCSEP's; leave this key out",
    ),
    "variance of the wrong test": (
        "num_simulations: 100",
        "variance: 12.5",
        "tests.S-test.func_kwargs.variance",
        "variance: 12.5",
        "takes no variance",
    ),
    "variance of nothing": (
        "poisson_evaluations.number_test",
        "NBD-N\n      func_kwargs: {variance: 0}",
        "tests.N-test.func_kwargs.variance",
        "func_kwargs: {variance: 0}",
        "greater than 0",
    ),
    "binary test misspelt": (
        "poisson_evaluations.number_test",
        "binomial_evaluations.binary_spatil_test",
        "tests.N-test.func",
        "func: binomial_evaluations.binary_spatil_test",
        "no such test",
        "binomial_evaluations.binary_spatial_test",
    ),
    "func_kwargs a list": (
        "ref_model: Model A",
        "ref_model: Model A\n      func_kwargs: [0.1]",
        "tests.T-test.func_kwargs",
        "func_kwargs: [0.1]",
        "expected a mapping",
    ),
    "func_args beside func_kwargs": (
        "ref_model: Model A",
        "ref_model: Model A\n      func_kwargs: {}\n      func_args: {}",
        "tests.T-test.func_args",
        "func_args: {}",
        "an old name of func_kwargs, which is given too",
    ),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_one_mistake_makes_one_problem_in_its_place(
    broken: tuple[str, ...], told_alone: Callable[..., None]
) -> None:
    told_alone(*broken)


def test_a_seed_that_pycsep_takes_for_none_gives_none_of_its_numbers(write: Callable[..., Path]) -> None:
    arguments = "MLL M\n      func_kwargs: {seed: 0, compat: pycsep}"
    with pytest.raises(ConfigError) as caught:
        load_experiment(write(("poisson_evaluations.number_test", arguments)))
    found = {problem.key: str(problem) for problem in caught.value.problems}
    assert "takes a seed of 0 for none" in found["tests.N-test.func_kwargs.seed"]
