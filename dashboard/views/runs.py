"""The run monitor: what is done, under way, failed and to come, while it happens."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import streamlit as st

from dashboard import _data, _past
from dashboard._prefect import answers, flow_run_link, prefect_address
from dashboard._public import is_public
from dashboard._runs import duration_of, results_a_minute, state_of, trigger_of
from dashboard._words import number, window_name
from dashboard.figures.coverage import (
    CoverageGrid,
    Work,
    coverage_figure,
    coverage_grid,
    coverage_legend,
    coverage_table,
)
from dashboard.figures.timings import STAGES, timings_figure, timings_table
from dashboard.views._failures import explained
from dashboard.views._frame import Frame, frame, say_filters
from dashboard.views._parts import failures_table, plot, scrolled
from dashboard.views._tables import show_rows, show_table
from dashboard.views._text import ago, clock, plain
from forequake.quantities import now
from forequake.results import RunRecord, RunState
from forequake.windows import TimeWindow
from stores import ExperimentSummary

#: Seconds after which the page looks again.
_EVERY: Final = 5
#: The coverage shows so many windows, the last ones.
_MOST_WINDOWS: Final = 1000
_MOST_UNDER_WAY: Final = 8


def show() -> None:
    """Draw the page."""
    shown = frame()
    st.header(f"Runs of {plain(shown.name)}")
    st.caption(f"What is done, under way, failed and to come; looked at again every {_EVERY} s.")
    say_filters(shown)
    _live(shown)


@st.fragment(run_every=_EVERY)
def _live(shown: Frame) -> None:
    with explained():
        listing = _data.experiments(shown.address)
        summary = next((each for each in listing.experiments if each.name == shown.name), shown.summary)
        runs = _data.runs(shown.address, shown.name)
        if not runs:
            st.info("No run has begun.", icon=":material/hourglass_empty:")
            return
        grid = _grid(shown, summary)
        _head(runs[0], summary, grid)
        _say_prefect(runs[0])
        _coverage(shown, grid)
        failures_table(_data.units(shown.address, shown.name))
        _timings(shown, runs)
        _last_runs(runs, shown.name)


def _grid(shown: Frame, summary: ExperimentSummary) -> CoverageGrid:
    config = _data.config(shown.address, summary.record_key)
    since = None
    if config is not None and len(config.windows) > _MOST_WINDOWS:
        config = config.model_copy(update={"windows": config.windows[-_MOST_WINDOWS:]})
        since = config.windows[0].start
    elif config is None and len(shown.windows.listed) > _MOST_WINDOWS:
        since = shown.windows.listed[-_MOST_WINDOWS].window.start
    counted = _past.coverage(shown.address, shown.name, summary.token, since)
    units = _data.units(shown.address, shown.name)
    grid = coverage_grid(config, counted, units, now())
    return grid.of_models(shown.models) if shown.chosen.filtered else grid


def _head(run: RunRecord, summary: ExperimentSummary, grid: CoverageGrid) -> None:
    moment = now()
    with st.container(horizontal=True, gap="medium"):
        st.metric("Last run", f"{run.run_no}: {state_of(run, moment)}", width="content")
        st.metric("Started", ago(run.started_at, moment), help=clock(run.started_at), width="content")
        st.metric("Duration", duration_of(run, moment), width="content")
        rate = results_a_minute(run, moment)
        if rate is not None:
            st.metric(
                "Results per minute", number(rate, 3) if rate < 100 else f"{rate:,.0f}", width="content"
            )
        st.metric("Results", f"{summary.n_results:,}", width="content")
        bad = run.counts.failed + run.counts.upstream_failed
        if bad:
            st.metric("Failed", f"{bad:,}", width="content")
        if run.counts.waiting:
            st.metric("Waiting", f"{run.counts.waiting:,}", width="content")
    state = state_of(run, moment)
    if state == RunState.CRASHED.value:
        st.warning(
            f"Run {run.run_no} crashed: it gave no sign of life since {clock(run.heartbeat_at)}. What it had "
            "stored is safe; the next run computes the rest.",
            icon=":material/heart_broken:",
        )
    elif run.state is RunState.RUNNING:
        cells = grid.works.size
        if cells:
            st.progress(grid.count(Work.DONE) / cells, text=f"{grid.count(Work.DONE):,} of {cells:,} done")
        _under_way(run)


def _under_way(run: RunRecord) -> None:
    at = () if run.timings is None else run.timings.under_way
    if not at:
        st.caption(f"It tells twice a minute what it is at; last heard at {clock(run.heartbeat_at)}.")
        return
    for each in at[:_MOST_UNDER_WAY]:
        of = "" if each.model is None else f" of **{plain(each.model)}**"
        window = "" if each.window is None else f" in {plain(window_name(TimeWindow.from_id(each.window)))}"
        st.caption(
            f"At {clock(run.heartbeat_at)}: {STAGES[each.stage]}{of}{window}, since {clock(each.since)}"
        )
    if len(at) > _MOST_UNDER_WAY:
        st.caption(f"… and {len(at) - _MOST_UNDER_WAY} more")


def _say_prefect(run: RunRecord) -> None:
    if is_public():
        return
    address = prefect_address()
    if address is None:
        st.caption("Where Prefect's pages are is not known: set PREFECT_API_URL for links to its flow runs.")
        return
    reached = answers(address)
    link = flow_run_link(run.flow_run_id, st.context.url)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if reached is False:
            said = "Prefect does not answer; results and runs below are from the store."
            st.caption(f":material/cloud_off: {said} {plain(address)}", width="content")
        elif link is None:
            said = "Prefect listens on its own machine only" if run.flow_run_id else "The run has no flow run"
            st.caption(f"{said}: {plain(address)}", width="content")
        else:
            st.link_button("Flow run and task runs in Prefect", link, icon=":material/open_in_new:")


def _coverage(shown: Frame, grid: CoverageGrid) -> None:
    st.subheader("Models and windows")
    if not grid.works.size:
        st.info("There is no window yet.", icon=":material/hourglass_empty:")
        return
    st.caption("Rows are models, columns windows in order of time; the first state of the legend that fits.")
    st.html(coverage_legend(grid, shown.theme))
    done = f"{grid.count(Work.DONE)} of {grid.works.size} cells done, {grid.count(Work.FAILED)} with failures"
    figure = coverage_figure(grid, shown.theme)
    with scrolled("coverage", 560):
        st.plotly_chart(figure, key="coverage", config=plot(), alt=f"Models by windows: {done}")
    show_table(coverage_table(grid), f"{shown.name}_coverage", {f"{shown.name}_coverage": figure})


def _timings(shown: Frame, runs: Sequence[RunRecord]) -> None:
    timed = next((run for run in runs if run.timings is not None and run.timings.stages), None)
    st.subheader("What the time goes into")
    if timed is None or timed.timings is None:
        st.caption("Nothing was timed in the last runs.")
        return
    told = "" if timed.ended_at is not None else f", as it told at {clock(timed.heartbeat_at)}"
    st.caption(f"Run {timed.run_no}{told}; what ran at once counts each for itself.")
    figure = timings_figure(timed.timings.stages, shown.theme)
    with scrolled("timings", 480):
        st.plotly_chart(
            figure, key="timings", config=plot(), alt=f"Seconds by model and stage: {_longest(timed)}"
        )
    name = f"{shown.name}_run_{timed.run_no}_timings"
    show_table(timings_table(timed.timings.stages), name, {name: figure})


def _longest(run: RunRecord) -> str:
    """Say what took most of a run."""
    stages = () if run.timings is None else run.timings.stages
    most = max(stages, key=lambda timing: timing.seconds)
    of = "" if most.model is None else f" of {most.model}"
    return f"most went into {STAGES[most.stage]}{of}, {number(most.seconds, 3)} s"


def _last_runs(runs: Sequence[RunRecord], name: str) -> None:
    st.subheader("Last runs")
    moment = now()
    table = [_run_row(run, moment) for run in runs]
    show_rows(table, f"{name}_runs", {"Prefect": "flow run"})


def _run_row(run: RunRecord, moment: datetime) -> dict[str, Any]:
    counts = run.counts
    return {
        "run": run.run_no,
        "state": state_of(run, moment),
        "started": run.started_at,
        "duration": duration_of(run, moment),
        "trigger": trigger_of(run),
        "label": run.label,
        "computed": counts.computed,
        "stored already": counts.cached,
        "failed": counts.failed + counts.upstream_failed,
        "undefined": counts.undefined,
        "waiting": counts.waiting,
        "skipped": counts.skipped,
        "commit": None
        if run.git_commit is None
        else run.git_commit[:10] + (" + changes" if run.git_dirty else ""),
        "host": run.host,
        "Prefect": flow_run_link(run.flow_run_id, st.context.url),
    }


if __name__ == "__main__":
    show()
