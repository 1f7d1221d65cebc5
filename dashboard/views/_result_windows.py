"""The results of the same test and model in all windows, on the page of one of them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from dashboard import _data
from dashboard._theme import Theme
from dashboard._words import OUTCOMES, count_of, is_drawn, number, window_name
from dashboard.figures.series import series_figure
from dashboard.figures.tables import DRAWN
from dashboard.views._opening import open_slot, slot_in
from dashboard.views._parts import clicked, plot, scrolled
from dashboard.views._tables import show_table
from dashboard.views._text import plain
from forequake.results import Label, Side
from forequake.windows import TimeWindow
from stores import ResultRow

__all__ = ["over_time", "say_sum"]


def say_sum(address: str, label: Label, rows: Sequence[ResultRow]) -> None:
    """Say the sum of the scores of all windows where they add up, else their mean and range."""
    token = _data.token_of(address, label.experiment)
    found = _data.score_summary(address, label.experiment, token, label.test, label.model, label.reference)
    count = sum(row.statistic is not None for row in rows)
    if count < 2:
        return
    if found.total is not None:
        st.metric(f"Sum over {count} windows, in nats", number(found.total, 6))
    elif found.spread is not None:
        mean, least, greatest = (number(value, 3) for value in found.spread)
        st.metric(f"Mean of {count} windows", mean)
        st.caption(f"From {least} to {greatest}. These scores do not add up.")


def over_time(rows: Sequence[ResultRow], label: Label, theme: Theme, marks: Mapping[str, str]) -> None:
    """Draw the results of the same test and model in all windows; a click leads to another one."""
    st.subheader("The same test in all windows")
    figure = series_figure(rows, label.window, theme, marks)
    with scrolled("in-all-windows", 440):
        event = st.plotly_chart(
            figure,
            key="series",
            on_select="rerun",
            selection_mode="points",
            config=plot(),
            alt=f"{plain(label.test)} of {plain(label.model)} in {count_of(len(rows), 'window')}: "
            f"{_outcomes(rows)}",
        )
    tails = rows[0].side is Side.TWO_SIDED and rows[0].kind == "consistency"
    said = "Up to 0.5 it is P(X ≤ observed), above it P(X < observed). " if tails else ""
    shaded = "Shaded is where the test rejects. " if rows[0].kind == "consistency" else ""
    st.caption(f"{said}{shaded}A click on a mark shows its window.")
    mark = clicked(event)
    if mark and mark[0] != label.window.id:
        other = label.model_copy(update={"window": TimeWindow.from_id(str(mark[0]))})
        open_slot(other.slot)
    name = "_".join(part for part in (label.experiment, label.test, label.model, label.reference) if part)
    labels = {window_name(row.label.window): row.label for row in rows if row.label.window != label.window}
    show_table(
        [_entry(row) for row in rows],
        f"{name}_all_windows",
        {f"{name}_all_windows": figure},
        opens=lambda entry: slot_in(labels, entry["window"]),
    )


def _entry(row: ResultRow) -> dict[str, Any]:
    quantiles = {} if row.quantiles is None else row.quantiles.named()
    return {
        "window": window_name(row.label.window),
        "outcome": OUTCOMES[row.outcome],
        **quantiles,
        "statistic": row.statistic,
        "information gain": row.information_gain,
        "events": row.n_observed,
        "expected": row.n_forecast,
        "reason": row.reason,
        DRAWN: is_drawn(row.test, row.quantiles),
    }


def _outcomes(rows: Sequence[ResultRow]) -> str:
    """Count the outcomes of windows."""
    counts = Counter(row.outcome for row in rows)
    return ", ".join(f"{count} {OUTCOMES[outcome]}" for outcome, count in counts.most_common())
