"""Permanent links: a store as it stood at a time, and pages that later results leave as they were."""

import re
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from streamlit.testing.v1 import AppTest

from dashboard._as_of import address_at, parted
from forequake.quantities import now
from stores import PastStore, ReadOnlyStore, ResultColumns, ResultQuery, ResultsStore, open_store
from stores.testing import fill_store
from tests.dashboard.conftest import PageOpener
from tests.dashboard.reading import figures, words

#: Questions whose answers are of values, which never change, or of what there is to copy.
_TIMELESS = {"get", "get_many", "existing", "scan", "open_blob", "bindings", "timings", "close", "closed"}
_VIEWS = ("overview", "consistency", "comparison", "time", "calibration")


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'results.sqlite'}"


@pytest.fixture
def store(url: str) -> ResultsStore:
    found = open_store(url)
    fill_store(found, tests=("N", "S", "T"), windows=4, experiment="weeks")
    return found


def _asked(store: ResultsStore) -> list[object]:
    rows = store.latest(ResultQuery(experiment="weeks")).rows
    (summary,) = store.experiments()
    return [
        store.overview("weeks").model_copy(update={"token": 0}),
        store.coverage("weeks"),
        store.coverage("weeks", rows[-1].label.window.start),
        *(_shown(store.columns("weeks", test)) for test in ("N", "T")),
        {(row.label.slot, row.key) for row in rows},
        [len(store.history(row.label.slot)) for row in rows],
        summary.model_copy(update={"token": 0, "n_results": 0, "n_runs": 0}),
        [run.run_no for run in store.runs("weeks")],
    ]


def _shown(columns: ResultColumns | None) -> object:
    """Give the parts of columns, with arrays as text: no other NaN equals NaN."""
    return {name: str(part) for name, part in vars(columns).items()}


def _add(store: ResultsStore) -> datetime:
    """Add windows and other values of those that there are; give the time before."""
    moment = now()
    fill_store(store, tests=("N", "S", "T"), windows=6, experiment="weeks", seed=9)
    return moment


def test_a_store_answers_as_it_did(store: ResultsStore) -> None:
    before = _asked(store)
    moment = _add(store)
    assert all(one != other for one, other in zip(before, _asked(store), strict=True))
    assert _asked(PastStore(store, moment)) == before
    assert _asked(PastStore(store, now())) == _asked(store)


def test_every_question_about_results_is_asked_as_of_the_time() -> None:
    refused = {name for name, part in vars(ReadOnlyStore).items() if "_refuse" in _names_in(part)}
    questions = {name for name in vars(ReadOnlyStore) if not name.startswith("_")} - refused - _TIMELESS
    assert questions == questions & vars(PastStore).keys()


def _names_in(part: object) -> tuple[str, ...]:
    code = getattr(part, "__code__", None)
    return () if code is None else code.co_names


def test_an_address_has_its_time_to_the_microsecond() -> None:
    moment = now()
    assert parted(address_at("mongodb://host/db?a=1#x", moment)) == ("mongodb://host/db?a=1#x", moment)


def _link(app: AppTest) -> dict[str, list[str]]:
    codes: Any = app.sidebar.get("code")
    return parse_qs(urlsplit(str(codes[0].value)).query)


def _drawn(app: AppTest) -> list[object]:
    """Give figures and words, without what tells how long ago something was and when it was read."""
    said = re.sub(r".*(Data as of|As of|as_of=).*", "", words(app))
    return [figures(app), said]


@pytest.mark.slow
def test_a_permanent_link_shows_the_same_when_results_came_since(
    page: PageOpener, store: ResultsStore, url: str
) -> None:
    asked: dict[str, Any] = {"experiment": "weeks", "model": ["alpha", "beta", "gamma"]}
    links = {view: _link(page(url, view, **asked)) for view in _VIEWS}
    before = {view: _drawn(page(url, view, **link)) for view, link in links.items()}
    _add(store)
    page(url).button(key="refresh").click().run()
    for view, link in links.items():
        again = page(url, view, **link)
        assert _drawn(again) == before[view], view
        assert _link(again) == link
        assert "later results are left out" in words(again)
    assert _drawn(page(url, "overview", **asked)) != before["overview"]
    latest = page(url, "overview", **links["overview"]).button(key="show the latest").click().run()
    assert "as_of" not in latest.query_params


@pytest.mark.slow
@pytest.mark.usefixtures("store")
def test_a_time_that_is_none_is_said(page: PageOpener, url: str) -> None:
    app = page(url, experiment="weeks", as_of="yesterday")
    assert "'yesterday' is no time in UTC" in words(app)
