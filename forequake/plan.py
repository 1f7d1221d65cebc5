"""The plan: which results an experiment is to have, which it has, and what is left to do. Pure."""

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

from forequake.across import key_of_place
from forequake.errors import InputError, unknown
from forequake.evaluations.registry import TESTS
from forequake.experiments import Experiment
from forequake.keys import KeyInputs
from forequake.quantities import Sha256
from forequake.results import Label, UnitState

__all__ = [
    "Plan",
    "PlannedBlock",
    "PlannedUnit",
    "Selection",
    "forecasts_needed",
    "lacking_forecasts",
    "plan_experiment",
    "result_keys",
]

#: A block holds at most so many windows of one model.
_MOST_WINDOWS: Final = 50
#: A block is cut so that it takes about this long; a crash costs no more than the block's last seconds.
_SECONDS_A_BLOCK: Final = 10.0
#: The number of a model's block of results over windows.
_OVER_WINDOWS: Final = -1
#: Seconds that a simulated test takes for each bin and simulation on the slowest kernel.
_SECONDS_A_DRAW: Final = 2e-9


@dataclass(frozen=True)
class Selection:
    """Which part of an experiment is meant; empty means all."""

    models: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    windows: tuple[str, ...] = ()

    def check(self, experiment: Experiment) -> None:
        """Refuse names that the experiment does not have, and single windows of a test over all of them.

        Raises
        ------
        InputError
            With the name, the nearest one, and all that are allowed.
        """
        config = experiment.config
        for what, chosen, allowed in (
            ("model", self.models, [model.name for model in config.models]),
            ("test", self.tests, [test.name for test in config.tests]),
            ("window", self.windows, [window.id for window in config.windows]),
        ):
            for name in chosen:
                if name not in allowed:
                    message = f"{experiment.name}: {unknown(what, name, allowed)}"
                    raise InputError(message)
        if not self.windows or config.span.id in self.windows:
            return
        for name in self.tests:
            if TESTS[experiment.test(name).test].scope == "windows":
                message = f"{experiment.name}: {name} has one result over all windows; leave --window out"
                raise InputError(message)

    def with_parts(self, experiment: Experiment) -> Self:
        """Add the tests whose results the chosen ones take."""
        taken = tuple(
            test.of for test in experiment.config.tests if test.name in self.tests and test.of is not None
        )
        return replace(self, tests=tuple(dict.fromkeys((*self.tests, *taken))))

    def holds(self, label: Label) -> bool:
        """Tell whether a place is in the selection."""
        return (
            (not self.models or label.model in self.models)
            and (not self.tests or label.test in self.tests)
            and (not self.windows or label.window.id in self.windows)
        )


@dataclass(frozen=True)
class PlannedUnit:
    """One result to be had.

    Attributes
    ----------
    state
        ``cached`` where the store has the value, ``planned`` where it is due.
    key
        Of the result.
    """

    label: Label
    state: UnitState
    key: Sha256


@dataclass(frozen=True)
class PlannedBlock:
    """Units that are worth one task: of one model, and those of others that have equal values; only due ones.

    Equal values, such as those of empty windows, are computed once, so their units belong together.

    Attributes
    ----------
    id
        From the experiment, the model and the block's number: the same whatever is done already.
    """

    id: str
    model: str
    units: tuple[PlannedUnit, ...]


@dataclass(frozen=True)
class Plan:
    """All units of a selection, and the blocks of those that are due.

    Attributes
    ----------
    over_windows
        Blocks of results over windows, whose turn comes when `blocks` are done.
    """

    units: tuple[PlannedUnit, ...]
    blocks: tuple[PlannedBlock, ...]
    over_windows: tuple[PlannedBlock, ...] = ()

    @property
    def cached(self) -> tuple[PlannedUnit, ...]:
        """Units whose value the store has."""
        return tuple(unit for unit in self.units if unit.state is UnitState.CACHED)

    @property
    def due(self) -> tuple[PlannedUnit, ...]:
        """Units that are to be computed."""
        return tuple(unit for unit in self.units if unit.state is UnitState.PLANNED)


class _BlockInputs(KeyInputs):
    what = "block"

    experiment: str
    model: str
    number: int


