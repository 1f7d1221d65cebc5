"""A server that answers as the event services do, and goes wrong on request."""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, urlsplit

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
TOO_MANY = (
    "Error 400: Bad Request\n\n{count} matching events exceeds search limit of {limit}. Modify the search to "
    "match fewer events.\n\nUsage details are available from https://earthquake.usgs.gov/fdsnws/event/1\n"
)


@dataclass(frozen=True)
class Quake:
    """An event as a service keeps it; the time is in milliseconds since 1970."""

    name: str
    time: int
    longitude: float = -117.5
    latitude: float = 35.7
    depth: float | None = 8.0
    magnitude: float | None = 4.5
    kind: str = "earthquake"
    magnitude_type: str = "ml"
    updated: int = 0

    @property
    def moment(self) -> datetime:
        return EPOCH + timedelta(milliseconds=self.time)


Answer = Callable[["Handler"], None]


@dataclass
class Service:
    """What the server has and was asked; `faults` are answers that come first, one for a request each."""

    url: str = ""
    quakes: list[Quake] = field(default_factory=list)
    faults: list[Answer] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    limit: int = 20_000
    asked: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    agents: list[str] = field(default_factory=list)

    def matching(self, asked: dict[str, str]) -> list[Quake]:
        start, end = (
            (datetime.fromisoformat(asked[one if one in asked else other]).replace(tzinfo=UTC) - EPOCH)
            // MILLISECOND
            for one, other in (("starttime", "startdate"), ("endtime", "enddate"))
        )
        box = asked.get("bbox")
        sides = ("minlongitude", "minlatitude", "maxlongitude", "maxlatitude")
        west, south, east, north = (
            map(float, box.split(","))
            if box
            else (
                float(asked.get(side, default))
                for side, default in zip(sides, (-180, -90, 180, 90), strict=True)
            )
        )
        floor = float(asked.get("minmagnitude", asked.get("minmag", -9)))
        found = [
            quake
            for quake in self.quakes
            if start <= quake.time <= end
            and west <= quake.longitude <= east
            and south <= quake.latitude <= north
            and (quake.magnitude is None or quake.magnitude >= floor)
        ]
        return sorted(found, key=lambda quake: quake.time)


