"""What the stages of runs took, as tables and as JSON: which model takes the time, and with what."""

from collections.abc import Sequence
from typing import Any, Final

from rich import box
from rich.markup import escape
from rich.table import Table

from flows.cli._terminal import note, out
from forequake.environment import owner_is_dead
from forequake.results import RunRecord, RunState, Stage, StageTiming, UnderWay
from forequake.timers import Timers
from forequake.wording import count_of

__all__ = ["show_timings", "timings_fields"]

#: So many models have a line of their own.
_MOST_MODELS: Final = 30
_NAMES: Final = {Stage.CHECK: "quality check"}
_OF_NO_MODEL: Final = "(no model)"


def timings_fields(last: RunRecord, number: int, timings: Sequence[StageTiming]) -> dict[str, Any]:
    """Give what runs took as JSON: over all models by stage, and of each model by stage.

    Parameters
    ----------
    last
        The last of them.
    number
        How many they are.
    """
    shown = {"experiment", "run_no", "state", "started_at", "ended_at"}
    return {
        "last_run": last.model_dump(mode="json", include=shown),
        "runs": number,
        "under_way": [each.model_dump(mode="json") for each in _under_way(last)],
        "stages": [_fields(stage, parts) | _longest_fields(parts) for stage, parts in _by_stage(timings)],
        "models": [
            {
                "model": model,
                "seconds": sum(part.seconds for part in parts),
                "stages": [_fields(part.stage, [part]) | _longest_fields([part]) for part in parts],
            }
            for model, parts in _by_model(timings)
        ],
    }


def show_timings(last: RunRecord, number: int, timings: Sequence[StageTiming]) -> None:
    """Print what runs took; the parameters are those of `timings_fields`."""
    out.print(_heading(last, number), markup=False, soft_wrap=True)
    for each in _under_way(last):
        out.print(_at(each), markup=False, soft_wrap=True)
    if not timings and number == 1 and last.ended_at is None:
        out.print("It has not told yet what it takes; it does so twice a minute.")
    elif not timings:
        out.print("Nothing was timed, or it was not kept.")
    else:
        out.print(_stage_table(timings))
        for stage, parts in _by_stage(timings):
            out.print(_longest_line(stage, parts), markup=False, soft_wrap=True)
        out.print(_model_table(timings))
        note("Seconds on the wall; what ran at once counts each for itself. Medians are right within 5 %.")


def _heading(last: RunRecord, number: int) -> str:
    run = f"run {last.run_no} of {last.started_at:%Y-%m-%d %H:%M}"
    if number > 1:
        return f"{last.experiment}, its last {number} runs, up to {run}"
    if last.ended_at is None:
        state = "its process has gone; it told last" if owner_is_dead(last.owner) else "as it told"
        return f"{last.experiment}, {run}, {state} at {last.heartbeat_at:%Y-%m-%d %H:%M:%S}"
    lasted = _seconds((last.ended_at - last.started_at).total_seconds())
    return f"{last.experiment}, {run}: {last.state.value} after {lasted} s"


def _under_way(last: RunRecord) -> Sequence[UnderWay]:
    """Give what a run was at when it last told of itself; that has ended where the run ended in order."""
    cut_off = last.state in {RunState.RUNNING, RunState.CRASHED}
    return last.timings.under_way if last.timings is not None and cut_off else ()


def _at(each: UnderWay) -> str:
    of = "" if each.model is None else f" of {each.model}"
    window = "" if each.window is None else f" in {each.window}"
    return f"Since {each.since:%Y-%m-%d %H:%M:%S}: {_NAMES.get(each.stage, each.stage.value)}{of}{window}"


def _by_stage(timings: Sequence[StageTiming]) -> list[tuple[Stage, list[StageTiming]]]:
    found: dict[Stage, list[StageTiming]] = {}
    for timing in timings:
        found.setdefault(timing.stage, []).append(timing)
    return list(found.items())


