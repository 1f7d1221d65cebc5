"""What the stages of a run took, model by model."""

import math
from enum import StrEnum
from typing import Final

from pydantic import Field

from forequake.quantities import UtcDatetime
from forequake.results._record import RecordModel

__all__ = ["OTHER_MODELS", "LongestTiming", "RunTimings", "Stage", "StageTiming", "UnderWay"]

#: In place of a name: the models of a run that took least, added up where there are very many.
OTHER_MODELS: Final = "(other models)"
#: Sizes are counted in classes, each wider than the last by this factor: a median is right within 5 %. This
#: is the sketch of Masson, Rim and Lee, "DDSketch" (VLDB 2019); sketches of several runs can be added up.
_FACTOR: Final = 1.05 / 0.95
_LOG_FACTOR: Final = math.log(_FACTOR)
#: What takes less counts in the class of this.
_LEAST_SECONDS: Final = 1e-6


class Stage(StrEnum):
    """What is timed, in the order in which a result comes about; no time counts in two stages.

    The sources of models are fetched, their environments built, their input written, their programs run.
    Forecasts are read, their quality is checked, tests are computed, and all of it is stored.
    """

    SOURCE = "source"
    BUILD = "build"
    INPUT = "input"
    RUN = "run"
    READ = "read"
    CHECK = "check"
    TESTS = "tests"
    STORE = "store"


class LongestTiming(RecordModel):
    """The longest of several, and what it was; for what serves several windows, the first of them."""

    seconds: float = Field(ge=0, allow_inf_nan=False)
    window: str | None = None
    test: str | None = None


class StageTiming(RecordModel):
    """What one stage of one model took, added up over its windows and tests.

    Attributes
    ----------
    model
        None for what is of no one model, such as storing the catalogs.
    number
        How often the stage was gone through, also with a bad end.
    seconds
        All of them together, on the wall; what ran at once counts each for itself.
    sizes
        How many lie in each class of sizes (see `class_of`).
    """

    stage: Stage
    model: str | None = None
    number: int = Field(gt=0)
    seconds: float = Field(ge=0, allow_inf_nan=False)
    longest: LongestTiming
    sizes: dict[int, int]

    @property
    def median(self) -> float:
        """The median in seconds: right within 5 %, and exact for one and two."""
        if self.number <= 2:
            return self.seconds / self.number
        left = (self.number - 1) // 2
        for place in sorted(self.sizes):
            left -= self.sizes[place]
            if left < 0:
                return min(2 * _FACTOR**place / (1 + _FACTOR), self.longest.seconds)
        return self.longest.seconds

    @staticmethod
    def class_of(seconds: float) -> int:
        """Give the class of sizes that a time counts in."""
        return math.ceil(math.log(max(seconds, _LEAST_SECONDS)) / _LOG_FACTOR)


class UnderWay(RecordModel):
    """What a run is at."""

    stage: Stage
    model: str | None = None
    window: str | None = None
    since: UtcDatetime


class RunTimings(RecordModel):
    """What a run took, and what it was at when it last told of itself; see `RunRecord.heartbeat_at`."""

    stages: tuple[StageTiming, ...] = ()
    under_way: tuple[UnderWay, ...] = ()
