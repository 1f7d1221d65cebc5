"""Simulated catalogs read as pyCSEP reads them, from each form that they come in."""

import gc
import gzip
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from forequake.datasets import locate_dataset
from forequake.forecasts.catalog_based import CatalogForecast, catalogs_from_file, read_catalog_forecast
from forequake.forecasts.catalog_based.cache import CompactCache
from forequake.forecasts.catalog_based.text import exact_rows, fast_rows, find_text_form

HEADING = "lon,lat,mag,time_string,depth,catalog_id,event_id\n"
#: Catalog 0 with two events, 1 left out, 2 named without events, 3 with one.
SMALL = (
    "-124.5,40.25,5.65,1992-07-10T19:10:07.057000,18.083824,0,\n"
    "-124.56,40.4,6.693793,1992-08-30T16:44:54,21.0,0,b\n"
    ",,,,,2,\n"
    "-117.18228,33.388157,5.15,1992-11-20T08:56:33.5,,3,x\n"
)
HERMES = (
    "realization_id,magnitude,depth,latitude,longitude,time\n"
    "0,5.65,18.083824,40.25,-124.5,1992-07-10 19:10:07.057000\n"
    "0,6.693793,21.0,40.4,-124.56,1992-08-30 16:44:54\n"
    "2,,,,,\n"
    "3,5.15,,33.388157,-117.18228,1992-11-20 08:56:33.5\n"
)
COLUMNS = ("longitude", "latitude", "magnitude", "depth_km", "time_us")
EXPECTED = {
    "longitude": [-124.5, -124.56, -117.18228],
    "latitude": [40.25, 40.4, 33.388157],
    "magnitude": [5.65, 6.693793, 5.15],
    "depth_km": [18.083824, 21.0, np.nan],
    "time_us": [710795407057000, 715193094000000, 722249793500000],
}


def _read(tmp_path: Path, text: str | bytes, name: str = "model.csv", **options: Any) -> CatalogForecast:
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_catalog_forecast(path, folder=tmp_path / "cache", **options)


def _values(forecast: CatalogForecast) -> dict[str, list[float]]:
    return {name: getattr(forecast, name).tolist() for name in COLUMNS}


def _codes(forecast: CatalogForecast) -> dict[str, int | None]:
    return {finding.code: finding.count for finding in forecast.findings}


def _as_pycsep(path: Path) -> tuple[list[int], NDArray[np.void]]:
    """Give the sizes of all catalogs, and all events, as pyCSEP reads them."""
    import csep

    catalogs = list(csep.load_catalog_forecast(str(path)))
    return [catalog.event_count for catalog in catalogs], np.concatenate([c.catalog for c in catalogs])


def _assert_same(forecast: CatalogForecast, path: Path) -> None:
    from tests.evaluations.csep_catalogs import csep_milliseconds

    sizes, events = _as_pycsep(path)
    assert np.diff(forecast.offsets).tolist() == sizes
    np.testing.assert_array_equal(csep_milliseconds(forecast.time_us), events["origin_time"])
    for name, theirs in zip(COLUMNS[:4], ("longitude", "latitude", "magnitude", "depth"), strict=True):
        np.testing.assert_array_equal(getattr(forecast, name), events[theirs])


@pytest.mark.parametrize(
    "text",
    [
        HEADING + SMALL,
        SMALL,
        "\ufeff" + HEADING + SMALL,
        (HEADING + SMALL).replace("\n", "\r\n"),
        HEADING + SMALL.replace("5.65,", " 5.65 ,"),
        HEADING + SMALL.replace("T", " ").replace("19:10:07.057000", "19:10:07.057000+00:00"),
        HEADING.replace("mag,", "magnitude,") + SMALL,
        HEADING.strip() + ",more\n" + SMALL.replace("\n", ",1\n"),
        (HEADING + SMALL).replace(",event_id", "").replace(",0,b", ",0").replace(",3,x", ",3").replace(
            "0,\n", "0\n"
        ).replace("2,\n", "2\n"),
        HERMES,
        HERMES.split("\n", 1)[1],
    ],
)  # fmt: skip
def test_the_same_catalogs_in_every_text_form(tmp_path: Path, text: str) -> None:
    forecast = _read(tmp_path, text)
    np.testing.assert_equal(_values(forecast), EXPECTED)
    assert forecast.offsets.tolist() == [0, 2, 2, 2, 3]
    assert (len(forecast), forecast.n_events, forecast.n_empty) == (4, 3, 2)
    assert _codes(forecast) == {"empty_catalogs": 2, "number_of_catalogs_unsaid": None, "missing_depths": 1}


