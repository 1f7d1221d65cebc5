"""Models that are functions, good and bad; tests call them in processes of their own."""

import json
import os
import shutil
import signal
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np


def _shares(magnitudes, b=1.0):
    tail = 10.0 ** (-b * (magnitudes - magnitudes[0]))
    return tail - np.append(tail[1:], 0.0)


def rates(given, *, factor=1.0):
    return (
        factor * (1 + len(given.past)) * np.outer(given.areas / given.areas.sum(), _shares(given.magnitudes))
    )


def catalogs(given, *, rng, number=20, mean=2.0):
    for _ in range(given.n_catalogs or number):
        size = rng.poisson(mean)
        yield {
            "time": given.after(np.sort(rng.uniform(0, given.days, size))),
            "longitude": rng.uniform(0, 2, size),
            "latitude": rng.uniform(0, 1, size),
            "depth_km": np.full(size, 10.0),
            "magnitude": given.magnitudes[0] + rng.exponential(0.4, size),
        }


def tells_all(given, *, seed, rng, progress, words):
    """Gives back what it was given, as the last line that it prints."""
    progress(0.25, step="look")
    past = given.past
    told = {
        "window": [given.start.isoformat(), given.end.isoformat(), given.days],
        "past": [len(past), str(past.time.dtype), past.time.astype(str).tolist(), past.id.tolist()],
        "places": [past.longitude.tolist(), past.cell.tolist(), past.bin.tolist()],
        "grid": [given.cells.tolist(), given.magnitudes.tolist(), given.areas.tolist()],
        "limits": [given.depth_km, given.n_catalogs],
        "draw": [seed, rng.random(), float(np.random.random())],  # noqa: NPY002
        "words": words,
        "files": sorted(os.listdir(".")),
        "network": "FOREQUAKE_STORE" in os.environ,
    }
    try:
        past.magnitude[:] = 9.0
    except ValueError as error:
        told["writes"] = str(error)
    print(json.dumps(told))
    return np.ones((len(given.cells), len(given.magnitudes)))


def hangs(given):
    print("thinking", flush=True)
    while True:
        time.sleep(60)


def raises(given):
    return _fits(given)


def _fits(given):
    raise ValueError(f"no fit to {len(given.past)} events \udcff")


def raises_in_the_middle(given):
    for number, catalog in enumerate(catalogs(given, rng=np.random.default_rng(1))):
        if number == 3:
            raise RuntimeError("the branching ratio is above 1")
        yield catalog


def exits(given):
    sys.exit("no parameters")


def exits_well(given):
    sys.exit(0)


def vanishes(given):
    os._exit(0)


def crashes(given):
    os.kill(os.getpid(), signal.SIGSEGV)


def fills_memory(given):
    kept = []
    while True:
        kept.append(np.ones(5_000_000))
        time.sleep(0.01)


def gives_nothing(given):
    print("done")


def gives_the_other_way_round(given):
    return np.ones((len(given.magnitudes), len(given.cells))).T[:, :1].T


def gives_words(given):
    return [["one", "two"]] * len(given.cells)


def gives_masked(given):
    return np.ma.masked_less(rates(given), 1.0)


def gives_nan(given):
    found = rates(given)
    found[1, 0] = np.nan
    return found


def gives_negative(given):
    return -rates(given)


def gives_a_generator(given):
    yield from rates(given)


def gives_one_catalog(given):
    return next(catalogs(given, rng=np.random.default_rng(1)))


def gives_no_catalog(given):
    return []


def gives_numbers_for_times(given):
    yield {"time": [0.5], "longitude": [0.5], "latitude": [0.5], "depth_km": [1.0], "magnitude": [4.5]}


def gives_mag(given):
    yield {"time": given.after([0.5]), "longitude": [0.5], "latitude": [0.5], "depth_km": [1.0], "mag": [4.5]}


def gives_columns_of_two_lengths(given):
    yield {
        "time": given.after([0.5]),
        "longitude": [0.5],
        "latitude": [0.5],
        "depth_km": [1],
        "magnitude": [4, 5],
    }


def gives_fewer_than_asked(given):
    yield from list(catalogs(given, rng=np.random.default_rng(1)))[:-1]


def gives_the_next_window(given):
    for catalog in catalogs(given, rng=np.random.default_rng(1)):
        yield catalog | {"time": catalog["time"] + np.timedelta64(1, "D")}


def gives_nan_magnitudes(given):
    for catalog in catalogs(given, rng=np.random.default_rng(1)):
        yield catalog | {"magnitude": np.full(len(catalog["time"]), np.nan)}


def gives_times_of_python(given):
    """Takes times with and without a zone, and lists in place of arrays."""
    noon = given.start + timedelta(hours=12)
    one = {"longitude": [0.5], "latitude": [0.5], "depth_km": [10], "magnitude": [4]}
    yield one | {"time": [noon]}
    yield one | {"time": [datetime(2020, 1, 2, 12, tzinfo=UTC).replace(tzinfo=None)]}
    yield {name: [] for name in ("time", *one)}


def prints_100_mb(given):
    line = "x" * 999
    for _ in range(100_000):
        print(line)
    return rates(given)


def deletes_its_source(given):
    shutil.rmtree(Path(__file__).parent)
    return rates(given)


def leaves_a_thread(given):
    import threading

    threading.Thread(target=time.sleep, args=(60,)).start()
    return rates(given)


def comes_back_twice(given):
    return rates(given) if os.fork() else 2 * rates(given)
