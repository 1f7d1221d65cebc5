"""What a qualification finds: checks with a verdict each, and what a run costs."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["Check", "Cost", "Qualification", "Verdict"]

#: ``fail``: it does not qualify; ``warn``: it does, but; ``info``: nothing is wrong, yet one should know;
#: ``skipped``: could not be asked, and why.
Verdict = Literal["pass", "warn", "fail", "info", "skipped"]


@dataclass(frozen=True)
class Check:
    """One question to a model, with its answer.

    Attributes
    ----------
    name
        In a few words.
    found
        The evidence.
    mend
        What to change, where there is something.
    """

    name: str
    verdict: Verdict
    found: str
    mend: str = ""


@dataclass(frozen=True)
class Cost:
    """What one run takes.

    Attributes
    ----------
    seconds, cpu_seconds
        Of wall time with input and check, and of processor time.
    peak_memory, output_size
        In bytes.
    windows_a_year
        Windows of this length that follow each other in a year.
    """

    seconds: float
    cpu_seconds: float
    peak_memory: int
    output_size: int
    windows_a_year: float

    @property
    def hours_a_year(self) -> float:
        """What a year of windows takes, one after the other."""
        return self.seconds * self.windows_a_year / 3600


@dataclass(frozen=True)
class Qualification:
    """What was found of a model.

    Attributes
    ----------
    origin
        Where its files come from.
    command
        How its program was called.
    window, past
        Of what it was asked for a forecast, and from how many events.
    runs
        How often it ran.
    said
        The end of what its program printed, where it gave no forecast.
    """

    model: str
    origin: str
    command: str
    window: str
    past: int
    runs: int
    checks: tuple[Check, ...]
    cost: Cost | None = None
    said: str = ""
    notes: tuple[str, ...] = ()

    @property
    def qualifies(self) -> bool:
        """Whether nothing has to be mended; warnings are allowed."""
        return all(check.verdict != "fail" for check in self.checks)

    def number(self, verdict: Verdict) -> int:
        """Count the checks with a verdict."""
        return sum(check.verdict == verdict for check in self.checks)
