"""Timers of the stages of a run: what is slow, of which model and in which window.

Whoever does a stage says so (`Timing`), and whoever wants to know takes it down (`collecting`): nothing is
passed from hand to hand between them. Where nobody wants to know, nothing is kept.
"""

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self

from forequake.quantities import UtcDatetime, now
from forequake.results.timings import (
    OTHER_MODELS,
    LongestTiming,
    RunTimings,
    Stage,
    StageTiming,
    UnderWay,
)
from forequake.windows import TimeWindow

__all__ = ["Timers", "Timing", "collecting"]

_ORDER: Final = {stage: place for place, stage in enumerate(Stage)}

#: A run's record is read whenever runs are listed: so many models have timings of their own in it.
_MOST_MODELS: Final = 100


@dataclass
class _Sum:
    """What one stage of one model took so far."""

    number: int = 0
    seconds: float = 0.0
    longest: float = -1.0
    window: TimeWindow | str | None = None
    test: str | None = None
    sizes: dict[int, int] = field(default_factory=dict)


class Timers:
    """The times of one run, or of several; threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sums: dict[tuple[Stage, str | None], _Sum] = {}
        self._under_way: dict[int, tuple[Timing, UtcDatetime]] = {}

    def add(
        self,
        stage: Stage,
        model: str | None,
        seconds: float,
        window: TimeWindow | None = None,
        test: str | None = None,
    ) -> None:
        """Add one time."""
        place = StageTiming.class_of(seconds)
        with self._lock:
            found = self._sums.setdefault((stage, model), _Sum())
            found.number += 1
            found.seconds += seconds
            found.sizes[place] = found.sizes.get(place, 0) + 1
            if seconds > found.longest:
                found.longest, found.window, found.test = seconds, window, test

    def add_all(self, timings: Iterable[StageTiming]) -> None:
        """Add what was added up elsewhere."""
        with self._lock:
            for timing in timings:
                found = self._sums.setdefault((timing.stage, timing.model), _Sum())
                found.number += timing.number
                found.seconds += timing.seconds
                for place, number in timing.sizes.items():
                    found.sizes[place] = found.sizes.get(place, 0) + number
                longest = timing.longest
                if longest.seconds > found.longest:
                    found.longest, found.window, found.test = longest.seconds, longest.window, longest.test

    def begin(self, timing: "Timing") -> None:
        """Note what begins."""
        since = now()
        with self._lock:
            self._under_way[id(timing)] = timing, since

    def end(self, timing: "Timing") -> None:
        """Note that it has ended."""
        with self._lock:
            self._under_way.pop(id(timing), None)

    def stages(self) -> tuple[StageTiming, ...]:
        """Give what was added so far, in the order of stages and models."""
        with self._lock:
            return tuple(
                StageTiming(
                    stage=stage,
                    model=model,
                    number=found.number,
                    seconds=found.seconds,
                    longest=LongestTiming(seconds=found.longest, window=_id(found.window), test=found.test),
                    sizes=dict(found.sizes),
                )
                for (stage, model), found in sorted(
                    self._sums.items(), key=lambda item: (_ORDER[item[0][0]], item[0][1] or "")
                )
            )

    def timings(self) -> RunTimings:
        """Give what was added so far, and what is under way, for the record of a run."""
        stages = _bounded(self.stages())
        with self._lock:
            under_way = [
                UnderWay(stage=timing.stage, model=timing.model, window=_id(timing.window), since=since)
                for timing, since in self._under_way.values()
            ]
        return RunTimings(stages=stages, under_way=tuple(under_way))


def _bounded(stages: tuple[StageTiming, ...]) -> tuple[StageTiming, ...]:
    """Add up the models that took least, where there are very many."""
    took: dict[str | None, float] = {}
    for timing in stages:
        took[timing.model] = took.get(timing.model, 0.0) + timing.seconds
    if len(took) <= _MOST_MODELS:
        return stages
    kept = {None, *sorted(took, key=lambda model: -took[model])[:_MOST_MODELS]}
    sums = Timers()
    for timing in stages:
        model = timing.model if timing.model in kept else OTHER_MODELS
        sums.add_all([timing.model_copy(update={"model": model})])
    return sums.stages()


def _id(window: TimeWindow | str | None) -> str | None:
    return window.id if isinstance(window, TimeWindow) else window


_timers: ContextVar[Timers | None] = ContextVar("timers", default=None)
_outer: ContextVar["Timing | None"] = ContextVar("timing", default=None)


@contextmanager
def collecting(timers: Timers) -> Iterator[Timers]:
    """Take down what is timed inside the block, in its own thread."""
    before = _timers.set(timers)
    try:
        yield timers
    finally:
        _timers.reset(before)


class Timing:
    """Times a stage, also one with a bad end: ``with Timing(Stage.READ, model, window) as timing``.

    What is timed inside the block counts for itself, not for the stage around it; it is of the same model and
    window where it names none.

    Parameters
    ----------
    window
        Of what serves several, the first.

    Attributes
    ----------
    seconds
        Of the stage alone, once it has ended.
    inside
        By stage, what was timed inside.
    """

    def __init__(
        self,
        stage: Stage,
        model: str | None = None,
        window: TimeWindow | None = None,
        test: str | None = None,
    ) -> None:
        self.stage, self.model, self.window, self.test = stage, model, window, test
        self.seconds = 0.0
        self.inside: dict[Stage, float] = {}

    def __enter__(self) -> Self:
        outer = _outer.get()
        if outer is not None and self.model is None:
            self.model, self.window, self.test = outer.model, outer.window, outer.test
        self._around, self._sink = outer, _timers.get()
        self._token = _outer.set(self)
        if outer is None and self._sink is not None:
            self._sink.begin(self)
        self._begun = time.perf_counter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        total = time.perf_counter() - self._begun
        _outer.reset(self._token)
        self.seconds = max(total - sum(self.inside.values()), 0.0)
        if self._around is not None:
            within = self._around.inside
            for stage, seconds in {**self.inside}.items():
                within[stage] = within.get(stage, 0.0) + seconds
            within[self.stage] = within.get(self.stage, 0.0) + self.seconds
        if self._sink is not None:
            if self._around is None:
                self._sink.end(self)
            self._sink.add(self.stage, self.model, self.seconds, self.window, self.test)
