"""What is known of a test without computing it."""

from dataclasses import dataclass
from typing import Final, Literal

from forequake.results import Side

__all__ = ["COMPAT_FLAG", "TestDefinition"]

#: A result has the numbers of pyCSEP (``compat: pycsep``), and not forequake's own.
COMPAT_FLAG: Final = "compat_pycsep"


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
        The function by which a floatCSEP experiment names it; None where it has none.
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
    adds_up
        Whether scores of windows that share no time may be summed.
    against_all
        Whether a comparison is with every other model of the experiment, in place of one reference.
    scope
        ``window``: a result in each window; ``windows``: one over all windows of a model.
    takes
        ``forecasts``, or ``results``: those of another test of the experiment, one of `of`.
    of
        The tests whose results it takes.
    own
        Whether the test is a user's function, which a result's inputs name. Its seed is always there.
    kernel_version
        Raised by hand whenever the numbers change; part of every result's key.
    """

    __test__ = False  # pytest: not a class of tests

    name: str
    short: str
    floatcsep: str | None
    kind: Literal["consistency", "comparison", "score"]
    simulated: bool
    side: Side
    rule: str
    needs_variance: bool = False
    forecast: Literal["gridded", "catalog", "any"] = "gridded"
    resampled: bool = False
    measure: str = "log-likelihood (nats)"
    relative: bool = False
    adds_up: bool = False
    against_all: bool = False
    scope: Literal["window", "windows"] = "window"
    takes: Literal["forecasts", "results"] = "forecasts"
    of: tuple[str, ...] = ()
    own: bool = False
    kernel_version: int = 1

    @property
    def seeded(self) -> bool:
        """Whether the test draws random numbers."""
        return self.simulated or self.resampled or self.own

    @property
    def has_pycsep_numbers(self) -> bool:
        """Whether pyCSEP computes the test from forecasts, so that its numbers can be asked for."""
        return self.takes == "forecasts" and "_evaluations." in (self.floatcsep or "")

    @property
    def needs_reference(self) -> bool:
        """Whether the test takes a reference forecast."""
        return self.kind == "comparison" or self.relative

    @property
    def names_reference(self) -> bool:
        """Whether an experiment names the reference model at the test."""
        return self.needs_reference and not self.against_all and self.takes == "forecasts"

    @property
    def stands_alone(self) -> bool:
        """Whether a result needs no more than one window, its forecast, and one reference."""
        return self.scope == "window" and not self.against_all
