"""Runs whose catalogs a service gives: snapshots with their retrievals, new events, an outage."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import ThreadingHTTPServer
from typing import Any

import pytest

from forequake.results import CatalogRetrieval, CatalogSnapshot
from tests.catalogs.queries.event_services import EPOCH, MILLISECOND, Handler, Quake, Service, status

pytestmark = pytest.mark.prefect

Make = Callable[..., Any]


def _quake(year: int, month: int) -> Quake:
    time = (datetime(year, month, 1, tzinfo=UTC) - EPOCH) // MILLISECOND
    return Quake(name=f"q{year}{month:02}", time=time, longitude=0.5, latitude=0.5, magnitude=5.1)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    vars(server)["service"] = service = Service(url=f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    monkeypatch.setenv("FOREQUAKE_COMCAT_URL", f"{service.url}/comcat/fdsnws/event/1")
    yield service
    server.shutdown()
    server.server_close()


def _queried(experiment: Any, *more: str) -> None:
    lines = experiment.config.read_text().replace("catalog: catalog.csep", "catalog: query_comcat")
    experiment.config.write_text(lines + "".join(f"{line}\n" for line in more))


def test_each_run_keeps_what_the_service_gave(
    prefect_api: str, make_experiment: Make, service: Service
) -> None:
    small = make_experiment(windows=1)
    _queried(small, "input_catalog: {query: comcat, start_date: 1990-01-01, mag_min: 4.0}")
    service.quakes = [_quake(1995, 3), _quake(2000, 2), _quake(2000, 5)]
    code, out, err = small.run()
    assert (code, "2 target events" in out) == (0, True), out + err
    assert "Asking comcat for events" in err
    asked = len(service.asked)
    code, out, err = small.run()
    assert (code, "Nothing to compute" in out) == (0, True), out + err
    assert len(service.asked) > asked  # every run asks for what is known then

    service.quakes.append(_quake(2000, 8))
    code, out, err = small.run()
    assert (code, "3 target events" in out) == (0, True), out + err
    store = small.open()
    retrievals = store.scan(CatalogRetrieval)
    sizes = {snapshot.key: snapshot.n_events for snapshot in store.scan(CatalogSnapshot)}
    found = sorted((retrieval.purpose, sizes[retrieval.snapshot]) for retrieval in retrievals)
    assert found == [("learning", 3), ("learning", 4), ("testing", 2), ("testing", 3)]
    assert {retrieval.source for retrieval in retrievals} == {"query_comcat"}


def test_a_refusal_of_the_service_is_told_in_its_words(
    prefect_api: str, make_experiment: Make, service: Service
) -> None:
    small = make_experiment(windows=1)
    _queried(small)
    service.faults = [status(400, b"Error 400: Bad Request\n\nno such parameter\n")]
    code, out, err = small.run()
    assert (code, out) == (2, "")
    assert "no such parameter" in err
    assert "Traceback" not in err


def test_a_service_that_is_away_is_no_mistake_of_the_user(
    prefect_api: str, make_experiment: Make, service: Service
) -> None:
    small = make_experiment(windows=1)
    _queried(small)
    # It asks to be left alone for longer than anybody waits.
    service.faults = [status(503, b"busy", **{"Retry-After": "86400"})]
    code, out, err = small.run()
    assert (code, out) == (1, "")
    assert "503" in err
    assert "Run again later" in err
    assert "Traceback" not in err
