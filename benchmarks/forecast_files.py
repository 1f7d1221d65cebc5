"""Forecast files of every form, with random rates, for the benchmark of the readers."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from forequake.forecasts import ForecastTable

__all__ = ["write_csv", "write_gear1", "write_hdf5", "write_quadtree", "write_xml"]

_ZOOM = 6
_GEAR1_CELLS = 9_000


def _words(values: NDArray[np.float64]) -> list[str]:
    return [repr(value) for value in values.tolist()]


def write_csv(folder: Path, table: ForecastTable) -> Path:
    """Write a forecast as floatCSEP's table."""
    heading = [
        "lon_min",
        "lon_max",
        "lat_min",
        "lat_max",
        "depth_min",
        "depth_max",
        *_words(table.magnitudes),
    ]
    rows = [
        [*_words(corners), "0", "30", *_words(rates)]
        for corners, rates in zip(table.corners, table.rates, strict=True)
    ]
    path = folder / "model.csv"
    path.write_text("".join(", ".join(row) + "\n" for row in [heading, *rows]), encoding="utf-8")
    return path


def write_xml(folder: Path, table: ForecastTable) -> Path:
    """Write a forecast as ForecastML, in the layout of CSEP's templates."""
    middles = table.corners[:, ::2] + 0.05
    cells = "".join(
        f"      <cell lat='{south:.2f}' lon='{west:.2f}'>\n"
        + "".join(
            f"        <bin m='{edge + 0.05:.1f}'>{rate}</bin>\n"
            for edge, rate in zip(table.magnitudes, _words(rates), strict=True)
        )
        + "      </cell>\n"
        for (west, south), rates in zip(middles, table.rates, strict=True)
    )
    path = folder / "model.xml"
    path.write_text(
        "<?xml version='1.0' encoding='UTF-8'?>\n"
        "<CSEPForecast xmlns='http://www.scec.org/xml-ns/csep/forecast/0.1'>\n"
        "  <forecastData publicID='smi:org.scec/csep/forecast/1'>\n"
        "    <defaultMagBinDimension>0.1</defaultMagBinDimension>\n"
        "    <lastMagBinOpen>1</lastMagBinOpen>\n"
        "    <defaultCellDimension latRange='0.1' lonRange='0.1'/>\n"
        f"    <depthLayer max='30.0' min='0.0'>\n{cells}    </depthLayer>\n"
        "  </forecastData>\n</CSEPForecast>\n",
        encoding="utf-8",
    )
    return path


def write_hdf5(folder: Path, table: ForecastTable) -> Path:
    """Write a forecast with the arrays of floatCSEP's serializer."""
    import h5py

    west, east, south, north = table.corners.T
    points = np.stack([[west, south], [west, north], [east, north], [east, south]]).transpose(2, 0, 1)
    path = folder / "model.hdf5"
    with h5py.File(path, "w") as file:
        file["rates"] = table.rates
        file["magnitudes"] = table.magnitudes
        file["bboxes"] = points
        file["dh"] = np.array([0.1])
        file["poly_mask"] = np.ones(len(table.rates))
    return path


def write_quadtree(folder: Path, magnitudes: NDArray[np.float64]) -> tuple[Path, Path]:
    """Write random rates on all tiles of one level, as a table and as rows."""
    from csep.core.regions import QuadtreeGrid2D

    region = QuadtreeGrid2D.from_single_resolution(_ZOOM)
    corners = np.asarray(region.bounds)[:, [0, 2, 1, 3]]
    rates = np.random.default_rng(1).random((len(corners), len(magnitudes))) * 1e-5
    table, rows = folder / "quadtree.csv", folder / "quadtree.dat"
    with table.open("w", encoding="utf-8") as file:
        file.write(f"tile,depth_min,depth_max,{','.join(_words(magnitudes))}\n")
        for key, cell in zip(region.quadkeys, rates, strict=True):
            file.write(f"{key},0.0,70.0,{','.join(_words(cell))}\n")
    with rows.open("w", encoding="utf-8") as file:
        for key, tile, cell in zip(region.quadkeys, corners, rates, strict=True):
            for edge, rate in zip(magnitudes, _words(cell), strict=True):
                place = "\t".join(_words(tile))
                file.write(f"{key}\t{place}\t0.0\t70.0\t{edge:.2f}\t{edge + 0.1:.2f}\t{rate}\n")
    return table, rows


def write_gear1(folder: Path) -> Path:
    """Write random densities in GEAR1's own form, with the areas beside them."""
    generator = np.random.default_rng(2)
    above = np.sort(generator.random((_GEAR1_CELLS, 31)) * 1e-15, axis=1)[:, ::-1]
    places = [
        f"{5.05 + number % 300 * 0.1:.2f},{40.05 + number // 300 * 0.1:.2f}" for number in range(len(above))
    ]
    path = folder / "GEAR1_region.dat"
    with path.open("w", encoding="utf-8") as file:
        file.write(",longitude,latitude," + ",".join(f"m{595 + 10 * place}" for place in range(31)) + "\n")
        for number, (place, cell) in enumerate(zip(places, above, strict=True)):
            file.write(f"{number},{place},{','.join(_words(cell))}\n")
    with (folder / "areas_region.dat").open("w", encoding="utf-8") as file:
        file.write(",longitude,latitude,area\n")
        for number, place in enumerate(places):
            file.write(f"{number},{place},{9e7 + number!r}\n")
    return path
