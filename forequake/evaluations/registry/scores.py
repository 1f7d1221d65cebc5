"""The scores of gridded forecasts in one window: numbers without a verdict."""

from typing import Final

from forequake.evaluations.registry.definition import TestDefinition
from forequake.results import Side

__all__ = ["SCORES"]


#: In the order in which tables show them.
SCORES: Final = (
    TestDefinition(
        name="sequential_likelihood",
        short="LL",
        floatcsep="sequential_likelihood",
        kind="score",
        simulated=False,
        side=Side.NONE,
        rule="a score, the higher the better; scores of windows that share no time add up",
        adds_up=True,
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
        adds_up=True,
        measure="information gain (nats)",
        relative=True,
    ),
    TestDefinition(
        name="roc",
        short="ROC",
        floatcsep="plots.plot_ROC_diagram",
        kind="score",
        simulated=False,
        side=Side.NONE,
        rule="a score, 0.5 without skill, at most 1: the area under the curve",
        measure="area under the ROC curve",
    ),
    TestDefinition(
        name="concentration_roc",
        short="concentration ROC",
        floatcsep="plots.plot_concentration_ROC_diagram",
        kind="score",
        simulated=False,
        side=Side.NONE,
        rule="a score, 0.5 without skill, at most 1: the area under the curve",
        measure="area under the concentration ROC curve",
    ),
    TestDefinition(
        name="molchan",
        short="Molchan",
        floatcsep="plots.plot_Molchan_diagram",
        kind="score",
        simulated=False,
        side=Side.NONE,
        rule="a score, 0.5 without skill, at most 1: the area above the Molchan trajectory",
        measure="area skill score",
    ),
    TestDefinition(
        name="kagan_i1",
        short="Kagan I1",
        floatcsep="stats.get_Kagan_I1_score",
        kind="score",
        simulated=False,
        side=Side.NONE,
        rule="a score, 0 without skill, the higher the better",
        measure="information score (bits per event)",
    ),
)
