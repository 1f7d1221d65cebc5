"""Forecasts at rest: bytes on the disk and CPU time, by what compresses them; and what clearing costs.

``make bench-at-rest`` writes the tables into benchmarks/AT_REST.md.
"""

import hashlib
import io
import lzma
import math
import os
import platform
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple, TypeVar

import numpy as np

from benchmarks.forecast_files import write_quadtree
from forequake.clearing import Rules, cleared, judged, things
from forequake.datasets import locate_dataset
from forequake.forecasts import GriddedRates, rates_from_file, read_forecast
from forequake.forecasts.arrays import ArrayCache
from forequake.forecasts.catalog_based import CatalogForecast, read_catalog_forecast
from stores.packing import Packing, verified

_FILE: Final = Path(__file__).with_name("AT_REST.md")
_REPEATS: Final = 5
_GRIDDED: Final = {"California": "helmstetter_mainshock", "Italy": "hires_ssm_italy"}
_LANDERS: Final = "csep:ucerf3_ascii_format_landers"
_MANY: Final = 200_000
#: The best that the standard library has for rows of eight bytes.
_LZMA: Final = [{"id": lzma.FILTER_LZMA2, "preset": 6, "lc": 1, "lp": 3, "pb": 3}]
T = TypeVar("T")


class _Case(NamedTuple):
    name: str
    source_bytes: int
    content: bytes


def _timed(work: Callable[[], T], repeats: int = _REPEATS) -> tuple[T, float]:
    """Give what some work gives, and the median of its CPU time in milliseconds."""
    times = []
    for _ in range(repeats):
        begun = time.process_time()
        given = work()
        times.append(1000 * (time.process_time() - begun))
    return given, median(times)


def _cases(folder: Path) -> Iterator[_Case]:
    magnitudes = np.zeros(0)
    for name, dataset in _GRIDDED.items():
        path = locate_dataset(f"csep:{dataset}")
        table = read_forecast(path)
        magnitudes = table.magnitudes
        cells, bins = table.rates.shape
        yield _Case(f"{name}, {cells:,} × {bins}", path.stat().st_size, GriddedRates(table.rates).to_bytes())
    quadtree, _ = write_quadtree(folder, magnitudes)
    rates = read_forecast(quadtree).rates
    name = f"global quadtree, {len(rates):,} × {len(magnitudes)}, random rates"
    yield _Case(name, quadtree.stat().st_size, GriddedRates(rates).to_bytes())
    landers = locate_dataset(_LANDERS)
    with read_catalog_forecast(landers, folder=folder).open() as file:
        yield _Case("UCERF3 Landers, 10,000 catalogs", landers.stat().st_size, file.read())


def _packed(content: bytes) -> bytes:
    target = io.BytesIO()
    packing = Packing(target)
    packing.write(content)
    packing.close()
    return target.getvalue()


def _unpacked(packed: bytes, sha: str) -> bytes:
    with verified(io.BytesIO(packed), sha, "here") as stream:
        return stream.read()


def _sizes(case: _Case) -> str:
    """Give a row: the source, the plain form, and each codec with its size and its times."""
    sha = hashlib.sha256(case.content).hexdigest()
    codecs: tuple[tuple[Callable[[bytes], bytes], Callable[[bytes], bytes], int], ...] = (
        (_packed, lambda packed: _unpacked(packed, sha), _REPEATS),
        (lambda content: zlib.compress(content, 1), zlib.decompress, _REPEATS),
        (lambda content: lzma.compress(content, filters=_LZMA), lzma.decompress, 1),
    )
    cells = [case.name, f"{case.source_bytes / 1e6:.1f}", f"{len(case.content) / 1e6:.2f}"]
    for pack, unpack, repeats in codecs:
        packed, writing = _timed(partial(pack, case.content), repeats)
        back, reading = _timed(partial(unpack, packed), repeats)
        if back != case.content:
            message = f"{case.name} comes back as something else"
            raise SystemExit(message)
        cells.append(f"{len(packed) / 1e6:.2f} ({writing:.0f}, {reading:.0f})")
    return f"| {' | '.join(cells)} |"


def _parts(folder: Path) -> Iterator[str]:
    """Measure what has a part of a forecast at hand, beside the whole."""
    rates = read_forecast(locate_dataset("csep:helmstetter_mainshock")).rates
    cache = ArrayCache(folder / "arrays")
    cache.keep("a" * 64, {"rates": rates}, {})
    cache.get("a" * 64)
    packed, sha = _packed(GriddedRates(rates).to_bytes()), hashlib.sha256(GriddedRates(rates).to_bytes())

    def from_cache() -> float:
        kept = cache.get("a" * 64)
        return math.nan if kept is None else float(kept.arrays["rates"][5000].sum())

    def from_store() -> float:
        return float(rates_from_file(io.BytesIO(_unpacked(packed, sha.hexdigest())))[5000].sum())

    path = next(folder.glob("*.catalogs"))

    def catalog() -> int:
        return len(CatalogForecast.from_compact(path).catalog(5000))

    for name, work in (
        ("one row of California's rates, from the cache", from_cache),
        ("the same, from the store: one window is one blob, and is read whole", from_store),
        ("one of Landers' 10,000 catalogs, from the cache", catalog),
    ):
        yield f"| {name} | {_timed(work, 21)[1]:.2f} |"


def _clearing(root: Path) -> Iterator[str]:
    """Measure a look at, and the removal of, a source of very many files."""
    tree = root / "models" / "sources" / "trees" / ("a" * 64) / "files"
    for number in range(_MANY):
        if number % 1000 == 0:
            (tree / str(number)).mkdir(parents=True)
        (tree / str(number // 1000 * 1000) / f"f{number}").touch()
    for name, work in (
        ("a look at a source of 200,000 files", lambda: list(judged(things(root), Rules(older_than=0.0)))),
        ("its removal", lambda: cleared(judged(things(root), Rules(older_than=0.0)))),
    ):
        old = time.time() - 86400
        os.utime(tree.parent, (old, old))
        begun = time.perf_counter()
        _, cpu = _timed(work, 1)
        yield f"| {name} | {time.perf_counter() - begun:.1f} | {cpu / 1000:.1f} |"


def page() -> str:
    """Measure everything, and write it down."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sizes = "\n".join(_sizes(case) for case in _cases(folder))
        parts = "\n".join(_parts(folder))
        clearing = "\n".join(_clearing(folder / "cache"))
    return f"""# Forecasts at rest

Made by `make bench-at-rest` on {platform.machine()}, Python {platform.python_version()}. MB on the disk; in
brackets milliseconds of CPU time to write and to read, the reading of blobs with their check by SHA-256.

| forecast | source file | plain | blob (Zstandard, level 6) | as before (gzip, level 1) | LZMA, level 6 |
|---|---:|---:|---:|---:|---:|
{sizes}

Blobs are named by the hash of what they hold, so windows whose forecasts are equal share one, and how it is
compressed changes no key. Rates that a program writes with all their digits, and random ones, have little
that repeats itself.

| a part of a forecast | ms of CPU time |
|---|---:|
{parts}

| `forequake gc` | wall s | CPU s |
|---|---:|---:|
{clearing}
"""


def main() -> None:
    """Write the page."""
    _FILE.write_text(page(), encoding="utf-8")
    print(_FILE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
