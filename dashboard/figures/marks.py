"""What a cell of a matrix can be, and the mark for it: each meaning its own shape, repeated by colour."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from dashboard._theme import Theme

__all__ = ["MARKS", "PALEST", "Mark", "Status"]

#: Strength of the colour of what is not rejected where its quantile is 0, in pictures that shade it.
PALEST: Final = 0.3


class Status(StrEnum):
    """The outcomes of `forequake.results.Outcome`, and what stands where there is no result."""

    PASSED = "passed"
    REJECTED = "rejected"
    BETTER = "better"
    WORSE = "worse"
    NO_DIFFERENCE = "no_difference"
    SCORE_ONLY = "score_only"
    UNDEFINED = "undefined"
    FAILED = "failed"
    RUNNING = "running"
    MISSING = "missing"
    ITSELF = "itself"


@dataclass(frozen=True)
class Mark:
    """How a status looks.

    Attributes
    ----------
    symbol
        Of plotly.
    role
        Which of the theme's colours it takes.
    letter
        Drawn over the symbol.
    """

    label: str
    symbol: str
    role: Literal["agree", "differ", "silent", "text", "muted"]
    size: int = 20
    letter: str = ""

    def colour(self, theme: Theme) -> str:
        """Give the colour in a theme."""
        colours = {
            "agree": theme.agree,
            "differ": theme.differ,
            "silent": theme.silent,
            "text": theme.text,
            "muted": theme.muted,
        }
        return colours[self.role]


#: In the order of a legend.
MARKS: Final[dict[Status, Mark]] = {
    Status.PASSED: Mark("not rejected", "square", "agree"),
    Status.REJECTED: Mark("rejected", "x", "differ", size=17),
    Status.BETTER: Mark("better than the reference", "triangle-up", "agree"),
    Status.WORSE: Mark("worse than the reference", "triangle-down", "differ"),
    Status.NO_DIFFERENCE: Mark("no difference", "diamond-open", "silent", size=18),
    Status.SCORE_ONLY: Mark("score only", "hexagon-open", "agree", size=18),
    Status.UNDEFINED: Mark("undefined", "circle-open", "silent", size=18),
    Status.FAILED: Mark("failed", "square-open", "text", letter="!"),
    Status.RUNNING: Mark("running", "square-open-dot", "muted"),
    Status.MISSING: Mark("not computed", "circle", "silent", size=5),
    Status.ITSELF: Mark("the reference itself", "line-ew-open", "silent", size=10),
}
