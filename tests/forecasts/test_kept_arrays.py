"""Rates are parsed once: the cache gives the same bits again, and whatever befalls it costs time only."""

import json
import os
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from forequake.errors import ForecastError
from forequake.forecasts import ForecastScope, GriddedRates, fitted_rates
from forequake.forecasts.arrays import ArrayCache
from forequake.forecasts.fitted import FittedInputs, cached_rates, keep_rates
from forequake.keys import key_of
from forequake.regions import Region
from forequake.results import QualityFinding

KEY = key_of("one")
ARRAY = np.random.default_rng(6).random((7, 3))
REGION = Region("square", np.array([[0.0, 0.0], [1.0, 0.0]]), 1.0)
MAGNITUDES = np.array([6.0])
TEXT = "0 1 0 1 0 70 6 7 0.5 1\n1 2 0 1 0 70 6 7 0 1\n"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ArrayCache:
    monkeypatch.setattr(ArrayCache, "_verified", set())
    monkeypatch.setattr(ArrayCache, "_looked", {})
    return ArrayCache(tmp_path / "arrays")


def test_what_was_kept_comes_back_mapped(cache: ArrayCache) -> None:
    assert cache.get(KEY) is None
    cache.keep(KEY, {"rates": ARRAY, "none": np.empty((0, 3))}, {"words": ["é"]})
    for _ in range(2):
        kept = cache.get(KEY)
        assert kept is not None
        assert kept.about == {"words": ["é"]}
        assert np.array_equal(kept.arrays["rates"], ARRAY)
        assert kept.arrays["none"].shape == (0, 3)
        assert isinstance(kept.arrays["rates"].base, np.memmap)
        assert not kept.arrays["rates"].flags.writeable


@pytest.mark.parametrize("file", ["rates.npy", "about.json"])
@pytest.mark.parametrize("damage", ["changed", "cut", "empty", "gone"])
def test_a_damaged_entry_is_removed(cache: ArrayCache, file: str, damage: str) -> None:
    cache.keep(KEY, {"rates": ARRAY}, {})
    path = cache.folder / KEY / file
    data = path.read_bytes()
    match damage:
        case "changed":
            path.write_bytes(data[:-9] + bytes([data[-9] ^ 1]) + data[-8:])
        case "cut":
            path.write_bytes(data[:-9])
        case "empty":
            path.write_bytes(b"")
        case "gone":
            path.unlink()
    assert cache.get(KEY) is None
    cache.keep(KEY, {"rates": ARRAY}, {})
    kept = cache.get(KEY)
    assert kept is not None
    assert np.array_equal(kept.arrays["rates"], ARRAY)


def test_an_array_stays_readable_when_its_entry_is_removed(cache: ArrayCache) -> None:
    cache.keep(KEY, {"rates": ARRAY}, {})
    kept = cache.get(KEY)
    shutil.rmtree(cache.folder)
    assert kept is not None
    assert np.array_equal(kept.arrays["rates"], ARRAY)


def test_the_oldest_entries_make_place(cache: ArrayCache) -> None:
    cache.most_bytes = 2_500
    keys = [key_of(str(number)) for number in range(4)]
    for age, key in enumerate(keys[:3]):
        cache.keep(key, {"rates": np.zeros(50)}, {})
        os.utime(cache.folder / key / "about.json", (1e9 + age, 1e9 + age))
    assert cache.get(keys[0]) is not None  # used now, so no longer the oldest
    cache.keep(keys[3], {"rates": np.zeros(50)}, {})
    assert [cache.get(key) is not None for key in keys] == [True, False, True, True]
    cache.keep(KEY, {"rates": np.zeros(1_000)}, {})  # takes more than half of all
    assert cache.get(KEY) is None


