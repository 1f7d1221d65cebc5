"""The way to the page of one result: from marks that are clicked, and from rows of tables that are chosen."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

import streamlit as st

from dashboard._experiment import Place
from dashboard.views._filters import of_this_time
from forequake.results import Label
from forequake.windows import TimeWindow
from stores import ResultRow

__all__ = ["Opens", "open_slot", "place_named", "slot_in", "slot_of", "slots_of"]

#: Gives the slot of the result that a row of a table is of; None where it is of none.
Opens: TypeAlias = Callable[[Mapping[str, Any]], str | None]


def open_slot(slot: str) -> None:
    """Go to the page of one result."""
    st.switch_page("views/result.py", query_params=of_this_time(slot=slot))


def slot_of(experiment: str, place: Place, window: TimeWindow) -> str:
    """Give the slot of a test of a model, with its reference, in a window."""
    model, test, reference = place
    return Label(experiment=experiment, test=test, model=model, reference=reference, window=window).slot


def place_named(entry: Mapping[str, Any]) -> Place:
    """Give model, test and reference of a row of a table."""
    return entry["model"], entry["test"], entry["reference"]


def slots_of(rows: Iterable[ResultRow | None]) -> Opens:
    """Find the slots of results by model, test and reference, as tables of cells name them."""
    labels = {
        (row.label.model, row.label.test, row.label.reference): row.label for row in rows if row is not None
    }
    return lambda entry: slot_in(labels, place_named(entry))


def slot_in(labels: Mapping[Any, Label], place: Any) -> str | None:
    """Give the slot of what is in a place: only there is it worked out, since a page may have very many."""
    label = labels.get(place)
    return None if label is None else label.slot
