"""Which of an experiment's tests a page is about."""

from collections.abc import Sequence
from typing import Final, Protocol

from dashboard import _data
from dashboard.figures.cells import Column
from dashboard.views._frame import Frame
from forequake.config import ExperimentConfig
from forequake.evaluations.registry import TESTS, TestDefinition

__all__ = ["GAINS", "Shown", "columns_of_kind", "definition_of"]

#: Scores of which sums say what a model gains, in the order in which they are offered.
GAINS: Final = ("sequential_information_gain", "sequential_likelihood", "poisson_paired_t")


class Shown(Protocol):
    """What shows an experiment: the frame of all pages, or the overview."""

    @property
    def address(self) -> str:
        """Of the store."""

    @property
    def name(self) -> str:
        """The experiment's name."""

    @property
    def token(self) -> int:
        """What changes with the experiment's results."""

    @property
    def config(self) -> ExperimentConfig | None:
        """None where it cannot be read."""


def definition_of(shown: Shown, test: str) -> TestDefinition | None:
    """Give what is known of a test, by the experiment's name; None where forequake knows it no more."""
    name = None
    if shown.config is not None:
        name = next((one.test for one in shown.config.tests if one.name == test), None)
    if name is None:  # the experiment's files have it no more
        name = _data.registered_name(shown.address, shown.name, shown.token, test)
    return TESTS.get(name or "")


def columns_of_kind(shown: Frame, kind: str) -> Sequence[tuple[Column, TestDefinition]]:
    """List the tests of a kind, as far as the filters leave them."""
    found = [(column, definition_of(shown, column.test)) for column in shown.columns]
    return [
        (column, definition)
        for column, definition in found
        if definition is not None and definition.kind == kind
    ]
