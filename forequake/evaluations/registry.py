"""The tests that forequake knows, by name: what each needs, when it rejects, and on which side.

Light on purpose: reading an experiment's files must not cost the import of SciPy.
"""

from dataclasses import dataclass
from typing import Final, Literal

from forequake.errors import InputError, suggestion
from forequake.results import Side

__all__ = ["TESTS", "TestDefinition", "find_test"]


@dataclass(frozen=True)
class TestDefinition:
    """One test, without its computation.

    Attributes
    ----------
    name
        forequake's name, which results carry.
    short
        The letters by which seismologists call it.
    floatcsep
        The function by which a floatCSEP experiment names it.
    kind
        ``consistency`` tests need one forecast, ``comparison`` tests a reference forecast too; a ``score``
        has no verdict.
    simulated
        Whether the test draws catalogs from the forecast, and so has a seed and a number of simulations.
    side, rule
        Where the statistic leads to rejection, and the rule in words.
    needs_variance
        Whether the test takes the variance of the number of events.
    forecast
        The kind of forecast that the test takes: ``gridded``, ``catalog``, or ``any``.
    resampled
        Whether the test draws from the catalogs of a forecast, and so has a seed.
    measure
        What a simulated statistic or a score is, with its unit.
    relative
        Whether a score compares with a reference forecast.
    kernel_version
        Raised by hand whenever the numbers change; part of every result's key.
    """

    __test__ = False  # pytest: not a class of tests

    name: str
    short: str
    floatcsep: str
    kind: Literal["consistency", "comparison", "score"]
    simulated: bool
    side: Side
    rule: str
    needs_variance: bool = False
    forecast: Literal["gridded", "catalog", "any"] = "gridded"
    resampled: bool = False
    measure: str = "log-likelihood (nats)"
    relative: bool = False
    kernel_version: int = 1

    @property
    def seeded(self) -> bool:
        """Whether the test draws random numbers."""
        return self.simulated or self.resampled

    @property
    def needs_reference(self) -> bool:
        """Whether the test takes a reference forecast."""
        return self.kind == "comparison" or self.relative


_LOWER_RULE: Final = "rejected when q = P(simulated <= observed) < alpha"
_CATALOG_LOWER_RULE: Final = "rejected when delta2 = P(simulated <= observed) < alpha"
_CATALOG_UPPER_RULE: Final = "a distance: rejected when delta1 = P(simulated >= observed) < alpha"

_TAILS_RULE: Final = "rejected when delta1 = P(X >= N) or delta2 = P(X <= N) is below alpha/2"
_T_RULE: Final = "better or worse, by the sign of the information gain, when |t| exceeds its critical value"