def test_a_packed_file_is_read(tmp_path: Path) -> None:
    forecast = _read(tmp_path, gzip.compress((HEADING + SMALL).encode()), "model.csv.gz")
    np.testing.assert_equal(_values(forecast), EXPECTED)


def test_pycsep_reads_the_same(tmp_path: Path) -> None:
    forecast = _read(tmp_path, HEADING + SMALL)
    _assert_same(forecast, tmp_path / "model.csv")


def test_catalogs_that_pycsep_wrote_come_back(tmp_path: Path) -> None:
    from csep.core.catalogs import CSEPCatalog

    path = tmp_path / "model.csv"
    generator = np.random.default_rng(3)
    for number, size in enumerate([3, 0, 0, 5, 1, 0]):
        rows = np.zeros(size, dtype=CSEPCatalog.dtype)
        rows["origin_time"] = np.sort(generator.integers(0, 2_000_000_000_000, size))
        for name in ("longitude", "latitude", "depth", "magnitude"):
            rows[name] = generator.uniform(0, 10, size)
        catalog = CSEPCatalog(data=rows, catalog_id=number)
        catalog.write_ascii(str(path), write_header=number == 0, append=number > 0)
    forecast = read_catalog_forecast(path, n_catalogs=6, folder=tmp_path / "cache")
    sizes, events = _as_pycsep(path)
    assert sizes == [3, 0, 0, 5, 1]  # the last one is empty: nothing in the file says that it is there
    assert np.diff(forecast.offsets).tolist() == [*sizes, 0]
    np.testing.assert_array_equal(forecast.time_us // 1000, events["origin_time"])
    for name in ("longitude", "latitude", "magnitude"):
        np.testing.assert_array_equal(getattr(forecast, name), events[name])
    assert _codes(forecast)["last_catalogs_left_out"] == 1


@pytest.fixture(scope="module")
def landers(tmp_path_factory: pytest.TempPathFactory) -> CatalogForecast:
    path = locate_dataset("csep:ucerf3_ascii_format_landers")
    return read_catalog_forecast(path, n_catalogs=10_000, folder=tmp_path_factory.mktemp("cache"))


def test_landers_is_what_pycsep_reads(landers: CatalogForecast) -> None:
    assert (len(landers), landers.n_events, landers.n_empty) == (10_000, 192_826, 1)
    assert _codes(landers) == {"empty_catalogs": 1}
    _assert_same(landers, locate_dataset("csep:ucerf3_ascii_format_landers"))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="asks Linux for the greatest memory")
def test_reading_landers_takes_little_memory(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from forequake.datasets import locate_dataset\n"
        "from forequake.forecasts.catalog_based import read_catalog_forecast\n"
        "path = locate_dataset('csep:ucerf3_ascii_format_landers')\n"
        "print(read_catalog_forecast(path, folder=Path(sys.argv[1])).n_events)\n"
        "print(Path('/proc/self/status').read_text())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], check=True, capture_output=True, text=True
    )
    words = done.stdout.split()
    assert words[0] == "192826"
    assert int(words[words.index("VmHWM:") + 1]) / 1024 < 400  # MB


