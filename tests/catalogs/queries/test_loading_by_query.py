"""A definition that asks a service: what is asked, the rules, and the notes."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from forequake.catalogs import CatalogRules, CatalogSpec, QueryCatalog, load_catalog
from forequake.catalogs.queries import QueryBounds
from tests.catalogs.queries.event_services import Quake, Service

START = datetime(2019, 7, 6, 3, tzinfo=UTC)
BOUNDS = QueryBounds(START, START + timedelta(days=7), 2.5, (0.0, 30.0), (-118.5, -116.5, 35.0, 37.0))
FIRST = 1_562_383_193_040  # milliseconds: 2019-07-06T03:19:53.04


def _nowhere(text: str) -> Path:
    message = f"a query reads no file such as {text}"
    raise AssertionError(message)


def test_what_a_service_gives_is_put_right_by_the_rules_and_cut_exactly(service: Service) -> None:
    service.quakes = [
        Quake("ci1", FIRST, -117.6, 35.77, 8.0, 7.1, "earthquake", "mw"),
        Quake("ci2", FIRST + 1000, -117.6, 35.77, -0.4, 2.51, "quarry blast", "ml"),
        Quake("ci3", FIRST + 2000, -117.6, 35.77, 1.0, 2.49, "earthquake", "ml"),
    ]
    source = QueryCatalog(service="comcat", address=service.url + "/comcat/fdsnws/event/1/query")
    loaded = load_catalog(CatalogSpec(source=source), _nowhere, BOUNDS)
    assert loaded.events.event_id.tolist() == ["ci1"]
    assert loaded.source == "query_comcat"
    assert any("3 events from 2019-07-06T03:00:00Z" in note for note in loaded.notes)
    assert any(note.startswith("1 event left out by type: 1 quarry blast") for note in loaded.notes)
    kept = CatalogSpec(source=source, magnitude_min=2.5, rules=CatalogRules(event_types=None))
    assert load_catalog(kept, _nowhere, BOUNDS).events.event_id.tolist() == ["ci1", "ci2"]


def test_an_input_catalog_is_asked_for_from_long_before_the_first_window(service: Service) -> None:
    service.quakes = [Quake("ci0", FIRST - 5 * 365 * 86_400_000, -117.6, 35.77, 8.0, 5.0, "earthquake", "mw")]
    source = QueryCatalog(service="comcat", address=service.url + "/comcat/fdsnws/event/1/query")
    loaded = load_catalog(CatalogSpec(source=source), _nowhere, BOUNDS, learning=True)
    assert loaded.events.event_id.tolist() == ["ci0"]
    assert loaded.notes[0] == (
        "query_comcat: the input catalog has no start_date; it is asked for from 2009-07-06 on, "
        "10 years before the first window"
    )
