"""Models against each other, as the overview and the page of comparisons show them."""

from typing import Any

import streamlit as st

from dashboard._theme import Theme
from dashboard._words import count_of
from dashboard.figures.marks import Status
from dashboard.figures.pairs import PairMatrix, pair_figure
from dashboard.views._opening import open_slot, slot_in
from dashboard.views._parts import chosen_cell, clickable
from dashboard.views._tables import show_table
from dashboard.views._text import plain

__all__ = ["show_pairs"]


def show_pairs(
    matrix: PairMatrix,
    theme: Theme,
    *,
    experiment: str,
    test: str,
    independent: bool = True,
    corrected: bool = True,
) -> None:
    """Show models against each other; a click leads to the latest result of a pair.

    Parameters
    ----------
    independent
        Whether windows share no time.
    corrected
        Whether outcomes are corrected for the number of pairs.
    """
    if not matrix.pairs:
        return
    st.subheader(f"{plain(test)}: models against each other")
    st.caption(_about(matrix, independent=independent, corrected=corrected))
    if not matrix.windows:
        return
    slug = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in test)
    figure = pair_figure(matrix, theme)
    carried = clickable(
        figure,
        f"pairs-{slug}",
        least=matrix.least_width,
        alt=f"Matrix of {count_of(len(matrix.models), 'model')} against "
        f"{count_of(len(matrix.others), 'other')}; the table below has the same content",
    )
    place = chosen_cell(carried)
    labels = {(pair.model, pair.other): pair.latest.label for pair in matrix.pairs if pair.latest}
    slot = None if place is None else slot_in(labels, (place[0], place[2]))
    if slot is not None:
        open_slot(slot)
    name = f"{experiment}_{test}_pairs"
    show_table(
        _table(matrix),
        name,
        figures={name: figure},
        opens=lambda entry: slot_in(labels, (entry["model"], entry["reference"])),
    )


def _about(matrix: PairMatrix, *, independent: bool, corrected: bool) -> str:
    if not matrix.windows:
        return f"None of {count_of(matrix.left_out, 'window')} has a result of all pairs."
    how = "Blue ▲: the model of the row is better than that of the column; orange ▼: worse"
    how += ", after correction for all pairs" * corrected
    if len(matrix.windows) == 1:
        return f"{how}. The number is the information gain per event, in nats."
    gain = (
        "The number is the information gain per event over all of them, in nats."
        if independent
        else "The windows share time, so their information gains are not summed."
    )
    if not matrix.common:
        return f"{how}, in so many of each pair's own windows: do not compare pairs with each other. {gain}"
    lost = f" {count_of(matrix.left_out, 'window')} in which only some have one not counted." * bool(
        matrix.left_out
    )
    common = f"in so many of the {count_of(len(matrix.windows), 'window')} in which all pairs have a result"
    return f"{how}, {common}.{lost} {gain}"


def _table(matrix: PairMatrix) -> list[dict[str, Any]]:
    statuses = (Status.BETTER, Status.WORSE, Status.NO_DIFFERENCE, Status.UNDEFINED)
    return [
        {
            "model": pair.model,
            "reference": pair.other,
            "windows": sum(pair.counts.values()),
            **{status.value.replace("_", " "): pair.counts.get(status, 0) for status in statuses},
            "information gain": pair.gain,
        }
        for pair in matrix.pairs
        if pair.counts
    ]
