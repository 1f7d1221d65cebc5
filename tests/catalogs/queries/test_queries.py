"""Asking the services, which a local server speaks for: limits, paging, notes, and pyCSEP's own answers."""

import json
import math
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from urllib import request

import numpy as np
import pytest

from forequake.catalogs.queries import Patience, QueryBounds, query
from forequake.catalogs.source_events import SourceEvents
from forequake.catalogs.specs import Service as ServiceName
from forequake.errors import CatalogError
from tests.catalogs.queries.event_services import (
    Handler,
    Quake,
    Service,
    comcat,
    comcat_body,
    status,
)

START = datetime(2019, 7, 6, 3, tzinfo=UTC)
END = START + timedelta(days=7)
RIDGECREST = QueryBounds(START, END, 2.5, (0.0, 30.0), (-118.5, -116.5, 35.0, 37.0))
FIRST = 1_562_383_193_040  # the magnitude 7.1 earthquake of Ridgecrest, in milliseconds: 03:19:53.04

PLACES: dict[ServiceName, str] = {
    "comcat": "/comcat/fdsnws/event/1/query",
    "bsi": "/bsi/fdsnws/event/1/query",
    "geonet": "/geonet/geojson",
    "gcmt": "/gcmt/fdsnws/event/1/query",
}


def _quakes(number: int, step: int = 1000, **values: Any) -> list[Quake]:
    """Give events, one every so many milliseconds, the first a minute after the start."""
    return [Quake(str(23_000_000 + n), FIRST + 60_000 + n * step, **values) for n in range(number)]


def _ask(
    service: Service, patience: Patience, name: ServiceName = "comcat", bounds: QueryBounds = RIDGECREST
) -> SourceEvents:
    return query(name, bounds, address=service.url + PLACES[name], patience=patience)


def test_comcats_events_as_it_writes_them(service: Service, patience: Patience) -> None:
    service.quakes = [
        Quake("ci38457511", FIRST, -117.5993333, 35.7695, 8.0, 7.1, "earthquake", "mw", 1_600_000_000_000),
        Quake("ci38457775", FIRST + 41, -117.6, 35.7, -0.4, 2.51, "quarry blast", "ml"),
        Quake("ci38457776", FIRST + 42, -117.6, 35.7, None, 3.0, "earthquake", "md"),
    ]
    found = _ask(service, patience)
    assert found.events.event_id.tolist() == ["ci38457511", "ci38457775", "ci38457776"]
    assert found.events.times()[0] == datetime(2019, 7, 6, 3, 19, 53, 40_000, tzinfo=UTC)
    assert found.events.longitude.tolist() == [-117.5993333, -117.6, -117.6]
    assert found.events.latitude.tolist() == [35.7695, 35.7, 35.7]
    assert found.events.depth_km.tolist()[:2] == [8.0, -0.4]
    assert math.isnan(found.events.depth_km[2])
    assert found.events.magnitude.tolist() == [7.1, 2.51, 3.0]
    assert found.event_type.tolist() == ["earthquake", "quarry blast", "earthquake"]
    assert found.magnitude_type.tolist() == ["mw", "ml", "md"]


def test_what_comcat_is_asked(service: Service, patience: Patience) -> None:
    _ask(service, patience, bounds=QueryBounds(START, END + timedelta(microseconds=1), 4.95, (2.0, 30.0)))
    assert service.asked == [
        {
            "format": "geojson",
            "starttime": "2019-07-06T03:00:00",
            "endtime": "2019-07-13T03:00:01",
            "mindepth": "1.5",
            "maxdepth": "30.5",
            "minmagnitude": "4.9",
            "orderby": "time-asc",
            "limit": "20000",
        }
    ]
    assert service.agents[0].startswith("forequake/")


def test_a_least_depth_of_zero_is_the_surface_and_sets_no_limit(service: Service, patience: Patience) -> None:
    _ask(service, patience)
    assert "mindepth" not in service.asked[0]
    assert service.asked[0]["maxdepth"] == "30.5"
    sides = [
        service.asked[0][side] for side in ("minlongitude", "maxlongitude", "minlatitude", "maxlatitude")
    ]
    assert sides == ["-118.501", "-116.499", "34.999", "37.001"]


