"""Whether a run keeps to what is agreed: it ends well, and its forecast is where and what it should be."""

import re
from collections.abc import Iterator
from typing import Final

from forequake.qualification.content import Content
from forequake.qualification.outcome import Check
from forequake.qualification.trials import Trial
from forequake.windows import TimeWindow

__all__ = ["contract_checks", "longer_check", "prefix_written", "simulations_check"]

#: What is asked one after the other, with the causes of failure that each of them is about.
_STEPS: Final = {
    "ends well": frozenset(
        {
            "input",
            "cannot_start",
            "exit_code",
            "killed",
            "timeout",
            "silence",
            "memory",
            "processes",
            "disk",
            "source_changed",
            "look_ahead",
        }
    ),
    "forecast file": frozenset({"no_output", "output_size"}),
    "format and values": frozenset({"unreadable_output"}),
    "window": frozenset({"wrong_window"}),
    "region and magnitudes": frozenset({"wrong_region"}),
}
_MEND: Final = {
    "input": "name the argument as the model's own file of arguments does",
    "cannot_start": "begin the command with a program that the environment installs, or with python FILE; it "
    "starts in a copy of the model's folder",
    "exit_code": "end with exit code 0 where there is a forecast; the end of what it printed is below",
    "killed": "see what it printed; a fault in compiled code ends a program so",
    "timeout": "let it end in time, or allow more with --seconds",
    "silence": "print a line now and then",
    "memory": "let it take less memory, or allow more with --memory-mb",
    "processes": "start fewer processes",
    "disk": "write less, or allow more with --disk-mb",
    "output_size": "write less, or allow more with --output-mb",
    "unreadable_output": "write numbers that a forecast can have, in a format that forequake reads "
    "(--format, --type)",
    "wrong_window": "take start_date and end_date from the file of arguments: a forecast holds from "
    "start_date on and before end_date",
    "wrong_region": "write the experiment's cells, or say for which region and magnitudes the model is "
    "(--region, --mag-min, --mag-max, --mag-bin)",
}
_DATED: Final = re.compile(r"(?<![\w.+-])([\w.+-]*?)_\d{4}-\d\d-\d\d")


def contract_checks(trial: Trial, limits_mb: int) -> Iterator[Check]:
    """Tell step by step how far a run came.

    Parameters
    ----------
    limits_mb
        What the forecast's file may have.
    """
    steps = list(_STEPS)
    failed = next((step for step, causes in _STEPS.items() if trial.cause in causes), None)
    if trial.failure is not None and failed is None:
        failed = steps[0]
    reached = len(steps) if failed is None else steps.index(failed)
    evidence = _evidence(trial)
    for place, step in enumerate(steps):
        if place < reached:
            yield Check(step, "pass", evidence.get(step, ""))
        elif place == reached:
            yield Check(step, "fail", trial.failure or "", _mend(trial))
        else:
            yield Check(step, "skipped", "there is no forecast to look at")
    if trial.content is not None:
        yield from _findings(trial.content)
        yield from _catalogs(trial.content, trial.request.expected.n_catalogs)


def prefix_written(trial: Trial) -> str | None:
    """Tell with which prefix a model wrote its forecast instead, empty where with none.

    Returns
    -------
    str or None
        None where no file has a name with dates.
    """
    found = _DATED.search((trial.failure or "").partition("beside it there is ")[2])
    return None if found is None else found[1]


def _evidence(trial: Trial) -> dict[str, str]:
    run, content, request = trial.run, trial.content, trial.request
    words = {
        "ends well": "exit code 0",
        "forecast file": "it is there",
        "format and values": "it can be read",
        "window": f"all of it is in {request.window.id}",
    }
    if run is not None:
        words["forecast file"] = f"{run.output.name}, {_size(run.output.stat().st_size)}"
    if content is not None:
        what = "rates" if content.n_events is None else "catalogs"
        words["format and values"] = f"{what} that are finite; {content.expected:.4g} events expected"
        cells, bins = len(request.expected.region), len(request.expected.magnitudes)
        words["region and magnitudes"] = (
            f"{cells} cells, {bins} bins from {request.expected.magnitudes[0]:g} on"
        )
    return words


