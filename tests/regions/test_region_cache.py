"""The cache of built regions: whatever happens to it, a region comes out, and it is the right one."""

import errno
import os
import resource
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from forequake.errors import RegionError
from forequake.regions import Region, build_region
from forequake.regions import build as building
from forequake.regions.specs import BoxRegion, FileRegion, RegionSpec, ZoomRegion

BOX = BoxRegion(west=10, east=14, south=40, north=43, cell_size=0.5)
SPECS: list[RegionSpec] = [BOX, ZoomRegion(zoom=2)]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "forequake" / "regions"


@pytest.fixture
def count_builds(monkeypatch: pytest.MonkeyPatch) -> list[RegionSpec]:
    """List what is built and not loaded."""
    built: list[RegionSpec] = []
    real = building._build

    def build(spec: RegionSpec, *others: object) -> Region:
        built.append(spec)
        return real(spec, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(building, "_build", build)
    return built


def _same(one: Region, other: Region) -> None:
    assert type(one) is type(other)
    assert (one.name, one.cell_size, one.inputs.canon) == (other.name, other.cell_size, other.inputs.canon)
    assert np.array_equal(one.corners, other.corners)
    longitude, latitude = np.random.default_rng(5).uniform([-180, -90], [180, 90], size=(500, 2)).T
    inside = np.random.default_rng(6).uniform([9, 39], [15, 44], size=(500, 2)).T
    for points in ((longitude, latitude), inside):
        assert np.array_equal(one.cells_of(*points), other.cells_of(*points))


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.kind)
def test_a_region_is_built_once(spec: RegionSpec, folder: Path, count_builds: list[RegionSpec]) -> None:
    first = build_region(spec, Path)
    second = build_region(spec, Path)
    assert count_builds == [spec]
    assert len(list(folder.iterdir())) == 1
    _same(first, second)
    assert not second.corners.flags.owndata or not second.origins.flags.writeable  # mapped, not read


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.kind)
def test_a_damaged_file_is_built_anew(spec: RegionSpec, folder: Path, count_builds: list[RegionSpec]) -> None:
    whole = build_region(spec, Path)
    (file,) = folder.iterdir()
    data = file.read_bytes()
    places = np.linspace(0, len(data) - 1, 23).astype(int).tolist()
    damaged = [data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :] for place in places]
    damaged += [b"", data[:7], data[: len(data) // 2], data + b"x", bytes(len(data)), b"nothing\n" * 9]
    for content in damaged:
        file.write_bytes(content)
        count_builds.clear()
        _same(build_region(spec, Path), whole)
        assert count_builds == [spec]
        assert file.read_bytes() == data


def test_a_folder_that_cannot_be_made_costs_time_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count_builds: list[RegionSpec]
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    _same(build_region(BOX, Path), build_region(BOX, Path))
    assert len(count_builds) == 2


@pytest.fixture
def no_space() -> Iterator[None]:
    """Let no file grow beyond some bytes, which fails in the middle of a file as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    signal.signal(signal.SIGXFSZ, before)


def test_a_full_disk_leaves_no_half_file(folder: Path, no_space: None) -> None:
    region = build_region(BOX, Path)
    assert len(region) == 48
    with pytest.raises(OSError, match=os.strerror(errno.EFBIG)):
        (folder / "more").write_bytes(bytes(300))  # the limit does hold
    (folder / "more").unlink()
    assert list(folder.iterdir()) == []


def test_many_at_once_leave_one_whole_file(folder: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        regions = list(pool.map(lambda _: build_region(BOX, Path), range(24)))
    assert len(list(folder.iterdir())) == 1
    for region in regions:
        _same(region, regions[0])


def test_a_file_is_known_by_its_content_not_by_its_name(
    tmp_path: Path, folder: Path, count_builds: list[RegionSpec]
) -> None:
    file = tmp_path / "cells.txt"
    file.write_text("0 0\n1 0\n")
    spec = FileRegion(path=str(file))
    assert build_region(spec, Path).origins.tolist() == [[0, 0], [1, 0]]
    file.write_text("0 0\n2 0\n")
    changed = build_region(spec, Path)
    assert (changed.origins.tolist(), changed.cell_size, changed.name) == ([[0, 0], [2, 0]], 2.0, "cells.txt")
    assert len(count_builds) == 2
    build_region(spec, Path)
    assert len(count_builds) == 2
    file.unlink()
    with pytest.raises(RegionError, match=r"cells.txt: the file of the region cannot be read \(No such file"):
        build_region(spec, Path)


def test_another_pycsep_builds_its_own(
    monkeypatch: pytest.MonkeyPatch, count_builds: list[RegionSpec]
) -> None:
    build_region(BOX, Path)
    monkeypatch.setattr(building, "version", lambda _: "99")
    build_region(BOX, Path)
    assert len(count_builds) == 2
