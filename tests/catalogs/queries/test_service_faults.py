"""Services that are not well: each fault is met by a real server, and ends right or in words."""

import gzip
import ssl
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise

import httpx
import pytest

from forequake.catalogs.queries import PATIENCE, Patience, QueryBounds, query
from forequake.catalogs.queries.conversation import Conversation, shown
from forequake.catalogs.source_events import SourceEvents
from forequake.catalogs.specs import Service as ServiceName
from forequake.errors import CatalogError, CatalogUnavailable
from tests.catalogs.queries.event_services import (
    Answer,
    Handler,
    Quake,
    Service,
    comcat_body,
    cut_off,
    drip,
    gcmt_body,
    status,
    unframed,
)

START = datetime(2019, 7, 6, 3, tzinfo=UTC)
WEEK = QueryBounds(START, START + timedelta(days=7), 2.5)
QUAKES = [Quake(f"ci{n}", 1_562_400_000_000 + n) for n in range(3)]
BODY = comcat_body(QUAKES)
TEXT = gcmt_body(QUAKES)
PAGE = b"<!DOCTYPE html><html><head><style>p {}</style></head><body>Down for <b>maintenance</b></body></html>"
PLACES: dict[ServiceName, str] = {
    "comcat": "/comcat/fdsnws/event/1/query",
    "bsi": "/bsi/fdsnws/event/1/query",
    "geonet": "/geonet/geojson",
    "gcmt": "/gcmt/fdsnws/event/1/query",
}


def _ask(service: Service, patience: Patience, name: ServiceName = "comcat") -> SourceEvents:
    return query(name, WEEK, address=service.url + PLACES[name], patience=patience)


@pytest.mark.parametrize(
    "fault",
    [
        status(503, b"<html>busy</html>"),
        status(500),
        status(502),
        status(408),
        status(200, PAGE, "text/html"),
        status(200, b"\xff\xfe"),
        status(200, b"null"),
        status(200, b'{"features": 3}'),
        status(200, b"[" * 100_000),
        cut_off(BODY, 700),
        cut_off(BODY, 0),
        status(200, BODY[:700]),
        unframed(BODY[:700]),
        unframed(b""),
        status(200, BODY.replace(b'"count": 3', b'"count": 4')),
        status(200, BODY.replace(b'"mag": 4.5', b'"mag": "big"')),
        status(200, BODY.replace(b'"mag": 4.5', b'"mag": NaN')),
        status(200, BODY.replace(b"-117.5", b"4711")),
        status(200, BODY.replace(b'"geometry"', b'"geometries"')),
        status(200, gzip.compress(BODY)[:-100], Content_Encoding="gzip"),
        status(200, b"not gzip", Content_Encoding="gzip"),
    ],
)
def test_a_fault_is_met_twice_and_then_all_is_well(
    fault: Answer, service: Service, patience: Patience, waits: list[float]
) -> None:
    service.quakes, service.faults = QUAKES, [fault, fault]
    assert _ask(service, patience).events.event_id.tolist() == ["ci0", "ci1", "ci2"]
    assert len(service.asked) == 3
    assert waits == [2.0, 4.0]


@pytest.mark.parametrize(
    "body",
    [
        TEXT[:-60],  # half a line
        TEXT.replace(b"|8.0|", b"|deep|"),
        TEXT.replace(b"2019-07-06T", b"yesterday "),
        TEXT.replace(b"4.5|GCMT", b"4.5"),
        PAGE,
    ],
)
def test_broken_rows_of_the_text_form_are_asked_for_again(
    body: bytes, service: Service, patience: Patience
) -> None:
    service.quakes, service.faults = QUAKES, [status(200, body)]
    assert len(_ask(service, patience, "gcmt")) == 3
    assert len(service.asked) == 2


@pytest.mark.parametrize("name", PLACES)
@pytest.mark.parametrize(
    "answer",
    [
        status(204),
        status(200),
        status(404, b"Error 404: no data found for this request"),
        status(200, b"\n"),
    ],
)
def test_an_empty_answer_is_an_empty_catalog(
    name: ServiceName, answer: Answer, service: Service, patience: Patience
) -> None:
    service.faults = [answer]
    found = _ask(service, patience, name)
    assert len(found) == 0
    assert "0 events from 2019-07-06T03:00:00Z to 2019-07-13T03:00:00Z (1 request)" in found.notes[0]
    assert len(service.asked) == 1


