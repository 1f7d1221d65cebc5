"""Which of an experiment's tests a page is about."""

from collections.abc import Sequence

from dashboard import _data
from dashboard.figures.cells import Column
from dashboard.views._frame import Frame
from forequake.evaluations.registry import TESTS, TestDefinition

__all__ = ["columns_of_kind", "definition_of"]


def definition_of(shown: Frame, test: str) -> TestDefinition | None:
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
