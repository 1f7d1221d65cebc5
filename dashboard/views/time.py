"""Over time: what models gain over a reference, the quantiles of each window, how often they are rejected."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from dashboard import _grids, _inputs
from dashboard._words import count_of, window_name
from dashboard.figures.cells import Column
from dashboard.figures.grids import STATUSES, Grid
from dashboard.figures.judged import in_windows
from dashboard.figures.legend import quantiles_legend
from dashboard.figures.lines import MOST_LINES, Line, styles_of
from dashboard.figures.marks import MARKS, Status
from dashboard.figures.rejection_rates import rejections_figure, rejections_of
from dashboard.figures.running_gains import TICKS, EventTicks, Gains, alt_of, gains_figure, gains_of
from dashboard.figures.window_quantiles import quantiles_figure
from dashboard.views._filters import drop_unknown
from dashboard.views._frame import Frame, frame, say_filters
from dashboard.views._kinds import GAINS
from dashboard.views._one_test import choose_one, columns_in_windows, grid_of_column, say_bounds
from dashboard.views._opening import Opens, open_slot, slot_of
from dashboard.views._parts import clicked, plot, scrolled
from dashboard.views._tables import show_table
from dashboard.views._text import plain
from forequake.errors import CorruptRecord, InputError, NotFound
from forequake.windows import TimeWindow, overlap

#: Most rows of a table on the page; the files to download have all.
_MOST_ROWS: Final = 1_000
#: Width of the figures in pixels below which they are scrolled.
_WIDE: Final = 640


def show() -> None:
    """Draw the page."""
    shown = frame()
    st.header("Over time")
    st.caption(f"{plain(shown.name)}: the results of all windows, one after the other.")
    if not say_filters(shown) or not shown.columns:
        return
    picked = _highlighted(shown)
    best = _gains(shown, picked)
    _quantiles(shown, styles_of(shown.models, picked or best, shown.theme))


def _highlighted(shown: Frame) -> Sequence[str]:
    """Let the reader choose which of many lines stand out; none where those that gain most are to."""
    if len(shown.models) <= MOST_LINES:
        return shown.models
    drop_unknown("time_lines", shown.models)
    return st.multiselect(
        "Highlight",
        shown.models,
        key="time_lines",
        placeholder=f"the {MOST_LINES} best of {len(shown.models)} models",
        max_selections=MOST_LINES,
        bind="query-params",
        wrap=True,
    )


def _gains(shown: Frame, picked: Sequence[str]) -> Sequence[str]:
    """Show the gains; give the models that gain most, the first ones where that is not known."""
    st.subheader("Information gain")
    first = shown.models[:MOST_LINES]
    offered = [found for name in GAINS for found in columns_in_windows(shown) if found[1].name == name]
    if not offered:
        st.info(
            "No score of this experiment adds up over windows. Add the test `sequential_information_gain` or "
            "`sequential_likelihood` to its tests, or a T-test.",
            icon=":material/playlist_add:",
        )
        return first
    columns = {column.name: column for column, _ in offered}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = choose_one("Score", "time_score", list(columns), next(iter(columns)))
        grid = grid_of_column(shown, columns[name])
        if grid is None:
            st.info("This score has no result yet.", icon=":material/hourglass_empty:")
            return first
        names = [*([grid.reference] if grid.reference is not None else []), *grid.models]
        against = choose_one("Over", "time_over", names, names[0], width=200)
        common = st.toggle(
            "Only windows that all models have", value=True, key="time_common", bind="query-params"
        )
    models = [model for model in shown.models if model in names]
    gains = gains_of(
        grid,
        against,
        reference_expected=_expected(shown, grid),
        common=common,
        models=models,
    )
    if not gains.models:
        st.info("Choose a model besides the reference.", icon=":material/filter_alt:")
        return first
    sums = gains.sums
    best = sorted(gains.models, key=lambda model: -sums[model].last)[:MOST_LINES]
    _draw_gains(shown, grid, gains, styles_of(shown.models, picked or best, shown.theme), common=common)
    say_bounds(shown, grid)
    return best


def _draw_gains(shown: Frame, grid: Grid, gains: Gains, styles: Mapping[str, Line], *, common: bool) -> None:
    count = len(gains.windows)
    if not count:
        st.info(
            f"None of {count_of(gains.left_out, 'window')} has a score of all these models. Leave out "
            "models at the side, or show all windows.",
            icon=":material/filter_alt:",
        )
        return
    summed = not overlap(gains.windows)
    events = int(gains.events.sum())
    said = [f"Over **{plain(gains.reference)}** in {count_of(count, 'window')}"]
    if summed:
        said[0] += f" with {count_of(events, 'event')}"
    if gains.left_out:
        why = "some model has no score there" if common else "no model has a score there"
        said.append(f"{count_of(gains.left_out, 'window')} left out, since {why}")
    if not summed:
        said.append("the windows share time, so their gains are not summed: each stands for itself")
    chosen = shown.window if count > 1 else None
    figure = gains_figure(gains, shown.theme, styles=styles, ticks=_ticks(shown, gains), chosen=chosen)
    st.caption(
        f"{'; '.join(said)}. Above zero a model describes the events better. An arrow marks an infinite "
        "gain, which is not in the sum."
    )
    with scrolled("gains", _WIDE):
        st.plotly_chart(
            figure,
            key="gains",
            on_select=partial(_choose_window, "gains"),
            selection_mode="points",
            config=plot(),
            alt=alt_of(gains),
        )
    _show_long(partial(_gains_rows, gains, summed=summed), f"{shown.name}_gains", figure, _opens(shown, grid))


def _expected(shown: Frame, grid: Grid) -> Any:
    """Give what the reference expects, which the T-test needs for windows without events."""
    if grid.kind != "comparison" or grid.reference is None:
        return None
    found = _grids.expected_of(shown.address, shown.name, shown.token, grid.reference)
    return np.array([found.get(window, np.nan) for window in grid.windows])


def _ticks(shown: Frame, gains: Gains) -> EventTicks | None:
    """Give the events of all windows; None where the store does not have them."""
    span = TimeWindow(start=gains.windows[0].start, end=max(window.end for window in gains.windows))
    try:
        events = _inputs.observed(shown.address, shown.record_key, span)
    except (NotFound, CorruptRecord, InputError):
        return None
    inside = events.take(in_windows(events, gains.windows))
    return EventTicks(inside.times(), inside.magnitude) if 0 < len(inside) <= TICKS else None


def _show_long(
    rows: Callable[[], Iterator[dict[str, Any]]], name: str, figure: go.Figure, opens: Opens
) -> None:
    """Show a table of which the page has the first rows, and the files all."""
    first = list(islice(rows(), _MOST_ROWS + 1))
    more = len(first) > _MOST_ROWS
    whole = (lambda: list(rows())) if more else None
    show_table(first[:_MOST_ROWS], name, {name: figure}, whole=whole, opens=opens)


def _gains_rows(gains: Gains, *, summed: bool) -> Iterator[dict[str, Any]]:
    for model, running in gains.sums.items():
        scores = gains.scores[gains.models.index(model)].tolist()
        for place, window in enumerate(gains.windows):
            yield {
                "model": model,
                "over": gains.reference,
                "window": window_name(window),
                "events": int(gains.events[place]),
                "information gain": None if running.lacking[place] else scores[place],
                "sum of finite gains": float(running.total[place]) if summed else None,
            }


def _quantiles(shown: Frame, styles: Mapping[str, Line]) -> None:
    st.subheader("Window by window")
    columns = {
        column.name: column for column, known in columns_in_windows(shown) if known.kind == "consistency"
    }
    if not columns:
        st.info("No consistency test has results in single windows.", icon=":material/filter_alt:")
        return
    name = choose_one("Test", "time_test", list(columns), _usual(list(columns.values())))
    whole = grid_of_column(shown, columns[name])
    grid = None if whole is None else whole.only(shown.models)
    if grid is None:
        st.info("This test has no result yet.", icon=":material/hourglass_empty:")
        return
    present = [STATUSES[code] for code in np.unique(grid.status).tolist()]
    st.html(quantiles_legend(present, shown.theme))
    undefined = int(grid.of(Status.UNDEFINED).sum())
    silent = f" {count_of(undefined, 'result')} undefined." if undefined else ""
    figure = quantiles_figure(grid, shown.theme, shown.window if len(grid.windows) > 1 else None)
    st.caption(
        "A column is a window. A rejection fills its row; what is not rejected is the bluer, the larger "
        f"{_which(grid)}; a thin line is undefined.{silent} Click a mark below the rows to choose its window"
        + (", a cell for its result." if len(grid.windows) <= 60 else "; drag over columns to enlarge them.")
    )
    with scrolled("quantiles", _WIDE):
        event = st.plotly_chart(
            figure,
            key="quantiles",
            on_select=partial(_choose_window, "quantiles"),
            selection_mode="points",
            config=plot(),
            alt=f"{name}: outcome and quantile of {count_of(len(grid.models), 'model')} in "
            f"{count_of(len(grid.windows), 'window')}; the table below has the same content",
        )
    _open(shown, grid, event)
    rows = partial(_quantile_rows, grid)
    _show_long(rows, f"{shown.name}_{name}_quantiles", figure, _opens(shown, grid))
    say_bounds(shown, grid)
    _rejections(shown, grid, name, styles)


def _which(grid: Grid) -> str:
    return "the smaller of delta1 and delta2" if grid.counts_events else "the quantile"


def _usual(columns: Sequence[Column]) -> str:
    return next((column.name for column in columns if column.letters in ("N", "catalog N")), columns[0].name)


def _rejections(shown: Frame, grid: Grid, name: str, styles: Mapping[str, Line]) -> None:
    st.subheader("Rejections so far")
    counted = rejections_of(grid)
    most = max(int(each.decided[-1]) for each in counted.values())
    if not most:
        st.info("No window has a verdict.", icon=":material/hourglass_empty:")
        return
    banded = not (shown.dependent or grid.overlap)
    figure = rejections_figure(grid, shown.theme, styles=styles, banded=banded)
    if banded:
        note = (
            "A true forecast is rejected now and then as well: in 95 % of cases it stays in the band, at the "
            "end of all windows. ▲ marks models above it. Tests of few events reject less often than alpha."
        )
    else:
        note = "The windows share time, so their results depend on one another: no band of chance is drawn."
    st.caption(f"Share of windows with a verdict in which {plain(name)} rejects. {note}")
    with scrolled("rejections", _WIDE):
        st.plotly_chart(
            figure,
            key="rejections",
            config=plot(),
            alt="Share of rejections up to each window; at the end "
            + ", ".join(
                f"{model} {each.rejected[-1]} of {each.decided[-1]}" for model, each in counted.items()
            ),
        )
    table = [
        {
            "model": model,
            "rejected": int(each.rejected[-1]),
            "verdicts": int(each.decided[-1]),
            "limit of chance": int(each.limit[-1]) if banded else None,
            "undefined": int(grid.of(Status.UNDEFINED)[grid.models.index(model)].sum()),
            "missing": int(grid.of(Status.MISSING)[grid.models.index(model)].sum()),
        }
        for model, each in counted.items()
    ]
    show_table(table, f"{shown.name}_rejections", {f"{shown.name}_rejections": figure})


def _quantile_rows(grid: Grid) -> Iterator[dict[str, Any]]:
    names = grid.names
    of_tails = not np.isnan(grid.upper).all()
    for row, model in enumerate(grid.models):
        for column, name in enumerate(names):
            upper, lower, value, expected = (
                None if math.isnan(found) else found
                for found in (
                    each[row, column].item() for each in (grid.upper, grid.lower, grid.value, grid.expected)
                )
            )
            yield {
                "model": model,
                "window": name,
                "outcome": MARKS[STATUSES[grid.status[row, column]]].label,
                "delta1": upper,
                "delta2": lower if of_tails else None,
                "q": None if of_tails else lower,
                "p": value if upper is None and lower is None else None,
                "events": int(grid.events[column]),
                "expected": expected,
                "drawn": grid.drawn,
            }


def _open(shown: Frame, grid: Grid, event: Any) -> None:
    """Go to the result of a clicked cell."""
    carried = clicked(event)
    if carried is None or len(carried) != 2:
        return
    slot = _slot(shown, grid, str(carried[1]), TimeWindow.from_id(str(carried[0])))
    if slot is not None:
        open_slot(slot)


def _slot(shown: Frame, grid: Grid, model: str, window: TimeWindow) -> str | None:
    """Give the slot of a model's result in a window, if it has one there."""
    if model not in grid.models or window not in grid.windows:
        return None
    status = STATUSES[grid.status[grid.models.index(model), grid.windows.index(window)]]
    if status in (Status.FAILED, Status.RUNNING, Status.MISSING, Status.ITSELF):
        return None
    return slot_of(shown.name, (model, grid.test, grid.reference), window)


def _opens(shown: Frame, grid: Grid) -> Opens:
    """Find the results that rows of models and windows are of."""
    windows = dict(zip(grid.names, grid.windows, strict=True))
    return lambda entry: _slot(shown, grid, entry["model"], windows[entry["window"]])


def _choose_window(figure: str) -> None:
    """Choose the clicked window for all pages: before they run, which is when a widget may be set."""
    carried = clicked(st.session_state[figure])
    if carried is not None and len(carried) == 1:
        st.session_state["window"] = window_name(TimeWindow.from_id(str(carried[0])))


if __name__ == "__main__":
    show()