def test_where_all_that_matched_was_deleted_nothing_is_left(service: Service, patience: Patience) -> None:
    """As ComCat answers a search whose only events were deleted since."""
    service.faults = [status(409, b"Error 409: Conflict\n\nThe requested event has been deleted.")]
    assert len(_ask(service, patience)) == 0


def test_the_wait_that_a_service_asks_for(service: Service, patience: Patience, waits: list[float]) -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=50))
    service.quakes = QUAKES
    service.faults = [
        status(429, b"slow down", Retry_After="7"),
        status(503, Retry_After=soon),
        status(429, Retry_After="when it is done"),
    ]
    assert len(_ask(service, patience)) == 3
    assert waits[0] == 7
    assert 45 < waits[1] <= 50
    assert waits[2] == 8.0


def test_a_service_that_wants_to_be_left_alone_is(
    service: Service, patience: Patience, waits: list[float]
) -> None:
    service.faults = [status(429, Retry_After="86400")]
    with pytest.raises(
        CatalogUnavailable, match=r"429 Too Many Requests. It asks to be left alone for 86400 s"
    ):
        _ask(service, patience)
    assert waits == []
    assert len(service.asked) == 1


def test_waits_double_up_to_a_limit_and_differ_from_client_to_client() -> None:
    steady = Patience(jitter=lambda: 0.0)
    assert [steady.wait(failures) for failures in range(1, 9)] == [2, 4, 8, 16, 32, 64, 120, 120]
    assert Patience(jitter=lambda: 1.0).wait(3) == 4.0
    drawn = {PATIENCE.wait(3) for _ in range(20)}
    assert len(drawn) > 10
    assert all(4 <= wait <= 8 for wait in drawn)


def test_an_outage_in_words(service: Service, patience: Patience, waits: list[float]) -> None:
    service.faults = [status(503, PAGE, "text/html")] * 9
    with pytest.raises(CatalogUnavailable) as caught:
        _ask(service, patience)
    said = str(caught.value)
    assert caught.value.transient
    assert isinstance(caught.value, CatalogError)
    assert said.startswith("ComCat gives no events now. It was asked 4 times between 20")
    assert "; the last time: 503 Service Unavailable (Down for maintenance). Asked: http://127.0.0.1:" in said
    assert "starttime=2019-07-06T03:00:00" in said
    assert said.endswith("Run again later, or save the catalog to a file and name the file.")
    assert waits == [2, 4, 8]


def test_nobody_at_the_address(patience: Patience, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    with pytest.raises(CatalogUnavailable, match=r"asked 4 times .*refused"):
        query("bsi", WEEK, address="http://127.0.0.1:9/fdsnws/event/1/query", patience=patience)


def test_a_slow_drip_ends_in_time(service: Service) -> None:
    service.faults = [drip(BODY, 0.02)] * 2
    patience = Patience(tries=2, request_seconds=0.15, sleep=lambda _: None)
    with pytest.raises(CatalogUnavailable, match=r"asked 2 times .*its answer was not whole in time"):
        _ask(service, patience)


def test_silence_ends_in_time(service: Service) -> None:
    service.faults = [drip(b"{}", 0.5)]
    patience = Patience(tries=1, request_seconds=0.1, sleep=lambda _: None)
    with pytest.raises(CatalogUnavailable, match=r"asked once .*timed out"):
        _ask(service, patience)


def test_the_whole_query_ends_in_time(service: Service, waits: list[float]) -> None:
    service.faults = [status(503)] * 9
    patience = Patience(tries=9, total_seconds=5, sleep=waits.append, jitter=lambda: 0.0)
    with pytest.raises(CatalogUnavailable, match="asked 3 times"):
        _ask(service, patience)
    assert waits == [2, 4]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            status(400, b"Error 400: Bad Request\n\nBad minmagnitude value"),
            r"400 Bad Request \(Error 400: Bad Request Bad minmagnitude value\)",
        ),
        (status(401), "401 Unauthorized"),
        (status(403, PAGE), r"403 Forbidden \(Down for maintenance\)"),
        (status(404, PAGE), r"404 Not Found \(Down for maintenance\)"),
        (status(410), "410 Gone"),
        (status(501), "501 Not Implemented"),
    ],
)
def test_a_refusal_is_told_in_the_services_own_words(
    answer: Answer, words: str, service: Service, patience: Patience
) -> None:
    service.faults = [answer]
    with pytest.raises(
        CatalogError, match=f"^ComCat refuses the request with {words}. Asked: http"
    ) as caught:
        _ask(service, patience)
    assert not caught.value.transient
    assert len(service.asked) == 1


