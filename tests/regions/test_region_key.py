"""The key `region` of an experiment's file: what it means, and how it is refused."""

from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel, TypeAdapter

from forequake.config import load_experiment
from forequake.config._files import Folder
from forequake.config._regions import RegionPlace
from forequake.errors import ConfigError
from forequake.regions.specs import (
    AftershockRegion,
    BoxRegion,
    CatalogQuadtree,
    FileRegion,
    GlobalRegion,
    InlineRegion,
    MaskedRegion,
    NamedRegion,
    QuadkeyRegion,
    RegionSpec,
    ZoomRegion,
)

HEAD = """\
name: a
time_config: {start_date: 2010-01-01, end_date: 2011-01-01}
catalog: catalog.csv
models: [{m: {path: forecast.csv}}]
tests: [{N: {func: poisson_evaluations.number_test}}]
region_config:
  mag_min: 5
  mag_max: 6
  mag_bin: 0.1
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("catalog.csv", "forecast.csv", "cells.txt"):
        (tmp_path / name).write_text("0 1\n")
    return tmp_path


def _load(folder: Path, region: str) -> RegionSpec:
    (folder / "config.yml").write_text(f"{HEAD}  region: {region}\n")
    return load_experiment(folder).config.region


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("nz_csep_region", NamedRegion(name="nz_csep_region")),
        ("california_quadtree_region", NamedRegion(name="california_quadtree_region")),
        ("csep.core.regions.italy_csep_region", NamedRegion(name="italy_csep_region")),
        ("cells.txt", FileRegion(path="cells.txt")),
        ("{global: {cell_size: 2}}", GlobalRegion(cell_size=2)),
        ("{global: {}}", GlobalRegion(cell_size=0.1)),
        (
            "{box: {west: 170, east: 190, south: -48, north: -34, cell_size: 0.1}}",
            BoxRegion(west=170, east=190, south=-48, north=-34, cell_size=0.1),
        ),
        (
            "{aftershock: {magnitude: 7.1, longitude: -117.5993, latitude: 35.7695, num_radii: 3}}",
            AftershockRegion(magnitude=7.1, longitude=-117.5993, latitude=35.7695),
        ),
        (
            "{aftershock: {magnitude: 6, longitude: 13, latitude: 42, within: italy_csep_region}}",
            AftershockRegion(
                magnitude=6, longitude=13, latitude=42, within=NamedRegion(name="italy_csep_region")
            ),
        ),
        (
            "{polygon: {corners: [[0, 0], [9, 0], [0, 9]], within: {global: {cell_size: 1}}}}",
            MaskedRegion(polygon=((0, 0), (9, 0), (0, 9)), within=GlobalRegion(cell_size=1)),
        ),
        ("{quadtree: {zoom: 7}}", ZoomRegion(zoom=7)),
        ("{quadtree: {quadkeys: ['0', '12']}}", QuadkeyRegion(quadkeys=("0", "12"))),
        ("{quadtree: {file: cells.txt}}", FileRegion(path="cells.txt")),
        (
            "{quadtree: {catalog: catalog.csv, threshold: 10}}",
            CatalogQuadtree(path="catalog.csv", threshold=10, zoom=11),
        ),
        (
            "{quadtree: {catalog: 'csep:comcat_example_catalog', threshold: 3, zoom: 5}}",
            CatalogQuadtree(path="csep:comcat_example_catalog", threshold=3, zoom=5),
        ),
        (
            "{dh: 0.1, name: x, class_id: CartesianGrid2D, polygons: [{lat: 2, lon: 1}, {lon: 1.1, lat: 2}]}",
            InlineRegion(name="x", cell_size=0.1, origins=((1, 2), (1.1, 2))),
        ),
        (
            "{dh: 0.1, origins: [[1, 2]], magnitudes: [5, 6]}",
            InlineRegion(cell_size=0.1, origins=((1, 2),), unused=("magnitudes",)),
        ),
    ],
)
def test_each_form_is_read_and_recorded(text: str, spec: RegionSpec, folder: Path) -> None:
    read = _load(folder, text)
    assert read == spec
    assert isinstance(read, BaseModel)
    assert TypeAdapter(RegionSpec).validate_json(read.model_dump_json()) == spec


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        ("califronia_relm_region", "region", "no such region.*did you mean 'california_relm_region'"),
        ("generate_aftershock_region", "region", "needs more than its name; write {aftershock: "),
        ("csep:helmstetter_mainshock", "region", "no data set of pycsep is a list of cells"),
        ("cells.tx", "region", "no such file.*did you mean 'cells.txt'"),
        ("7", "region", "expected a region's name, a file with its cells, or a mapping such as {global"),
        ("{}", "region", "expected one of global, box, aftershock, polygon, quadtree"),
        ("{globl: {}}", "region", "not globl; did you mean 'global'"),
        ("{global: {}, box: {}}", "region", "but global and box are given"),
        ("{global: {}, cell_size: 1}", "region", "unknown key beside global: cell_size"),
        ("{global: 0.5}", "region.global", "expected a mapping, such as {global: {cell_size: 0.5}}"),
        ("{global: {cell_siz: 1}}", "region.global.cell_siz", "unknown key.*did you mean 'cell_size'"),
        ("{global: {kind: global}}", "region.global.kind", "unknown key; known here: cell_size"),
        ("{global: {cell_size: '1'}}", "region.global.cell_size", "expected a number, not text"),
        ("{global: {cell_size: 0}}", "region.global.cell_size", "must be greater than 0"),
        ("{global: {cell_size: 7}}", "region.global.cell_size", "not a whole number of cells of 7 degrees"),
        ("{global: {cell_size: 0.01}}", "region.global.cell_size", "cells of 0.01 degrees are too many"),
        (
            "{box: {west: 190, east: 170, south: 0, north: 1, cell_size: 1}}",
            "region.box",
            "west must be less than east",
        ),
        ("{box: {west: 0, east: 1, south: 0, north: 1}}", "region.box.cell_size", "this key is required"),
        (
            "{box: {west: 0, east: 1, south: 0, north: 91, cell_size: 1}}",
            "region.box.north",
            "must be 90 or less",
        ),
        (
            "{aftershock: {magnitude: -1, longitude: 0, latitude: 0}}",
            "region.aftershock.magnitude",
            "must be greater than 0",
        ),
        ("{aftershock: {magnitude: 7, longitude: 0}}", "region.aftershock.latitude", "this key is required"),
        (
            "{aftershock: {magnitude: 7, longitude: 0, latitude: 0, within: {quadtree: {zoom: 3}}}}",
            "region.aftershock.within",
            "expected a region of square cells",
        ),
        (
            "{aftershock: {magnitude: 7, longitude: 0, latitude: 0, within: {global: {size: 3}}}}",
            "region.aftershock.within.global.size",
            "did you mean 'cell_size'",
        ),
        (
            "{polygon: {corners: [[0, 0], [1, 1]], within: nz_csep_region}}",
            "region.polygon.corners",
            "expected 3 or more, got 2",
        ),
        (
            "{polygon: {corners: [[0, 0], [1, 1], [1]], within: nz_csep_region}}",
            r"region.polygon.corners\[2\]",
            r"expected a corner as \[longitude, latitude\]",
        ),
        ("{quadtree: {zoom: 30}}", "region.quadtree.zoom", "must be 11 or less"),
        ("{quadtree: {zom: 3}}", "region.quadtree", "did you mean 'zoom'"),
        ("{quadtree: {zoom: 3, file: cells.txt}}", "region.quadtree.zoom", "known here: file"),
        ("{quadtree: {quadkeys: [12]}}", r"region.quadtree.quadkeys\[0\]", "put it into quotes"),
        ("{quadtree: {quadkeys: ['4']}}", "region.quadtree.quadkeys", "'4' .number 1. is no quadkey"),
        ("{quadtree: {file: 3}}", "region.quadtree.file", "expected the name of a file"),
        ("{quadtree: {catalog: catalog.cs}}", "region.quadtree.catalog", "did you mean 'catalog.csv'"),
        (
            "{quadtree: {catalog: 'csep:comcat_example_catalogg', threshold: 1}}",
            "region.quadtree.catalog",
            "no such catalog in pycsep.*did you mean 'csep:comcat_example_catalog'",
        ),
        ("{quadtree: {catalog: catalog.csv}}", "region.quadtree.threshold", "this key is required"),
        ("{polygons: [{lon: 1, lat: 2}]}", "region", "a dictionary of cells needs dh"),
        ("{dh: 1, polygon: [{lon: 1, lat: 2}]}", "region", "did you mean 'polygons'"),
        ("{dh: 1, polygons: [{lon: 1, lat: 2, z: 3}]}", "region", r"polygons\[0\]: expected lon and lat"),
    ],
)
def test_each_mistake_is_refused_in_its_place(text: str, key: str, words: str, folder: Path) -> None:
    with pytest.raises(ConfigError, match=rf"config.yml:10: region_config\.{key}: .*{words}") as caught:
        _load(folder, text)
    assert "pydantic" not in str(caught.value)
    assert "Input should" not in str(caught.value)


def test_the_schema_shows_what_may_be_written() -> None:
    shown = TypeAdapter(RegionPlace).json_schema()["anyOf"]
    assert "global_region" in shown[0]["enum"]
    rules = [next(iter(form["properties"])) for form in shown[3:]]
    assert rules == ["global", "box", "aftershock", "polygon", "quadtree"]
    context = Folder(root=Path(__file__).parent)
    for form in shown[3:]:
        rule, inner = next(iter(form["properties"].items()))
        for key in inner["properties"]:
            value = yaml.safe_load(f"{{{rule}: {{{key}: []}}}}")
            with pytest.raises(ValueError, match="validation error") as caught:
                TypeAdapter(RegionPlace).validate_python(value, context=context)
            assert "unknown key" not in str(caught.value)
