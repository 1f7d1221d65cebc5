"""The rules that make an authoritative catalog of what a source gives."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from forequake.catalogs.duplicates import Duplicates, find_duplicates
from forequake.catalogs.events import Events
from forequake.catalogs.source_events import SourceEvents
from forequake.catalogs.specs import CatalogRules
from forequake.errors import CatalogError

__all__ = ["apply_rules"]

#: Words of sources for an event whose type is not known.
_UNKNOWN = frozenset({"", "unknown", "not reported", "none"})


def apply_rules(source: SourceEvents, rules: CatalogRules) -> SourceEvents:
    """Apply rules in their order: depth datum, event types, magnitudes, duplicates, missing depths.

    Whatever leaves out or changes an event is counted in a note. The default rules leave a source alone that
    says nothing of types and has no duplicates.

    Raises
    ------
    CatalogError
        Where the rules refuse duplicates and there are some.
    """
    source = _with_depth_datum(source, rules)
    source = _of_types(source, rules)
    source = _with_preferred_magnitudes(source, rules)
    source = _without_duplicates(source, rules)
    return _with_depths(source, rules)


def _noted(source: SourceEvents, *notes: str) -> SourceEvents:
    return replace(source, notes=(*source.notes, *notes))


def _counted(count: int, what: str = "event") -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _with_depth_datum(source: SourceEvents, rules: CatalogRules) -> SourceEvents:
    if rules.depth_offset_km == 0:
        return source
    depths = source.events.depth_km + rules.depth_offset_km
    datum = "" if rules.depth_datum is None else f", so that they count from the {rules.depth_datum}"
    return _noted(
        replace(source, events=replace(source.events, depth_km=depths)),
        f"{rules.depth_offset_km:+g} km added to all depths{datum}",
    )


def _of_types(source: SourceEvents, rules: CatalogRules) -> SourceEvents:
    if rules.event_types is None or not len(source):
        return source
    kept_types = {_plain(name) for name in rules.event_types}
    names, inverse, counts = np.unique(source.event_type, return_inverse=True, return_counts=True)
    kept = np.array([_plain(name) in kept_types for name in names])
    if kept.all():
        return source
    dropped = ", ".join(
        f"{count} {str(name) or 'unknown'}"
        for name, count, keep in zip(names, counts, kept, strict=True)
        if not keep
    )
    count = int(counts[~kept].sum())
    return _noted(
        source.take(kept[inverse]),
        f"{_counted(count)} left out by type: {dropped} (event_types: {', '.join(rules.event_types)})",
    )


def _plain(name: str) -> str:
    """Bring a type of event into one form: sources differ in case, and in blanks and underlines."""
    plain = str(name).strip().casefold().replace("_", " ")
    return "unknown" if plain in _UNKNOWN else plain


def _with_preferred_magnitudes(source: SourceEvents, rules: CatalogRules) -> SourceEvents:
    if not rules.magnitude_types or not len(source):
        return source
    magnitude, kind = source.events.magnitude.copy(), source.magnitude_type.astype(object)
    open_ = np.ones(len(source), dtype=np.bool_)
    for pattern in rules.magnitude_types:
        open_ &= ~_fitting(source.magnitude_type, pattern)
        for name, values in source.other_magnitudes.items():
            if _fits(name, pattern):
                taken = open_ & ~np.isnan(values)
                magnitude[taken], kind[taken] = values[taken], name
                open_ &= ~taken
    # What stays open has none of the types: its own magnitude is neither replaced nor preferred.
    changed = int((magnitude != source.events.magnitude).sum())
    notes = [f"{_counted(changed)} with another magnitude than the source's own choice"] if changed else []
    wanted = ", ".join(rules.magnitude_types)
    if open_.any():
        what = "left out" if rules.other_magnitudes == "drop" else "kept with the magnitude they have"
        notes.append(f"{_counted(int(open_.sum()))} without a magnitude of the types {wanted}: {what}")
    chosen = _noted(
        replace(
            source,
            events=replace(source.events, magnitude=magnitude),
            magnitude_type=kind.astype(np.str_),
        ),
        *notes,
    )
    return chosen.take(~open_) if rules.other_magnitudes == "drop" and open_.any() else chosen


def _fitting(types: NDArray[np.str_], pattern: str) -> NDArray[np.bool_]:
    names, inverse = np.unique(types, return_inverse=True)
    return np.array([_fits(str(name), pattern) for name in names], dtype=np.bool_)[inverse]


def _fits(name: str, pattern: str) -> bool:
    """Tell whether a type of magnitude is meant; case counts for mb and mB only, which are two scales."""
    if name in ("mb", "mB") and pattern in ("mb", "mB"):
        return name == pattern
    if pattern.endswith("*"):
        return name.casefold().startswith(pattern[:-1].casefold())
    return name.casefold() == pattern.casefold()


def _without_duplicates(source: SourceEvents, rules: CatalogRules) -> SourceEvents:
    found = find_duplicates(
        source.events,
        seconds=rules.duplicate_seconds,
        kilometres=rules.duplicate_km,
        magnitude=rules.duplicate_magnitude,
    )
    if not len(found):
        return source
    text = "; ".join(_duplicates_text(source.events, found, rules))
    if rules.duplicates == "refuse":
        message = f"the catalog has duplicates: {text} (duplicates: note keeps them, drop takes them out)"
        raise CatalogError(message)
    if rules.duplicates == "note":
        return _noted(source, f"{text}; kept (duplicates: drop leaves the later ones out)")
    kept = np.ones(len(source), dtype=np.bool_)
    kept[found.later] = False
    return _noted(source.take(kept), f"{text}; the later ones are left out")


def _duplicates_text(events: Events, found: Duplicates, rules: CatalogRules) -> list[str]:
    texts = []
    for same_id in (True, False):
        pairs = np.flatnonzero(found.same_id == same_id)
        if not len(pairs):
            continue
        first, second = int(found.earlier[pairs[0]]), int(found.later[pairs[0]])
        how = (
            "with the id of an earlier event"
            if same_id
            else (
                f"within {rules.duplicate_seconds:g} s, {rules.duplicate_km:g} km and "
                f"{rules.duplicate_magnitude:g} units of magnitude of an earlier event"
            )
        )
        texts.append(
            f"{_counted(len(pairs))} {how}, the first {_shown(events, second)} beside {_shown(events, first)}"
        )
    return texts


def _shown(events: Events, index: int) -> str:
    one = events.take(np.array([index]))
    name = f" {one.event_id[0]}" if one.event_id[0] else ""
    return f"M {one.magnitude[0]:g}{name} at {one.times()[0].isoformat().replace('+00:00', 'Z')}"


def _with_depths(source: SourceEvents, rules: CatalogRules) -> SourceEvents:
    missing = np.isnan(source.events.depth_km)
    if rules.missing_depth == "refuse" or not missing.any():
        return source
    count = _counted(int(missing.sum()))
    if rules.missing_depth == "drop":
        return _noted(source.take(~missing), f"{count} without a depth left out")
    depths = np.where(missing, rules.missing_depth, source.events.depth_km)
    return _noted(
        replace(source, events=replace(source.events, depth_km=depths)),
        f"{count} without a depth taken at {rules.missing_depth:g} km",
    )
