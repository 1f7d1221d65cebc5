"""What goes in and out of a model: its arguments, the catalog of the past, cells, and forecasts for CSEP.

The folders `aftershocks` and `stationary` hold the same copy of this file: each is installed on its own.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

#: Side of a cell, degrees.
CELL = 0.1
#: Arguments that every model takes, with what holds where the file does not say.
DEFAULTS = {
    "prefix": "",
    "output": "catalogs",
    "n_sims": "1000",
    "seed": "0",
    "mag_min": "3.5",
    "mag_max": "8.0",
    "mag_bin": "0.1",
}


@dataclass(frozen=True)
class Task:
    """What is asked for: a forecast of the events from `start` on and before `end`.

    Attributes
    ----------
    start, end
        Milliseconds since 1970-01-01T00:00Z.
    arguments
        All others, by name: those of `DEFAULTS` and the model's own.
    """

    start: int
    end: int
    arguments: dict[str, str]

    @property
    def days(self) -> float:
        """Length of the window."""
        return (self.end - self.start) / 86_400_000

    @property
    def edges(self) -> NDArray[np.float64]:
        """Lower edges of the magnitude bins; the last bin is open upwards."""
        least, last, width = (float(self.arguments[name]) for name in ("mag_min", "mag_max", "mag_bin"))
        return np.round(least + width * np.arange(round((last - least) / width) + 1), 6)

    @property
    def generator(self) -> np.random.Generator:
        """The only source of chance: the same for the same seed and window."""
        return np.random.default_rng([int(self.arguments["seed"]), self.start, self.end])


@dataclass(frozen=True)
class Past:
    """Events before a window, in order of time; times in days relative to its start, so all negative."""

    days: NDArray[np.float64]
    longitude: NDArray[np.float64]
    latitude: NDArray[np.float64]
    magnitude: NDArray[np.float64]


def read_task(file: Path, own: dict[str, str]) -> Task:
    """Read a file of arguments, lines of ``name = value`` or JSON.

    Parameters
    ----------
    own
        Arguments of the model beside `DEFAULTS`, with what holds where the file does not say.
    """
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".json":
        given = {name: str(value) for name, value in json.loads(text).items()}
    else:
        lines = [line for line in text.splitlines() if "=" in line and not line.lstrip().startswith("#")]
        given = {name.strip(): value.strip() for name, _, value in (line.partition("=") for line in lines)}
    known = DEFAULTS | own
    unknown = given.keys() - known.keys() - {"start_date", "end_date"}
    if unknown:
        message = f"{file}: unknown argument {min(unknown)!r}; known: {', '.join(sorted(known))}"
        raise SystemExit(message)
    try:
        start, end = (_milliseconds(given.pop(name)) for name in ("start_date", "end_date"))
    except KeyError as error:
        message = f"{file}: there is no {error.args[0]}"
        raise SystemExit(message) from None
    task = Task(start, end, known | given)
    if task.arguments["output"] not in ("catalogs", "rates"):
        message = f"{file}: output is {task.arguments['output']!r}, not catalogs or rates"
        raise SystemExit(message)
    return task


def read_past(file: Path, task: Task, cells: NDArray[np.float64]) -> Past:
    """Read a catalog in CSEP's form, ``lon,lat,M,time_string,depth,catalog_id,event_id``.

    Events outside the cells do not count, nor does any from the window's start on: they are not known when
    the forecast is made.
    """
    rows = [line.split(",")[:4] for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    rows = [row for row in rows if row[0] != "lon"]
    times = np.array([_milliseconds(row[3]) for row in rows], dtype=np.int64)
    places = np.array([row[:3] for row in rows], dtype=np.float64).reshape(-1, 3)
    known = set(map(tuple, _cell_numbers(cells + CELL / 2)))
    inside = np.array([tuple(place) in known for place in _cell_numbers(places[:, :2])], dtype=bool)
    chosen = np.flatnonzero(inside & (times < task.start))
    chosen = chosen[np.argsort(times[chosen], kind="stable")]
    return Past((times[chosen] - task.start) / 86_400_000, *places[chosen].T)


def read_cells(package: str) -> NDArray[np.float64]:
    """Read a package's ``cells.csv``: longitude and latitude of each cell's lower left corner, and more."""
    text = files(package).joinpath("cells.csv").read_text(encoding="utf-8")
    return np.loadtxt(text.splitlines(), delimiter=",", skiprows=1)


def forecast_file(task: Task) -> Path:
    """Give the forecast's file, as floatCSEP names it; where the window has times of day, with them."""
    moments = [datetime.fromtimestamp(time / 1000, UTC) for time in (task.start, task.end)]
    form = (
        "%Y-%m-%d" if all(time % 86_400_000 == 0 for time in (task.start, task.end)) else "%Y-%m-%dT%H-%M-%S"
    )
    start, end = (moment.strftime(form) for moment in moments)
    return Path("forecasts") / f"{task.arguments['prefix']}_{start}_{end}.csv"


