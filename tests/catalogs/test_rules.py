import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forequake.catalogs import CatalogRules, SourceEvents, apply_rules
from forequake.catalogs.duplicates import find_duplicates
from forequake.errors import CatalogError


def _source(
    seconds: list[float],
    *,
    types: list[str] | None = None,
    kinds: list[str] | None = None,
    magnitudes: list[float] | None = None,
    longitudes: list[float] | None = None,
    depths: list[float] | None = None,
    ids: list[str] | None = None,
    others: dict[str, list[float]] | None = None,
) -> SourceEvents:
    count = len(seconds)
    return SourceEvents.in_order(
        time_us=[round(second * 1e6) for second in seconds],
        longitude=longitudes or [0.0] * count,
        latitude=[0.0] * count,
        depth_km=depths or [10.0] * count,
        magnitude=magnitudes or [4.0] * count,
        event_id=ids or [f"e{number}" for number in range(count)],
        event_type=types or "",
        magnitude_type=kinds or "",
        other_magnitudes=others,
    )


DAYS = [0.0, 1e5, 2e5, 3e5]


def test_the_default_rules_leave_a_plain_file_alone() -> None:
    source = _source(DAYS, depths=[1.0, math.nan, -1.0, 5.0])
    ruled = apply_rules(source, CatalogRules())
    assert ruled.events.inputs.key == source.events.inputs.key
    assert ruled.notes == ()


def test_explosions_are_left_out_and_counted() -> None:
    source = _source(DAYS, types=["earthquake", "quarry blast", "", "Quarry_Blast"])
    ruled = apply_rules(source, CatalogRules())
    assert ruled.events.event_id.tolist() == ["e0", "e2"]
    (note,) = ruled.notes
    assert note.startswith("2 events left out by type: 1 Quarry_Blast, 1 quarry blast (event_types:")
    blasts = apply_rules(source, CatalogRules(event_types=("quarry blast",)))
    assert blasts.events.event_id.tolist() == ["e1", "e3"]
    everything = apply_rules(source, CatalogRules(event_types=None))
    assert len(everything) == 4
    assert everything.notes == ()


def test_preferred_magnitudes_are_taken_in_their_order() -> None:
    source = _source(
        DAYS,
        kinds=["ML", "Mw", "mb", "md"],
        magnitudes=[5.0, 5.1, 5.2, 5.3],
        others={"Mww": [6.0, math.nan, math.nan, math.nan], "mB": [math.nan, math.nan, 7.0, math.nan]},
    )
    ruled = apply_rules(source, CatalogRules(magnitude_types=("Mw*", "mB", "ml")))
    assert ruled.events.magnitude.tolist() == [6.0, 5.1, 7.0, 5.3]
    assert ruled.magnitude_type.tolist() == ["Mww", "Mw", "mB", "md"]
    assert ruled.notes == (
        "2 events with another magnitude than the source's own choice",
        "1 event without a magnitude of the types Mw*, mB, ml: kept with the magnitude they have",
    )
    local = apply_rules(source, CatalogRules(magnitude_types=("ml",), other_magnitudes="drop"))
    assert local.events.event_id.tolist() == ["e0"]
    assert local.events.magnitude.tolist() == [5.0]


def test_an_id_that_comes_again_is_told_dropped_or_refused() -> None:
    source = _source(DAYS, ids=["a", "b", "a", "a"])
    told = apply_rules(source, CatalogRules())
    assert len(told) == 4
    assert told.notes == (
        "2 events with the id of an earlier event, the first M 4 a at 1970-01-03T07:33:20Z beside M 4 a at "
        "1970-01-01T00:00:00Z; kept (duplicates: drop leaves the later ones out)",
    )
    dropped = apply_rules(source, CatalogRules(duplicates="drop"))
    assert dropped.events.event_id.tolist() == ["a", "b"]
    with pytest.raises(CatalogError, match="the catalog has duplicates: 2 events with the id"):
        apply_rules(source, CatalogRules(duplicates="refuse"))


def test_events_without_ids_are_no_duplicates_for_that() -> None:
    assert apply_rules(_source(DAYS, ids=[""] * 4), CatalogRules(duplicates="refuse")).notes == ()


def test_all_three_tolerances_count_and_are_included() -> None:
    # 0.05 degrees on the equator are 5.56 km
    source = _source(
        [0.0, 0.5, 100.0, 100.51, 200.0, 200.1, 300.0, 300.1],
        longitudes=[0.0, 0.01, 0.0, 0.0, 0.0, 0.05, 0.0, 0.0],
        magnitudes=[4.1, 4.3, 4.0, 4.0, 4.0, 4.0, 4.0, 4.21],
    )
    rules = CatalogRules(duplicates="drop", duplicate_seconds=0.5, duplicate_km=5, duplicate_magnitude=0.2)
    ruled = apply_rules(source, rules)
    assert ruled.events.event_id.tolist() == ["e0", "e2", "e3", "e4", "e5", "e6", "e7"]
    assert ruled.notes[0].startswith(
        "1 event within 0.5 s, 5 km and 0.2 units of magnitude of an earlier event"
    )


def test_across_the_antimeridian_two_events_are_near() -> None:
    source = _source([0.0, 0.1], longitudes=[179.99, -179.99])
    assert len(find_duplicates(source.events, seconds=1, kilometres=5, magnitude=0)) == 1


def test_a_duplicate_makes_no_other_one() -> None:
    found = find_duplicates(_source([0.0, 0.4, 0.8]).events, seconds=0.5, kilometres=1, magnitude=0)
    assert found.later.tolist() == [1]


def test_depths_are_moved_to_the_wanted_datum() -> None:
    ruled = apply_rules(
        _source([0.0], depths=[-0.5]), CatalogRules(depth_offset_km=1.3, depth_datum="surface")
    )
    assert ruled.events.depth_km.tolist() == [0.8]
    assert ruled.notes == ("+1.3 km added to all depths, so that they count from the surface",)


def test_events_without_a_depth_are_dropped_or_given_one() -> None:
    source = _source(DAYS, depths=[1.0, math.nan, 2.0, math.nan])
    dropped = apply_rules(source, CatalogRules(missing_depth="drop"))
    assert dropped.events.event_id.tolist() == ["e0", "e2"]
    assert dropped.notes == ("2 events without a depth left out",)
    given_one = apply_rules(source, CatalogRules(missing_depth=10.0))
    assert given_one.events.depth_km.tolist() == [1.0, 10.0, 2.0, 10.0]
    assert given_one.notes == ("2 events without a depth taken at 10 km",)


@settings(max_examples=40, deadline=None)
@given(
    seconds=st.lists(st.integers(0, 20), max_size=20),
    types=st.data(),
)
def test_rules_that_have_been_applied_change_nothing_more(seconds: list[int], types: st.DataObject) -> None:
    some = st.lists(
        st.sampled_from(["", "earthquake", "explosion"]), min_size=len(seconds), max_size=len(seconds)
    )
    names = st.lists(st.sampled_from(["", "a", "b", "c"]), min_size=len(seconds), max_size=len(seconds))
    source = _source([float(second) for second in seconds], types=types.draw(some), ids=types.draw(names))
    rules = CatalogRules(duplicates="drop", duplicate_seconds=1.0)
    once = apply_rules(source, rules)
    twice = apply_rules(SourceEvents(once.events, once.event_type, once.magnitude_type), rules)
    assert twice.events.inputs.key == once.events.inputs.key
    assert twice.notes == ()
    assert (np.diff(once.events.time_us) >= 0).all()
