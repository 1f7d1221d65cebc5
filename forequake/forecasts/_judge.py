"""The two policies, applied: what is recorded, and what is refused."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from forequake.errors import ForecastError
from forequake.forecasts.policy import QualityPolicy
from forequake.results import QualityFinding

__all__ = ["Judge"]


@dataclass
class Judge:
    """Collects findings, and refuses what the policy does not take.

    Attributes
    ----------
    path
        For messages.
    """

    path: Path
    policy: QualityPolicy
    findings: list[QualityFinding] = field(default_factory=list)

    def note(self, code: str, message: str, count: int | None = None) -> None:
        """Record something that changes nothing."""
        self.findings.append(QualityFinding(code=code, severity="note", message=message, count=count))

    def warn(self, code: str, message: str, count: int | None = None) -> None:
        """Record something that every policy takes, and that a reader must know."""
        self.findings.append(QualityFinding(code=code, severity="warning", message=message, count=count))

    def doubt(self, code: str, problem: str, rule: str, count: int | None = None) -> None:
        """Record a problem and what is done about it, or refuse it.

        Raises
        ------
        ForecastError
            Where the policy is ``refuse``.
        """
        if self.policy == "refuse":
            self.refuse(f"{problem}; with `forecast_quality: record` {rule}")
        self.warn(code, f"{problem}: {rule}", count)

    def refuse(self, problem: str) -> NoReturn:
        """Refuse what no policy takes.

        Raises
        ------
        ForecastError
            Always.
        """
        message = f"{self.path}: {problem}"
        raise ForecastError(message)