def test_keeping_does_not_look_at_all_entries_each_time(
    cache: ArrayCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []
    tidy = ArrayCache._tidy

    def counted(self: ArrayCache, size: int) -> int:
        looks.append(size)
        return tidy(self, size)

    monkeypatch.setattr(ArrayCache, "_tidy", counted)
    cache.most_bytes = 40_000
    for number in range(100):  # of 660 bytes and more
        cache.keep(key_of(str(number)), {"rates": np.zeros(50)}, {})
    assert 2 <= len(looks) <= 60
    assert sum(file.stat().st_size for file in cache.folder.rglob("*.*")) <= cache.most_bytes


def test_what_others_left_half_made_is_removed(cache: ArrayCache) -> None:
    cache.keep(KEY, {"rates": ARRAY}, {})
    for name, age in ((".new-old", 7200), (".new-young", 0)):
        (cache.folder / name).mkdir()
        os.utime(cache.folder / name, (time.time() - age,) * 2)
    cache._looked.clear()  # as in another process, or a minute later
    cache.keep(key_of("two"), {"rates": ARRAY}, {})
    assert sorted(path.name for path in cache.folder.glob(".*")) == [".new-young"]


def test_a_folder_that_cannot_be_written_costs_time_only(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    cache = ArrayCache(tmp_path / "file" / "arrays")
    cache.keep(KEY, {"rates": ARRAY}, {})
    assert cache.get(KEY) is None


def test_a_full_disk_leaves_nothing_behind(cache: ArrayCache, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    cache.keep(KEY, {"rates": ARRAY}, {})
    assert list(cache.folder.iterdir()) == []


_KEEP_OFTEN = """
import pathlib, sys
import numpy as np
from forequake.forecasts.arrays import ArrayCache
from forequake.keys import key_of
cache = ArrayCache(pathlib.Path(sys.argv[1]))
for number in range(20):
    cache.keep(key_of(str(number)), {"rates": np.full(1000, number)}, {"number": number})
"""


def test_two_processes_may_keep_at_once(cache: ArrayCache) -> None:
    command = [sys.executable, "-c", _KEEP_OFTEN, str(cache.folder)]
    workers = [subprocess.Popen(command) for _ in range(2)]
    assert [worker.wait(60) for worker in workers] == [0, 0]
    for number in range(20):
        kept = cache.get(key_of(str(number)))
        assert kept is not None
        assert kept.about["number"] == number == kept.arrays["rates"][0]
    assert len(list(cache.folder.iterdir())) == 20


def test_findings_and_scope_come_back(cache: ArrayCache) -> None:
    finding = QualityFinding(code="zero_rates", severity="note", message="some", count=3)
    inputs = FittedInputs(
        content=KEY, reader="dat/1", region=KEY, region_name="r", magnitudes=(6.0,), policy="refuse"
    )
    for scope in (ForecastScope(), ForecastScope(datetime(2012, 1, 1, tzinfo=UTC), None, (0.0, 30.0))):
        keep_rates(inputs, GriddedRates(ARRAY, (finding,), scope), cache)
        kept = cached_rates(inputs, cache)
        assert kept is not None
        assert (kept.findings, kept.scope) == ((finding,), scope)
        assert kept.to_bytes() == GriddedRates(ARRAY).to_bytes()
        shutil.rmtree(cache.folder)
    other = inputs.model_copy(update={"policy": "record"})
    assert cached_rates(other, cache) is None


def test_a_second_run_never_parses_the_file(
    tmp_path: Path, cache: ArrayCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.dat"
    path.write_text(TEXT)
    first = fitted_rates(path, REGION, MAGNITUDES, cache=cache)

    def read_again(*_: object) -> None:
        pytest.fail("the file was parsed again")

    monkeypatch.setattr("forequake.forecasts.fitted.read_forecast", read_again)
    second = fitted_rates(path, REGION, MAGNITUDES, cache=cache)
    assert second.rates.tolist() == first.rates.tolist() == [[0.5], [0]]
    assert second.findings == first.findings
    assert second.scope == first.scope
    content = json.loads((next(cache.folder.iterdir()) / "about.json").read_text())
    assert "zero_rates" in content["said"]


def test_a_file_that_changes_while_it_is_read_is_not_kept(
    tmp_path: Path, cache: ArrayCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    from forequake.forecasts.readers import read_forecast

    path = tmp_path / "model.dat"
    path.write_text(TEXT)

    def read_late(file: Path, format: str | None) -> object:
        file.write_text(TEXT.replace("0.5", "0.25"))
        return read_forecast(file, format)

    monkeypatch.setattr("forequake.forecasts.fitted.read_forecast", read_late)
    with pytest.raises(ForecastError, match="changed while it was read"):
        fitted_rates(path, REGION, MAGNITUDES, cache=cache)
    assert not cache.folder.exists()