_DEFINITIONS: Final = (
    TestDefinition(
        name="poisson_number",
        short="N",
        floatcsep="poisson_evaluations.number_test",
        kind="consistency",
        simulated=False,
        side=Side.TWO_SIDED,
        rule=_TAILS_RULE,
    ),
    TestDefinition(
        name="poisson_likelihood",
        short="L",
        floatcsep="poisson_evaluations.likelihood_test",
        kind="consistency",
        simulated=True,
        side=Side.LOWER,
        rule=_LOWER_RULE,
        kernel_version=2,  # ties count as equal
    ),
    TestDefinition(
        name="poisson_conditional_likelihood",
        short="CL",
        floatcsep="poisson_evaluations.conditional_likelihood_test",
        kind="consistency",
        simulated=True,
        side=Side.LOWER,
        rule=_LOWER_RULE,
        kernel_version=2,  # ties count as equal
    ),
    TestDefinition(
        name="poisson_spatial",
        short="S",
        floatcsep="poisson_evaluations.spatial_test",
        kind="consistency",
        simulated=True,
        side=Side.LOWER,
        rule=_LOWER_RULE,
        kernel_version=2,  # ties count as equal
    ),
    TestDefinition(
        name="poisson_magnitude",
        short="M",
        floatcsep="poisson_evaluations.magnitude_test",
        kind="consistency",
        simulated=True,
        side=Side.LOWER,
        rule=_LOWER_RULE,
        kernel_version=2,  # ties count as equal
    ),
    TestDefinition(
        name="poisson_paired_t",
        short="T",
        floatcsep="poisson_evaluations.paired_t_test",
        kind="comparison",
        simulated=False,
        side=Side.TWO_SIDED,
        rule=_T_RULE,
    ),
    TestDefinition(
        name="poisson_w",
        short="W",
        floatcsep="poisson_evaluations.w_test",
        kind="comparison",
        simulated=False,
        side=Side.TWO_SIDED,
        rule="better or worse, by the sign of the information gain, when the two-sided p < alpha",
    ),
    TestDefinition(
        name="negative_binomial_number",
        short="NBD-N",
        floatcsep="binomial_evaluations.negative_binomial_number_test",
        kind="consistency",
        simulated=False,
        side=Side.TWO_SIDED,
        rule=_TAILS_RULE,
        needs_variance=True,
    ),
    TestDefinition(
        name="binary_spatial",
        short="binary S",
        floatcsep="binomial_evaluations.binary_spatial_test",
        kind="consistency",
        simulated=True,
        side=Side.LOWER,
        rule=_LOWER_RULE,
    ),
    TestDefinition(
        name="binary_conditional_likelihood",
        short="binary CL",
        floatcsep="binomial_evaluations.binary_conditional_likelihood_test",
        kind="consistency",
        simulated=True,
        side=Side.LOWER,
        rule=_LOWER_RULE,
    ),
    TestDefinition(
        name="binary_paired_t",
        short="binary T",
        floatcsep="binomial_evaluations.binary_paired_t_test",
        kind="comparison",
        simulated=False,
        side=Side.TWO_SIDED,
        rule=_T_RULE,
    ),
    TestDefinition(
        name="brier",
        short="Brier",
        floatcsep="brier_evaluations.brier_score_test",
        kind="consistency",
        simulated=True,
        side=Side.LOWER,
        rule=_LOWER_RULE,
    ),
    TestDefinition(
        name="catalog_number",
        short="catalog N",
        floatcsep="catalog_evaluations.number_test",
        kind="consistency",
        simulated=False,
        side=Side.TWO_SIDED,
        rule="rejected when delta1 = P(X >= N) or delta2 = P(X <= N), over the catalogs, is below alpha/2",
        forecast="catalog",
        measure="number of events",
    ),
    TestDefinition(
        name="catalog_spatial",
        short="catalog S",
        floatcsep="catalog_evaluations.spatial_test",
        kind="consistency",
        simulated=False,
        side=Side.LOWER,
        rule=_CATALOG_LOWER_RULE,
        forecast="catalog",
        measure="normalised log-likelihood per event (nats)",
    ),
    TestDefinition(
        name="catalog_pseudolikelihood",
        short="PL",
        floatcsep="catalog_evaluations.pseudolikelihood_test",
        kind="consistency",
        simulated=False,
        side=Side.LOWER,
        rule=_CATALOG_LOWER_RULE,
        forecast="catalog",
        measure="pseudo-likelihood (nats)",
    ),
    TestDefinition(
        name="catalog_magnitude",
        short="catalog M",
        floatcsep="catalog_evaluations.magnitude_test",
        kind="consistency",
        simulated=False,
        side=Side.UPPER,
        rule=_CATALOG_UPPER_RULE,
        forecast="catalog",
        measure="squared difference of logarithmic magnitude counts",
    ),
    TestDefinition(
        name="catalog_resampled_magnitude",
        short="resampled M",
        floatcsep="catalog_evaluations.resampled_magnitude_test",
        kind="consistency",
        simulated=False,
        side=Side.UPPER,
        rule=_CATALOG_UPPER_RULE,
        forecast="catalog",
        measure="squared difference of logarithmic magnitude counts",
        resampled=True,
    ),
    TestDefinition(
        name="catalog_mll_magnitude",
        short="MLL M",
        floatcsep="catalog_evaluations.MLL_magnitude_test",
        kind="consistency",
        simulated=False,
        side=Side.UPPER,
        rule=_CATALOG_UPPER_RULE,
        forecast="catalog",
        measure="distance of the magnitude distributions",
        resampled=True,
    ),
    TestDefinition(
        name="sequential_likelihood",
        short="LL",
        floatcsep="sequential_likelihood",
        kind="score",
        simulated=False,
        side=Side.NONE,
        rule="a score, the higher the better; scores of windows that share no time add up",
        measure="joint log-likelihood (nats)",
    ),
    TestDefinition(
        name="sequential_information_gain",
        short="IG",
        floatcsep="sequential_information_gain",
        kind="score",
        simulated=False,
        side=Side.NONE,
        rule="a score, positive where better than the reference; scores of windows that share no time add up",
        measure="information gain (nats)",
        relative=True,
    ),
)

#: All tests by forequake's name.
TESTS: Final[dict[str, TestDefinition]] = {definition.name: definition for definition in _DEFINITIONS}
_BY_ANY_NAME: Final[dict[str, TestDefinition]] = {
    name: definition
    for definition in _DEFINITIONS
    for name in (definition.name, definition.short, definition.floatcsep)
}


def find_test(name: str) -> TestDefinition:
    """Find a test by forequake's name, by its letters, or by floatCSEP's function, also in full.

    Raises
    ------
    InputError
        Where no test has the name; the message gives the nearest one.

    floatCSEP's function may stand behind ``csep.`` or ``core.``, as it is called in pyCSEP.

    Examples
    --------
    >>> find_test("poisson_evaluations.number_test").name
    'poisson_number'
    >>> find_test("CL").name
    'poisson_conditional_likelihood'
    >>> find_test("csep.core.poisson_evaluations.number_test").name
    'poisson_number'
    """
    plain = name.removeprefix("csep.").removeprefix("core.")
    if name.startswith("floatcsep."):
        plain = name.rpartition(".")[2]
    found = _BY_ANY_NAME.get(name) or _BY_ANY_NAME.get(plain)
    if found is not None:
        return found
    near = suggestion(name, _BY_ANY_NAME)
    hint = f"; did you mean {near!r}?" if near else ""
    message = f"there is no test {name!r}{hint} Known tests: {', '.join(_BY_ANY_NAME)}"
    raise InputError(message)