def _by_model(timings: Sequence[StageTiming]) -> list[tuple[str | None, list[StageTiming]]]:
    """Put together what is of one model, that which took most first."""
    found: dict[str | None, list[StageTiming]] = {}
    for timing in timings:
        found.setdefault(timing.model, []).append(timing)
    return sorted(found.items(), key=lambda item: -sum(part.seconds for part in item[1]))


def _fields(stage: Stage, parts: Sequence[StageTiming]) -> dict[str, Any]:
    return {
        "stage": stage.value,
        "seconds": sum(part.seconds for part in parts),
        "number": sum(part.number for part in parts),
        "median": _median(parts),
    }


def _longest_fields(parts: Sequence[StageTiming]) -> dict[str, Any]:
    longest = max(parts, key=lambda part: part.longest.seconds)
    return {"longest": {"model": longest.model} | longest.longest.model_dump(mode="json")}


def _median(parts: Sequence[StageTiming]) -> float:
    sums = Timers()
    sums.add_all(part.model_copy(update={"model": None}) for part in parts)
    return sums.stages()[0].median


def _stage_table(timings: Sequence[StageTiming]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("stage", no_wrap=True)
    for name in ("seconds", "share", "number", "median", "longest"):
        table.add_column(name, justify="right", no_wrap=True)
    total = sum(timing.seconds for timing in timings)
    for stage, parts in _by_stage(timings):
        longest = max(parts, key=lambda part: part.longest.seconds)
        own = sum(part.seconds for part in parts)
        table.add_row(
            _NAMES.get(stage, stage.value),
            _seconds(own),
            f"{own / total:.0%}" if total else "",
            str(sum(part.number for part in parts)),
            _seconds(_median(parts)),
            _seconds(longest.longest.seconds),
        )
    return table


def _longest_line(stage: Stage, parts: Sequence[StageTiming]) -> str:
    """Say what took longest in a stage; a line of its own, since ids of windows fill a narrow table."""
    timing = max(parts, key=lambda part: part.longest.seconds)
    longest = timing.longest
    model = _OF_NO_MODEL if timing.model is None else timing.model
    test = "" if longest.test is None else f"{longest.test} of "
    window = "" if longest.window is None else f" in {longest.window}"
    return f"Longest {_NAMES.get(stage, stage.value)}: {_seconds(longest.seconds)} s, {test}{model}{window}"


def _model_table(timings: Sequence[StageTiming]) -> Table:
    stages = [stage for stage, _ in _by_stage(timings)]
    models = _by_model(timings)
    more = len(models) - _MOST_MODELS
    caption = f"... and {count_of(more, 'more model')}: --json has all" if more > 0 else None
    table = Table(
        box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True, caption=caption, caption_justify="left"
    )
    table.add_column("model", overflow="fold")
    for name in ("seconds", *stages):
        table.add_column(name, justify="right", no_wrap=True)
    for model, parts in models[:_MOST_MODELS]:
        own = {part.stage: _hundredths(part.seconds) for part in parts}
        table.add_row(
            _OF_NO_MODEL if model is None else escape(model),
            _hundredths(sum(part.seconds for part in parts)),
            *(own.get(stage, "") for stage in stages),
        )
    return table


def _hundredths(seconds: float) -> str:
    """Write seconds where there is little room.

    Examples
    --------
    >>> [_hundredths(number) for number in (0.00012, 0.0123, 4.56, 78.9, 12345.6)]
    ['<0.01', '0.01', '4.6', '79', '12346']
    """
    if seconds < 0.01:
        return "<0.01"
    return f"{seconds:.0f}" if seconds >= 10 else f"{seconds:.1f}" if seconds >= 1 else f"{seconds:.2f}"


def _seconds(seconds: float) -> str:
    """Write seconds with two or three digits, and whole where they are many.

    Examples
    --------
    >>> [_seconds(number) for number in (0.00012, 0.0123, 4.56, 78.9, 12345.6)]
    ['0.00012', '0.012', '4.56', '78.9', '12,346']
    """
    if seconds >= 1000:
        return f"{seconds:,.0f}"
    return f"{seconds:.3g}" if seconds >= 1 else f"{seconds:.2g}"
