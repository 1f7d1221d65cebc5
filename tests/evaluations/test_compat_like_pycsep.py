"""``compat: pycsep`` against pyCSEP itself, to the last bit: where forequake differs from it on purpose."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pytest
from numpy.typing import NDArray

from forequake.evaluations import Observation, PreparedForecast, TestParameters, find_test
from forequake.evaluations.compat import as_pycsep
from forequake.evaluations.compat_catalogs import catalogs_as_pycsep
from forequake.evaluations.evaluated import Numbers
from forequake.results import Outcome
from tests.evaluations.drawn_catalogs import NAMES, SEEDED, Drawn, PyCsep, draw

pytestmark = pytest.mark.slow  # hundreds of calls of pyCSEP

Rates = NDArray[np.float64]
SIMULATED: Final = ("L", "CL", "S", "M", "binary S", "binary CL", "Brier")
KINDS: Final = ("any", "zeros", "uniform", "tiny", "one bin", "no events")
SEEDS: Final = range(12)
SIMULATIONS: Final = 20


def _case(kind: str, seed: int, observe: Callable[..., Observation]) -> tuple[Rates, Rates, Observation]:
    """Two forecasts and events: some where nothing is expected, some in one bin, or none."""
    random = np.random.default_rng([seed, KINDS.index(kind)])
    bins = 1 if kind == "one bin" else 3
    rates, reference = random.gamma(0.7, size=(2, 12, bins)) + 1e-3
    if kind == "zeros":
        # The last bins have a rate: else pyCSEP may draw behind them.
        rates[:-1] *= random.random((11, bins)) < 0.7
        rates[:-1] *= random.random((11, 1)) < 0.8
    if kind == "uniform":
        rates[:] = 0.1 * (1 + seed)
    if kind == "tiny":
        rates[::2] = 10.0 ** random.integers(-18, -6, size=rates[::2].shape)
    count = 0 if kind == "no events" else 1 + seed % 12
    cells, places = random.integers(12, size=count), random.integers(bins, size=count)
    points = [(10.5 + c // 3, 40.5 + c % 3, 4.2 + 0.5 * b) for c, b in zip(cells, places, strict=True)]
    return rates, reference, observe(points, magnitudes=(4.0, 4.5, 5.0)[:bins])


def _compat(
    letters: str, rates: Rates, observation: Observation, seed: int, reference: Rates | None = None
) -> Numbers:
    definition = find_test(letters)
    parameters = TestParameters.for_test(
        definition,
        num_simulations=SIMULATIONS if definition.simulated else None,
        variance=100.0 if definition.needs_variance else None,
    )
    other = None if reference is None else PreparedForecast.of(reference)
    return as_pycsep(
        definition,
        parameters,
        PreparedForecast.of(rates),
        observation,
        other,
        seed if definition.simulated else None,
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("letters", SIMULATED)
def test_simulated_tests_are_pycseps_to_the_last_bit(
    letters: str, kind: str, observe: Callable[..., Observation], pycsep: Callable[..., Any]
) -> None:
    compared = 0
    for seed in SEEDS:
        rates, _, observation = _case(kind, seed, observe)
        ours = _compat(letters, rates, observation, seed)
        if ours.reason is not None:
            if "IndexError" in ours.reason:
                with pytest.raises(IndexError):
                    pycsep(letters, rates, observation, seed=seed, num_simulations=SIMULATIONS)
            else:  # not to be waited for
                assert ours.reason == "pyCSEP's draws of active bins do not end here"
            continue
        theirs = pycsep(letters, rates, observation, seed=seed, num_simulations=SIMULATIONS)
        assert ours.sample is not None
        assert ours.quantiles is not None
        assert ours.statistic == theirs.observed_statistic
        assert ours.sample.tolist() == list(theirs.test_distribution)
        assert ours.quantiles.named() == {"q": theirs.quantile}
        assert ours.outcome is (Outcome.REJECTED if theirs.quantile < 0.05 else Outcome.PASSED)
        compared += 1
    assert compared >= 7


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("letters", ["N", "NBD-N"])
def test_number_tests_are_pycseps_to_the_last_bit(
    letters: str, kind: str, observe: Callable[..., Observation], pycsep: Callable[..., Any]
) -> None:
    for seed in SEEDS:
        rates, _, observation = _case(kind, seed, observe)
        ours, theirs = _compat(letters, rates, observation, seed), pycsep(letters, rates, observation)
        assert ours.quantiles is not None
        assert tuple(ours.quantiles.named().values()) == theirs.quantile
        assert ours.statistic == theirs.observed_statistic


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("letters", ["T", "W", "binary T"])
def test_comparisons_are_pycseps(
    letters: str,
    kind: str,
    observe: Callable[..., Observation],
    pycsep: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from csep.core import binomial_evaluations

    monkeypatch.setattr(binomial_evaluations, "np", np, raising=False)  # the import that it forgets
    compared = 0
    for seed in SEEDS:
        rates, reference, observation = _case(kind, seed, observe)
        ours = _compat(letters, rates, observation, seed, reference)
        theirs = pycsep(letters, rates, observation, reference=reference)
        quantile = float(np.atleast_1d(theirs.quantile)[0])
        if np.isnan(quantile):
            assert (ours.outcome, ours.quantiles) == (Outcome.UNDEFINED, None)
            continue
        assert ours.statistic == theirs.observed_statistic
        assert ours.quantiles is not None
        assert next(iter(ours.quantiles.named().values())) == pytest.approx(quantile, rel=1e-14)
        if letters != "W":
            assert ours.interval == pytest.approx(theirs.test_distribution, rel=1e-14)
        compared += 1
    assert compared >= (kind != "no events")


def _grid(drawn: Drawn) -> Any:
    from csep.core.regions import CartesianGrid2D

    region = drawn.observation.region
    return CartesianGrid2D.from_origins(
        region.origins, dh=region.cell_size, magnitudes=drawn.observation.magnitudes
    )


@pytest.mark.parametrize("mean", [0.4, 5.0])
def test_tests_of_simulated_catalogs_are_pycseps_to_the_last_bit(mean: float) -> None:
    compared = 0
    for seed in range(1, 8):
        drawn = draw(seed, mean=mean)
        pycsep = PyCsep(drawn, _grid(drawn))
        for name in NAMES:
            ours = catalogs_as_pycsep(
                find_test(name),
                drawn.counted,
                drawn.observation,
                alpha=0.05,
                seed=seed if name in SEEDED else None,
            )
            theirs = pycsep(name, seed=seed)
            if theirs is None or theirs.status == "not-valid":
                assert ours.outcome is Outcome.UNDEFINED
                continue
            assert ours.sample is not None
            assert ours.quantiles is not None
            assert ours.statistic == theirs.observed_statistic
            assert ours.sample.tolist() == list(theirs.test_distribution)
            assert tuple(ours.quantiles.named().values()) == theirs.quantile
            compared += 1
    assert compared > 30
