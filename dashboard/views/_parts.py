"""Parts that pages share: the head of an experiment, the list of failures, what a click means."""

import html
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import plotly.graph_objects as go
import streamlit as st

from dashboard import _data
from dashboard._public import is_public
from dashboard._words import count_of, error_words, window_name
from dashboard.figures.ground import height_for_any_width
from dashboard.views._text import ago, clock, plain
from forequake.config import ExperimentConfig
from forequake.places import window_marks
from forequake.quantities import now
from forequake.results import RunRecord, UnitRecord, UnitState
from forequake.seal_marks import Statuses, late_words, words_of_window
from forequake.windows import TimeWindow
from stores import ExperimentSummary, Overview, shown_url

__all__ = [
    "chosen_cell",
    "clickable",
    "clicked",
    "failures_table",
    "head",
    "in_proportion",
    "listed",
    "plot",
    "say_late",
    "scrolled",
    "sentence_of",
]

#: Most failures are listed; a store may hold thousands of one kind.
_MOST_FAILURES: Final = 200
#: So many windows with a mark are named over all windows.
_NAMED_MARKS: Final = 4
#: Longer words may be broken where a table is narrow.
_LONG_WORD: Final = 24
#: Shorter names of values stay in one line.
_SHORT_NAME: Final = 16


def plot(*buttons: str) -> dict[str, Any]:
    """Give the settings of a figure: the button that saves the picture, in the form that the reader chose.

    Parameters
    ----------
    buttons
        More of plotly's buttons, before that one.
    """
    form = str(st.session_state.get("picture") or "SVG").lower()
    return {
        "displaylogo": False,
        "modeBarButtons": [[*buttons], ["toImage"]] if buttons else [["toImage"]],
        # A picture of dots has three of them for each of the page's, so that it can be printed.
        "toImageButtonOptions": {"format": form, "filename": "forequake", "scale": 1 if form == "svg" else 3},
    }


def head(
    address: str,
    listing: _data.Listing,
    summary: ExperimentSummary,
    counted: Overview,
    windows: _data.Windows,
    window: TimeWindow | None,
    config: ExperimentConfig | None,
) -> None:
    """Say which experiment this is, how much there is of it, and how old that is."""
    st.header(plain(summary.name))
    if window is not None:
        st.markdown(f"Window **{plain(window_name(window))}** (UTC)")
    else:
        first, last = windows.listed[0].window, windows.listed[-1].window
        span = window_name(TimeWindow(start=first.start, end=max(first.end, last.end)))
        st.markdown(f"All windows, **{plain(span)}** (UTC)")
    with st.container(horizontal=True, gap="medium"):
        st.metric("Target events", _events(windows, window, config), width="content")
        done = windows.count
        expected = done if config is None else max(done, len(config.windows))
        if done:
            st.metric("Windows with results", f"{done} of {expected}", width="content")
        if counted.last_computed_at is not None:
            st.metric(
                "Last result",
                ago(counted.last_computed_at, now()),
                help=clock(counted.last_computed_at),
                width="content",
            )
        runs = _data.runs(address, summary.name)
        if runs:
            st.metric("Last run", runs[0].state.value, help=_run_help(runs[0]), width="content")
    _say_marks(window, window_marks(config))
    say_late(_data.statuses(address, summary.name), window)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        name = "" if is_public() else f" · {plain(shown_url(_data.store_address()))}"
        st.caption(f"Data as of {clock(listing.read_at)}{name}", width="content")
        st.button(
            "Read again", on_click=_data.forget, type="tertiary", icon=":material/refresh:", key="refresh"
        )


def _say_marks(window: TimeWindow | None, marks: Mapping[str, str]) -> None:
    """Say in which windows the catalog may miss events."""
    if window is not None:
        if window.id in marks:
            st.caption(f":material/flag: {plain(sentence_of(marks[window.id]))}")
        return
    if not marks:
        return
    named = [window_name(TimeWindow.from_id(name)) for name in list(marks)[:_NAMED_MARKS]]
    more = f" and {len(marks) - len(named)} more" if len(marks) > len(named) else ""
    st.caption(
        f":material/flag: The catalog may miss events in {count_of(len(marks), 'window')}: "
        f"{plain(', '.join(named))}{more}."
    )


def say_late(statuses: Statuses, window: TimeWindow | None, models: Collection[str | None] = ()) -> None:
    """Say which sealed forecasts came too late to be prospective, in a window or in all."""
    if window is None:
        said = late_words(statuses, models)
    else:
        said = [words for words in [words_of_window(statuses, window, models)] if words is not None]
    for words in said:
        st.caption(f":material/schedule: {plain(sentence_of(words))}")


def sentence_of(text: str) -> str:
    """Make a sentence of a remark."""
    return f"{text[:1].upper()}{text[1:]}."


