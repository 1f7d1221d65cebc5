"""What the dashboard's tests share: rows made by hand, filled stores, a running server, a browser."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from dashboard.launch import APP
from dashboard.testing import FLAGS, NoChromium, chromium_program, serving
from forequake.evaluations.registry import find_test
from forequake.results import LowerQuantile, Outcome
from stores import ResultRow, open_store
from stores.testing import fill_store, sample_digest, sample_label
from tests.dashboard.browsing import LOOKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext
    from streamlit.testing.v1 import AppTest

RowMaker = Callable[..., ResultRow]
Server = Callable[[str], AbstractContextManager[str]]
#: Opens a page: the store's address, the name of the view, and the parameters of the address.
PageOpener = Callable[..., "AppTest"]


@pytest.fixture(scope="session")
def row() -> RowMaker:
    """Make a result in its place; what is not named is that of a passed test with three events."""

    def make(
        test: str = "S",
        model: str = "alpha",
        window: int = 0,
        outcome: Outcome = Outcome.PASSED,
        reference: str | None = None,
        **fields: Any,
    ) -> ResultRow:
        definition = find_test(test)
        given: dict[str, Any] = {
            "quantiles": None if outcome is Outcome.UNDEFINED else LowerQuantile(q=0.5),
            "reason": "no target events" if outcome is Outcome.UNDEFINED else None,
            "statistic": -12.5,
            "n_observed": 3,
            "n_forecast": 2.5,
            "side": definition.side,
            "alpha": 0.05,
        }
        return ResultRow(
            label=sample_label(test, model, window, reference=reference),
            key=sample_digest(f"{test} {model}", window),
            run_no=1,
            bound_at=datetime(2024, 1, 1, tzinfo=UTC),
            kind=definition.kind,
            test=definition.name,
            outcome=outcome,
            seed=1,
            computed_at=datetime(2024, 1, 1, tzinfo=UTC),
            **(given | fields),
        )

    return make


@pytest.fixture(scope="session")
def one_week(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Fill a store with one window in which two computations failed; give its address."""
    url = f"sqlite:///{tmp_path_factory.mktemp('one-week') / 'results.sqlite'}"
    fill_store(
        open_store(url), models=("alpha", "beta", "gamma"), windows=1, failed=2, experiment="week", seed=3
    )
    return url


@pytest.fixture(scope="session")
def many_weeks(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Fill a store with an experiment of twelve windows and, later, one of a single window."""
    url = f"sqlite:///{tmp_path_factory.mktemp('many-weeks') / 'results.sqlite'}"
    store = open_store(url)
    fill_store(store, tests=("N", "L", "S", "T"), windows=12, failed=1, experiment="weeks")
    fill_store(store, tests=("N",), models=("alpha",), windows=1, experiment="later")
    return url


@pytest.fixture(scope="session")
def serve() -> Server:
    """Start the dashboard on a store, as the command line does; the context gives its address."""

    return serving


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Iterator[PageOpener]:
    """Open pages of the app on stores, by Streamlit's own test runner; nothing is remembered from others."""
    import streamlit as st
    from streamlit.testing.v1 import AppTest

    def opened(store_url: str, view: str = "overview", **query: str | list[str]) -> AppTest:
        monkeypatch.setenv("FOREQUAKE_STORE", store_url)
        app = AppTest.from_file(str(APP), default_timeout=60)
        if view != "overview":
            app.switch_page(f"views/{view}.py")
        for name, value in query.items():
            app.query_params[name] = value
        app.run()
        assert not app.exception, app.exception
        return app

    st.cache_data.clear()
    st.cache_resource.clear()
    yield opened
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture(scope="session")
def ridge(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Run a small experiment on real earthquakes twice; give the store's address."""
    from tests.dashboard.ridge import make_ridge

    return make_ridge(tmp_path_factory.mktemp("ridge"))


@pytest.fixture(scope="module")
def chromium() -> Iterator["Browser"]:
    """Start the system's Chromium; each context of it is a browser of its own."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=_executable(), args=list(FLAGS))
        yield started
        started.close()


@pytest.fixture
def browser(chromium: "Browser") -> Iterator["BrowserContext"]:
    """Give a browser that has seen nothing yet, with one page."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(30_000)
    context.add_init_script(path=LOOKING)
    context.new_page()
    yield context
    context.close()


def _executable() -> str:
    try:
        return chromium_program()
    except NoChromium as missing:
        if os.environ.get("CI") == "true" or os.environ.get("FOREQUAKE_REQUIRE_BROWSER") == "1":
            pytest.fail(str(missing))
        pytest.skip(str(missing))