class Handler(BaseHTTPRequestHandler):
    """One request; answers are HTTP/1.1 with a length unless a fault says otherwise."""

    protocol_version = "HTTP/1.1"
    server: Any

    def do_GET(self) -> None:
        service: Service = self.server.service
        parts = urlsplit(self.path)
        service.paths.append(parts.path)
        service.asked.append(dict(parse_qsl(parts.query)))
        service.agents.append(self.headers["User-Agent"])
        with suppress(BrokenPipeError, ConnectionResetError):
            if service.faults:
                service.faults.pop(0)(self)
            elif parts.path in service.files:
                self.send(200, service.files[parts.path], "text/plain")
            elif parts.path in FORMS:
                FORMS[parts.path](self, service, service.asked[-1])
            else:
                self.send(404, b"<html><body>Not Found</body></html>", "text/html")

    def send(self, status: int, body: bytes, kind: str = "application/json", **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


def comcat(handler: Handler, service: Service, asked: dict[str, str]) -> None:
    quakes = service.matching(asked)
    if len(quakes) > service.limit:
        said = TOO_MANY.format(count=len(quakes), limit=service.limit)
        handler.send(400, said.encode(), "text/plain")
    else:
        handler.send(200, comcat_body(quakes[: int(asked["limit"])]))


def comcat_body(quakes: list[Quake]) -> bytes:
    features = [
        {
            "type": "Feature",
            "properties": {
                "mag": quake.magnitude,
                "place": "17km ESE of Ridgecrest, CA",
                "time": quake.time,
                "updated": quake.updated,
                "magType": quake.magnitude_type,
                "type": quake.kind,
            },
            "geometry": {"type": "Point", "coordinates": [quake.longitude, quake.latitude, quake.depth]},
            "id": quake.name,
        }
        for quake in quakes
    ]
    metadata = {"generated": 1562383194000, "title": "USGS Earthquakes", "status": 200, "count": len(quakes)}
    return json.dumps({"type": "FeatureCollection", "metadata": metadata, "features": features}).encode()


def bsi(handler: Handler, service: Service, asked: dict[str, str]) -> None:
    quakes = service.matching(asked)[: min(int(asked["limit"]), service.limit)]
    if not quakes:
        handler.send_response(204)
        handler.end_headers()
        return
    features = [
        {
            "type": "Feature",
            "properties": {
                "eventId": int(quake.name),
                "originId": 7,
                "time": quake.moment.strftime("%Y-%m-%dT%H:%M:%S.%f"),
                "author": "BULLETIN-INGV",
                "magType": quake.magnitude_type,
                "mag": quake.magnitude,
                "type": quake.kind,
                "place": "3 km E San Possidonio (MO)",
            },
            "geometry": {"type": "Point", "coordinates": [quake.longitude, quake.latitude, quake.depth]},
        }
        for quake in quakes
    ]
    handler.send(200, json.dumps({"type": "FeatureCollection", "features": features}).encode())


def geonet(handler: Handler, service: Service, asked: dict[str, str]) -> None:
    if "eventtype" in asked or "limit" in asked:
        handler.send(400, b"no such parameter", "text/plain")
        return
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [quake.longitude, quake.latitude]},
            "properties": {
                "publicid": quake.name,
                "eventtype": quake.kind,
                "origintime": quake.moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "modificationtime": "2016-11-15T06:41:10.068Z",
                "depth": quake.depth,
                "magnitude": quake.magnitude,
                "magnitudetype": quake.magnitude_type,
            },
        }
        for quake in service.matching(asked)
    ]
    handler.send(200, json.dumps({"type": "FeatureCollection", "features": features}).encode())


def gcmt(handler: Handler, service: Service, asked: dict[str, str]) -> None:
    assert asked["catalog"] == "GCMT"
    assert asked["format"] == "text"
    handler.send(200, gcmt_body(service.matching(asked)), "text/plain")


def gcmt_body(quakes: list[Quake]) -> bytes:
    heading = (
        "#EventID | Time | Latitude | Longitude | Depth/km | Author | Catalog | Contributor | "
        "ContributorID | MagType | Magnitude | MagAuthor | EventLocationName\n"
    )
    return (
        heading
        + "".join(
            f"{quake.name}|{quake.moment:%Y-%m-%dT%H:%M:%S}|{quake.latitude}|{quake.longitude}|{quake.depth}|"
            f"GCMT|GCMT|GCMT|C{quake.name}|MW|{quake.magnitude}|GCMT|NEAR EAST COAST OF HONSHU\n"
            for quake in quakes
        )
    ).encode()


#: The services by their path on the server.
FORMS = {
    "/comcat/fdsnws/event/1/query": comcat,
    "/bsi/fdsnws/event/1/query": bsi,
    "/geonet/geojson": geonet,
    "/gcmt/fdsnws/event/1/query": gcmt,
}


def status(number: int, body: bytes = b"", kind: str = "text/plain", **headers: str) -> Answer:
    """Answer with a status."""
    return lambda handler: handler.send(number, body, kind, **headers)


def cut_off(body: bytes, sent: int) -> Answer:
    """Say how long the body is, send a part of it, and hang up."""

    def answer(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[:sent])
        handler.close_connection = True

    return answer


def unframed(body: bytes) -> Answer:
    """Send a body that ends where the connection does, as HTTP/1.0 does."""

    def answer(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.wfile.write(body)
        handler.close_connection = True

    return answer


def drip(body: bytes, pause: float) -> Answer:
    """Send a byte, wait, send a byte."""

    def answer(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        for byte in body:
            handler.wfile.write(bytes([byte]))
            handler.wfile.flush()
            time.sleep(pause)

    return answer
