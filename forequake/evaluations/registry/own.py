"""A user's own tests: functions beside the experiment's files, run in a process of their own."""

from typing import Final

from forequake.evaluations.registry.definition import TestDefinition

__all__ = ["OWN_TESTS"]

#: By what the function gives back; see `forequake.results` for the kinds.
OWN_TESTS: Final[tuple[TestDefinition, ...]] = ()
