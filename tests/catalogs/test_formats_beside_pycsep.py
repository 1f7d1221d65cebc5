"""Each format beside pyCSEP's own reader and writer, in one process."""

import contextlib
import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forequake.catalogs import Events, read_source
from forequake.datasets import locate_dataset

pytestmark = pytest.mark.slow

_MILLISECOND = 1000


@pytest.fixture
def events() -> Events:
    """Draw events of two centuries, with all digits that a float has."""
    draws = np.random.Generator(np.random.PCG64(11))
    return Events(
        time_us=np.sort(draws.integers(-2_000_000_000, 2_000_000_000, 300)) * 1_000_000 + 123_000,
        longitude=draws.uniform(-180, 180, 300),
        latitude=draws.uniform(-90, 90, 300),
        depth_km=draws.uniform(-3, 700, 300),
        magnitude=draws.uniform(-1, 9, 300),
        event_id=np.array([f"id{number}" for number in range(300)]),
    )


def _their_catalog(events: Events) -> Any:
    from csep.core.catalogs import CSEPCatalog

    columns = (events.event_id, events.time_us // 1000, events.latitude, events.longitude)
    rows = zip(*(column.tolist() for column in (*columns, events.depth_km, events.magnitude)), strict=True)
    return CSEPCatalog(data=list(rows), name="drawn")


def _read_by_pycsep(path: Path, kind: str) -> Any:
    import csep

    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore", RuntimeWarning)
        return csep.load_catalog(str(path), type=kind, format="csep")


def _agree(path: Path, kind: str, *, milliseconds: int = 0, digits: float = 0) -> int:
    """Check that both read the same, theirs with times cut off; give the number of events."""
    return _agree_with(path, _read_by_pycsep(path, kind), milliseconds, digits)


def _agree_with(path: Path, theirs: Any, milliseconds: int, digits: float) -> int:
    ours = read_source(path).events
    order = np.argsort(theirs.get_epoch_times(), kind="stable")
    off = ours.time_us // _MILLISECOND - theirs.get_epoch_times()[order]
    assert ((off >= 0) & (off <= milliseconds)).all()
    for mine, other in (
        (ours.longitude, theirs.get_longitudes()),
        (ours.latitude, theirs.get_latitudes()),
        (ours.depth_km, theirs.get_depths()),
        (ours.magnitude, theirs.get_magnitudes()),
    ):
        assert np.allclose(mine, other[order], rtol=0, atol=digits)
    return len(ours)


def test_what_pycsep_writes_as_text_and_json_is_read_back_equal(tmp_path: Path, events: Events) -> None:
    catalog = _their_catalog(events)
    for name, write in (("a.csv", catalog.write_ascii), ("a.json", catalog.write_json)):
        write(str(tmp_path / name))
        assert read_source(tmp_path / name).events.inputs.key == events.inputs.key
    catalog.write_ascii(str(tmp_path / "plain.csv"), write_header=False, id_col="none")
    nameless = read_source(tmp_path / "plain.csv").events
    assert np.array_equal(nameless.time_us, events.time_us)
    assert set(nameless.event_id.tolist()) == {""}


def test_the_sample_catalog(tmp_path: Path) -> None:
    assert _agree(locate_dataset("csep:comcat_example_catalog"), "csep-csv") == 829


def test_jma(tmp_path: Path, events: Events) -> None:
    path = tmp_path / "jma.csv"
    rows = [
        f"{moment:%Y-%m-%dT%H:%M:%S.%f}+0900;{lon!r};{lat!r};{depth!r};{mag!r}\n"
        for moment, lon, lat, depth, mag in zip(
            events.times(),
            events.longitude.tolist(),
            events.latitude.tolist(),
            events.depth_km.tolist(),
            events.magnitude.tolist(),
            strict=True,
        )
    ]
    path.write_text("timestamp;longitude;latitude;depth;magnitude\n" + "".join(rows))
    assert _agree(path, "jma-csv") == 300
    nine_hours = 9 * 3600 * 1_000_000
    assert np.array_equal(read_source(path).events.time_us, events.time_us - nine_hours)


def test_horus_and_its_cut_seconds_and_single_precision(tmp_path: Path, events: Events) -> None:
    path = tmp_path / "horus.txt"
    columns = (events.times(), events.latitude, events.longitude, events.depth_km, events.magnitude)
    rows = [
        "\t".join(f"{value:19.10f}" for value in (*moment.timetuple()[:5], moment.second + 0.123, *numbers))
        + "\t0.2\t*\t*\t\n"
        for moment, *numbers in zip(*columns, strict=True)
    ]
    path.write_text(
        "Year\tMo\tDa\tHo\tMi\tSe\tLat\tLon\tDepth\tMw\tsigMw\tGeo-Ita\tGeo-CPTI15\t\n" + "".join(rows)
    )
    assert _agree(path, "ingv_horus", milliseconds=999, digits=1e-4) == 300
    ours = read_source(path).events
    assert np.array_equal(ours.time_us, events.time_us)
    assert np.allclose(ours.longitude, events.longitude, rtol=0, atol=1e-10)


def test_the_rcmt_catalog(tmp_path: Path) -> None:
    def row(name: str, date: str, time: str, tenths: str, magnitude: str) -> str:
        cells = [name, date, time, tenths, " 38.93", " 20.55", "10.0", *["0"] * 54, magnitude, "D", "A"]
        return ",".join(f'"{cell}"' for cell in cells) + "\n"

    path = tmp_path / "EuroMedCentrMomTensors.csv"
    path.write_text(
        row("C1", "2019-01-15", "01:25: 5", " 3", "4.52")
        + row("S2", "2010-05-02", "12:24:37", "0", "-9.9")
        + row("S3", "2019-12-12", "03: 5:", "0", "4.8")
        + row("S3", "2019-12-12", "03: 5:", "0", "4.8")
    )
    assert _agree(path, "ingv_emrcmt", milliseconds=900) == 2


def _obspy_data(name: str) -> Path:
    import obspy

    return Path(obspy.__file__).parent / "io" / name


def test_ndk_files_of_obspy(tmp_path: Path) -> None:
    folder = _obspy_data("ndk/tests/data")
    assert _agree(folder / "C200604092050A.ndk", "ndk", milliseconds=900) == 1
    assert _agree(folder / "multiple_events.ndk", "ndk", milliseconds=900) == 6


def test_zmap_which_only_obspy_reads(tmp_path: Path, events: Events) -> None:
    from obspy import read_events

    path = tmp_path / "a.zmap"
    columns = (events.times(), events.longitude, events.latitude, events.magnitude, events.depth_km)
    rows = [
        f"{lon:.6f}\t{lat:.6f}\t{moment:%Y}\t{moment.month}\t{moment.day}\t{mag:.2f}\t{depth:.3f}\t"
        f"{moment.hour}\t{moment.minute}\t{moment.second + moment.microsecond / 1e6:.3f}\n"
        for moment, lon, lat, mag, depth in zip(*columns, strict=True)
    ]
    path.write_text("".join(rows))
    ours = read_source(path).events
    theirs = [event.preferred_origin() or event.origins[0] for event in read_events(str(path), format="ZMAP")]
    assert np.array_equal(ours.time_us, [round(origin.time.ns / 1000) for origin in theirs])
    assert np.array_equal(ours.depth_km, [round(origin.depth / 1000, 3) for origin in theirs])
    with pytest.raises(
        IndexError
    ):  # the day this fails, pyCSEP has learnt to read ZMAP: compare with it then
        _read_by_pycsep(path, "zmap")


@pytest.mark.parametrize("version", [1, 2, 3])
def test_ucerf3(tmp_path: Path, events: Events, version: int) -> None:
    from csep.core.catalogs import UCERF3Catalog

    header = np.zeros(1, dtype=UCERF3Catalog._get_header_dtype(version))
    header["catalog_size"] = len(events)
    rows = np.zeros(len(events), dtype=UCERF3Catalog._get_catalog_dtype(version))
    rows["rupture_id"] = np.arange(len(events))
    rows["origin_time"] = events.time_us // 1000
    for name, column in (
        ("latitude", events.latitude),
        ("longitude", events.longitude),
        ("depth", events.depth_km),
        ("magnitude", events.magnitude),
    ):
        rows[name] = column
    one = np.array([version], dtype=">i2").tobytes() + header.tobytes() + rows.tobytes()
    path, merged = tmp_path / "one.bin", tmp_path / "merged.bin"
    path.write_bytes(one)
    merged.write_bytes(np.array([1], dtype=">i4").tobytes() + one)
    (theirs,) = UCERF3Catalog.load_catalogs(str(merged))
    assert _agree_with(path, theirs.get_csep_format(), 0, 0) == 300
