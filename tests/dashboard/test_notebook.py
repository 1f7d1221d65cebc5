"""Figures and tables for notebooks: those of reports, by their names."""

import re
from pathlib import Path

import pytest

from dashboard.notebook import figures, tables
from forequake.errors import InputError
from stores import ResultQuery, open_store

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parents[2] / "docs" / "dashboard.md"


def test_figures_have_the_names_that_reports_give_and_the_words_beside_them(many_weeks: str) -> None:
    drawn = figures("weeks", many_weeks)
    assert list(drawn)[:2] == ["overview-1", "consistency-N"]
    for figure in drawn.values():
        assert figure.layout.meta["alt"]
        assert figure.layout.meta["caption"]


def test_a_window_a_model_and_a_test_are_chosen(many_weeks: str) -> None:
    store = open_store(many_weeks)
    row = store.latest(ResultQuery(experiment="weeks", tests=("N",), models=("beta",))).rows[0]
    drawn = figures("weeks", store, window=row.label.window, models=["beta"], tests=["N"])
    observed = [trace for trace in drawn["consistency-N"].data if row.statistic in (trace.x or ())]
    assert observed
    (table,) = [
        rows
        for title, rows in tables("weeks", store, window=row.label.window.id).items()
        if "window" in title
    ]
    found = [each for each in table if (each["model"], each["test"]) == ("beta", "N")]
    assert [each["events"] for each in found] == [row.n_observed]


def test_dark_figures_have_other_colours(many_weeks: str) -> None:
    light, dark = (figures("weeks", many_weeks, tests=["N"], theme=kind) for kind in ("light", "dark"))
    assert light["consistency-N"].to_json() != dark["consistency-N"].to_json()


def test_an_unknown_name_is_said_with_what_there_is(many_weeks: str) -> None:
    with pytest.raises(InputError, match="did you mean 'weeks'"):
        figures("week", many_weeks)
    with pytest.raises(InputError, match="beta"):
        figures("weeks", many_weeks, models=["betta"])


def test_the_example_of_the_docs_runs(many_weeks: str) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    shown = code.replace("sqlite:///results.sqlite", many_weeks).replace("california", "weeks")
    names: dict[str, object] = {}
    exec(compile(shown.replace(".show()", ".to_json()"), "docs", "exec"), names)
    assert names["rows"]
