"""The keys catalog, input_catalog and completeness of an experiment's file."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from forequake.catalogs import (
    CatalogRules,
    CatalogSpec,
    CompletenessSpec,
    CompletenessStep,
    FileCatalog,
    Mainshock,
    QueryCatalog,
)
from forequake.config._catalogs import read_catalog_entry, read_completeness_entry
from forequake.config._files import Folder
from forequake.config._places import Place, Problems
from forequake.config._yaml import read_yaml
from forequake.errors import ConfigError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "catalog.csv").touch()
    return tmp_path


def _place(folder: Path, text: str) -> tuple[Place, Problems]:
    file = folder / "config.yml"
    file.write_text(text)
    document, found = read_yaml(file)
    problems = Problems()
    problems.extend(found)
    return Place(document), problems


def _catalog(folder: Path, text: str) -> CatalogSpec:
    root, problems = _place(folder, text)
    spec = read_catalog_entry(root.at("catalog"), Folder(root=folder), problems)
    if spec is None:
        assert problems
        raise problems.error()
    return spec


def _completeness(folder: Path, text: str) -> CompletenessSpec:
    root, problems = _place(folder, text)
    spec = read_completeness_entry(root.at("completeness"), problems)
    if spec is None:
        assert problems
        raise problems.error()
    return spec


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("catalog.csv", CatalogSpec.file("catalog.csv")),
        ("csep:comcat_example_catalog", CatalogSpec.file("csep:comcat_example_catalog")),
        ("query_comcat", CatalogSpec(source=QueryCatalog(service="comcat"))),
        ("query_bsi", CatalogSpec(source=QueryCatalog(service="bsi"))),
        ("query_gns", CatalogSpec(source=QueryCatalog(service="geonet"))),
        ("query_gcmt", CatalogSpec(source=QueryCatalog(service="gcmt"))),
        ("{path: catalog.csv}", CatalogSpec.file("catalog.csv")),
        ("{query: geonet}", CatalogSpec(source=QueryCatalog(service="geonet"))),
    ],
)
def test_a_catalog_is_a_file_a_data_set_a_query_or_a_mapping(
    folder: Path, text: str, spec: CatalogSpec
) -> None:
    assert _catalog(folder, f"catalog: {text}\n") == spec


def test_all_keys_of_a_definition(folder: Path) -> None:
    text = """\
catalog:
  path: catalog.csv
  format: zmap
  start_date: 2010-01-01
  end_date: 2019-01-01
  region: {west: 170, east: -170, south: -50, north: -30}
  mag_min: 4
  depth_max: 30
  rules:
    event_types: all
    magnitude_types: [Mw*, ML]
    other_magnitudes: drop
    duplicates: drop
    duplicate_seconds: 2
    duplicate_km: 10
    duplicate_magnitude: 0.5
    depth_datum: sea level
    depth_offset_km: 1
    missing_depth: 10
"""
    assert _catalog(folder, text) == CatalogSpec(
        source=FileCatalog(path="catalog.csv", format="zmap"),
        start=datetime(2010, 1, 1, tzinfo=UTC),
        end=datetime(2019, 1, 1, tzinfo=UTC),
        region=(170, -170, -50, -30),
        magnitude_min=4,
        depth_km=(-20, 30),
        rules=CatalogRules(
            event_types=None,
            magnitude_types=("Mw*", "ML"),
            other_magnitudes="drop",
            duplicates="drop",
            duplicate_seconds=2,
            duplicate_km=10,
            duplicate_magnitude=0.5,
            depth_datum="sea level",
            depth_offset_km=1,
            missing_depth=10.0,
        ),
    )


def test_completeness_is_a_number_or_steps_and_mainshocks(folder: Path) -> None:
    assert _completeness(folder, "completeness: 3.5\n") == CompletenessSpec(floor=3.5)
    text = """\
completeness:
  steps:
  - magnitude: 4
  - start_date: 2000-01-01
    magnitude: 3
  mainshocks:
  - time: 2019-07-06T03:19:53
    magnitude: 7.1
  floor: 2
