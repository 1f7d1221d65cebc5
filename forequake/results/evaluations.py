"""The results of tests: a union by kind, with outcomes that are decided once and stored.

Which statistic and quantiles a test has, when it rejects and on which side, and when it says nothing, is
written at each test in `forequake.evaluations`. Nothing here has NaN: an undefined result has a reason.
"""

from enum import StrEnum
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from forequake.quantities import Probability, Score, Sha256, UtcDatetime
from forequake.results._record import Record, RecordModel
from forequake.results.distributions import Distribution

__all__ = [
    "AdjustedQuantile",
    "AnyEvaluation",
    "BatchQuantiles",
    "ComparisonRecord",
    "ConsistencyRecord",
    "Curve",
    "EvaluationRecord",
    "KolmogorovQuantile",
    "LowerQuantile",
    "Outcome",
    "PValue",
    "Quantiles",
    "ScoreRecord",
    "Side",
    "StudentQuantiles",
    "TailQuantiles",
    "WilcoxonQuantile",
]


class Outcome(StrEnum):
    """What a result says, in the words of its kind of test."""

    PASSED = "passed"
    REJECTED = "rejected"
    BETTER = "better"
    WORSE = "worse"
    NO_DIFFERENCE = "no_difference"
    SCORE_ONLY = "score_only"
    UNDEFINED = "undefined"


class Side(StrEnum):
    """On which side of its distribution a statistic leads to rejection."""

    LOWER = "lower"
    UPPER = "upper"
    TWO_SIDED = "two_sided"
    NONE = "none"


class _NamedQuantiles(RecordModel):
    def named(self) -> dict[str, float]:
        """Give the quantiles that are there by their names, without the kind."""
        return self.model_dump(exclude={"kind"}, exclude_none=True)


class TailQuantiles(_NamedQuantiles):
    """Both tails: delta1 = P(X >= observed), delta2 = P(X <= observed); both hold the observed value."""

    kind: Literal["tails"] = "tails"
    delta1: Probability
    delta2: Probability


class LowerQuantile(_NamedQuantiles):
    """The share of simulated statistics that are not above the observed one."""

    kind: Literal["lower"] = "lower"
    q: Probability


class StudentQuantiles(_NamedQuantiles):
    """Student's t, its critical value at the stored alpha (two-sided), and the two-sided p."""

    kind: Literal["student_t"] = "student_t"
    t: float = Field(allow_inf_nan=False)
    t_critical: float = Field(gt=0, allow_inf_nan=False)
    p: Probability


class WilcoxonQuantile(_NamedQuantiles):
    """Two-sided p of the signed-rank test: exact for few differences, else of the normal limit."""

    kind: Literal["wilcoxon"] = "wilcoxon"
    p: Probability


class KolmogorovQuantile(_NamedQuantiles):
    """Exact p of the Kolmogorov-Smirnov test against the uniform distribution."""

    kind: Literal["kolmogorov"] = "kolmogorov"
    p: Probability


class PValue(_NamedQuantiles):
    """A p of a test that nothing else is known of, such as a user's own: the smaller, the more it says."""

    kind: Literal["p_value"] = "p_value"
    p: Probability


class AdjustedQuantile(_NamedQuantiles):
    """The smallest p of a family, alone and corrected for the number of its members (Holm 1979)."""

    kind: Literal["adjusted"] = "adjusted"
    p: Probability
    p_adjusted: Probability
    family: int = Field(ge=1)


class BatchQuantiles(_NamedQuantiles):
    """T and W of one pair of models, their p alone and corrected for all pairs of the family (Holm 1979).

    W has none where it says nothing; see `StudentQuantiles` and `WilcoxonQuantile`.
    """

    kind: Literal["batch"] = "batch"
    t: float = Field(allow_inf_nan=False)
    t_critical: float = Field(gt=0, allow_inf_nan=False)
    p: Probability
    p_adjusted: Probability
    w_p: Probability | None = None
    w_p_adjusted: Probability | None = None
    family: int = Field(ge=1)


Quantiles = Annotated[
    TailQuantiles
    | LowerQuantile
    | StudentQuantiles
    | WilcoxonQuantile
    | KolmogorovQuantile
    | PValue
    | AdjustedQuantile
    | BatchQuantiles,
    Field(discriminator="kind"),
]


