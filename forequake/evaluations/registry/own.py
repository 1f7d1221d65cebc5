"""A user's own tests: functions beside the experiment's files, run in a process of their own."""

from typing import Final

from forequake.evaluations.registry.definition import TestDefinition
from forequake.results import Side

__all__ = ["OWN_TESTS"]

_RULE: Final = "as the function says; each result has the rule that gave its outcome"

#: By what the function gives back. An experiment names them by file and function, ``my_tests.py:my_test``.
OWN_TESTS: Final = (
    TestDefinition(
        name="own_consistency",
        short="own test",
        floatcsep=None,
        kind="consistency",
        simulated=False,
        side=Side.NONE,
        rule=_RULE,
        forecast="any",
        measure="statistic",
        own=True,
    ),
    TestDefinition(
        name="own_comparison",
        short="own comparison",
        floatcsep=None,
        kind="comparison",
        simulated=False,
        side=Side.NONE,
        rule=_RULE,
        forecast="any",
        measure="statistic",
        own=True,
    ),
    TestDefinition(
        name="own_score",
        short="own score",
        floatcsep=None,
        kind="score",
        simulated=False,
        side=Side.NONE,
        rule="a score of a user's own function",
        forecast="any",
        measure="score",
        own=True,
    ),
)
