from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from forequake.catalogs import (
    CatalogRules,
    CatalogSpec,
    FileCatalog,
    QueryCatalog,
    load_catalog,
    read_catalog,
)
from forequake.catalogs.load import query_bounds
from forequake.catalogs.queries import QueryBounds
from forequake.errors import CatalogError

ROWS = (
    "-117.5,35.0,4.0,2019-07-01T00:00:00,0.0,,start\n"
    "-113.0,36.0,4.5,2019-07-02T00:00:00,30.0,,east\n"
    "242.5,35.5,5.0,2019-07-03T00:00:00,-1.0,,west_in_360\n"
    "-117.5,35.0,3.9,2019-07-04T00:00:00,5.0,,small\n"
    "-117.5,35.0,4.0,2019-07-05T00:00:00,31.0,,deep\n"
    "10.0,45.0,6.0,2019-07-06T00:00:00,5.0,,far\n"
    "-117.5,35.0,4.0,2019-07-07T00:00:00,5.0,,end\n"
)
FIRST, LAST = datetime(2019, 7, 1, tzinfo=UTC), datetime(2019, 7, 7, tzinfo=UTC)
EXPERIMENT = QueryBounds(
    start=datetime(2020, 2, 29, tzinfo=UTC),
    end=datetime(2021, 1, 1, tzinfo=UTC),
    magnitude_min=3.95,
    depth_km=(0.0, 30.0),
    box=(-125.4, -113.1, 31.5, 43.0),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "catalog.csv").write_text(ROWS)
    return tmp_path


def _spec(**limits: Any) -> CatalogSpec:
    return CatalogSpec(source=FileCatalog(path="catalog.csv"), **limits)


def _names(spec: CatalogSpec, folder: Path) -> list[str]:
    return [str(name) for name in load_catalog(spec, lambda text: folder / text).events.event_id]


ALL = ["start", "east", "west_in_360", "small", "deep", "far", "end"]


@pytest.mark.parametrize(
    ("limits", "left_out"),
    [
        ({}, set()),
        ({"start": FIRST, "end": LAST}, {"end"}),
        ({"magnitude_min": 4.0}, {"small"}),
        ({"region": (-117.5, -113.0, 35.0, 43.0)}, {"far"}),
        ({"region": (242.5, 247.0, 35.0, 43.0)}, {"far"}),
        ({"region": (-113.0, -117.5, 35.0, 50.0)}, set()),  # all around the Earth but for a gap
        ({"region": (0.0, -117.5, 35.0, 50.0)}, {"east"}),
        ({"region": (-180.0, 180.0, -90.0, 40.0)}, {"far"}),
        ({"region": (0.0, 360.0, -90.0, 40.0)}, {"far"}),
        ({"depth_km": (0.0, 30.0)}, {"deep"}),
        ({"depth_km": (-0.5, 30.0)}, {"deep", "west_in_360"}),
    ],
)
def test_a_file_is_cut_to_the_definitions_own_limits(
    folder: Path, limits: dict[str, Any], left_out: set[str]
) -> None:
    assert _names(_spec(**limits), folder) == [name for name in ALL if name not in left_out]


def test_a_plain_file_keeps_its_key_and_needs_no_notes(folder: Path) -> None:
    loaded = load_catalog(CatalogSpec.file("catalog.csv"), lambda text: folder / text)
    assert loaded.events.inputs.key == read_catalog(folder / "catalog.csv").inputs.key
    assert loaded.notes == ()
    assert loaded.source == "catalog.csv"


def test_what_is_cut_is_told_and_cutting_again_changes_nothing(folder: Path) -> None:
    spec = _spec(start=FIRST, end=LAST, magnitude_min=4.0, region=(-118, -112, 34, 44), depth_km=(0, 30))
    loaded = load_catalog(spec, lambda text: folder / text)
    assert loaded.notes == ("3 of 7 events are within the catalog's own limits",)
    kept = [row for row in ROWS.splitlines() if row.split(",")[-1] in loaded.events.event_id.tolist()]
    (folder / "catalog.csv").write_text("\n".join(kept))
    again = load_catalog(spec, lambda text: folder / text)
    assert again.events.inputs.key == loaded.events.inputs.key
    assert again.notes == ()


def test_events_without_a_depth_are_refused_where_depths_matter(folder: Path) -> None:
    (folder / "catalog.csv").write_text(ROWS.replace("30.0,,east", ",,east"))
    with pytest.raises(CatalogError, match=r"1 event has no depth, .* 0 to 30 km only; .* missing_depth"):
        _names(_spec(depth_km=(0.0, 30.0)), folder)
    ten = _spec(depth_km=(0.0, 30.0), rules=CatalogRules(missing_depth=10.0))
    assert "east" in _names(ten, folder)
    assert "east" in _names(_spec(), folder)


def test_a_query_takes_from_the_experiment_what_its_definition_leaves_open() -> None:
    open_ = CatalogSpec(source=QueryCatalog(service="comcat"))
    assert query_bounds(open_, EXPERIMENT) == EXPERIMENT
    own = CatalogSpec(
        source=QueryCatalog(service="bsi"), start=FIRST, end=LAST, magnitude_min=2.0, region=(6, 19, 36, 48)
    )
    bounds = query_bounds(own, EXPERIMENT)
    assert (bounds.start, bounds.end, bounds.magnitude_min, bounds.box) == (FIRST, LAST, 2.0, (6, 19, 36, 48))
    assert bounds.depth_km == (0.0, 30.0)
    with pytest.raises(CatalogError, match="query_comcat: a query needs a start and an end"):
        query_bounds(open_, None)


def test_an_input_catalog_without_a_start_begins_ten_years_before_the_first_window() -> None:
    spec = CatalogSpec(source=QueryCatalog(service="comcat"))
    # 2010 has no 29th of February
    assert query_bounds(spec, EXPERIMENT, learning=True).start == datetime(2010, 2, 28, tzinfo=UTC)
    own = CatalogSpec(source=QueryCatalog(service="comcat"), start=FIRST)
    assert query_bounds(own, EXPERIMENT, learning=True).start == FIRST


def test_a_query_asks_for_more_where_rules_change_magnitudes_or_depths() -> None:
    rules = CatalogRules(magnitude_types=("Mw*",), depth_offset_km=1.0)
    bounds = query_bounds(CatalogSpec(source=QueryCatalog(service="comcat"), rules=rules), EXPERIMENT)
    assert bounds.magnitude_min == pytest.approx(3.45)
    assert bounds.depth_km == (0.0, 29.0)


def test_a_definition_is_recorded_as_text_where_it_is_a_plain_file_only() -> None:
    plain = CatalogSpec.model_validate("catalog.csv")
    assert plain == CatalogSpec.file("catalog.csv")
    assert plain.model_dump_json() == '"catalog.csv"'
    for spec in (_spec(magnitude_min=4), CatalogSpec(source=QueryCatalog(service="gcmt")), plain):
        assert CatalogSpec.model_validate(spec.model_dump(mode="json")) == spec
        assert CatalogSpec.model_validate_json(spec.model_dump_json()) == spec


@pytest.mark.parametrize(
    "limits",
    [
        {"start": LAST, "end": FIRST},
        {"depth_km": (30, 0)},
        {"region": (0, 1, 5, 5)},
        {"region": (0, 1, 0, 91)},
    ],
)
def test_limits_that_hold_nothing_are_refused(limits: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        _spec(**limits)