def test_what_geonet_is_asked(service: Service, patience: Patience) -> None:
    box = (164.0, 179.0, -47.0, -34.0)
    _ask(service, patience, "geonet", QueryBounds(START, END, 2.95, (0.0, 45.5), box))
    assert service.asked == [
        {
            "bbox": "163.999,-47.001,179.001,-33.999",
            "startdate": "2019-07-06T03:00:00",
            "enddate": "2019-07-13T03:00:00",
            "maxdepth": "46",
            "minmag": "2.9",
        }
    ]


def test_notes_say_what_was_asked_and_how_much_came(service: Service, patience: Patience) -> None:
    service.quakes = _quakes(29)
    first, second = _ask(service, patience).notes
    assert first == "ComCat: 29 events from 2019-07-06T03:00:00Z to 2019-07-13T03:00:00Z (1 request)"
    assert second.startswith("ComCat: asked 20")
    assert second.endswith("&limit=20000 (it counts 29)")
    assert (
        f"Z: {service.url}/comcat/fdsnws/event/1/query?format=geojson&starttime=2019-07-06T03:00:00" in second
    )


def test_notes_hold_no_secrets(service: Service, patience: Patience) -> None:
    port = service.url.rpartition(":")[2]
    address = f"http://ann:pass@127.0.0.1:{port}{PLACES['comcat']}?token=sesame"
    found = query("comcat", RIDGECREST, address=address, patience=patience)
    assert service.asked[0]["token"] == "sesame"
    assert not [note for note in found.notes for word in ("ann", "pass", "sesame") if word in note]
    service.faults = [status(400, b"no")]
    with pytest.raises(CatalogError) as caught:
        query("comcat", RIDGECREST, address=address, patience=patience)
    assert not [word for word in ("ann:", "pass", "sesame") if word in str(caught.value)]


def test_more_events_than_one_answer_holds_come_in_halves(service: Service, patience: Patience) -> None:
    service.quakes = _quakes(20_001, step=29_000)
    found = _ask(service, patience)
    assert len(found) == 20_001
    assert found.events.event_id.tolist() == [quake.name for quake in service.quakes]
    assert np.all(np.diff(found.events.time_us) == 29_000_000)
    assert len(service.asked) == 3
    assert "20001 events" in found.notes[0]
    assert "(3 requests)" in found.notes[0]


def test_an_answer_that_was_cut_without_a_word_is_not_all(service: Service, patience: Patience) -> None:
    service.quakes, service.limit = _quakes(1500, step=400_000), 1000
    assert len(_ask(service, patience, "bsi")) == 1500


def test_exactly_a_round_number_of_events_is_asked_for_again(service: Service, patience: Patience) -> None:
    service.quakes = _quakes(1000, step=500_000)
    assert len(_ask(service, patience, "bsi")) == 1000
    assert len(service.asked) == 3


def test_a_swarm_in_one_answer_counts_once_at_the_edge_of_halves(
    service: Service, patience: Patience
) -> None:
    """All around the middle of the span, which both halves hold."""
    middle = int((START + (END - START) / 2).timestamp()) * 1000
    service.quakes = [Quake(f"ci{n}", middle + n * 100) for n in range(700)]
    service.limit = 600
    service.faults = [status(400, b"700 matching events exceeds search limit of 600")]
    with pytest.raises(CatalogError, match="cannot give all events between"):
        _ask(service, patience)
    service.limit = 1000
    service.faults = [status(400, b"700 matching events exceeds search limit of 600")]
    assert len(_ask(service, patience)) == 700


def test_an_event_revised_between_two_pages_is_there_once_in_its_latest_form(
    service: Service, patience: Patience
) -> None:
    middle = int((START + (END - START) / 2).timestamp()) * 1000
    before = Quake("ci1", middle + 20_000, magnitude=4.0, updated=10)
    after = Quake("ci1", middle - 20_000, magnitude=4.3, updated=20)
    too_many = status(413, b"too large")
    for pages in ([[before], [after]], [[after], [before]]):
        service.faults = [too_many, *(status(200, comcat_body(page)) for page in pages)]
        assert _ask(service, patience).events.magnitude.tolist() == [4.3]