def _size(number: int) -> str:
    return f"{number / 1e6:.1f} MB" if number >= 100_000 else f"{number / 1e3:.1f} kB"


def _mend(trial: Trial) -> str:
    cause = trial.cause
    if cause == "no_output":
        name = trial.request.output_names[-1]
        mend = f"write {name} (PREFIX_START_END.FORMAT; the model's name or --prefix says PREFIX)"
        found = prefix_written(trial)
        if found:
            mend += f"; it seems to write --prefix {found}"
        elif found is not None:
            mend += "; tell the model its prefix, with --arg prefix=NAME where it has such an argument"
        return mend
    if trial.request.function is not None and cause in {"exit_code", "cannot_start"}:
        return "give a forecast, or raise an error only where none can be made"
    mend = _MEND.get(cause, "see what it printed")
    if cause in {"unreadable_output", "wrong_region"} and trial.request.expected.forecast_type == "catalog":
        mend += "; rates in cells are asked for with --type gridded"
    return mend


def _findings(content: Content) -> Iterator[Check]:
    warnings = [finding for finding in content.findings if finding.severity == "warning"]
    notes = [finding for finding in content.findings if finding.severity == "note"]
    for finding in warnings:
        yield Check(
            "quality", "warn", finding.message, "see whether it is meant: results will be read with it"
        )
    if notes:
        yield Check("quality", "info", "; ".join(finding.message for finding in notes))


def _catalogs(content: Content, said: int | None) -> Iterator[Check]:
    if content.n_catalogs is None:
        return
    listed = f"{content.n_listed} catalogs have a line in the file"
    if said is None:
        yield Check(
            "number of catalogs",
            "warn",
            f"{content.n_catalogs}, counted in the file: empty ones at its end are not known of",
            "say the number with n_sims (--n-sims)",
        )
    elif content.n_listed == said:
        yield Check("number of catalogs", "pass", f"{said} as n_sims says")
    else:
        yield Check(
            "number of catalogs",
            "info",
            f"n_sims says {said}; {listed}, the others count as empty",
        )


def simulations_check(trial: Trial, argument: str, asked: int) -> Check:
    """Judge a run that was asked for fewer catalogs.

    Parameters
    ----------
    argument
        That said so.
    """
    name, content = "number of simulations", trial.content
    if content is not None:
        return Check(name, "pass", f"asked for {asked} with {argument}, it wrote {content.n_listed}")
    mend = f"simulate as many catalogs as {argument} says"
    return Check(name, "fail", f"asked for {asked} with {argument}: {trial.failure}", mend)


def longer_check(first: Trial, longer: Trial, window: TimeWindow, unit_days: float | None) -> Check:
    """Judge a run for a window that starts with the first one and is twice as long.

    Parameters
    ----------
    unit_days
        What the rates stand for, where it is not the window.
    """
    name = "longer window"
    one, two = first.content, longer.content
    if one is None or two is None:
        return Check(name, "fail", f"{window.id}: {longer.failure}", _mend(longer))
    amounts = f"{one.expected:.4g} events expected, {two.expected:.4g} in twice the time"
    if unit_days is not None:
        return Check(name, "pass", f"{amounts}; its rates stand for {unit_days:g} days")
    alike = one.n_events == two.n_events if one.n_events is not None else one.expected == two.expected
    if alike and one.expected > 0:
        return Check(
            name,
            "warn",
            f"exactly as many events are expected in twice the time: {two.expected:.4g}",
            "expect events for the time from start_date to end_date, or say with forecast_unit for how many "
            "days the rates are",
        )
    return Check(name, "pass", amounts)
