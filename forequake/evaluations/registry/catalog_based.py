"""The tests of catalog-based forecasts in one window."""

from typing import Final

from forequake.evaluations.registry.definition import TestDefinition
from forequake.results import Side

__all__ = ["CATALOG_TESTS"]

_CATALOG_LOWER_RULE: Final = "rejected when delta2 = P(simulated <= observed) < alpha"
_CATALOG_UPPER_RULE: Final = "a distance: rejected when delta1 = P(simulated >= observed) < alpha"

#: In the order in which tables show them.
CATALOG_TESTS: Final = (
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
)
