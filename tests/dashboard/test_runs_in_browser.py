"""The run monitor in a real browser: it follows a run by itself."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from forequake.results import RunState
from stores import Binding, ResultsStore, RunRef, open_store
from stores.testing import sample_experiment, sample_label, sample_result, sample_run

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

pytestmark = pytest.mark.browser

Server = Callable[[str], AbstractContextManager[str]]
CELLS = ".js-plotly-plot .heatmaplayer"


def _publish(store: ResultsStore, run: RunRef, number: int) -> None:
    result = sample_result(number)
    store.put([result])
    store.publish(run, [Binding(label=sample_label(window=number, experiment="live"), key=result.key)])


def test_the_monitor_follows_a_run_while_prefect_is_down(
    serve: Server, browser: "BrowserContext", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    url = f"sqlite:///{tmp_path / 'results.sqlite'}"
    store = open_store(url)
    record = sample_experiment("live")
    store.put([record])
    begun = store.begin_run(sample_run(record).model_copy(update={"owner": "elsewhere/boot/1/1"}))
    run = RunRef(id=begun.id, experiment="live", run_no=begun.run_no)
    assert begun.state is RunState.RUNNING
    with serve(url) as address:
        page = browser.pages[0]
        urls: list[str] = []
        page.on("request", lambda request: urls.append(request.url))
        page.goto(f"{address}/runs?experiment=live")
        results = page.get_by_test_id("stMetric").filter(has=page.get_by_text("Results", exact=True))
        results.get_by_text("0", exact=True).wait_for()
        page.get_by_text("There is no window yet").wait_for()
        for number in (1, 2):  # nobody touches the page meanwhile
            _publish(store, run, number)
            results.get_by_text(str(number), exact=True).wait_for()
        page.wait_for_selector(CELLS, state="attached")
        page.get_by_text("Prefect does not answer").wait_for()
        own = urlsplit(address).netloc
        assert {urlsplit(each).netloc for each in urls if each.startswith("http")} == {own}
