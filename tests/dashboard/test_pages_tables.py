"""Rows of the tables below figures lead to the results that they are of."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import pytest
import streamlit as st

from dashboard._words import window_name
from dashboard.views import _tables
from forequake.results import Label
from stores import ResultQuery, open_store

pytestmark = pytest.mark.slow

Row = dict[str, Any]
Opens = Callable[[Mapping[str, Any]], str | None]
WINDOW: Final = "2019-07-10 to 2019-07-11"
#: Views with what their addresses choose.
VIEWS: Final[dict[str, tuple[str, dict[str, str | list[str]]]]] = {
    "overview": ("overview", {}),
    "overview of a window": ("overview", {"window": WINDOW}),
    "consistency": ("consistency", {}),
    "comparison": ("comparison", {}),
    "comparison of a window": ("comparison", {"window": WINDOW}),
    "over time": ("time", {}),
    "alarms": ("alarms", {}),
}


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Sequence[Row], Opens]]:
    """Collect the tables whose rows can be chosen."""
    found: list[tuple[Sequence[Row], Opens]] = []

    def seen(table: Sequence[Row], shown: Sequence[Row], key: str, opens: Opens) -> None:
        assert len(table) == len(shown)
        assert not any("slot" in entry for entry in shown)
        found.append((table, opens))

    monkeypatch.setattr(_tables, "_show_opening", seen)
    return found


def _labels(ridge: str) -> dict[str, Label]:
    rows = open_store(ridge).latest(ResultQuery(experiment="ridge")).rows
    return {row.label.slot: row.label for row in rows}


@pytest.mark.parametrize("name", VIEWS)
def test_rows_lead_to_their_results(
    name: str, page: Any, ridge: str, tables: list[tuple[Sequence[Row], Opens]]
) -> None:
    view, query = VIEWS[name]
    page(ridge, view, experiment="ridge", **query)
    labels = _labels(ridge)
    assert tables
    for table, opens in tables:
        slots = [opens(entry) for entry in table]
        assert any(slots)
        for entry, slot in zip(table, slots, strict=True):
            if slot is None:
                assert not entry.get("events") or entry.get("outcome") in (
                    "failed",
                    "running",
                    "not computed",
                )
                continue
            label = labels[slot]
            named: dict[str, list[Any]] = {
                "model": [label.model],
                "test": [label.test],
                "reference": [label.reference],
                "window": [label.window.id, window_name(label.window)],
            }
            assert all(entry[head] in values for head, values in named.items() if head in entry)


def test_the_windows_of_a_result_lead_to_each_other_but_not_to_where_one_is(
    page: Any, ridge: str, tables: list[tuple[Sequence[Row], Opens]]
) -> None:
    label = next(label for label in _labels(ridge).values() if (label.test, label.model) == ("S", "flat"))
    page(ridge, "result", slot=label.slot)
    ((table, opens),) = tables
    assert len(table) > 2
    found = {entry["window"]: opens(entry) for entry in table}
    assert found.pop(window_name(label.window)) is None
    assert set(found.values()) <= set(_labels(ridge))


def test_a_row_without_a_result_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    opened: list[str] = []
    monkeypatch.setattr(st, "caption", said.append)
    monkeypatch.setattr(st, "dataframe", lambda *_, **__: {"selection": {"rows": [1]}})
    monkeypatch.setattr(_tables, "open_slot", opened.append)
    rows = [{"model": "alpha"}, {"model": "beta"}]
    _tables._show_opening(rows, rows, "rows", lambda entry: None)
    assert "no other result" in said[-1]
    _tables._show_opening(rows, rows, "rows", lambda entry: str(entry["model"]))
    assert opened == ["beta"]