def write_rates(task: Task, cells: NDArray[np.float64], rates: NDArray[np.float64]) -> None:
    """Write expected numbers, shape (cells, magnitude bins), as floatCSEP's table."""
    heading = ["lon_min", "lon_max", "lat_min", "lat_max", "depth_min", "depth_max"]
    lines = [",".join([*heading, *(f"{edge:g}" for edge in task.edges)])]
    for (west, south), row in zip(cells[:, :2].tolist(), rates.tolist(), strict=True):
        box = [f"{west:.1f}", f"{west + CELL:.1f}", f"{south:.1f}", f"{south + CELL:.1f}", "-2", "30"]
        lines.append(",".join([*box, *(f"{rate:.9e}" for rate in row)]))
    _write(forecast_file(task), lines)


def write_catalogs(
    task: Task,
    catalog: NDArray[np.int64],
    milliseconds: NDArray[np.int64],
    places: NDArray[np.float64],
    magnitude: NDArray[np.float64],
) -> None:
    """Write synthetic catalogs in CSEP's form; a row that only has a number is a catalog without events.

    Parameters
    ----------
    catalog, milliseconds, places, magnitude
        Of each event: its catalog's number, the time since the window's start, longitude and latitude, and
        the magnitude.
    """
    lines = ["lon,lat,mag,time_string,depth,catalog_id,event_id"]
    empty = np.setdiff1d(np.arange(int(task.arguments["n_sims"])), catalog)
    number = np.concatenate([catalog, empty])
    order = np.lexsort((np.concatenate([milliseconds, np.zeros(len(empty), np.int64)]), number))
    times = np.datetime_as_string((task.start + milliseconds).astype("datetime64[ms]"))
    events = zip(*places.T.tolist(), magnitude.tolist(), times.tolist(), catalog.tolist(), strict=True)
    rows = [f"{lon:.5f},{lat:.5f},{mag:.2f},{time},8.0,{who}," for lon, lat, mag, time, who in events]
    rows += [f",,,,,{who}," for who in empty.tolist()]
    _write(forecast_file(task), lines + [rows[place] for place in order.tolist()])


def _write(file: Path, lines: list[str]) -> None:
    """Write a file so that it is there whole or not at all."""
    file.parent.mkdir(exist_ok=True)
    part = file.with_suffix(".part")
    part.write_text("\n".join(lines) + "\n", encoding="utf-8")
    part.replace(file)


def _milliseconds(text: str) -> int:
    moment = datetime.fromisoformat(text)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)


def _cell_numbers(points: NDArray[np.float64]) -> list[list[int]]:
    # An epicentre on an edge belongs to the cell east or north of it, whatever its last bit.
    numbers: list[list[int]] = np.floor(points / CELL + 1e-9).astype(int).tolist()
    return numbers