def result_keys(experiment: Experiment, selection: Selection) -> dict[Label, Sha256]:
    """Give the key of every result of a selection that can be had now, in the experiment's order."""
    return {
        label: key_of_place(experiment, label)
        for label in experiment.labels()
        if selection.holds(label) and experiment.obstacle(label) is None
    }


def lacking_forecasts(experiment: Experiment, selection: Selection) -> dict[Label, str]:
    """Give the places of a selection that cannot be had yet, so that they have no key; and why, each.

    A forecast is not there, or the window has not ended.
    """
    return {
        label: reason
        for label in experiment.labels()
        if selection.holds(label) and (reason := experiment.obstacle(label)) is not None
    }


def plan_experiment(
    experiment: Experiment, keys: dict[Label, Sha256], known: Collection[Sha256], *, force: bool = False
) -> Plan:
    """Tell what is done and what is due.

    Parameters
    ----------
    keys
        Of the results that are wanted.
    known
        Those of them that the store has.
    force
        Whether to compute also what the store has (its values stay; a difference would be reported).
    """
    units = tuple(
        PlannedUnit(
            label=label,
            state=UnitState.CACHED if key in known and not force else UnitState.PLANNED,
            key=key,
        )
        for label, key in keys.items()
    )
    of_windows = [unit for unit in units if not experiment.over_windows(unit.label)]
    over_windows = [unit for unit in units if experiment.over_windows(unit.label)]
    return Plan(
        units=units,
        blocks=tuple(_blocks(experiment, of_windows)),
        over_windows=tuple(_blocks_over_windows(experiment, over_windows)),
    )


def forecasts_needed(experiment: Experiment, plan: Plan) -> dict[str, list[str]]:
    """Give the models whose forecasts the due units need, references included, and the ids of windows."""
    needed: dict[str, dict[str, None]] = {}
    for unit in plan.due:
        if TESTS[experiment.test(unit.label.test).test].takes == "results":
            continue
        for window in experiment.windows_of(unit.label):
            if experiment.has_ended(window) and experiment.absence(unit.label, window) is None:
                for model in experiment.models_of(unit.label, window):
                    needed.setdefault(model, {})[window.id] = None
    return {model: list(windows) for model, windows in needed.items()}


def _blocks_over_windows(experiment: Experiment, units: Sequence[PlannedUnit]) -> Iterator[PlannedBlock]:
    groups: dict[str, list[PlannedUnit]] = {}
    for unit in units:
        if unit.state is UnitState.PLANNED:
            groups.setdefault(unit.label.model, []).append(unit)
    for model, group in groups.items():
        block = _BlockInputs(experiment=experiment.name, model=model, number=_OVER_WINDOWS)
        yield PlannedBlock(id=block.key, model=model, units=tuple(group))


def _blocks(experiment: Experiment, units: Sequence[PlannedUnit]) -> Iterator[PlannedBlock]:
    size = _windows_a_block(experiment)
    number_of = {window.id: number // size for number, window in enumerate(experiment.config.windows)}
    place_of: dict[Sha256, tuple[str, int]] = {}
    groups: dict[tuple[str, int], list[PlannedUnit]] = {}
    for unit in units:
        place = unit.label.model, number_of[unit.label.window.id]
        first = place_of.setdefault(unit.key, place)
        if unit.state is UnitState.PLANNED:
            groups.setdefault(first, []).append(unit)
    for (model, number), group in groups.items():
        block = _BlockInputs(experiment=experiment.name, model=model, number=number)
        yield PlannedBlock(id=block.key, model=model, units=tuple(group))


def _windows_a_block(experiment: Experiment) -> int:
    """Choose the size of blocks from the configuration alone, so that it does not change between runs."""
    in_windows = [test for test in experiment.config.tests if TESTS[test.test].scope == "window"]
    draws = sum(test.num_simulations or 0 for test in in_windows)
    bins = len(experiment.region) * len(experiment.config.magnitudes)
    seconds = max(draws * bins * _SECONDS_A_DRAW, 1e-3)
    return max(1, min(_MOST_WINDOWS, math.floor(_SECONDS_A_BLOCK / seconds)))
