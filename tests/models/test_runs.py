"""One run of a model: what it may know, what it gets, what is kept, and what counts as a forecast."""

import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import csep
import numpy as np
import pytest

from forequake.errors import Interrupted, ModelFailed
from forequake.keys import bytes_digest
from forequake.models.runs import CAUSES, ExpectedForecast, prospective_status, run_model
from forequake.models.runs.input_catalog import csep_csv
from forequake.models.runs.verification import check_forecast
from forequake.models.sources import PathSource, StagedSource, fetch_source
from forequake.regions import Region
from tests.models.model_runs import CASES, OUTPUT, WINDOW, events, request, staged

linux = pytest.mark.skipif(sys.platform != "linux", reason="what is watched is known on Linux alone")


@pytest.fixture
def folder() -> Iterator[Path]:
    # Not pytest's own folder, which other users may not enter.
    with tempfile.TemporaryDirectory(prefix="forequake-tests-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def _source(folder: Path, code: str, arguments: str | None = None) -> StagedSource:
    (folder / "own" / "input").mkdir(parents=True)
    (folder / "own" / "run.py").write_text(code)
    if arguments is not None:
        (folder / "own" / "input" / "args.txt").write_text(arguments)
        (folder / "own" / "input" / "faults.txt").write_text("a fault\n")
    return fetch_source(PathSource(folder / "own"), folder, shelf=folder / "shelf", say=lambda line: None)


def test_all_states_of_the_table_are_causes() -> None:
    assert {case.state for case in CASES} - {"succeeded"} <= set(CAUSES)


@linux
def test_a_good_model_gives_a_sealed_forecast_and_an_empty_shelf(folder: Path) -> None:
    asked = request("good", folder)
    run = run_model(asked)
    assert run.output == asked.destination
    assert run.sha256 == bytes_digest(run.output.read_bytes())
    assert run.log == "2 events\n"
    assert run.arguments.startswith("start_date = 2020-01-02T00:00:00\n")
    assert set(run.seconds) == {"input", "run", "check"}
    assert run.another_user == (os.geteuid() == 0), run.notes
    assert run.output.stat().st_uid == os.geteuid()
    assert list((folder / "runs").iterdir()) == []
    assert [file.name for file in asked.destination.parent.iterdir()] == ["good.csv"]


CODE = """
import os, shutil
from pathlib import Path
print(*sorted(name for name in os.environ if name != "LC_CTYPE"))
print(os.environ["FOREQUAKE_SEED"], os.environ["TOKEN"])
print(Path("input/args.txt").read_text() + Path("input/faults.txt").read_text())
print('{"progress": 0.5}', flush=True)
Path("run.py").write_text("changed")
"""


@linux
def test_it_gets_its_arguments_its_seed_and_variables_of_an_allow_list(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOREQUAKE_STORE", "mongodb://user:word@host/")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    seen: list[Mapping[str, Any]] = []
    asked = request(
        "good",
        folder,
        source=_source(folder, CODE, "seed = 1\nn_sims = 100\n"),
        arguments={"n_sims": 3},
        seed=42,
        seed_argument="seed",
        variables={"TOKEN": "t"},
        on_progress=seen.append,
    )
    with pytest.raises(ModelFailed) as caught:
        run_model(asked)
    names, values, *lines = caught.value.output.splitlines()
    assert caught.value.cause == "no_output"
    assert not {"FOREQUAKE_STORE", "PYTHONPATH"} & set(names.split())
    assert "FOREQUAKE_SEED" in names.split()
    assert values == "42 t"
    assert lines[:5] == [
        "start_date = 2020-01-02T00:00:00",
        "end_date = 2020-01-03T00:00:00",
        "n_sims = 3",
        "seed = 42",
        "a fault",
    ]
    assert seen == [{"progress": 0.5}]


def test_an_event_at_the_windows_start_is_not_given_to_a_model(folder: Path) -> None:
    known = events(("2020-01-01T10:00:00", "2020-01-02T00:00:00"))
    with pytest.raises(ModelFailed) as caught:
        run_model(request("good", folder, input_catalog=known))
    assert caught.value.cause == "look_ahead"
    assert "1 of 2 events" in str(caught.value)
    assert "e1 at 2020-01-02T00:00:00.000000Z" in str(caught.value)
    assert not (folder / "runs").exists()


def test_the_input_catalog_is_what_pycsep_reads(tmp_path: Path) -> None:
    known = events()
    (tmp_path / "catalog.csv").write_text(csep_csv(known))
    read = csep.load_catalog(str(tmp_path / "catalog.csv"))
    assert read.get_longitudes().tolist() == known.longitude.tolist()
    assert read.get_latitudes().tolist() == known.latitude.tolist()
    assert read.get_magnitudes().tolist() == known.magnitude.tolist()
    assert read.get_depths().tolist() == known.depth_km.tolist()
    assert np.abs(read.get_epoch_times() - known.time_us // 1000).max() <= 1  # milliseconds
    assert (tmp_path / "catalog.csv").read_text().splitlines()[:2] == [
        "lon,lat,mag,time_string,depth,catalog_id,event_id",
        "0.1,0.5,4.0,2020-01-01T10:00:00.123456,10.0,,e0",
    ]


@linux
def test_a_source_that_changed_on_the_shelf_is_not_run(folder: Path) -> None:
    source = staged("good", folder)
    file = source.folder / "run.py"
    file.chmod(0o644)
    file.write_text("print('another')")
    with pytest.raises(ModelFailed) as caught:
        run_model(request("good", folder, source=source))
    assert caught.value.cause == "source_changed"
    assert "run.py" in str(caught.value)


@linux
def test_a_program_that_does_not_exist_cannot_start(folder: Path) -> None:
    with pytest.raises(ModelFailed) as caught:
        run_model(request("good", folder, argv=("no-such-program", "run.py")))
    assert caught.value.cause == "cannot_start"
    assert "no-such-program: No such file" in str(caught.value)


@linux
def test_a_forecast_that_was_there_stays_until_a_right_one_comes(folder: Path) -> None:
    asked = request("exits_with_7", folder)
    asked.destination.parent.mkdir()
    asked.destination.write_text("before")
    with pytest.raises(ModelFailed):
        run_model(asked)
    assert asked.destination.read_text() == "before"


@linux
def test_a_request_to_stop_ends_it(folder: Path) -> None:
    stop = threading.Event()
    threading.Timer(0.8, stop.set).start()
    begun = time.monotonic()
    with pytest.raises(Interrupted):
        run_model(request("hangs", folder, stop=stop))
    assert time.monotonic() - begun < 4
    assert list((folder / "runs").iterdir()) == []


@linux
def test_the_folder_is_kept_where_that_is_asked(folder: Path) -> None:
    run = run_model(request("good", folder, keep=True))
    assert run.folder is not None
    assert (run.folder / "model" / OUTPUT).exists()
    assert (run.folder / "model" / "input" / "catalog.csv").exists()


HEADING = "lon_min,lon_max,lat_min,lat_max,depth_min,depth_max,4.0,5.0\n"
ROWS = "0,1,0,1,0,30,{rate},0.1\n1,2,0,1,0,30,0.5,0.1\n"
REGION = Region("box", np.array([[0.0, 0.0], [1.0, 0.0]]), 1.0)
XML = """<?xml version="1.0"?><CSEPForecast><forecastData>
<forecastStartDate>{begin}T00:00:00Z</forecastStartDate><forecastEndDate>{end}T00:00:00Z</forecastEndDate>
<defaultCellDimension latRange="1.0" lonRange="1.0"/><defaultMagBinDimension>1.0</defaultMagBinDimension>
<lastMagBinOpen>1</lastMagBinOpen><depthLayer max="30.0" min="0.0">
<cell lat="0.5" lon="0.5"><bin m="4.5">0.1</bin><bin m="5.5">0.1</bin></cell>
<cell lat="0.5" lon="1.5"><bin m="4.5">0.1</bin><bin m="5.5">0.1</bin></cell>
</depthLayer></forecastData></CSEPForecast>"""


@pytest.mark.parametrize(
    ("ending", "text", "cause"),
    [
        ("csv", HEADING + ROWS.format(rate=1), None),
        ("csv", HEADING + ROWS.format(rate="nan"), "unreadable_output"),
        ("csv", HEADING + ROWS.format(rate=-1), "unreadable_output"),
        ("csv", HEADING + ROWS.format(rate=1)[:-5], "unreadable_output"),
        ("csv", HEADING + ROWS.format(rate=1).replace("1,2,0,1", "5,6,0,1"), "wrong_region"),
        ("csv", HEADING.replace("4.0,5.0", "4.3,5.3") + ROWS.format(rate=1), "wrong_region"),
        ("xml", XML.format(begin="2020-01-02", end="2020-01-03"), None),
        ("xml", XML.format(begin="2020-01-03", end="2020-01-04"), "wrong_window"),
    ],
)
def test_gridded_forecasts_are_checked(tmp_path: Path, ending: str, text: str, cause: str | None) -> None:
    path = tmp_path / f"forecast.{ending}"
    path.write_text(text)
    expected = ExpectedForecast("gridded", REGION, np.array([4.0, 5.0]))
    if cause is None:
        check_forecast(path, expected, WINDOW)
        return
    with pytest.raises(ModelFailed) as caught:
        check_forecast(path, expected, WINDOW)
    assert caught.value.cause == cause


HOUR = timedelta(hours=1)
BEGIN, END = WINDOW.start, WINDOW.end


@pytest.mark.parametrize(
    ("status", "sealed", "retrieved", "fixed", "known_until"),
    [
        ("prospective", BEGIN - HOUR, BEGIN - 2 * HOUR, BEGIN - 3 * HOUR, BEGIN - 2 * HOUR),
        ("late", BEGIN, BEGIN - HOUR, BEGIN - HOUR, BEGIN - HOUR),
        ("late", END - HOUR, BEGIN - HOUR, BEGIN - HOUR, BEGIN),
        ("pseudo_prospective", END, BEGIN - HOUR, BEGIN - HOUR, BEGIN),
        ("pseudo_prospective", END + HOUR, END, BEGIN - HOUR, BEGIN),
        ("pseudo_prospective", BEGIN + HOUR, BEGIN, BEGIN - HOUR, BEGIN),
        ("retrospective", END + HOUR, END, END, BEGIN),
        ("retrospective", BEGIN - HOUR, BEGIN - HOUR, BEGIN, BEGIN),
        ("retrospective", END + HOUR, END, BEGIN - HOUR, BEGIN + HOUR),
    ],
)
def test_the_status_in_time(
    status: str, sealed: datetime, retrieved: datetime, fixed: datetime, known_until: datetime
) -> None:
    found = prospective_status(
        WINDOW, sealed=sealed, retrieved=retrieved, fixed=fixed, known_until=known_until
    )
    assert found.value == status
