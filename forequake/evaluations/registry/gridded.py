"""The tests of gridded forecasts in one window."""

from typing import Final

from forequake.evaluations.registry.definition import TestDefinition
from forequake.results import Side

__all__ = ["GRIDDED_TESTS", "LOWER_RULE", "TAILS_RULE", "T_RULE", "W_RULE"]

LOWER_RULE: Final = "rejected when q = P(simulated <= observed) < alpha"
TAILS_RULE: Final = "rejected when delta1 = P(X >= N) or delta2 = P(X <= N) is below alpha/2"
T_RULE: Final = "better or worse, by the sign of the information gain, when |t| exceeds its critical value"
W_RULE: Final = "better or worse, by the sign of the information gain, when the two-sided p < alpha"

#: In the order in which tables show them.
GRIDDED_TESTS: Final = (
    TestDefinition(
        name="poisson_number",
        short="N",
        floatcsep="poisson_evaluations.number_test",
        kind="consistency",
        simulated=False,
        side=Side.TWO_SIDED,
        rule=TAILS_RULE,
    ),
    TestDefinition(
        name="poisson_likelihood",
        short="L",
        floatcsep="poisson_evaluations.likelihood_test",
        kind="consistency",
        simulated=True,
        side=Side.LOWER,
        rule=LOWER_RULE,
        kernel_version=2,  # ties count as equal
    ),
    TestDefinition(
        name="poisson_conditional_likelihood",
        short="CL",
        floatcsep="poisson_evaluations.conditional_likelihood_test",
        kind="consistency",
        simulated=True,
        side=Side.LOWER,
        rule=LOWER_RULE,
        kernel_version=2,  # ties count as equal
    ),
    TestDefinition(
        name="poisson_spatial",
        short="S",
        floatcsep="poisson_evaluations.spatial_test",
        kind="consistency",
        simulated=True,
        side=Side.LOWER,
        rule=LOWER_RULE,
        kernel_version=2,  # ties count as equal
    ),
    TestDefinition(
        name="poisson_magnitude",
        short="M",
        floatcsep="poisson_evaluations.magnitude_test",
        kind="consistency",
        simulated=True,
        side=Side.LOWER,
        rule=LOWER_RULE,
        kernel_version=2,  # ties count as equal
    ),
    TestDefinition(
        name="poisson_paired_t",
        short="T",
        floatcsep="poisson_evaluations.paired_t_test",
        kind="comparison",
        simulated=False,
        side=Side.TWO_SIDED,
        rule=T_RULE,
    ),
    TestDefinition(
        name="poisson_w",
        short="W",
        floatcsep="poisson_evaluations.w_test",
        kind="comparison",
        simulated=False,
        side=Side.TWO_SIDED,
        rule=W_RULE,
    ),
    TestDefinition(
        name="negative_binomial_number",
        short="NBD-N",
        floatcsep="binomial_evaluations.negative_binomial_number_test",
        kind="consistency",
        simulated=False,
        side=Side.TWO_SIDED,
        rule=TAILS_RULE,
        needs_variance=True,
    ),
    TestDefinition(
        name="binary_spatial",
        short="binary S",
        floatcsep="binomial_evaluations.binary_spatial_test",
        kind="consistency",
        simulated=True,
        side=Side.LOWER,
        rule=LOWER_RULE,
    ),
    TestDefinition(
        name="binary_conditional_likelihood",
        short="binary CL",
        floatcsep="binomial_evaluations.binary_conditional_likelihood_test",
        kind="consistency",
        simulated=True,
        side=Side.LOWER,
        rule=LOWER_RULE,
    ),
    TestDefinition(
        name="binary_paired_t",
        short="binary T",
        floatcsep="binomial_evaluations.binary_paired_t_test",
        kind="comparison",
        simulated=False,
        side=Side.TWO_SIDED,
        rule=T_RULE,
    ),
    TestDefinition(
        name="brier",
        short="Brier",
        floatcsep="brier_evaluations.brier_score_test",
        kind="consistency",
        simulated=True,
        side=Side.LOWER,
        rule=LOWER_RULE,
    ),
    TestDefinition(
        name="batch_t_w",
        short="batch T/W",
        floatcsep="vector_poisson_t_w_test",
        kind="comparison",
        simulated=False,
        side=Side.TWO_SIDED,
        rule="better or worse, by the sign of the information gain, when the p of T, corrected by Holm for "
        "all pairs of models of the window, is below alpha",
        against_all=True,
    ),
)
