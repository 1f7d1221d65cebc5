"""QuakeML 1.2, read event by event in little memory."""

import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from lxml import etree

from forequake.catalogs.formats._times import iso_time
from forequake.catalogs.formats._values import checked_number
from forequake.catalogs.source_events import SourceEvents
from forequake.errors import CatalogError

__all__ = ["read_quakeml"]

#: Namespaces of basic event descriptions, in the form for exchange and in the one for real time.
_DESCRIPTIONS: Final = (
    "http://quakeml.org/xmlns/bed/1.",
    "http://quakeml.org/xmlns/bed-rt/1.",
    "http://quakeml.org/xmlns/quakeml/1.",
)


class _Event(NamedTuple):
    time_us: int
    longitude: float
    latitude: float
    depth_km: float
    magnitude: float
    event_id: str
    event_type: str
    magnitude_type: str
    others: dict[str, float]


def read_quakeml(path: Path) -> SourceEvents:
    """Read the preferred origins and magnitudes of events, and their further magnitudes by type.

    An event that names no origin of its own as preferred has the first of them; one that names no magnitude
    has the first that belongs to its origin, else the first. Events without an origin or without any
    magnitude are passed over, and a note counts them. The id is the event's public id.

    Returns
    -------
    SourceEvents
        Depths in kilometres (the file has metres), NaN where an origin has none.

    Raises
    ------
    CatalogError
        Where it is no QuakeML, is cut off, has a document type (which QuakeML never has, and which can make
        a small file endless or read others), or an event has a value that is none; with file and line.
    """
    passed: Counter[str] = Counter()
    events = list(_events(path, passed))
    kinds = sorted({kind for event in events for kind in event.others})
    return SourceEvents.in_order(
        time_us=np.array([event.time_us for event in events], dtype=np.int64),
        longitude=[event.longitude for event in events],
        latitude=[event.latitude for event in events],
        depth_km=[event.depth_km for event in events],
        magnitude=[event.magnitude for event in events],
        event_id=np.array([event.event_id for event in events], dtype=np.str_),
        event_type=np.array([event.event_type for event in events], dtype=np.str_),
        magnitude_type=np.array([event.magnitude_type for event in events], dtype=np.str_),
        notes=tuple(
            f"{path}: {count} {'event has' if count == 1 else 'events have'} no {what} and "
            f"{'was' if count == 1 else 'were'} left out"
            for what, count in sorted(passed.items())
        ),
        other_magnitudes={kind: [event.others.get(kind, math.nan) for event in events] for kind in kinds},
    )


def _events(path: Path, passed: Counter[str]) -> Iterator[_Event]:
    try:
        with path.open("rb") as file:
            context = etree.iterparse(
                file,
                events=("start", "end"),
                tag=("{*}quakeml", "{*}event"),
                resolve_entities=False,
                load_dtd=False,
                no_network=True,
                huge_tree=False,
                remove_comments=True,
                remove_pis=True,
            )
            checked = False
            for what, element in context:
                if not checked:
                    _check_document(path, element.getroottree().getroot())
                    checked = True
                if what == "end" and _is(element, "event") and _is(element.getparent(), "eventParameters"):
                    event = _event(path, element, passed)
                    _forget(element)
                    if event is not None:
                        yield event
            if not checked:
                _check_document(path, context.root)
    except OSError as error:
        message = f"{path}: the catalog cannot be read ({error})"
        raise CatalogError(message) from error
    except etree.XMLSyntaxError as error:
        message = f"{path}: not a whole XML file ({error.msg})"
        raise CatalogError(message) from error


def _check_document(path: Path, root: Any) -> None:
    document = root.getroottree().docinfo
    if document.doctype or document.internalDTD is not None:
        message = f"{path}: it has a document type declaration, which QuakeML does not have; take it out"
        raise CatalogError(message)
    if not _is(root, "quakeml"):
        namespace, name = _name(root)
        message = (
            f"{path}: expected QuakeML 1.2 (the element quakeml of http://quakeml.org/xmlns/quakeml/1.2), "
            f"got {name} of {namespace or 'no namespace'}"
        )
        raise CatalogError(message)


