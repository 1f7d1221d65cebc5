"""An experiment on quadtree cells: its region goes into a store and comes back as it was."""

import io
from pathlib import Path

import numpy as np
import pytest

from forequake.config import load_experiment
from forequake.errors import RegionError
from forequake.experiments import Experiment
from forequake.regions import QuadtreeRegion, Region, build, build_region
from forequake.regions.specs import CatalogQuadtree
from forequake.resolution import resolve
from forequake.results import RegionRecord
from stores import open_store

CONFIG = """\
name: quadtree
time_config: {start_date: 2019-01-01, end_date: 2020-01-01}
catalog: csep:comcat_example_catalog
region_config: {mag_min: 5, mag_max: 6, mag_bin: 0.5, region: REGION}
models: [{uniform: {reference: uniform, total: 30}}]
tests: [{N: {func: poisson_evaluations.number_test}}]
"""
REGIONS = {
    "quadkeys": "{quadtree: {quadkeys: ['023', '021', '0201', '022']}}",
    "dictionary": "{dh: 2, polygons: [{lon: -118, lat: 35}, {lat: 35, lon: -116}]}",
}


@pytest.fixture(params=list(REGIONS))
def experiment(request: pytest.FixtureRequest, tmp_path: Path) -> Experiment:
    (tmp_path / "config.yml").write_text(CONFIG.replace("REGION", REGIONS[request.param]))
    return resolve(load_experiment(tmp_path))


def test_a_region_comes_back_from_a_store(experiment: Experiment, tmp_path: Path) -> None:
    record, data = experiment.region_record()
    with open_store(f"sqlite:///{tmp_path / 'store.db'}") as store:
        store.put_blob(io.BytesIO(data))
        store.put([record])
        stored = store.get(RegionRecord, experiment.inputs.region)
        with store.open_blob(stored.origins.sha256) as file:
            back = Region.from_file(file, name=stored.name, cell_size=stored.cell_size)
    assert (stored.grid, stored.n_cells) == (experiment.region.grid, len(experiment.region))
    assert type(back) is type(experiment.region)
    assert back.inputs.canon == experiment.region.inputs.canon
    assert np.array_equal(back.corners, experiment.region.corners)
    window = experiment.config.windows[0]
    counted, _ = experiment.observed(window)
    assert len(counted) > 0
    assert np.array_equal(
        back.cells_of(counted.longitude, counted.latitude),
        experiment.region.cells_of(counted.longitude, counted.latitude),
    )


def test_a_record_of_before_is_one_of_squares(experiment: Experiment) -> None:
    record, _ = experiment.region_record()
    before = record.model_dump(mode="json", exclude={"grid"})
    assert RegionRecord.model_validate(before).grid == "squares"
    assert isinstance(experiment.region, QuadtreeRegion) == (record.grid == "quadtree")


def test_a_file_that_changes_while_a_region_is_built_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "events.csep"
    path.write_text("0.5,0.5,5.0,2000-06-01T00:00:00,10,0,a\n")
    read = build._around_events

    def rewritten_meanwhile(spec: CatalogQuadtree, file: Path) -> Region:
        path.write_text("90.5,45.5,5.0,2000-06-01T00:00:00,10,0,a\n")
        return read(spec, file)

    monkeypatch.setattr(build, "_around_events", rewritten_meanwhile)
    spec = CatalogQuadtree(path="events.csep", threshold=1, zoom=3)
    with pytest.raises(RegionError, match="changed while the region was built; run again"):
        build_region(spec, lambda text: tmp_path / text)
    monkeypatch.setattr(build, "_around_events", read)
    assert len(build_region(spec, lambda text: tmp_path / text)) > 0