@contextmanager
def scrolled(key: str, least: int) -> Iterator[None]:
    """Give what is drawn inside at least `least` pixels, and let narrow screens scroll it sideways."""
    box = f".st-key-{key}-box"
    st.html(
        f"<style>{box} {{overflow-x: auto; overflow-y: hidden}} {box} > div {{min-width: {least}px}}</style>"
    )
    with st.container(key=f"{key}-box"):
        yield


@contextmanager
def in_proportion(key: str, figure: go.Figure) -> Iterator[None]:
    """Give the map that is drawn inside, with ``height="stretch"``, the height that fits its width."""
    box, chart = f".st-key-{key}-map", "[data-testid=stElementContainer]:has([data-testid=stPlotlyChart])"
    st.html(
        f"<style>{box} {{container-type: inline-size}} "
        f"{box} {chart} {{height: {height_for_any_width(figure)}}}</style>"
    )
    with st.container(key=f"{key}-map"):
        yield


def clickable(figure: go.Figure, key: str, *, least: int, alt: str) -> list[Any] | None:
    """Show a figure of at least so many pixels' width; give what its clicked mark carries, if one was.

    Parameters
    ----------
    alt
        What it shows, in words, for those who do not see it.
    """
    with scrolled(re.sub(r"[^A-Za-z0-9-]", "-", key), least):
        event = st.plotly_chart(
            figure, key=key, on_select="rerun", selection_mode="points", config=plot(), alt=alt
        )
    return clicked(event)


def clicked(event: Any) -> list[Any] | None:
    """Give what the clicked mark carries, or None where nothing was clicked."""
    points = event["selection"]["points"] if event else []
    carried = points[0].get("customdata") if points else None
    if isinstance(carried, dict):  # some versions number the parts
        carried = list(carried.values())
    return list(carried) if carried else None


def listed(entries: Sequence[tuple[str, str]]) -> None:
    """Show names and values as a plain table; hashes and paths may break anywhere, words may not."""
    rows = "".join(
        '<tr><th scope="row" style="text-align:left;font-weight:400;opacity:.72;vertical-align:top;'
        f'padding:.28rem 1rem .28rem 0;white-space:{"nowrap" if len(name) <= _SHORT_NAME else "normal"}">'
        f"{html.escape(name)}</th>"
        f'<td style="padding:.28rem 0;overflow-wrap:{"anywhere" if _has_long_word(value) else "normal"};'
        f'font-variant-numeric:tabular-nums">{html.escape(value)}</td></tr>'
        for name, value in entries
    )
    st.html(f'<table style="border-collapse:collapse;width:100%">{rows}</table>')


def _has_long_word(text: str) -> bool:
    return any(len(word) > _LONG_WORD for word in text.split())


def chosen_cell(carried: Sequence[Any] | None) -> tuple[str, str, str | None] | None:
    """Give model, test and reference of a cell of a matrix, by what its mark carries."""
    if carried is None or len(carried) != 3:
        return None
    model, test, reference = (str(part) for part in carried)
    return model, test, reference or None


def failures_table(units: Sequence[UnitRecord]) -> None:
    """List the computations that ended badly, with their errors."""
    bad = [unit for unit in units if unit.state is not UnitState.RUNNING]
    if not bad:
        return
    with st.expander(f"{count_of(len(bad), 'computation')} ended badly", icon=":material/priority_high:"):
        if len(bad) > _MOST_FAILURES:
            st.caption(f"The first {_MOST_FAILURES} are listed.")
        st.dataframe(
            [
                {
                    "model": unit.label.model,
                    "test": unit.label.test,
                    "reference": unit.label.reference or "",
                    "window": window_name(unit.label.window),
                    "state": unit.state.value.replace("_", " "),
                    "attempts": unit.attempts,
                    "error": "" if unit.error is None else error_words(unit.error),
                    "since": unit.changed_at,
                }
                for unit in bad[:_MOST_FAILURES]
            ],
            hide_index=True,
        )


def _events(windows: _data.Windows, window: TimeWindow | None, config: ExperimentConfig | None) -> str:
    if window is not None:
        return str(next((item.n_observed for item in windows.listed if item.window == window), "–"))
    if windows.overlap or (config is not None and config.growth == "cumulative"):
        return str(windows.listed[-1].n_observed)
    total = sum(item.n_observed for item in windows.listed)
    return str(total) if windows.complete else f"{total} or more"


def _run_help(run: RunRecord) -> str:
    counts = run.counts
    bad = counts.failed + counts.upstream_failed
    return (
        f"Run {run.run_no}, started {clock(run.started_at)}: {counts.computed} computed, "
        f"{counts.cached} stored already, {bad} failed"
    )
