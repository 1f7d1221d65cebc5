"""Files that mutation found to end in a traceback: each is refused, or read, in the user's words."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from forequake.catalogs import read_source
from forequake.config import load_experiment
from forequake.errors import CatalogError, ConfigError, ForecastError
from forequake.forecasts import fitted_rates
from forequake.forecasts.arrays import ArrayCache
from forequake.forecasts.catalog_based import read_catalog_forecast
from forequake.regions import Region

REGION = Region("two", np.array([[10.0, 40.0], [10.1, 40.0]]), 0.1)
MAGNITUDES = np.array([5.0, 5.1])


def _gridded(tmp_path: Path, text: str, name: str, format: str | None = None) -> None:
    file = tmp_path / name
    file.write_text(text)
    for _ in range(2):  # read, and taken from the cache
        fitted = fitted_rates(file, REGION, MAGNITUDES, format=format, cache=ArrayCache(tmp_path / "cache"))
        assert fitted.rates.sum() == pytest.approx(1.0)
        assert fitted.scope.depth_km is None


@pytest.mark.parametrize("depth", ["nan", "inf", "-inf"])
def test_depths_that_are_none_are_not_spoken_of(tmp_path: Path, depth: str) -> None:
    rows = [
        f"{west} {west + 0.1:.1f} 40.0 40.1 0 {depth} {low} {low + 0.1:.1f} 0.25 1"
        for west in (10.0, 10.1)
        for low in (5.0, 5.1)
    ]

    _gridded(tmp_path, "\n".join(rows), "model.dat")


def test_a_table_with_a_depth_that_is_none(tmp_path: Path) -> None:
    rows = ["lon_min,lon_max,lat_min,lat_max,depth_min,depth_max,5.0,5.1"]
    rows += [f"{west},{west + 0.1:.1f},40.0,40.1,0,inf,0.25,0.25" for west in (10.0, 10.1)]

    _gridded(tmp_path, "\n".join(rows), "model.csv")


@pytest.mark.parametrize("name", ["model.csv.gz", "model.bin.gz"])
def test_a_packed_file_with_damage_inside(tmp_path: Path, name: str) -> None:
    text = "lon,lat,mag,time_string,depth,catalog_id,event_id\n"
    text += "".join(f"10.05,40.05,5.{k % 10},2019-07-06T03:00:00,{k},{k},{k * k}\n" for k in range(5000))
    packed = bytearray(gzip.compress(text.encode()))
    # A block of the third kind, which deflate does not have, in the middle and at the beginning.
    file = tmp_path / name
    for place in (len(packed) // 2, 10):
        file.write_bytes(packed[:place] + b"\xff" * 40 + packed[place + 40 :])
        with pytest.raises(ForecastError, match=name):
            read_catalog_forecast(file, folder=tmp_path)


@pytest.mark.parametrize("root", ["q:quakeml", "quakeml"])
def test_quakeml_whose_names_lost_their_namespace(tmp_path: Path, root: str) -> None:
    file = tmp_path / "events.xml"
    file.write_text(f"<{root}><eventParameters/></{root}>")

    with pytest.raises(CatalogError, match="expected QuakeML"):
        read_source(file, "quakeml")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('catalog: "a\\0/b"', "there is no such file"),
        ('catalog: "a\\ud800"', r"U\+D800 is not allowed"),
        ('"a\\ud800": 1', r"U\+D800 is not allowed"),
        ("completeness: {floor: }", "expected some of "),
        ("completeness: {steps: []}", "expected some of "),
    ],
)
def test_values_that_no_file_and_no_key_can_hold(tmp_path: Path, line: str, words: str) -> None:
    file = tmp_path / "config.yml"
    file.write_text(f"name: x\n{line}\n")

    with pytest.raises(ConfigError, match=words):
        load_experiment(file)
