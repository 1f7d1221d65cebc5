"""What a model needs: its environment, time, memory, disk, and what it leaves behind."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from statistics import median
from typing import Final

from forequake.models.environments import BuiltEnvironment
from forequake.models.environments.recipe import Recipe
from forequake.models.runs import ModelLimits, ModelRun
from forequake.models.sources import StagedSource
from forequake.qualification.outcome import Check, Cost
from forequake.qualification.source_hints import Hint, places_of
from forequake.windows import TimeWindow

__all__ = ["cost_checks", "cost_of", "environment_check"]

_YEAR: Final = timedelta(days=365.25)
#: From this share of a limit on it is told.
_NEAR: Final = 0.5
#: A run may take so much of the time that its window lasts.
_OF_WINDOW: Final = 0.1
#: From so much processor time a second on, it works in several threads or processes.
_SEVERAL: Final = 1.3
_LEFT: Final = "it left "


def environment_check(environment: BuiltEnvironment, source: StagedSource) -> Check:
    """Tell what a model runs in, and whether it will be the same on another day."""
    name, recipe = "environment", Recipe(source.folder)
    built = "was there" if environment.seconds is None else f"built in {environment.seconds:.0f} s"
    what = f"{environment.build or 'that of forequake'}, Python {environment.python or 'of its image'}, "
    found = f"{what}{len(environment.packages)} packages" + (f", {built}" if environment.build else "")
    if environment.build is None:
        needs = recipe.is_package or recipe.requirements is not None
        mend = "give it an environment of its own (--build venv), or every change of forequake's changes it"
        return Check(name, "warn" if needs else "info", found, mend if needs else "")
    if environment.build != "docker" and not recipe.pins(conda=environment.build != "venv"):
        mend = "pin every package in requirements.txt (name==version), or bring a lock file"
        return Check(name, "warn", f"{found}; nothing pins what is installed", mend)
    return Check(name, "pass", f"{found}; versions are pinned")


def cost_of(runs: Sequence[ModelRun], window: TimeWindow) -> Cost:
    """Give what a run of the same kind takes, by several of them."""
    return Cost(
        seconds=median(sum(run.seconds.values()) for run in runs),
        cpu_seconds=median(run.cpu_seconds for run in runs),
        peak_memory=max(run.peak_memory for run in runs),
        output_size=max(run.output.stat().st_size for run in runs),
        windows_a_year=_YEAR / (window.end - window.start),
    )


def cost_checks(
    cost: Cost, runs: Sequence[ModelRun], window: TimeWindow, limits: ModelLimits, hints: Sequence[Hint]
) -> Iterator[Check]:
    """Judge what runs needed, and what they left behind."""
    yield _time(cost, window, limits)
    yield _memory(cost, limits)
    a_year = cost.output_size * cost.windows_a_year / 1e9
    near = cost.output_size > _NEAR * (limits.output_mb << 20)
    yield Check(
        "size",
        "warn" if near else "pass",
        f"{cost.output_size / 1e6:.3g} MB; {a_year:.3g} GB in a year",
        "write less: more than half of what is taken (--output-mb)" if near else "",
    )
    notes = list(dict.fromkeys(note for run in runs for note in run.notes))
    left = [note for note in notes if note.startswith(_LEFT)]
    if left:
        mend = "wait for all processes before the program ends"
        yield Check("leaves nothing", "warn", "; ".join(left), mend)
    else:
        yield Check("leaves nothing", "pass", "no process is left when it ends")
    yield _network(runs, [note for note in notes if note not in left], hints)


def _time(cost: Cost, window: TimeWindow, limits: ModelLimits) -> Check:
    threads = cost.cpu_seconds / cost.seconds if cost.seconds > 0 else 0
    several = f" by {threads:.1f} processors" if threads > _SEVERAL else ""
    found = (
        f"{cost.seconds:.3g} s a run, {cost.cpu_seconds:.3g} s of processor time{several}; a year of such "
        f"windows ({cost.windows_a_year:.0f}) takes {_duration(cost.hours_a_year)}"
    )
    if cost.seconds > _NEAR * limits.program.seconds:
        mend = f"more than half of what it may take ({limits.program.seconds:g} s); active times take longer"
        return Check("time", "warn", found, mend)
    if cost.seconds > _OF_WINDOW * (window.end - window.start).total_seconds():
        return Check(
            "time", "warn", found, "more than a tenth of the window: it will not keep up with several"
        )
    return Check("time", "pass", found)


def _duration(hours: float) -> str:
    if hours >= 48:
        return f"{hours / 24:.3g} days"
    return f"{hours:.2g} hours" if hours >= 1 else f"{max(hours * 60, 0.1):.2g} minutes"


def _memory(cost: Cost, limits: ModelLimits) -> Check:
    found = f"{cost.peak_memory / 2**20:.0f} MB at most"
    if cost.peak_memory > _NEAR * (limits.program.memory_mb << 20):
        mend = f"more than half of what it may take ({limits.program.memory_mb} MB)"
        return Check("memory", "warn", found, mend)
    return Check("memory", "pass", found)


def _network(runs: Sequence[ModelRun], notes: Sequence[str], hints: Sequence[Hint]) -> Check:
    where = places_of(hints, "network")
    if not all(run.isolated for run in runs):
        found = f"this machine cannot take it away, so it is not known whether it is used{where}"
        return Check(
            "network", "warn", "; ".join([found, *notes]), "qualify on Linux, as root or with namespaces"
        )
    if where:
        return Check("network", "info", f"the source can call others{where}; in a run nobody answers")
    return Check("network", "pass", "it was out of reach, and the model does without")