class Curve(RecordModel):
    """The curve of which a score is the area, by the points between which it is straight.

    Attributes
    ----------
    x, y : tuple of float, shape (points,)
        In the order of the curve.
    x_name, y_name
        What they are.
    """

    x: tuple[float, ...] = Field(min_length=2)
    y: tuple[float, ...] = Field(min_length=2)
    x_name: str
    y_name: str

    @model_validator(mode="after")
    def _pairs(self) -> Self:
        if len(self.x) != len(self.y):
            message = f"a curve needs as many x as y, got {len(self.x)} and {len(self.y)}"
            raise ValueError(message)
        return self


class EvaluationRecord(Record):
    """One result of one test; the base of the union, never stored itself.

    Attributes
    ----------
    test
        The test's name in forequake's registry, such as ``poisson_number``.
    statistic
        The observed statistic as pyCSEP defines it; may be infinite; None where it cannot be computed.
    quantiles
        By the names of the test; None where they cannot be computed.
    outcome, reason
        The verdict at `alpha`; the reason is given wherever the outcome is ``undefined``.
    alpha, side, rule
        The level, the side and the rule in words that gave the outcome.
    n_observed
        Number of target events.
    n_forecast
        Expected number of events of the forecast in its window.
    flags
        What a reader must know beside the numbers, such as ``event_in_zero_rate_cell``.
    seed, num_simulations
        None for tests without random numbers.
    n_windows, missing
        Of a result over several windows: how many it is made from, and the ids of those that it lacks,
        because their forecast or result is not there.
    kernel_version
        The hand-raised version of the test's computation.
    environment
        Key of the `EnvironmentRecord` of the computation; recorded, never part of the key.
    computed_at, seconds
        When, and how long it took.
    """

    circumstances: ClassVar[frozenset[str]] = frozenset({"environment", "computed_at", "seconds"})

    kind: str
    test: str
    statistic: Score | None
    quantiles: Quantiles | None
    outcome: Outcome
    reason: str | None = None
    alpha: float = Field(gt=0, lt=1)
    side: Side
    rule: str
    n_observed: int = Field(ge=0)
    n_forecast: Score
    flags: tuple[str, ...] = ()
    seed: int | None = None
    num_simulations: int | None = None
    distribution: Distribution | None = None
    n_windows: int | None = Field(default=None, ge=0)
    missing: tuple[str, ...] = ()
    kernel_version: int = Field(ge=1)
    environment: Sha256 | None = None
    computed_at: UtcDatetime
    seconds: float = Field(ge=0)


class ConsistencyRecord(EvaluationRecord):
    """A forecast against the observed catalog: ``passed``, ``rejected`` or ``undefined``."""

    kind: Literal["consistency"] = "consistency"


class ComparisonRecord(EvaluationRecord):
    """A forecast against a reference forecast: ``better``, ``worse``, ``no_difference`` or ``undefined``.

    Attributes
    ----------
    n_reference
        Expected number of events of the reference in the window.
    information_gain
        Mean information gain over the reference, in nats, per event (of a binary test: per active bin; of
        Diebold and Mariano's: per window); positive where the forecast is better;
        infinite where one of the two has a zero rate at an event; None without events.
    interval : tuple of float, shape (2,)
        Confidence interval of the information gain at 1 - alpha, where the test has one.
    """

    kind: Literal["comparison"] = "comparison"
    n_reference: Score
    information_gain: Score | None = None
    interval: tuple[Score, Score] | None = None


class ScoreRecord(EvaluationRecord):
    """How well a forecast describes one window, without a verdict: ``score_only`` or ``undefined``.

    Scores of windows that share no time add up; sums are made where they are shown.

    Attributes
    ----------
    statistic
        The window's score; None where it is undefined.
    alpha
        The experiment's level, which plays no part.
    n_reference
        Expected number of events of the reference, where the score compares with one.
    curve
        Of which the score is the area, where there is one.
    """

    kind: Literal["score"] = "score"
    quantiles: None = None
    outcome: Literal[Outcome.SCORE_ONLY, Outcome.UNDEFINED]
    side: Literal[Side.NONE] = Side.NONE
    n_reference: Score | None = None
    curve: Curve | None = None


AnyEvaluation = Annotated[ConsistencyRecord | ComparisonRecord | ScoreRecord, Field(discriminator="kind")]
