"""What each page says where it has nothing to show: its own words, and never an error of the program."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from dashboard import _data
from dashboard.launch import APP
from forequake.errors import StoreUnavailable
from stores import ResultQuery, open_store
from stores.testing import fill_store, sample_experiment, sample_run
from tests.dashboard.reading import figures, words

pytestmark = pytest.mark.slow  # every page in every state

VIEWS = sorted(file.stem for file in (APP.parent / "views").glob("*.py") if not file.stem.startswith("_"))
#: The result is named by its link alone.
OF_EXPERIMENTS = [view for view in VIEWS if view != "result"]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Fill a store with one experiment that has results, and one that has but begun."""
    address = f"sqlite:///{tmp_path_factory.mktemp('states') / 'results.sqlite'}"
    store = open_store(address)
    fill_store(store, models=("alpha", "beta"), tests=("N", "S", "T", "ROC"), windows=3, experiment="there")
    begun = sample_experiment("begun")
    store.put([begun])
    store.begin_run(sample_run(begun))
    return address


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    st.cache_data.clear()
    st.cache_resource.clear()
    yield
    st.cache_data.clear()
    st.cache_resource.clear()


def opened(patch: pytest.MonkeyPatch, url: str, view: str, **query: str) -> AppTest:
    patch.setenv("FOREQUAKE_STORE", url)
    app = AppTest.from_file(str(APP), default_timeout=60)
    if view != "overview":
        app.switch_page(f"views/{view}.py")
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception, app.exception
    assert "Traceback" not in words(app)
    return app


@pytest.mark.parametrize("view", VIEWS)
def test_a_store_that_cannot_be_read_is_said(
    view: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "results.sqlite"
    broken.write_text("this is no database")
    app = opened(monkeypatch, f"sqlite:///{broken}", view, slot="0" * 64)
    (error,) = app.error
    assert "Something in the results store is damaged" in str(error.value)
    assert f"Store: sqlite:///{broken}" in words(app)
    assert "Try again" in [button.label for button in app.button]


@pytest.mark.parametrize("view", OF_EXPERIMENTS)
def test_an_empty_store_tells_how_to_run(view: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address = f"sqlite:///{tmp_path / 'results.sqlite'}"
    open_store(address).close()
    said = words(opened(monkeypatch, address, view))
    assert "No experiment yet" in said
    assert "forequake run" in said


@pytest.mark.parametrize("view", OF_EXPERIMENTS)
def test_an_experiment_without_results_tells_how_to_run(
    view: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = words(opened(monkeypatch, url, view, experiment="begun"))
    if view == "runs":
        assert "There is no window yet" in said
        return
    assert "no results yet" in said
    assert "forequake run" in said


@pytest.mark.parametrize("view", OF_EXPERIMENTS)
def test_unknown_names_in_the_address_are_told(view: str, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    said = words(opened(monkeypatch, url, view, experiment="thera"))
    assert "There is no experiment 'thera'; did you mean 'there'?" in said
    window = "2031-01-01 to 2031-01-08"
    app = opened(monkeypatch, url, view, experiment="there", model="alpah", test="Q", window=window)
    for word in (
        "There is no model 'alpah'; did you mean 'alpha'?",
        "There is no test 'Q'",
        f"no results in the window '{window}'",
    ):
        assert word in words(app)


@pytest.mark.parametrize("view", OF_EXPERIMENTS)
def test_filters_say_how_many_they_leave(view: str, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    app = opened(monkeypatch, url, view, experiment="there", model="beta", test="N")
    assert "The filters leave 1 of 2 models and 1 of 4 tests." in words(app)
    assert not [figure for figure in figures(app) if "alpha" in str(figure["layout"].get("yaxis"))]


@pytest.mark.parametrize(
    ("slot", "said"),
    [
        ("", "Choose a result in the overview"),
        ("abc", "its slot is not a hash of 64 digits"),
        ("0" * 64, "no result in the place that the link names"),
    ],
)
def test_a_result_that_is_not_there_is_told(
    slot: str, said: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert said in words(opened(monkeypatch, url, "result", slot=slot))


def test_a_key_that_a_place_never_had_is_told(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (row, *_) = open_store(url).latest(ResultQuery(experiment="there", tests=("N",))).rows
    app = opened(monkeypatch, url, "result", slot=row.label.slot, key="0" * 64)
    assert "never had the value of this key" in words(app)


@pytest.mark.parametrize("question", ["experiments", "overview", "score_summary"])
def test_the_address_keeps_its_choices_where_a_store_stops(
    question: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = opened(monkeypatch, url, "overview", experiment="there", model="beta", test="S", holm="true")
    before = dict(app.query_params)
    assert set(before) == {"experiment", "model", "test", "holm"}

    def stopped(*_: object) -> None:
        raise StoreUnavailable("it has stopped")

    with monkeypatch.context() as patch:
        patch.setattr(_data, question, stopped)
        app.run()
    assert not app.exception, app.exception
    assert "does not answer" in words(app)
    assert dict(app.query_params) == before
    app.run()
    assert not app.error
    assert dict(app.query_params) == before
    assert "The filters leave 1 of 2 models and 1 of 4 tests." in words(app)
