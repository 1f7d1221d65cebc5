"""The head and the end of a report: which experiment it is, what is missing, and the rules in words."""

from collections.abc import Iterator

from dashboard._words import SIDES, count_of, events, letters, number, window_name
from dashboard.figures.marks import MARKS, Status
from dashboard.report.blocks import Block, Table, Words
from dashboard.report.material import Material
from forequake.places import window_marks
from forequake.results import UnitState
from forequake.windows import TimeWindow

__all__ = ["head_blocks", "missing_blocks", "rule_blocks", "title_of"]

_PACKAGES = ("forequake", "pycsep", "numpy", "scipy")
#: So many windows are named, and so many computations that ended badly.
_NAMED = 12
_LISTED = 200


def title_of(of: Material) -> str:
    """Give a report's title."""
    return f"{of.name}: results"


def head_blocks(of: Material) -> Iterator[Block]:
    """Say which experiment this is, how much of it is shown, and where its numbers come from."""
    yield Words(" ".join(_shown(of)))
    yield Table("What this report is of", _facts(of), folded=False)


def _shown(of: Material) -> Iterator[str]:
    window, listed = of.window, of.windows.listed
    if not listed:
        yield "The experiment has no results yet."
        return
    if window is not None:
        yield f"Window {window_name(window)} (UTC), {events(of.events_in(window) or 0)}."
    else:
        span = TimeWindow(start=listed[0].window.start, end=max(summary.window.end for summary in listed))
        yield f"All windows, {window_name(span)} (UTC)."
    left = []
    if of.choice.models:
        left.append(f"{len(of.models)} of {count_of(len(of.all_models), 'model')}")
    if of.choice.tests:
        every = {column.test for column in of.all_columns}
        left.append(f"{len({column.test for column in of.columns})} of {count_of(len(every), 'test')}")
    if left:
        yield f"Shown are {' and '.join(left)}."
    if of.dependent:
        yield "The windows share time: their results depend on one another."


def _facts(of: Material) -> list[dict[str, str]]:
    entries = [("Experiment", of.name), *_config_facts(of), *_run_facts(of)]
    entries.append(("Report made", f"{of.read_at:%Y-%m-%d %H:%M:%S} UTC"))
    return [{"what": name, "is": value} for name, value in entries]


def _config_facts(of: Material) -> Iterator[tuple[str, str]]:
    config, listed = of.config, of.windows.listed
    for name in ("authors", "doi", "description") if config is not None else ():
        said = None if config is None else config.metadata.get(name)
        if isinstance(said, str) and said:
            yield name.capitalize() if name != "doi" else "DOI", said
    expected = of.windows.count if config is None else max(len(config.windows), of.windows.count)
    yield "Windows with results", f"{of.windows.count} of {expected}"
    if listed:
        total = listed[-1].n_observed if of.dependent else sum(one.n_observed for one in listed)
        more = "" if of.windows.complete else " or more"
        yield "Target events", f"{total}{more}{', in the last window' if of.dependent else ''}"
    yield "Models", str(len(of.all_models))
    if config is not None:
        depth = "" if config.depth_km is None else " and depths from {:g} to {:g} km".format(*config.depth_km)
        yield "Counted are", f"magnitudes from {config.magnitudes[0]:g} on{depth}"
        yield "Level of significance", f"{config.alpha:g}, where a test has none of its own"
        yield "Seed", str(config.seed or 0)


def _run_facts(of: Material) -> Iterator[tuple[str, str]]:
    if of.runs:
        run = of.runs[0]
        counts = run.counts
        bad = counts.failed + counts.upstream_failed
        yield (
            "Latest run",
            f"run {run.run_no}, {run.state.value}, started {run.started_at:%Y-%m-%d %H:%M:%S} UTC: "
            f"{counts.computed} computed, {counts.cached} stored already, {bad} failed",
        )
        if run.git_commit:
            yield (
                "Commit of its files",
                run.git_commit + (" and uncommitted changes" if run.git_dirty else ""),
            )
    if of.environment is not None:
        versions = [
            f"{name} {of.environment.packages[name]}" for name in _PACKAGES if name in of.environment.packages
        ]
        yield "Computed with", ", ".join([f"Python {of.environment.python}", *versions])
    yield "Record of the experiment", of.summary.record_key
    inputs = of.record.inputs
    yield "Region and observed catalog", f"{inputs.region[:16]}…, {inputs.catalog[:16]}…"


def missing_blocks(of: Material) -> Iterator[Block]:
    """Say what has no result, and of which windows the catalog may miss events."""
    if of.config is not None:
        there = {one.window for one in of.windows.listed}
        lacking = [window for window in of.config.windows if window not in there]
        if lacking and of.windows.complete:
            named = ", ".join(window_name(window) for window in lacking[:_NAMED])
            more = f" and {len(lacking) - _NAMED} more" if len(lacking) > _NAMED else ""
            yield Words(f"No results yet of {count_of(len(lacking), 'window')}: {named}{more}.")
    bad = of.bad_units
    if bad:
        listed = f"; the first {_LISTED} are listed" if len(bad) > _LISTED else ""
        yield Words(f"{count_of(len(bad), 'computation')} ended badly{listed}.")
        yield Table(
            "Computations that ended badly",
            [
                {
                    "model": unit.label.model,
                    "test": unit.label.test,
                    "reference": unit.label.reference,
                    "window": window_name(unit.label.window),
                    "state": unit.state.value.replace("_", " "),
                    "error": None if unit.error is None else unit.error.kind,
                }
                for unit in bad[:_LISTED]
            ],
        )
    running = sum(unit.state is UnitState.RUNNING for unit in of.units)
    if running:
        yield Words(f"{count_of(running, 'computation')} were under way when this report was made.")
    marks = window_marks(of.config)
    if marks:
        yield Words(f"The catalog may miss events in {count_of(len(marks), 'window')}.")
        yield Table(
            "Windows in which the catalog may miss events",
            [
                {"window": window_name(TimeWindow.from_id(name)), "mark": text}
                for name, text in list(marks.items())[:_LISTED]
            ],
        )


def rule_blocks(of: Material) -> Iterator[Block]:
    """Say by which rule each test decides, and what the outcomes are called."""
    yield Words(
        "Not rejected does not mean right: the test found no contradiction, which few events seldom give. "
        "Undefined means that the test says nothing, as most do about a window without events. At a level of "
        "0.05 a true forecast is rejected in 5 of 100 windows."
    )
    config = of.config
    rows = []
    for test in dict.fromkeys(column.test for column in of.columns):
        known = of.definition(test)
        if known is None:
            continue
        spec = None if config is None else next((one for one in config.tests if one.name == test), None)
        alpha = of.windows.alphas.get(test) if config is None or spec is None else spec.alpha or config.alpha
        rows.append(
            {
                "test": test,
                "called": letters(known.name),
                "statistic": known.measure if known.simulated or known.kind == "score" else None,
                "alpha": None if known.kind == "score" or alpha is None else number(alpha),
                "side": None if known.kind == "score" else SIDES[known.side],
                "rule": known.rule,
                "kernel version": known.kernel_version,
            }
        )
    yield Table("Rules of the tests", rows, folded=False)
    named = [
        MARKS[status].label
        for status in Status
        if status not in (Status.ITSELF, Status.RUNNING, Status.MISSING)
    ]
    yield Words(
        f"An outcome is one of: {', '.join(named)}. A quantile of 0 from n simulated catalogs is written as "
        "< 1/n. Times are in UTC, and a window has its start but not its end."
    )