@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize("name", ["model.bin", "model.bin.gz"])
def test_ucerf3s_binary_catalogs(tmp_path: Path, version: int, name: str) -> None:
    import csep

    about = (
        struct.pack(">iqiiiiiqqiidd", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 2.5, 9.0) if version == 3 else b""
    )
    data = struct.pack(">i", 4)
    for size in (2, 0, 1, 0):
        data += struct.pack(">h", version) + about + struct.pack(">i", size)
        for number in range(size):
            data += struct.pack(
                ">iihqdddddiii", 7, -1, 0, 710795407057 + number, 33.5, -116.25, 8.5, 5.5, 0, 1, 2, 3
            )
            data += b"" if version == 1 else struct.pack(">d", 0.1)
    forecast = _read(tmp_path, gzip.compress(data) if name.endswith("gz") else data, name)
    theirs = list(csep.load_catalog_forecast(str(tmp_path / name), type="ucerf3"))
    assert np.diff(forecast.offsets).tolist() == [c.event_count for c in theirs] == [2, 0, 1, 0]
    events = np.concatenate([c.catalog for c in theirs])
    assert (forecast.time_us // 1000).tolist() == events["origin_time"].tolist()
    for mine, other in zip(COLUMNS[:4], ("longitude", "latitude", "magnitude", "depth"), strict=True):
        assert getattr(forecast, mine).tolist() == events[other].tolist()
    assert _codes(forecast) == {"empty_catalogs": 2}


_numbers = st.floats(-170, 170).map(repr) | st.sampled_from(["", "nan", "1e-3", "+5.", " 7"])
_times = st.datetimes().map(lambda moment: moment.isoformat())


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(_numbers, _numbers, _numbers, _times, _numbers, st.integers(0, 2)), min_size=1, max_size=8
    ),
    st.booleans(),
)
def test_both_readers_of_text_agree(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, ...]], heading: bool
) -> None:
    path = tmp_path_factory.getbasetemp() / "agree.csv"
    lines = [",".join((*row[:5], str(number * 2 + int(row[5])), "")) for number, row in enumerate(rows)]
    path.write_text((HEADING if heading else "") + "\n".join(lines))
    form = find_text_form(path)
    (fast,), (exact,) = fast_rows(path, form), exact_rows(path, form)
    for mine, other in zip(fast[:-1], exact[:-1], strict=True):
        np.testing.assert_array_equal(mine, other)


def test_an_earlier_reading_is_mapped_and_a_damaged_one_made_anew(tmp_path: Path) -> None:
    first = _read(tmp_path, HEADING + SMALL)
    written = first.path.stat()
    again = _read(tmp_path, HEADING + SMALL)
    assert (again.path, again.path.stat().st_ino) == (first.path, written.st_ino)
    assert again.findings == first.findings
    data = first.path.read_bytes()
    for damaged in (data[:-1], data[:-1] + b"x", b""):
        first.path.unlink()
        first.path.write_bytes(damaged)
        np.testing.assert_equal(_values(_read(tmp_path, HEADING + SMALL)), EXPECTED)
    assert _read(tmp_path, HEADING + SMALL, n_catalogs=9).path != first.path
    assert sorted(file.suffix for file in (tmp_path / "cache").iterdir()) == [".catalogs", ".catalogs"]


def test_a_cache_that_cannot_be_written_costs_no_result(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("in the way")
    forecast = _read(tmp_path, HEADING + SMALL)
    np.testing.assert_equal(_values(forecast), EXPECTED)
    with forecast.open() as file:
        assert len(file.read()) == forecast.blob.size
    folder = forecast.path.parent
    assert folder.exists()
    del forecast
    gc.collect()
    assert not folder.exists()


def test_the_cache_is_bounded_and_forgets_what_was_used_longest_ago(tmp_path: Path) -> None:
    forecast = _read(tmp_path, HEADING + SMALL)
    cache = CompactCache(tmp_path / "bounded", most_bytes=2 * forecast.blob.size)
    (tmp_path / "bounded").mkdir()
    abandoned = tmp_path / "bounded" / "a.catalogs.x1y2"
    abandoned.touch()
    os.utime(abandoned, (0, 0))
    for number, name in enumerate("abacd"):
        with forecast.open() as file:
            assert len(cache.get(name) or catalogs_from_file(file, name, cache.folder)) == 4
        os.utime(cache.folder / f"{name}.catalogs", (number, number))
    assert sorted(file.name for file in cache.folder.iterdir()) == [f"{name}.catalogs" for name in "abcd"]

    def write(target: Path) -> None:
        shutil.copyfile(forecast.path, target)

    cache.make("e", write)
    assert sorted(file.stem for file in cache.folder.iterdir()) == ["d", "e"]
