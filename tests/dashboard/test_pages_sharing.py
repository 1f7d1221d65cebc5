"""Links that show the same view later on, and the form in which figures are saved."""

import json
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from streamlit.testing.v1 import AppTest

from tests.dashboard.conftest import PageOpener

pytestmark = pytest.mark.slow


@pytest.fixture
def page(page: PageOpener, many_weeks: str) -> PageOpener:
    return partial(page, many_weeks)


def _link(app: AppTest) -> dict[str, list[str]]:
    codes: Any = app.sidebar.get("code")
    (code,) = [str(one.value) for one in codes]
    return parse_qs(urlsplit(code).query)


def test_the_link_names_the_window_that_is_the_latest_now(page: PageOpener) -> None:
    link = _link(page(experiment="weeks", window="Latest window", model=["beta", "gamma"]))
    assert link.pop("as_of")
    assert link == {
        "experiment": ["weeks"],
        "window": ["2020-03-18 to 2020-03-25"],
        "model": ["beta", "gamma"],
    }
    again = _link(page(**link))
    assert again.pop("as_of")
    assert again == link


def test_the_link_of_all_windows_names_none(page: PageOpener) -> None:
    link = _link(page(experiment="weeks"))
    assert link.keys() == {"as_of", "experiment"}
    assert _link(page(**link)) == link


@pytest.mark.parametrize(("asked", "form", "scale"), [({}, "svg", 1), ({"picture": "PNG"}, "png", 3)])
def test_figures_are_saved_in_the_chosen_form(
    page: PageOpener, asked: dict[str, Any], form: str, scale: int
) -> None:
    app = page(experiment="weeks", **asked)
    config = json.loads(app.get("plotly_chart")[0].proto.config)
    assert config["toImageButtonOptions"] == {"format": form, "filename": "forequake", "scale": scale}
