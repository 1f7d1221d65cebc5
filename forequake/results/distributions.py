"""What a test compares its observed statistic with."""

from typing import Annotated, Literal

from pydantic import Field

from forequake.quantities import Rate, Score
from forequake.results._record import Record, RecordModel

__all__ = [
    "QUANTILE_COUNT",
    "Distribution",
    "DistributionRecord",
    "NegativeBinomialDistribution",
    "PoissonDistribution",
    "SignedRankDistribution",
    "SimulatedDistribution",
    "StudentDistribution",
]

#: A simulated distribution is summarised at the probabilities 0, 1/200, ..., 1.
QUANTILE_COUNT = 201


class PoissonDistribution(RecordModel):
    """Number of events under a Poisson process with the forecast's expected number."""

    kind: Literal["poisson"] = "poisson"
    mean: Rate


class NegativeBinomialDistribution(RecordModel):
    """Number of events with the forecast's expected number and a variance above it."""

    kind: Literal["negative_binomial"] = "negative_binomial"
    mean: Rate
    variance: Rate


class SimulatedDistribution(RecordModel):
    """A sample of the statistic from simulated catalogs, by its order statistics.

    Attributes
    ----------
    size
        Number of simulated catalogs.
    quantiles : tuple of float, shape (201,)
        Values of the sample at the probabilities 0, 1/200, ..., 1, without interpolation (a sample may hold
        -infinity, between which and a number there is no middle).
    """

    kind: Literal["simulated"] = "simulated"
    size: int = Field(gt=0)
    quantiles: tuple[Score, ...] = Field(min_length=QUANTILE_COUNT, max_length=QUANTILE_COUNT)


class StudentDistribution(RecordModel):
    """Student's t of the mean information gain, under no difference.

    Attributes
    ----------
    degrees_of_freedom
        Number of target events (of a binary test: of active bins; of Diebold and Mariano's: of windows) less
        one.
    scale
        Standard error of the mean information gain, in nats.
    """

    kind: Literal["student_t"] = "student_t"
    degrees_of_freedom: int = Field(gt=0)
    scale: float = Field(gt=0, allow_inf_nan=False)


class SignedRankDistribution(RecordModel):
    """Wilcoxon's signed-rank statistic of `size` non-zero differences, exact or in its normal limit."""

    kind: Literal["signed_rank"] = "signed_rank"
    size: int = Field(ge=0)
    exact: bool


Distribution = Annotated[
    PoissonDistribution
    | NegativeBinomialDistribution
    | SimulatedDistribution
    | StudentDistribution
    | SignedRankDistribution,
    Field(discriminator="kind"),
]


class DistributionRecord(Record):
    """The whole sample of a simulated distribution, under the key of its result.

    It may be dropped at any time, since the result's inputs give it again.

    Attributes
    ----------
    values : tuple of float, shape (size,)
        The simulated statistics in the order of simulation.
    """

    kind: Literal["distribution"] = "distribution"
    values: tuple[Score, ...]
