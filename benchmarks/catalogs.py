"""How fast catalogs are read, beside pyCSEP in the same run. Run by ``make bench-catalogs``.

Each file is written here, read by both, and the events are compared. A line ``ratio NAME VALUE`` says how
many times faster forequake is in CPU time, the best of five runs; imports are not counted.
"""

import argparse
import contextlib
import io
import json
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from forequake.catalogs import Events, read_source

_REPEATS = 5
_START = np.datetime64("1990-01-01T00:00:00", "us").astype(np.int64)


def _events(count: int) -> Events:
    """Draw a catalog of milliseconds, with six decimals in places and two in magnitudes."""
    draws = np.random.Generator(np.random.PCG64(4))
    return Events(
        time_us=np.sort(_START + draws.integers(0, 30 * 365 * 86_400_000, count) * 1000),
        longitude=draws.uniform(-125, -113, count).round(6),
        latitude=draws.uniform(31, 43, count).round(6),
        depth_km=draws.uniform(-1, 30, count).round(3),
        magnitude=(2.5 + draws.exponential(0.4, count)).round(2),
        event_id=np.array([f"ci{number}" for number in range(count)]),
    )


def _write_csep_csv(path: Path, events: Events) -> None:
    times = events.time_us.astype("datetime64[us]").astype(str)
    with path.open("w") as file:
        file.write("lon,lat,mag,time_string,depth,catalog_id,event_id\n")
        places = (events.longitude, events.latitude, events.magnitude)
        rows = zip(*places, times, events.depth_km, events.event_id, strict=True)
        file.writelines(
            f"{lon},{lat},{mag},{moment},{depth},,{name}\n" for lon, lat, mag, moment, depth, name in rows
        )


def _write_fields(path: Path, events: Events, heading: str, form: str) -> None:
    columns = (events.times(), events.longitude, events.latitude, events.depth_km, events.magnitude)
    with path.open("w") as file:
        file.write(heading)
        for moment, lon, lat, depth, mag in zip(*columns, strict=True):
            second = moment.second + moment.microsecond / 1e6
            file.write(form.format(t=moment, lon=lon, lat=lat, depth=depth, mag=mag, second=second))


_ZMAP = "{lon} {lat} {t:%Y} {t:%m} {t:%d} {mag} {depth} {t:%H} {t:%M} {second:.3f} 0 0 0\n"
_HORUS_HEADING = "Year\tMo\tDa\tHo\tMi\tSe\tLat\tLon\tDepth\tMw\tsigMw\tGeo\n"
_HORUS = "{t:%Y}\t{t:%m}\t{t:%d}\t{t:%H}\t{t:%M}\t{second:.3f}\t{lat}\t{lon}\t{depth}\t{mag}\t0.2\t*\n"
_JMA = "{t:%Y-%m-%dT%H:%M:%S.%f}+0000;{lon};{lat};{depth};{mag}\n"


def _write_json(path: Path, events: Events) -> None:
    columns = (events.event_id, events.time_us // 1000, events.latitude, events.longitude)
    rows = zip(*(column.tolist() for column in (*columns, events.depth_km, events.magnitude)), strict=True)
    path.write_text(json.dumps({"catalog": [list(row) for row in rows], **_JSON_REST}))


#: What `CSEPCatalog.from_dict` asks for besides.
_JSON_REST = {"date_accessed": None, "start_time": None, "end_time": None, "region": None}


def _best(work: Callable[[], Any]) -> tuple[float, Any]:
    """Give the least CPU seconds of several runs, and the last result."""
    best = float("inf")
    for _ in range(_REPEATS):
        start = time.process_time()
        result = work()
        best = min(best, time.process_time() - start)
    return best, result


def _their_catalog(path: Path, kind: str) -> Any:
    import csep

    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        return csep.load_catalog(str(path), type=kind)


def _agree(ours: Events, theirs: Any, milliseconds: int) -> bool:
    """Compare with pyCSEP's, whose times are cut to milliseconds, or to seconds in HORUS."""
    off = ours.time_us // 1000 - theirs.get_epoch_times()
    return bool(
        (np.abs(off) <= milliseconds).all()
        and np.allclose(ours.longitude, theirs.get_longitudes(), rtol=0, atol=1e-5)
        and np.allclose(ours.latitude, theirs.get_latitudes(), rtol=0, atol=1e-5)
        and np.allclose(ours.depth_km, theirs.get_depths(), rtol=0, atol=1e-5)
        and np.allclose(ours.magnitude, theirs.get_magnitudes(), rtol=0, atol=1e-5)
    )


def _compare(folder: Path, count: int) -> None:
    events = _events(count)
    files = {
        "csep-csv": (folder / "events.csv", 1),
        "json": (folder / "events.json", 1),
        "jma-csv": (folder / "jma.csv", 1),
        "ingv_horus": (folder / "horus.txt", 999),
    }
    _write_csep_csv(files["csep-csv"][0], events)
    _write_json(files["json"][0], events)
    _write_fields(files["jma-csv"][0], events, "timestamp;longitude;latitude;depth;magnitude\n", _JMA)
    _write_fields(files["ingv_horus"][0], events, _HORUS_HEADING, _HORUS)
    import csep  # noqa: F401  # its import is not part of reading

    for kind, (path, milliseconds) in files.items():
        seconds, source = _best(partial(read_source, path))
        their_seconds, theirs = _best(partial(_their_catalog, path, "csep-csv" if kind == "json" else kind))
        same = "equal" if _agree(source.events, theirs, milliseconds) else "DIFFERENT"
        print(f"{kind}: {count} events, {seconds:.3f} s, pyCSEP {their_seconds:.3f} s, {same}")
        print(f"ratio catalog_{kind.replace('-', '_')} {their_seconds / seconds:.1f}")
    path = folder / "events.zmap"
    _write_fields(path, events, "", _ZMAP)
    seconds, source = _best(partial(read_source, path))
    same = "equal" if np.array_equal(source.events.time_us, events.time_us) else "DIFFERENT"
    print(f"zmap: {count} events, {seconds:.3f} s, {same} to what was written; pyCSEP 0.8 cannot read it")
    their_seconds, _ = _best(partial(np.loadtxt, path))
    print(f"ratio catalog_zmap_beside_its_loadtxt_alone {their_seconds / seconds:.1f}")


def _memory(folder: Path, count: int) -> None:
    """Read a large file in a fresh process, whose peak of memory is told."""
    path = folder / "large.csv"
    _write_csep_csv(path, _events(count))
    code = (
        "import sys, time; from pathlib import Path; from forequake.catalogs import read_source\n"
        "def status(key): return int(Path('/proc/self/status').read_text().split(key)[1].split()[0]) / 1024\n"
        "import pyarrow.csv; before = status('VmRSS:'); start = time.process_time()\n"
        "n = len(read_source(Path(sys.argv[1])))\n"
        "print(f'{n} events, {time.process_time() - start:.2f} s, peak {status(\"VmHWM:\"):.0f} MB, '\n"
        "      f'{status(\"VmHWM:\") - before:.0f} MB of it for reading')"
    )
    done = subprocess.run([sys.executable, "-c", code, path], check=True, capture_output=True, text=True)
    print(f"csep-csv: {done.stdout.strip()}, file {path.stat().st_size / 2**20:.0f} MB")


def main() -> None:
    """Write, read and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--large", type=int, default=1_000_000, help="events of the file for the memory")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        _compare(Path(name), options.events)
        _memory(Path(name), options.large)


if __name__ == "__main__":
    main()
