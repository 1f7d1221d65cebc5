"""The services: where they are, how they are asked, and how their answers are read."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from forequake.catalogs.queries.bounds import QueryBounds
from forequake.catalogs.queries.pages import Page, fdsn_json, fdsn_text, geonet_json
from forequake.catalogs.specs import Service
from forequake.errors import CatalogError

__all__ = ["FDSN_SERVICES", "GCMT_BY_FDSN", "TITLES", "EventService", "address_of"]

#: Names as people know them.
TITLES: Final[Mapping[Service, str]] = {"comcat": "ComCat", "bsi": "BSI", "geonet": "GeoNet", "gcmt": "GCMT"}
#: Public addresses. The service at service.iris.edu that pyCSEP asks for GCMT is closed; its project's own
#: files hold the same solutions.
_ADDRESSES: Final[Mapping[Service, str]] = {
    "comcat": "https://earthquake.usgs.gov/fdsnws/event/1/query",
    "bsi": "https://webservices.rm.ingv.it/fdsnws/event/1/query",
    "geonet": "https://quakesearch.geonet.org.nz/geojson",
    "gcmt": "https://www.ldeo.columbia.edu/~gcmt/projects/CMT/catalog/",
}


@dataclass(frozen=True)
class EventService:
    """A service that takes limits and answers with events.

    Attributes
    ----------
    title
        Its name in messages.
    most_events
        The largest answer that it gives to one request.
    parameters
        Of a request for a part of a query that spans no antimeridian.
    read
        Makes a page of the bytes of an answer.
    """

    title: str
    most_events: int
    parameters: Callable[[QueryBounds, int], dict[str, str]]
    read: Callable[[bytes], Page]


def address_of(service: Service, address: str | None) -> str:
    """Give the address to ask: the given one, else that of ``FOREQUAKE_<SERVICE>_URL``, else the public one.

    Raises
    ------
    CatalogError
        Where it is no address of a web service.
    """
    variable = f"FOREQUAKE_{service.upper()}_URL"
    named = f"the address of {TITLES[service]}"
    if address is None and os.environ.get(variable):
        address, named = os.environ[variable], f"{variable}, {named},"
    if address is None:
        return _ADDRESSES[service]
    try:
        parts = urlsplit(address)
        known = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        known = False
    if not known:
        # Not the address itself: it may hold a password.
        message = (
            f"{named} must begin with https:// or http:// and name a host, such as {_ADDRESSES[service]}"
        )
        raise CatalogError(message)
    if parts.path.rstrip("/").endswith("/event/1"):
        return parts._replace(path=parts.path.rstrip("/") + "/query").geturl()
    return address


def _seconds(bounds: QueryBounds) -> tuple[str, str]:
    start, end = bounds.whole_seconds()
    return start.strftime("%Y-%m-%dT%H:%M:%S"), end.strftime("%Y-%m-%dT%H:%M:%S")


def _plain(number: float) -> str:
    return f"{number:.6f}".rstrip("0").rstrip(".")


def _fdsn(bounds: QueryBounds) -> dict[str, str]:
    asked = dict(zip(("starttime", "endtime"), _seconds(bounds), strict=True))
    limits = dict(zip(("mindepth", "maxdepth"), bounds.depths, strict=True))
    limits["minmagnitude"] = bounds.magnitude_floor
    if bounds.box is not None:
        sides = ("minlongitude", "maxlongitude", "minlatitude", "maxlatitude")
        limits |= dict(zip(sides, bounds.box, strict=True))
    asked |= {name: _plain(number) for name, number in limits.items() if number is not None}
    return asked | {"orderby": "time-asc"}


def _fdsn_json(bounds: QueryBounds, limit: int) -> dict[str, str]:
    return {"format": "geojson", **_fdsn(bounds), "limit": str(limit)}


def _gcmt_text(bounds: QueryBounds, limit: int) -> dict[str, str]:
    return {"format": "text", "catalog": "GCMT", **_fdsn(bounds), "limit": str(limit)}


def _geonet(bounds: QueryBounds, limit: int) -> dict[str, str]:
    del limit  # the search takes none, and refuses what is too large
    west, east, south, north = bounds.box or (-180.0, 180.0, -90.0, 90.0)
    asked = {"bbox": ",".join(_plain(side) for side in (west, south, east, north))}
    asked |= dict(zip(("startdate", "enddate"), _seconds(bounds), strict=True))
    limits = dict(zip(("mindepth", "maxdepth"), bounds.depths, strict=True))
    limits["minmag"] = bounds.magnitude_floor
    return asked | {name: _plain(number) for name, number in limits.items() if number is not None}


#: ComCat documents its limit. That of INGV is below what its service is known to give, and GeoNet's search
#: takes none; whatever they cut at, an answer of whole thousands is not believed.
FDSN_SERVICES: Final[Mapping[Service, EventService]] = {
    "comcat": EventService("ComCat", 20_000, _fdsn_json, fdsn_json),
    "bsi": EventService("BSI", 10_000, _fdsn_json, fdsn_json),
    "geonet": EventService("GeoNet", 20_000, _geonet, geonet_json),
}
#: GCMT from a mirror that is a service of FDSN, asked as pyCSEP asks.
GCMT_BY_FDSN: Final = EventService("GCMT", 20_000, _gcmt_text, fdsn_text)
