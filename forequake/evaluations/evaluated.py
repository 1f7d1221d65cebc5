"""The outcome of one computation, before it has a key and a place in a store."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from forequake.evaluations.registry import TestDefinition
from forequake.keys import key_of
from forequake.quantities import Sha256
from forequake.results import (
    QUANTILE_COUNT,
    ComparisonRecord,
    ConsistencyRecord,
    Curve,
    Distribution,
    DistributionRecord,
    Outcome,
    Quantiles,
    ScoreRecord,
    Side,
    SimulatedDistribution,
)

__all__ = ["ZERO_RATE_FLAG", "ZERO_RATE_REFERENCE_FLAG", "Evaluated", "Numbers", "summary_of"]

#: A target event lies where the forecast (or the marginal that the test looks at) expects nothing.
ZERO_RATE_FLAG = "event_in_zero_rate_cell"
#: The same of the reference forecast.
ZERO_RATE_REFERENCE_FLAG = "event_in_zero_rate_cell_of_reference"


@dataclass(frozen=True, eq=False, kw_only=True)
class Numbers:
    """What a kernel computes: the part of a result that depends on the data.

    Attributes as in `forequake.results.EvaluationRecord`, `ComparisonRecord` and `ScoreRecord`.
    """

    outcome: Outcome
    statistic: float | None = None
    quantiles: Quantiles | None = None
    reason: str | None = None
    flags: tuple[str, ...] = ()
    distribution: Distribution | None = None
    sample: NDArray[np.float64] | None = None
    information_gain: float | None = None
    interval: tuple[float, float] | None = None
    curve: Curve | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class Evaluated:
    """A result without key and circumstances.

    Attributes as in `forequake.results.EvaluationRecord`, `ComparisonRecord` and `ScoreRecord`, and

    sample : array of float64, shape (num_simulations,), or None
        All simulated statistics, in the order of simulation.
    """

    kind: Literal["consistency", "comparison", "score"]
    test: str
    statistic: float | None
    quantiles: Quantiles | None
    outcome: Outcome
    reason: str | None
    alpha: float
    side: Side
    rule: str
    n_observed: int
    n_forecast: float
    flags: tuple[str, ...]
    seed: int | None
    num_simulations: int | None
    distribution: Distribution | None
    kernel_version: int
    seconds: float
    n_reference: float | None = None
    information_gain: float | None = None
    interval: tuple[float, float] | None = None
    curve: Curve | None = None
    n_windows: int | None = None
    missing: tuple[str, ...] = ()
    sample: NDArray[np.float64] | None = None

    @classmethod
    def of(
        cls,
        definition: TestDefinition,
        numbers: Numbers,
        *,
        alpha: float,
        n_observed: int,
        n_forecast: float,
        n_reference: float | None,
        seed: int | None,
        num_simulations: int | None,
        seconds: float,
        n_windows: int | None = None,
        missing: tuple[str, ...] = (),
    ) -> "Evaluated":
        """Join what the registry says of a test with what its kernel computed."""
        return cls(
            kind=definition.kind,
            test=definition.name,
            statistic=numbers.statistic,
            quantiles=numbers.quantiles,
            outcome=numbers.outcome,
            reason=numbers.reason,
            alpha=alpha,
            side=definition.side,
            rule=definition.rule,
            n_observed=n_observed,
            n_forecast=n_forecast,
            flags=numbers.flags,
            seed=seed,
            num_simulations=num_simulations,
            distribution=numbers.distribution,
            kernel_version=definition.kernel_version,
            seconds=seconds,
            n_reference=n_reference,
            information_gain=numbers.information_gain,
            interval=numbers.interval,
            curve=numbers.curve,
            n_windows=n_windows,
            missing=missing,
            sample=numbers.sample,
        )

    def record(
        self, canon: str, environment: Sha256 | None, computed_at: datetime
    ) -> ConsistencyRecord | ComparisonRecord | ScoreRecord:
        """Give the record to store.

        Parameters
        ----------
        canon
            The canonical text of the inputs, `ResultInputs.canon`; its hash becomes the key.
        environment
            Key of the environment's record.
        computed_at
            When the computation ended, in UTC.
        """
        shared = {
            "key": key_of(canon),
            "canon": canon,
            "test": self.test,
            "statistic": self.statistic,
            "quantiles": self.quantiles,
            "outcome": self.outcome,
            "reason": self.reason,
            "alpha": self.alpha,
            "side": self.side,
            "rule": self.rule,
            "n_observed": self.n_observed,
            "n_forecast": self.n_forecast,
            "flags": self.flags,
            "seed": self.seed,
            "num_simulations": self.num_simulations,
            "distribution": self.distribution,
            "n_windows": self.n_windows,
            "missing": self.missing,
            "kernel_version": self.kernel_version,
            "environment": environment,
            "computed_at": computed_at,
            "seconds": self.seconds,
        }
        if self.kind == "consistency":
            return ConsistencyRecord.model_validate(shared)
        if self.kind == "score":
            scored = {"n_reference": self.n_reference, "curve": self.curve}
            return ScoreRecord.model_validate(shared | scored)
        compared = {
            "n_reference": self.n_reference,
            "information_gain": self.information_gain,
            "interval": self.interval,
        }
        return ComparisonRecord.model_validate(shared | compared)

    def distribution_record(self, canon: str) -> DistributionRecord | None:
        """Give the whole sample as a record under the result's key, or None where nothing was simulated."""
        if self.sample is None:
            return None
        return DistributionRecord(key=key_of(canon), canon=canon, values=tuple(self.sample.tolist()))


def summary_of(sample: NDArray[np.float64]) -> SimulatedDistribution:
    """Summarise a sample by its values at the probabilities 0, 1/200, ..., 1.

    Each is the least value of the sample that the share p of it does not exceed: NumPy's ``inverted_cdf``,
    counted in whole numbers, because NumPy's own makes NaN of two neighbouring infinities and floating-point
    probabilities can miss a rank by one.
    """
    ordered = np.sort(sample)
    steps = QUANTILE_COUNT - 1
    ranks = np.maximum(-(-np.arange(QUANTILE_COUNT) * len(ordered) // steps), 1)
    return SimulatedDistribution(size=len(ordered), quantiles=tuple(ordered[ranks - 1].tolist()))
