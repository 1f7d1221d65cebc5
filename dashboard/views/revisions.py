"""Two experiments, or two states of one, side by side: which results moved, and which changed sides."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import streamlit as st

from dashboard import _data, _past
from dashboard._provenance import differences, facts_of
from dashboard._revisions import Axis, Pair, Shift, count_shifts, paired, revisions_table
from dashboard._words import count_of, number, window_name
from dashboard.figures.revisions import MOST_DUMBBELLS, dumbbell_figure, farthest
from dashboard.views._choices import pick, run_named, run_options
from dashboard.views._failures import unknown_name
from dashboard.views._frame import Frame, frame, say_filters
from dashboard.views._parts import plot, scrolled
from dashboard.views._tables import show_rows, show_table
from dashboard.views._text import clock, plain
from forequake.quantities import Sha256
from forequake.results import RunRecord
from stores import ExperimentSummary

_NOW: Final = "now"
#: Of all windows the last ones are compared, as many as have so many results.
_MOST_RESULTS: Final = 2000


@dataclass(frozen=True)
class _State:
    """An experiment as it is, or as it stood at a time.

    Attributes
    ----------
    moment
        None for now.
    run
        The one that left it so, where it is known.
    """

    summary: ExperimentSummary
    moment: datetime | None
    run: RunRecord | None

    @property
    def words(self) -> str:
        """Name of the experiment and time."""
        when = "now" if self.moment is None else f"as of {clock(self.moment)}"
        return f"{self.summary.name} {when}"

    @property
    def record_key(self) -> Sha256:
        """Key of what the experiment was resolved to."""
        return self.summary.record_key if self.run is None else self.run.experiment_key


def show() -> None:
    """Draw the page."""
    shown = frame()
    st.header(f"Compare {plain(shown.name)}")
    st.caption("The same places in two states: two runs, two times, or two experiments.")
    states = _choose(shown)
    if not say_filters(shown) or states is None:
        return
    before, after = states
    st.markdown(f"**{plain(before.words)}** and then **{plain(after.words)}**")
    window = shown.window
    since, n_windows = None, shown.windows.count
    if window is None and shown.windows.listed:
        n_windows = max(1, _MOST_RESULTS // max(len(shown.counted.cells), 1))
        if n_windows < len(shown.windows.listed):
            since = shown.windows.listed[-n_windows].window.start
    found = [
        _past.results_at(shown.address, state.summary.name, state.summary.token, state.moment, window, since)
        for state in states
    ]
    tests = {column.test for column in shown.columns}
    kept = [
        [row for row in each.rows if row.label.model in shown.models and row.label.test in tests]
        for each in found
    ]
    pairs = paired(*kept)
    _say_part(shown, since is not None or not all(each.complete for each in found), n_windows)
    if not pairs:
        st.info("Neither state has a result here.", icon=":material/filter_alt_off:")
        return
    _results(shown, pairs, several=window is None)
    _inputs(shown, before, after)


def _choose(shown: Frame) -> tuple[_State, _State] | None:
    """Let the reader choose both states; None where there are no two."""
    experiments = {each.name: each for each in shown.listing.experiments}
    others = [name for name in experiments if name != shown.name]
    runs = _data.runs(shown.address, shown.name)
    with st.container(horizontal=True):
        other = pick("Before: experiment", "other", others, "the same") if others else None
        of_other = runs if other is None else _data.runs(shown.address, other)
        earlier = _default(runs) if other is None else _NOW
        former = pick("Before: as left by", "before", [_NOW, *run_options(of_other)], earlier or "–")
        typed = st.text_input(
            "or at a time (UTC)", key="before_at", bind="query-params", placeholder="2024-05-01 12:00"
        )
        latter = pick("After: as left by", "after", [_NOW, *run_options(runs)], _NOW)
    moment = _time(typed)
    if moment is None and former is None and earlier is None:
        st.info(
            "There is one run only: choose another experiment to compare with.",
            icon=":material/compare_arrows:",
        )
        return None
    summary = experiments[shown.name if other is None else other]
    before = _state(summary, of_other, former or earlier, moment)
    return before, _state(shown.summary, runs, latter or _NOW, None)


def _default(runs: Sequence[RunRecord]) -> str | None:
    """Name the run before the last; None where there is none."""
    return run_options(runs)[1] if len(runs) > 1 else None


def _state(
    summary: ExperimentSummary, runs: Sequence[RunRecord], name: str | None, moment: datetime | None
) -> _State:
    if moment is not None:
        ended = [run for run in runs if run.started_at <= moment]
        return _State(summary, moment, max(ended, key=lambda run: run.run_no, default=None))
    run = run_named(runs, name)
    return _State(summary, None if run is None else run.ended_at, run)


def _time(typed: str | None) -> datetime | None:
    """Read a time in UTC; say so where it is none."""
    if not typed or not typed.strip():
        return None
    try:
        moment = datetime.fromisoformat(typed.strip())
    except ValueError:
        unknown_name(f"{typed!r} is no time: write it as 2024-05-01 12:00.")
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _say_part(shown: Frame, cut: bool, n_windows: int) -> None:
    if shown.window is not None:
        st.caption(f"Window {plain(window_name(shown.window))}.")
    elif cut:
        st.caption(
            f"Of all windows the last {count_of(n_windows, 'window')}: choose one at the side for another."
        )


def _results(shown: Frame, pairs: Sequence[Pair], *, several: bool) -> None:
    counts = count_shifts(pairs)
    with st.container(horizontal=True, gap="medium"):
        for shift, number in counts.items():
            if number or shift is Shift.OUTCOME:
                st.metric(shift.value.capitalize(), f"{number:,}", width="content")
    only = st.toggle("Only differences", value=True, key="differences", bind="query-params")
    moved = [pair for pair in pairs if pair.shift is not Shift.SAME] if only else list(pairs)
    _dumbbells(shown, moved, "probability", "Quantiles", several=several)
    _dumbbells(shown, moved, "gain", "Information gains", several=several)
    order = list(Shift)
    moved.sort(key=lambda pair: order.index(pair.shift))
    table = revisions_table(moved)
    changed = [entry for entry in table if entry["change"] == Shift.OUTCOME.value]
    st.subheader("Changed outcomes")
    if changed:
        show_rows(changed, f"{shown.name}_changed_outcomes")
    else:
        st.caption("No outcome changed.")
    if table:
        st.subheader("All that moved" if only else "All places")
        show_rows(table, f"{shown.name}_revisions")


def _dumbbells(
    shown: Frame,
    pairs: Sequence[Pair],
    axis: Axis,
    title: str,
    *,
    several: bool,
) -> None:
    drawn = farthest(pairs, axis)
    if not drawn:
        return
    st.subheader(title)
    of_windows = " in the window where it moved farthest" if several else ""
    more = (
        f" The {MOST_DUMBBELLS} that moved farthest of {len(drawn)}." if len(drawn) > MOST_DUMBBELLS else ""
    )
    st.caption(
        f"From the open circle (before) to the mark of the outcome (after), each model and test{of_windows}."
        f"{more}"
    )
    figure = dumbbell_figure(drawn, axis, shown.theme)
    with scrolled(axis, 560):
        st.plotly_chart(figure, key=f"shifts {axis}", config=plot(), alt=_alt(title, drawn))
    name = f"{shown.name}_{axis}_shifts"
    show_table(revisions_table(drawn), name, {name: figure})


def _alt(title: str, drawn: Sequence[Pair]) -> str:
    """Say which results moved farthest."""
    first = drawn[0]
    changed = sum(pair.shift is Shift.OUTCOME for pair in drawn)
    return (
        f"{title} before and after of {count_of(len(drawn), 'result')}: {changed} with another outcome; "
        f"{first.test} of {first.model} moved by {number(first.size, 2)}"
    )


def _inputs(shown: Frame, before: _State, after: _State) -> None:
    st.subheader("What differs in what they started from")
    facts = []
    for state in (before, after):
        record = _past.experiment_record(shown.address, state.record_key)
        run = state.run or _last(shown.address, state.summary.name)
        environment = None
        if run is not None and run.environment is not None:
            environment = _data.environment(shown.address, run.environment)
        span = (None, None) if run is None else (run.started_at, run.ended_at)
        facts.append(
            facts_of(record, run, environment, _past.catalogs(shown.address, state.record_key, *span))
        )
    found = differences(*facts)
    if not found:
        st.caption("They started from the same.")
        return
    table = [
        {"part": each.part, "what": each.what, "before": each.before, "after": each.after} for each in found
    ]
    show_rows(table, f"{shown.name}_inputs")


def _last(address: str, experiment: str) -> RunRecord | None:
    runs = _data.runs(address, experiment)
    return max(runs, key=lambda run: run.run_no, default=None)


if __name__ == "__main__":
    show()
