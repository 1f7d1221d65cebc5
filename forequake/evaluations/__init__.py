"""The tests of forecasts against observed earthquakes."""

from forequake.evaluations.registry import TESTS, TestDefinition, find_test

__all__ = ["TESTS", "TestDefinition", "find_test"]