def test_an_event_moved_out_of_the_half_that_is_still_to_come(service: Service, patience: Patience) -> None:
    middle = int((START + (END - START) / 2).timestamp()) * 1000
    service.quakes = [Quake("ci1", middle + 20_000)]

    def then_revise(handler: Handler) -> None:
        comcat(handler, service, service.asked[-1])
        service.quakes = [Quake("ci1", middle - 20_000)]

    service.faults = [status(413, b"too large"), then_revise]
    assert len(_ask(service, patience)) == 1


def test_a_gateway_that_runs_out_of_time_is_asked_for_less(service: Service, patience: Patience) -> None:
    service.quakes = _quakes(10)
    service.faults = [status(504, b"<h1>Gateway Time-out</h1>")] * 2
    assert len(_ask(service, patience)) == 10
    assert [asked["endtime"][5:10] for asked in service.asked] == [
        "07-13",
        "07-09",
        "07-07",
        "07-09",
        "07-13",
    ]


@pytest.mark.parametrize("box", [(170.0, -170.0, -50.0, -30.0), (170.0, 190.0, -50.0, -30.0)])
def test_a_box_over_the_antimeridian(
    service: Service, patience: Patience, box: tuple[float, float, float, float]
) -> None:
    at = {"latitude": -40.0, "kind": "earthquake"}
    service.quakes = [
        Quake(name, FIRST + n, longitude, **at)  # type: ignore[arg-type]
        for n, (name, longitude) in enumerate([("a", 175), ("b", -175), ("c", 160), ("d", 0), ("e", 180)])
    ]
    found = _ask(service, patience, bounds=QueryBounds(START, END, 2.5, None, box))
    assert found.events.event_id.tolist() == ["a", "b", "e"]
    sides = [(float(asked["minlongitude"]), float(asked["maxlongitude"])) for asked in service.asked]
    assert sides == [(169.999, 180.0), (-180.0, -169.999)]


@pytest.mark.parametrize("box", [(0.0, 360.0, -90.0, 90.0), (-180.0, 180.0, -90.0, 90.0)])
def test_a_box_around_the_world(
    service: Service, patience: Patience, box: tuple[float, float, float, float]
) -> None:
    _ask(service, patience, bounds=QueryBounds(START, END, 2.5, None, box))
    sides = ("minlongitude", "maxlongitude", "minlatitude", "maxlatitude")
    assert [service.asked[0][side] for side in sides] == ["-180", "180", "-90", "90"]
    assert len(service.asked) == 1


def test_events_without_a_magnitude_are_named(service: Service, patience: Patience) -> None:
    service.quakes = [Quake("1", FIRST), Quake("2", FIRST + 1, magnitude=None)]
    found = _ask(service, patience)
    assert found.events.event_id.tolist() == ["1"]
    assert "ComCat: 1 events without a magnitude were left out" in found.notes


def test_the_address_may_come_from_the_environment(
    service: Service, patience: Patience, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOREQUAKE_COMCAT_URL", f"{service.url}/comcat/fdsnws/event/1/")
    service.quakes = _quakes(2)
    assert len(query("comcat", RIDGECREST, patience=patience)) == 2
    monkeypatch.setenv("FOREQUAKE_COMCAT_URL", "ann:secret@nowhere")
    with pytest.raises(
        CatalogError, match="FOREQUAKE_COMCAT_URL, the address of ComCat, must begin"
    ) as caught:
        query("comcat", RIDGECREST, patience=patience)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("address", ["ftp://host/x", "file:///etc/passwd", "http://", "http://[::1", ""])
def test_addresses_that_are_none(address: str) -> None:
    with pytest.raises(CatalogError, match="the address of BSI must begin with https:// or http://"):
        query("bsi", RIDGECREST, address=address)


def test_no_such_service() -> None:
    with pytest.raises(CatalogError, match="no catalog service 'comkat'; did you mean 'comcat'"):
        query("comkat", RIDGECREST)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("bounds", "words"),
    [
        ({"start": END, "end": START}, "must start before it ends"),
        ({"start": START.replace(tzinfo=None)}, "needs a time zone"),
        ({"box": (0.0, 1.0, 5.0, 4.0)}, "not on the Earth"),
        ({"box": (0.0, 1.0, 5.0, 94.0)}, "not on the Earth"),
        ({"magnitude_min": math.nan}, "finite"),
    ],
)
def test_bounds_that_make_no_sense(bounds: dict[str, Any], words: str) -> None:
    with pytest.raises(CatalogError, match=words):
        QueryBounds(**{"start": START, "end": END} | bounds)


