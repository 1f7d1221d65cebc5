import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from forequake.catalogs import Events, read_catalog
from forequake.datasets import locate_dataset
from forequake.errors import CatalogError
from forequake.regions import Region
from forequake.windows import TimeWindow

HEADING = "lon,lat,mag,time_string,depth,cat_id,event_id\n"
WINDOW = TimeWindow(start=datetime(2020, 1, 1, tzinfo=UTC), end=datetime(2021, 1, 1, tzinfo=UTC))
SQUARE = Region("square", np.array([[0.0, 0.0], [1.0, 0.0]]), 1.0)


def _catalog(tmp_path: Path, text: str, name: str = "catalog.csep") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def test_text_form_with_heading_and_in_order_of_time(tmp_path: Path) -> None:
    events = read_catalog(
        _catalog(
            tmp_path,
            HEADING
            + "1.5,0.5,6.5,2020-06-01T00:00:00.000001,30,1,b\n0.5,0.25,5,2020-05-01T00:00:00,-1,1,a\n",
        )
    )
    assert events.event_id.tolist() == ["a", "b"]
    assert events.times() == [
        datetime(2020, 5, 1, tzinfo=UTC),
        datetime(2020, 6, 1, 0, 0, 0, 1, tzinfo=UTC),
    ]
    assert events.longitude.tolist() == [0.5, 1.5]
    assert events.latitude.tolist() == [0.25, 0.5]
    assert events.depth_km.tolist() == [-1, 30]
    assert events.magnitude.tolist() == [5, 6.5]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("0.5,0.5,,2020-06-01T00:00:00,30,1,1", "catalog.csep:3: the event has no magnitude"),
        ("0.5,0.5,nan,2020-06-01T00:00:00,30,1,1", "catalog.csep:3: the event has no magnitude"),
        ("0.5,0.5,big,2020-06-01T00:00:00,30,1,1", "the magnitude 'big' is not a number"),
        (",0.5,6,2020-06-01T00:00:00,30,1,1", "has no longitude"),
        ("0.5,95,6,2020-06-01T00:00:00,30,1,1", "latitude '95' is not between -90 and 90"),
        ("0.5,0.5,6,yesterday,30,1,1", "time 'yesterday' is not in the form"),
        ("0.5,0.5,6", "got 3 columns"),
        ("9" * 200_000, "not in its text form"),
    ],
)
def test_an_event_that_cannot_be_counted_is_refused_with_its_line(
    tmp_path: Path, line: str, words: str
) -> None:
    path = _catalog(tmp_path, f"{HEADING}0.5,0.5,6.5,2020-06-01T00:00:00,30,1,1\n{line}\n")
    with pytest.raises(CatalogError, match=words):
        read_catalog(path)


def test_json_form_and_what_is_not(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        ["7", 1262615094440, 0.8, 1.4, 29.8, 4.12],
        [None, 1262615094000, 0.7, 1.3, None, 4.1],
    ]
    events = read_catalog(_catalog(tmp_path, json.dumps({"catalog": rows}), "catalog.json"))
    assert events.time_us.tolist() == [1262615094000000, 1262615094440000]
    assert events.event_id.tolist() == ["", "7"]
    assert events.latitude.tolist() == [0.7, 0.8]
    assert np.isnan(events.depth_km[0])
    rows[0][5] = None
    with pytest.raises(CatalogError, match="event 1: the event has no magnitude"):
        read_catalog(_catalog(tmp_path, json.dumps({"catalog": rows}), "catalog.json"))
    with pytest.raises(CatalogError, match="not a catalog in pyCSEP's JSON form"):
        read_catalog(_catalog(tmp_path, '{"events": []}', "catalog.json"))
    with pytest.raises(CatalogError, match="cannot be read"):
        read_catalog(tmp_path / "absent.json")


def test_cut_keeps_the_start_and_not_the_end_and_the_depths_at_both_limits(tmp_path: Path) -> None:
    events = read_catalog(
        _catalog(
            tmp_path,
            "0.5,0.5,5.0,2020-01-01T00:00:00,0,0,start\n"
            "0.5,0.5,5.0,2021-01-01T00:00:00,0,0,end\n"
            "0.5,0.5,4.9,2020-02-01T00:00:00,0,0,small\n"
            "0.5,0.5,9.9,2020-02-01T00:00:00,0,0,huge\n"
            "2.5,0.5,5.0,2020-02-01T00:00:00,0,0,outside\n"
            "0.5,0.5,5.0,2020-02-01T00:00:00,30,0,deepest\n"
            "0.5,0.5,5.0,2020-02-01T00:00:00,30.1,0,deep\n"
            "0.5,0.5,5.0,2020-02-01T00:00:00,-1.3,0,above\n",
        )
    )
    cut = events.cut(window=WINDOW, region=SQUARE, magnitude_min=5, depth_km=(-1, 30))
    assert cut.event_id.tolist() == ["start", "huge", "deepest"]
    surface = events.cut(window=WINDOW, region=SQUARE, magnitude_min=5, depth_km=(0, 30))
    assert surface.event_id.tolist() == ["start", "huge", "deepest", "above"]
    free = events.cut(window=WINDOW, region=SQUARE, magnitude_min=5, depth_km=None)
    assert free.event_id.tolist() == ["start", "huge", "deepest", "deep", "above"]


def test_equal_events_have_one_key_whatever_their_file(tmp_path: Path) -> None:
    line = "0.5,0.5,5.0,2020-02-01T00:00:00,1,0,x\n"
    one = read_catalog(_catalog(tmp_path, line))
    headed = read_catalog(_catalog(tmp_path, HEADING + line))
    moved = read_catalog(_catalog(tmp_path, line.replace("5.0", "5.1")))
    assert one.inputs.key == headed.inputs.key
    assert one.inputs.key != moved.inputs.key


def test_events_survive_being_stored(tmp_path: Path) -> None:
    events = read_catalog(_catalog(tmp_path, "0.5,0.5,5.0,2020-02-01T00:00:00.123456,1,0,x\n"))
    path = tmp_path / "events.npz"
    path.write_bytes(events.to_bytes())
    with path.open("rb") as file:
        assert Events.from_file(file).inputs.key == events.inputs.key


@pytest.mark.slow
def test_the_sample_of_pycsep_reads_as_pycsep_reads_it() -> None:
    import csep

    path = locate_dataset("csep:comcat_example_catalog")
    ours, theirs = read_catalog(path), csep.load_catalog(str(path))
    assert len(ours) == theirs.get_number_of_events() == 829
    assert np.array_equal(ours.time_us // 1000, theirs.get_epoch_times())
    assert np.array_equal(ours.longitude, theirs.get_longitudes())
    assert np.array_equal(ours.latitude, theirs.get_latitudes())
    assert np.array_equal(ours.magnitude, theirs.get_magnitudes())
    assert np.array_equal(ours.depth_km, theirs.get_depths())