def _is(element: Any, name: str) -> bool:
    if element is None:
        return False
    namespace, own = _name(element)
    return own == name and namespace.startswith(_DESCRIPTIONS) and "}" not in namespace


def _name(element: Any) -> tuple[str, str]:
    """Give the namespace and the name of an element; `etree.QName` refuses names that a damaged file has."""
    namespace, _, name = str(element.tag).rpartition("}")
    return namespace.removeprefix("{"), name


def _forget(element: Any) -> None:
    """Free an event that was read, with whatever stands before it."""
    parent = element.getparent()
    element.clear()
    while element.getprevious() is not None:
        del parent[0]


def _event(path: Path, element: Any, passed: Counter[str]) -> _Event | None:
    # Names within an event are those of its own namespace; other namespaces add what nobody here needs.
    prefix = f"{{{_name(element)[0]}}}"
    identity = element.get("publicID", "").strip()
    origin = _preferred_origin(element, prefix)
    if origin is None:
        passed["origin"] += 1
        return None
    origin_id = origin.get("publicID", "").strip()
    magnitudes = [one for one in element.findall(f"{prefix}magnitude") if _text(one, prefix, "mag", "value")]
    magnitude = _preferred_magnitude(element, prefix, magnitudes, origin_id)
    if magnitude is None:
        passed["magnitude"] += 1
        return None
    # Those of the preferred origin first: of several of one type, the first stands.
    others: dict[str, float] = {}
    for one in sorted(magnitudes, key=lambda one: _text(one, prefix, "originID") != origin_id):
        kind = _text(one, prefix, "type")
        if one is not magnitude and kind and kind != _text(magnitude, prefix, "type"):
            others.setdefault(kind, _number(path, one, prefix, "magnitude", "mag"))
    depth_m = _text(origin, prefix, "depth", "value")
    return _Event(
        time_us=iso_time(f"{path}:{origin.sourceline}", _text(origin, prefix, "time", "value")),
        longitude=_number(path, origin, prefix, "longitude", "longitude"),
        latitude=_number(path, origin, prefix, "latitude", "latitude"),
        depth_km=_kilometres(f"{path}:{origin.sourceline}", depth_m),
        magnitude=_number(path, magnitude, prefix, "magnitude", "mag"),
        event_id=identity,
        event_type=_text(element, prefix, "type"),
        magnitude_type=_text(magnitude, prefix, "type"),
        others=others,
    )


def _preferred_origin(element: Any, prefix: str) -> Any | None:
    wanted = _text(element, prefix, "preferredOriginID")
    found = element.findall(f"{prefix}origin")
    named = [one for one in found if wanted and one.get("publicID", "").strip() == wanted]
    return next(iter(named or found), None)


def _preferred_magnitude(element: Any, prefix: str, magnitudes: list[Any], origin_id: str) -> Any | None:
    wanted = _text(element, prefix, "preferredMagnitudeID")
    named = [one for one in magnitudes if wanted and one.get("publicID", "").strip() == wanted]
    of_origin = [one for one in magnitudes if origin_id and _text(one, prefix, "originID") == origin_id]
    return next(iter(named or of_origin or magnitudes), None)


def _text(element: Any, prefix: str, *names: str) -> str:
    """Give the text of an element below, "" where there is none."""
    return (element.findtext("/".join(prefix + name for name in names)) or "").strip()


def _number(path: Path, element: Any, prefix: str, what: str, name: str) -> float:
    return checked_number(f"{path}:{element.sourceline}", what, _text(element, prefix, name, "value"))


def _kilometres(place: str, metres: str) -> float:
    return checked_number(place, "depth in metres", metres, optional=True, limits=(-2e4, 7e6)) / 1000.0