"""
    assert _completeness(folder, text) == CompletenessSpec(
        steps=(
            CompletenessStep(start=None, magnitude=4),
            CompletenessStep(start=datetime(2000, 1, 1, tzinfo=UTC), magnitude=3),
        ),
        mainshocks=(Mainshock(time=datetime(2019, 7, 6, 3, 19, 53, tzinfo=UTC), magnitude=7.1),),
        floor=2,
    )


CATALOG_MISTAKES = {
    "catalg.csv": ["config.yml:1: catalog: there is no such file", "did you mean 'catalog.csv'?"],
    "query_comct": ["there is no such service", "did you mean 'query_comcat'?"],
    "csep:comcat_exampl": [
        "there is no such data set in pycsep",
        "did you mean 'csep:comcat_example_catalog'?",
    ],
    "csep:helmstetter_mainshock": ["this data set is a gridded forecast, not a catalog"],
    "5": ["expected a file, a query (query_comcat, query_bsi, query_gns, query_gcmt), or a mapping"],
    "{}": ["catalog.path: this key is required: a file, or query instead of it"],
    "{path: catalog.csv, query: bsi}": ["catalog.query: the catalog is read from path"],
    "{query: bsi, format: zmap}": ["catalog.format: this is for files"],
    "{query: bsi, address: 'ftp://x'}": ["begins with https:// or http://"],
    "{path: catalog.csv, address: 'http://x'}": ["catalog.address: this is the address of a service"],
    "{pth: catalog.csv}": ["catalog.pth: unknown key", "did you mean 'path'?"],
    "\n  path: catalog.csv\n  format: zmp": ["config.yml:3: catalog.format", "did you mean 'zmap'?"],
    "\n  path: catalog.csv\n  depth_min: 3\n  depth_max: 1": [
        "config.yml:4: catalog.depth_max: must not be less"
    ],
    "\n  path: catalog.csv\n  start_date: 2020-01-01\n  end_date: 2019-01-01": [
        "config.yml:4: catalog.end_date: must be after start_date, 2020-01-01T00:00:00"
    ],
    "\n  path: catalog.csv\n  region: [1, 2, 3, 4]": ["config.yml:3: catalog.region: expected a mapping"],
    "\n  path: catalog.csv\n  region: {west: 1, eat: 2, south: 5, north: 3}": [
        "catalog.region.eat: unknown key (got 2); did you mean 'east'?"
    ],
    "\n  path: catalog.csv\n  region: {west: 1, east: 1, south: 5, north: 3}": [
        "catalog.region.north: must be greater than south, 5",
        "catalog.region.east: must differ from west, 1",
    ],
    "\n  path: catalog.csv\n  rules:\n    duplicates: dorp": [
        "config.yml:4: catalog.rules.duplicates",
        "'drop'?",
    ],
    "\n  path: catalog.csv\n  rules:\n    event_types: [1]": [
        "expected a list of texts; put numbers into quotes"
    ],
    "\n  path: catalog.csv\n  rules:\n    missing_depth: deep": [
        "expected refuse, drop, or a depth from -20"
    ],
    "\n  path: catalog.csv\n  rules: drop": ["catalog.rules: expected a mapping of keys to values"],
}


@pytest.mark.parametrize("text", CATALOG_MISTAKES)
def test_a_mistake_in_a_catalog_is_told_where_it_stands(folder: Path, text: str) -> None:
    with pytest.raises(ConfigError) as raised:
        _catalog(folder, f"catalog: {text}\n")
    for words in CATALOG_MISTAKES[text]:
        assert words in str(raised.value)
    assert len(raised.value.problems) == max(1, sum("catalog." in words for words in CATALOG_MISTAKES[text]))


COMPLETENESS_MISTAKES = {
    "abc": ["completeness: expected a number (got 'abc')"],
    "{}": ["completeness: expected some of steps, mainshocks, floor"],
    "{flor: 2}": ["completeness.flor: unknown key (got 2); did you mean 'floor'?"],
    "{steps: 3}": ["completeness.steps: expected a list"],
    "{steps: [5]}": ["expected a mapping of keys to values (got 5)"],
    "{steps: [{magnitude: 4}, {magnitude: 3}]}": ["only the first step may hold since ever"],
    "{mainshocks: [{time: 2019-07-06}]}": ["a mainshock has a time and a magnitude"],
    "\n  steps:\n  - {start_date: 2001-01-01, magnitude: 4}\n  - {start_date: 2000-01-01, magnitude: 3}": [
        "config.yml:4: ",
        "must be after the step before, 2001-01-01T00:00:00",
    ],
}


@pytest.mark.parametrize("text", COMPLETENESS_MISTAKES)
def test_a_mistake_in_completeness_is_told_where_it_stands(folder: Path, text: str) -> None:
    with pytest.raises(ConfigError) as raised:
        _completeness(folder, f"completeness: {text}\n")
    for words in COMPLETENESS_MISTAKES[text]:
        assert words in str(raised.value)
    assert len(raised.value.problems) == 1