# pyCSEP's own clients, pointed at the same server.


def _theirs(name: ServiceName, service: Service, monkeypatch: pytest.MonkeyPatch, bounds: QueryBounds) -> Any:
    import csep
    from csep.utils import comcat, geonet, iris

    place = service.url + PLACES[name]
    monkeypatch.setattr(comcat, "SEARCH_TEMPLATE", place + "?format=geojson")
    monkeypatch.setattr(iris, "HOST_CATALOG", place + "?")

    def rerouted(url: str, timeout: float) -> Any:
        return request.urlopen(place + "?" + url.partition("?")[2], timeout=timeout)

    monkeypatch.setattr(geonet, "request", SimpleNamespace(urlopen=rerouted))
    ask = {
        "comcat": csep.query_comcat,
        "bsi": csep.query_bsi,
        "geonet": csep.query_gns,
        "gcmt": csep.query_gcmt,
    }[name]
    assert bounds.box is not None
    west, east, south, north = bounds.box
    return ask(
        bounds.start.replace(tzinfo=None),
        bounds.end.replace(tzinfo=None),
        bounds.magnitude_min,
        min_longitude=west,
        max_longitude=east,
        min_latitude=south,
        max_latitude=north,
        max_depth=30,
        verbose=False,
    ).data


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", PLACES)
def test_the_same_events_as_pycsep_from_the_same_answers(
    name: ServiceName, service: Service, patience: Patience, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = np.random.default_rng(20190706)
    service.quakes = [
        Quake(
            str(30_000_000 + n),
            # The text form of GCMT has whole seconds.
            (FIRST // 1000 + int(second)) * 1000 + (0 if name == "gcmt" else int(milli)),
            round(float(longitude), 4),
            round(float(latitude), 4),
            round(float(depth), 2),
            round(float(magnitude), 2),
        )
        for n, (second, milli, longitude, latitude, depth, magnitude) in enumerate(
            zip(
                np.sort(generator.integers(60, 600_000, 300)),
                generator.integers(0, 1000, 300),
                generator.uniform(-118, -117, 300),
                generator.uniform(35.2, 36.8, 300),
                generator.uniform(0, 25, 300),
                generator.uniform(2.6, 7, 300),
                strict=True,
            )
        )
    ]
    theirs = _theirs(name, service, monkeypatch, RIDGECREST)
    ours = _ask(service, patience, name).events
    assert len(ours) == 300
    assert ours.event_id.tolist() == [identity.decode() for identity in theirs["id"]]
    for column in ("longitude", "latitude", "magnitude"):
        assert getattr(ours, column).tolist() == theirs[column].tolist()
    assert ours.depth_km.tolist() == theirs["depth"].tolist()
    # pyCSEP keeps milliseconds, by way of floating point for texts.
    assert np.max(np.abs(ours.time_us // 1000 - theirs["origin_time"])) <= (1 if name == "geonet" else 0)
    assert [quake.time for quake in service.quakes] == (ours.time_us // 1000).tolist()


def test_times_to_the_microsecond_where_the_service_gives_them(service: Service, patience: Patience) -> None:
    feature = {
        "properties": {
            "eventId": 863301,
            "time": "2019-07-06T23:58:58.770123",
            "mag": 2.1,
            "type": "earthquake",
        },
        "geometry": {"coordinates": [11.0305, 44.8797, 8.1]},
    }
    service.faults = [status(200, json.dumps({"features": [feature]}).encode())]
    found = _ask(service, patience, "bsi")
    assert found.events.times() == [datetime(2019, 7, 6, 23, 58, 58, 770_123, tzinfo=UTC)]
    assert found.magnitude_type.tolist() == [""]