def test_a_refusal_does_not_flood_the_screen(service: Service, patience: Patience) -> None:
    service.faults = [status(400, b"\x1b[31mbad \n" * 1_000)]
    with pytest.raises(CatalogError) as caught:
        _ask(service, patience)
    assert len(str(caught.value)) < 700
    assert "\x1b" not in str(caught.value)


def test_an_answer_that_is_too_long_is_not_taken(service: Service) -> None:
    service.faults = [status(200, gzip.compress(b" " * 1_000_000), Content_Encoding="gzip")]
    with pytest.raises(CatalogError, match="more than 100000 bytes; ask for less"):
        _ask(service, Patience(most_bytes=100_000))


def _redirect(location: str, number: int = 302) -> Answer:
    return status(number, Location=location)


@pytest.mark.parametrize("number", [301, 302, 303, 307, 308])
def test_a_redirect_of_the_same_service(number: int, service: Service, patience: Patience) -> None:
    service.quakes = QUAKES

    def elsewhere(handler: Handler) -> None:
        _redirect(f"{PLACES['comcat']}?{handler.path.partition('?')[2]}", number)(handler)

    service.faults = [elsewhere]
    assert len(_ask(service, patience)) == 3
    assert [one["starttime"] == other["starttime"] for one, other in pairwise(service.asked)] == [True]


def test_a_redirect_in_a_circle(service: Service, patience: Patience) -> None:
    service.faults = [_redirect(PLACES["comcat"])] * 9
    with pytest.raises(CatalogError, match="ComCat redirects in a circle"):
        _ask(service, patience)
    assert len(service.asked) == 6


@pytest.mark.parametrize(
    "location",
    ["file:///etc/passwd", "ftp://127.0.0.1/", "http://login.example.org/portal", ""],
)
def test_a_redirect_that_is_not_followed(location: str, service: Service, patience: Patience) -> None:
    service.faults = [_redirect(location)]
    with pytest.raises(CatalogError, match="which is no such service"):
        _ask(service, patience)
    assert len(service.asked) == 1


def test_no_redirect_leads_from_https_to_http(patience: Patience) -> None:
    with (
        Conversation("ComCat", patience) as conversation,
        pytest.raises(CatalogError, match="no such service"),
    ):
        conversation._target("https://a.org/fdsnws/event/1/query", "http://a.org/fdsnws/event/1/query")


def test_certificates_are_verified(monkeypatch: pytest.MonkeyPatch, patience: Patience) -> None:
    """A refused certificate ends the query at once: it is no outage."""

    def refuse(*_: object, **__: object) -> None:
        try:
            raise ssl.SSLCertVerificationError(1, "certificate verify failed: self-signed certificate")
        except ssl.SSLError as error:
            raise httpx.ConnectError(str(error)) from error

    with Conversation("BSI", patience) as conversation:
        context = conversation._client._transport._pool._ssl_context  # type: ignore[attr-defined]
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname
        monkeypatch.setattr(conversation._client, "stream", refuse)
        with pytest.raises(CatalogError, match="the certificate of BSI cannot be verified") as caught:
            conversation.ask("https://example.org/fdsnws/event/1/query", {}, lambda body: body)
    assert not caught.value.transient


def test_addresses_are_shown_without_secrets() -> None:
    address = "https://ann:pass@host.org:8443/fdsnws/event/1/query?limit=3&apikey=sesame&format=text#x"
    assert shown(address) == "https://host.org:8443/fdsnws/event/1/query?limit=3&format=text"
    assert shown("http://[2001:db8::1]/a") == "http://[2001:db8::1]/a"
    assert shown("http://[::1") == "(no address)"
