"""Asking a service for all events within bounds, however many requests that takes."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from forequake.catalogs.queries.bounds import QueryBounds, stamp
from forequake.catalogs.queries.conversation import Conversation, TooMany, shown, with_parameters
from forequake.catalogs.queries.gcmt import gcmt_events
from forequake.catalogs.queries.pages import Page, Row
from forequake.catalogs.queries.services import (
    FDSN_SERVICES,
    GCMT_BY_FDSN,
    TITLES,
    EventService,
    address_of,
)
from forequake.catalogs.source_events import SourceEvents
from forequake.catalogs.specs import Service
from forequake.errors import CatalogError, unknown
from forequake.patience import PATIENCE, Patience

__all__ = ["query"]

#: A gateway that runs out of time is taken for a request that is too large so often, then for an outage.
_HALVED_FOR_TIME: Final = 3
#: Services cut at round numbers where they cut without a word.
_ROUND: Final = 1000


def query(
    service: Service, bounds: QueryBounds, *, address: str | None = None, patience: Patience = PATIENCE
) -> SourceEvents:
    """Ask a service for the events within bounds, all of them or none.

    The limits go to the service a little wider than they are, so cut what it gives exactly
    (`Events.cut`). Spans with more events than one answer holds are asked for in halves. An event that comes
    twice counts once, in its latest version. Event types are not chosen here: that is for the rules.

    Parameters
    ----------
    service
        ``comcat`` (USGS), ``bsi`` (INGV), ``geonet`` (GNS Science) or ``gcmt`` (Global CMT).
    bounds
        What is wanted.
    address
        Of a mirror of the service. None takes ``FOREQUAKE_<SERVICE>_URL`` of the environment, else the
        service itself. GCMT is a folder of ndk files, or a service of FDSN where the address says so.
    patience
        How long and how often the service is asked.

    Returns
    -------
    SourceEvents
        With the service's ids, magnitudes and types, depths in kilometres, and notes of what was asked,
        when, and how many events there were. An empty answer gives no events.

    Raises
    ------
    CatalogUnavailable
        Where the service did not answer in time or not as it should; trying again later can help.
    CatalogError
        Where the service refuses, with its own words, or the address is none.
    """
    if service not in TITLES:
        message = unknown("catalog service", service, TITLES)
        raise CatalogError(message)
    place = address_of(service, address)
    with Conversation(TITLES[service], patience) as conversation:
        if service == "gcmt" and "/fdsnws/event/" not in place:
            found = gcmt_events(conversation, place, bounds)
        else:
            found = _found(conversation, FDSN_SERVICES.get(service, GCMT_BY_FDSN), place, bounds)
        requests = f"{conversation.requests} request{'s' if conversation.requests != 1 else ''}"
    summary = f"{len(found)} events from {stamp(bounds.start)} to {stamp(bounds.end)} ({requests})"
    notes = tuple(f"{TITLES[service]}: {note}" for note in (summary, *found.notes))
    return replace(found, notes=notes)


def _found(
    conversation: Conversation, service: EventService, place: str, bounds: QueryBounds
) -> SourceEvents:
    # Halves, and the other side of the antimeridian, are asked for in the same words.
    whole = with_parameters(place, service.parameters(bounds.parts()[0], service.most_events))
    notes = [f"asked {stamp(datetime.now(UTC).replace(microsecond=0))}: {shown(whole)}"]
    parts = bounds.parts()
    pages = [page for part in parts for page in _pages(conversation, service, place, part, _HALVED_FOR_TIME)]
    if len(pages) == 1 and pages[0].stated is not None:
        notes[0] += f" (it counts {pages[0].stated})"
    if without := sum(page.without_magnitude for page in pages):
        notes.append(f"{without} events without a magnitude were left out")
    return _events(_latest(pages), tuple(notes))


def _pages(
    conversation: Conversation, service: EventService, place: str, bounds: QueryBounds, halvings: int
) -> list[Page]:
    """Ask for a span, and for its halves where one answer cannot hold it."""
    parameters = service.parameters(bounds, service.most_events)
    halves = bounds.halves()
    try:
        helps = halvings > 0 and halves is not None
        page = conversation.ask(place, parameters, service.read, halves_help=helps)
        if page.size < service.most_events and (halves is None or page.size % _ROUND or not page.size):
            return [page]
        reason = f"{page.size} events, which may not be all"
    except TooMany as error:
        reason, halvings = str(error), halvings - 1
    if halves is None:
        message = (
            f"{service.title} cannot give all events between {stamp(bounds.start)} and {stamp(bounds.end)}: "
            f"{reason}. Ask for a greater least magnitude or a smaller region"
        )
        raise CatalogError(message)
    return [page for half in halves for page in _pages(conversation, service, place, half, halvings)]


def _latest(pages: Iterable[Page]) -> list[Row]:
    """Put pages together; of an event that is on several, the version that was changed last counts.

    Versions that do not tell come from the page that was fetched last. Events without an id are the same
    where all of them is.
    """
    found: dict[str | Row, Row] = {}
    for page in pages:
        for row in page.rows:
            key = row.event_id or row
            if key not in found or row.updated >= found[key].updated:
                found[key] = row
    return list(found.values())


def _events(rows: list[Row], notes: tuple[str, ...]) -> SourceEvents:
    return SourceEvents.in_order(
        time_us=[row.time_us for row in rows],
        longitude=[row.longitude for row in rows],
        latitude=[row.latitude for row in rows],
        depth_km=[row.depth_km for row in rows],
        magnitude=[row.magnitude for row in rows],
        event_id=[row.event_id for row in rows],
        event_type=[row.event_type for row in rows],
        magnitude_type=[row.magnitude_type for row in rows],
        notes=notes,
    )
