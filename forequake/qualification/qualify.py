"""The whole of a qualification: which runs there are, and what is read of them."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from pydantic import JsonValue

from forequake.config.model_specs import CallableSpec, ProgramSpec
from forequake.errors import EnvironmentFailed, EnvironmentUnavailable
from forequake.model_runs import Watch, run_shelf
from forequake.models.environments import prepare_environment
from forequake.models.functions import StagedFunction
from forequake.models.holds import held_folder
from forequake.models.programs import StagedProgram, stage_program
from forequake.models.runs import ModelRun
from forequake.qualification.behaviour import (
    UNKNOWN_ARGUMENT,
    few_events_check,
    prefix_check,
    responds_check,
    unknown_check,
    with_large,
)
from forequake.qualification.chance import (
    circumstances_check,
    clock_check,
    other_seed_check,
    same_seed_check,
)
from forequake.qualification.content import difference
from forequake.qualification.contract import contract_checks, longer_check, prefix_written, simulations_check
from forequake.qualification.costs import cost_checks, cost_of, environment_check
from forequake.qualification.look_ahead import future_known, look_ahead_check, own_catalogs
from forequake.qualification.outcome import Check, Cost, Qualification
from forequake.qualification.proposals import own_arguments, seed_argument, simulations_argument
from forequake.qualification.source_hints import Hint, source_hints
from forequake.qualification.subject import Subject
from forequake.qualification.trials import Trial, Trials
from forequake.windows import TimeWindow

__all__ = ["qualify"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_BLANK_PREFIX: Final = "two words"
#: So few catalogs are asked for, to see whether the model does as it is told.
_FEW: Final = 10
#: Of the end of what a program printed, so much is shown.
_MOST_SAID: Final = 4000


def qualify(
    subject: Subject,
    watch: Watch | None = None,
    *,
    quick: bool = False,
    on_run: Callable[[str, int], None] = lambda what, number: None,
) -> Qualification:
    """Build a model, run it in several circumstances, and judge what it does.

    Parameters
    ----------
    watch
        Told what takes long; able to end it.
    quick
        Leave out the runs that are only told of, and never speak against a model.
    on_run
        Told before each run what it is for, and how many there were.

    Raises
    ------
    SourceError, EnvironmentUnavailable
        Where the model cannot be had, or not be built now.
    InputError
        Where its command cannot be read.
    Interrupted
        Where the watch was asked to stop.
    """
    watch = watch or Watch()
    try:
        program = stage_program(subject.loaded.folder, subject.model, watch.say)
        environment = prepare_environment(program.build, program.source, stop=watch.stop, say=watch.say)
    except EnvironmentUnavailable:
        raise
    except EnvironmentFailed as error:
        mend = "say what it needs as its folder shall be installed (docs/models.md)"
        return _outcome(subject, [], [Check("environment", "fail", str(error), mend)], said=error.output)
    with held_folder(run_shelf(), "made-") as folder:
        trials = Trials(subject, program, environment, folder, watch, on_run=on_run)
        return _Examination(trials, quick=quick).outcome()


class _Examination:
    """Runs a model, and asks one thing after the other."""

    def __init__(self, trials: Trials, *, quick: bool) -> None:
        self._trials = trials
        self._quick = quick
        self._hints: list[Hint] = source_hints(trials.program.source)

    @property
    def _subject(self) -> Subject:
        return self._trials.subject

    @property
    def _program(self) -> StagedProgram | StagedFunction:
        return self._trials.program

    @property
    def _arguments(self) -> dict[str, JsonValue]:
        """What the file of arguments says, beside the dates."""
        spec = self._program.spec
        own = {} if isinstance(spec, CallableSpec) else own_arguments(self._program.source, spec.args_file)
        return {**own, **spec.arguments}

    def outcome(self) -> Qualification:
        """Ask everything."""
        first = self._first()
        checks = [environment_check(self._trials.environment, self._program.source)]
        checks += contract_checks(first, first.request.limits.output_mb)
        cost = None
        if first.content is None or first.run is None:
            checks += [_unasked(name) for name in ("same seed twice", "another seed", "look-ahead")]
        else:
            checks += self._of_chance(first)
            checks += self._of_inputs(first)
            runs: list[ModelRun] = [trial.run for trial in self._trials.done if trial.run is not None]
            cost = cost_of(runs[:2], self._subject.window)  # the others were asked for something else
            checks += cost_checks(cost, runs, self._subject.window, first.request.limits, self._hints)
        origin = self._program.source.origin
        return _outcome(self._subject, self._trials.done, checks, origin, cost=cost, said=first.said)

    def _first(self) -> Trial:
        """Run the model as it is asked for; where only the prefix is not as guessed, with another one."""
        first = self._trials.run("a first forecast")
        prefix = prefix_written(first)
        if self._subject.prefix_is_known or prefix is None:
            return first
        model = self._subject.model
        if prefix:
            words = f"the prefix is taken to be {prefix!r} (--prefix)"
            model = model.model_copy(update={"prefix": prefix})
        elif isinstance(model.program, ProgramSpec):
            words = f"the model is told its prefix, prefix = {model.prefix} (--arg prefix={model.prefix})"
            arguments: dict[str, JsonValue] = {**model.program.arguments, "prefix": model.prefix}
            program = model.program.model_copy(update={"arguments": arguments})
            model = model.model_copy(update={"program": program})
        else:
            return first
        before = self._trials.subject, self._trials.program
        self._trials.adopt(model, words)
        second = self._trials.run("the same with another prefix")
        if second.cause in {"no_output", "exit_code"}:
            self._trials.subject, self._trials.program = before
            return first
        return second

    def _of_chance(self, first: Trial) -> Iterator[Check]:
        again = self._trials.run("the same once more")
        yield same_seed_check(first, again, self._hints)
        repeats = _same(first, again)
        argument = first.request.seed_argument or seed_argument(self._arguments)
        other = self._trials.run("another seed", seed=(_another(first.request.seed), argument))
        yield other_seed_check(first, other, argument, repeats=repeats)
        if not self._quick:
            yield circumstances_check(self._trials, first, self._hints, repeats=repeats)
        yield clock_check(self._hints)
        later, source = self._subject.later, self._program.source
        own = own_catalogs(source, first.request.input_name, self._subject.window.start)
        with future_known(
            source, self._subject.experiment.learned_from, later, own, self._trials.folder
        ) as knowing:
            future = self._trials.run("with later events in its folder", source=knowing)
        yield from look_ahead_check(first, future, len(later), own, self._hints, repeats=repeats)

    def _of_inputs(self, first: Trial) -> Iterator[Check]:
        window = self._subject.window
        twice = TimeWindow(start=window.start, end=window.end + (window.end - window.start))
        # With the same chance, so that what differs is due to the window.
        seed = None if first.request.seed is None else (first.request.seed, None)
        longer = self._trials.run("a window twice as long", window=twice, seed=seed)
        yield longer_check(first, longer, twice, self._subject.model.forecast_unit)
        past = first.request.input_catalog
        if len(past):
            cut_off = (window.start - _EPOCH) // timedelta(microseconds=1)
            events, what = with_large(past, cut_off)
            yield responds_check(first, self._trials.run("a large event more", events=events), what)
        yield from self._of_simulations()
        if self._quick:
            return
        none = past.take(past.time_us < past.time_us.min(initial=0))
        yield few_events_check(self._trials.run("no events", events=none), "no events before it")
        if len(past):
            one = past.take(past.magnitude.argmax().reshape(1))
            yield few_events_check(self._trials.run("one event", events=one), "one event before it")
        if "prefix" in self._arguments:
            model = self._subject.model.model_copy(update={"prefix": _BLANK_PREFIX})
            trial = self._trials.run(
                "a prefix with a blank", model=model, arguments={"prefix": _BLANK_PREFIX}
            )
            yield prefix_check(trial, _BLANK_PREFIX)
        unknown: dict[str, JsonValue] = {UNKNOWN_ARGUMENT: 1}
        yield unknown_check(self._trials.run("an unknown argument", arguments=unknown))

    def _of_simulations(self) -> Iterator[Check]:
        argument, number = simulations_argument(self._arguments), self._subject.model.n_catalogs
        if argument is None or number is None or number <= _FEW:
            return
        model = self._subject.model.model_copy(update={"n_catalogs": _FEW})
        trial = self._trials.run("fewer simulations", model=model, arguments={argument: _FEW})
        yield simulations_check(trial, argument, _FEW)


def _same(one: Trial, other: Trial) -> bool:
    if one.content is None or other.content is None:
        return False
    return difference(one.content, other.content) is None


def _another(seed: int | None) -> int:
    return (seed or 0) % (2**32 - 1) + 1


def _unasked(name: str) -> Check:
    return Check(name, "skipped", "there is no forecast to compare")


def _outcome(
    subject: Subject,
    trials: list[Trial],
    checks: list[Check],
    origin: str = "",
    *,
    cost: Cost | None = None,
    said: str = "",
) -> Qualification:
    spec = subject.model.program
    failed = not trials or all(trial.failure is not None for trial in trials)
    return Qualification(
        model=subject.model.name,
        origin=origin or subject.model.path,
        command=spec.function if isinstance(spec, CallableSpec) else "" if spec is None else spec.command,
        window=subject.window.id,
        past=len(trials[0].request.input_catalog) if trials else 0,
        runs=len(trials),
        checks=tuple(checks),
        cost=cost,
        said=said[-_MOST_SAID:] if failed else "",
        notes=subject.notes,
    )
