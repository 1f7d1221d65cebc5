"""The tests over all windows of a model: of its forecasts laid together, or of another test's results."""

from typing import Final, Literal

from forequake.evaluations.registry.catalog_based import CATALOG_TESTS
from forequake.evaluations.registry.definition import TestDefinition
from forequake.evaluations.registry.gridded import (
    GRIDDED_TESTS,
    LOWER_RULE,
    T_RULE,
    TAILS_RULE,
    W_RULE,
)
from forequake.results import Side

__all__ = ["TESTS_OVER_WINDOWS"]

_CONSISTENCY: Final = tuple(
    definition.name for definition in (*GRIDDED_TESTS, *CATALOG_TESTS) if definition.kind == "consistency"
)
#: The tests with delta1 and delta2, of which calibration looks at the second.
_WITH_TAILS: Final = (
    "poisson_number",
    "negative_binomial_number",
    *(definition.name for definition in CATALOG_TESTS),
)


def _cumulative(
    name: str,
    letters: str,
    *,
    rule: str,
    side: Side = Side.LOWER,
    simulated: bool = False,
    kind: Literal["consistency", "comparison"] = "consistency",
) -> TestDefinition:
    return TestDefinition(
        name=f"cumulative_{name}",
        short=f"cumulative {letters}",
        floatcsep=None,
        kind=kind,
        simulated=simulated,
        side=side,
        rule=rule,
        scope="windows",
    )


#: In the order in which tables show them.
TESTS_OVER_WINDOWS: Final = (
    _cumulative("number", "N", rule=TAILS_RULE, side=Side.TWO_SIDED),
    _cumulative("likelihood", "L", rule=LOWER_RULE, simulated=True),
    _cumulative("conditional_likelihood", "CL", rule=LOWER_RULE, simulated=True),
    _cumulative("spatial", "S", rule=LOWER_RULE, simulated=True),
    _cumulative("magnitude", "M", rule=LOWER_RULE, simulated=True),
    _cumulative("paired_t", "T", rule=T_RULE, side=Side.TWO_SIDED, kind="comparison"),
    _cumulative("w", "W", rule=W_RULE, side=Side.TWO_SIDED, kind="comparison"),
    TestDefinition(
        name="diebold_mariano",
        short="DM",
        floatcsep=None,
        kind="comparison",
        simulated=False,
        side=Side.TWO_SIDED,
        rule=T_RULE,
        forecast="any",
        measure="information gain per window (nats)",
        scope="windows",
        takes="results",
        of=("sequential_information_gain",),
    ),
    TestDefinition(
        name="calibration",
        short="calibration",
        floatcsep="catalog_evaluations.calibration_test",
        kind="consistency",
        simulated=False,
        side=Side.TWO_SIDED,
        rule="rejected when the delta2 of the windows are not uniform: p < alpha (Kolmogorov-Smirnov)",
        forecast="any",
        measure="delta2",
        scope="windows",
        takes="results",
        of=_WITH_TAILS,
    ),
    TestDefinition(
        name="holm",
        short="Holm",
        floatcsep=None,
        kind="consistency",
        simulated=False,
        side=Side.UPPER,
        rule="rejected when the p of any window, corrected for their number by Holm, is below alpha",
        forecast="any",
        measure="windows rejected",
        scope="windows",
        takes="results",
        of=_CONSISTENCY,
    ),
)
