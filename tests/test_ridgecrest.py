"""The models of the example of Ridgecrest, alone: their numbers, their files, and what they must not see."""

import importlib
import json
import math
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.stats

from forequake.catalogs import read_catalog
from forequake.config import FolderModel, load_experiment
from forequake.datasets import locate_dataset
from forequake.forecasts.catalog_based import fit_catalogs, read_catalog_forecast
from forequake.regions import build_region
from forequake.windows import TimeWindow
from tests.ridgecrest import EXAMPLE, commands, importable, past_of, run_command

#: From a calculation with pyCSEP 0.8.0 and the sample that it ships, independent of the models' code.
OBSERVED = (58, 12, 9, 4, 13, 17, 3)
OBSERVED_395 = (14, 2, 0, 0, 5, 5, 1)
EXPECTED = (75.6, 29.2, 15.9, 10.8, 8.2, 6.5, 5.4)
COUNT_GAINS = (374.3, 49.0, 37.3, 11.3, 60.0, 78.8, 9.1)

CONFIGS = ("config.yml", "rates.yml", "empty_windows.yml")


@pytest.fixture(scope="module")
def packages() -> Iterator[None]:
    with importable():
        yield


@pytest.fixture(scope="module")
def model(packages: None) -> Any:
    """The modules of the models, by their names."""

    def module(name: str) -> Any:
        return importlib.import_module(name)

    return module


@pytest.fixture(scope="module")
def windows() -> tuple[TimeWindow, ...]:
    return load_experiment(EXAMPLE / "config.yml").config.windows


@pytest.fixture(scope="module")
def forecasts(model: Any, windows: tuple[TimeWindow, ...], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What each variant of the law, the running mean and the constant rate expect, by window."""
    folder = tmp_path_factory.mktemp("forecasts")
    files = model("aftershocks.files")
    cells = files.read_cells("aftershocks")
    found: dict[str, list[Any]] = {"fixed": [], "drawn": [], "updated": [], "running": []}
    for window in windows:
        (folder / "catalog.csv").write_text(past_of(window))
        for name, of_window in found.items():
            module = model(
                "aftershocks.running_mean" if name == "running" else "aftershocks.reasenberg_jones"
            )
            arguments = module.OWN | ({} if name == "running" else {"variant": name})
            dates = {"start_date": window.start.isoformat(), "end_date": window.end.isoformat()}
            (folder / "args.json").write_text(json.dumps(arguments | dates | {"seed": 20190706}))
            task = files.read_task(folder / "args.json", module.OWN)
            past = files.read_past(folder / "catalog.csv", task, cells)
            of_window.append(module.forecast_of(task, past, cells, task.generator))
    return found


def _rejected(model: Any, forecasts: list[Any]) -> tuple[list[int], float]:
    """Give the days of July that an N-test of the synthetic catalogs rejects, and the smallest tail."""
    simulation = model("aftershocks.simulation")
    days, tails = [], []
    for day, forecast, observed in zip(range(6, 13), forecasts, OBSERVED, strict=True):
        generator = np.random.default_rng(day)
        levels = simulation.spread(generator, len(forecast.means))
        numbers = simulation.poisson_numbers(forecast.means, levels)
        tails.append(min(np.mean(numbers >= observed), np.mean(numbers <= observed)))
        if tails[-1] < 0.025:
            days.append(day)
    return days, min(tails)


def test_the_learning_catalog_is_the_sample_and_the_two_mainshocks() -> None:
    sample = locate_dataset("csep:comcat_example_catalog").read_text().splitlines()
    heading, *rows = (EXAMPLE / "learning.csv").read_text().splitlines()
    assert [heading, *rows[2:]] == [line for line in sample if line]
    events = read_catalog(EXAMPLE / "learning.csv")
    assert events.magnitude[:2].tolist() == [6.4, 7.1]
    assert len(events) == 831


@pytest.mark.parametrize("name", CONFIGS)
def test_the_experiments_have_the_events_that_they_should(name: str) -> None:
    loaded = load_experiment(EXAMPLE / name)
    config, region = loaded.config, build_region(loaded.config.region, loaded.locate)
    assert len(region) == 644
    events = read_catalog(locate_dataset("csep:comcat_example_catalog"))
    assert (region.cells_of(events.longitude, events.latitude) >= 0).sum() == 827
    least = 3.95 if name == "empty_windows.yml" else 3.5
    assert (config.magnitudes[0], config.depth_km) == (least, (-2, 30))
    chosen = (region.cells_of(events.longitude, events.latitude) >= 0) & (events.magnitude > least - 1e-9)
    counts = []
    for window in config.windows:
        start, end = (np.datetime64(moment.replace(tzinfo=None)) for moment in (window.start, window.end))
        times = events.time_us.astype("datetime64[us]")
        counts.append(int((chosen & (times >= start) & (times < end)).sum()))
    assert tuple(counts) == (OBSERVED_395 if least == 3.95 else OBSERVED)
    assert [model.name for model in config.models] == [
        "rj@fixed",
        "rj@drawn",
        "rj@updated",
        "running-mean",
        "stationary",
    ]


def test_each_forecast_lies_where_its_model_writes_it() -> None:
    places = []
    for name in CONFIGS:
        for model in load_experiment(EXAMPLE / name).config.models:
            assert isinstance(model, FolderModel)
            assert model.program is not None
            assert model.program.arguments["prefix"] == model.prefix
            assert model.program.build == "venv"
            places.append((model.path, model.prefix))
    assert len(set(places)) == 15


def test_the_models_know_the_cells_of_the_region(model: Any) -> None:
    loaded = load_experiment(EXAMPLE / "config.yml")
    region = build_region(loaded.config.region, loaded.locate)
    stationary = model("stationary.files").read_cells("stationary")
    aftershocks = model("aftershocks.files").read_cells("aftershocks")
    assert np.array_equal(stationary[:, :2], aftershocks)
    middles = aftershocks + 0.05
    assert sorted(region.cells_of(middles[:, 0], middles[:, 1]).tolist()) == list(range(644))


def test_the_constant_rate_is_that_of_the_helmstetter_forecast(model: Any) -> None:
    import pyarrow.csv

    table = pyarrow.csv.read_csv(
        locate_dataset("csep:helmstetter_aftershock"),
        read_options=pyarrow.csv.ReadOptions(column_names=[str(number) for number in range(10)]),
        parse_options=pyarrow.csv.ParseOptions(delimiter="\t"),
    )
    west, south, rate = (table.column(name).to_numpy() for name in ("0", "2", "8"))
    cells = model("stationary.files").read_cells("stationary")
    number = {(round(10 * x), round(10 * y)): place for place, (x, y, _) in enumerate(cells)}
    sums = np.zeros(len(cells))
    for x, y, five_years in zip(np.rint(10 * west), np.rint(10 * south), rate, strict=True):
        place = number.get((int(x), int(y)))
        if place is not None:
            sums[place] += five_years
    assert cells[:, 2] == pytest.approx(sums / 5 / 365.25, rel=1e-6)
    assert cells[:, 2].sum() == pytest.approx(0.0015317, abs=5e-8)
    assert cells[:, 2].sum() * 10**1.45 == pytest.approx(0.0432, abs=5e-5)


def test_the_law_expects_what_it_should(forecasts: Any) -> None:
    assert [round(forecast.mean, 1) for forecast in forecasts["fixed"]] == list(EXPECTED)
    assert sum(forecast.mean for forecast in forecasts["fixed"]) == pytest.approx(151.6, abs=0.05)
    # The mean of 10^a, where a is normal with standard deviation 0.5.
    ratio = math.exp((0.5 * math.log(10)) ** 2 / 2)
    for fixed, drawn in zip(forecasts["fixed"], forecasts["drawn"], strict=True):
        assert drawn.mean / fixed.mean == pytest.approx(ratio, rel=1e-3)
        assert float(np.median(drawn.means)) == pytest.approx(fixed.mean, rel=0.01)


def test_updating_learns_from_the_first_hours_and_expects_too_much(
    model: Any, forecasts: Any, windows: tuple[TimeWindow, ...], tmp_path: Path
) -> None:
    assert forecasts["updated"][0].mean == pytest.approx(148, abs=1)
    first = forecasts["updated"][0].means / forecasts["fixed"][0].mean
    assert float(np.mean(np.log10(first))) - 1.67 == pytest.approx(-1.38, abs=0.005)
    assert [round(forecast.mean) for forecast in forecasts["updated"][1:]] == [30, 14, 9, 7, 6, 5]


def test_the_generic_prior_passes_all_n_tests_and_a_fixed_a_does_not(model: Any, forecasts: Any) -> None:
    days, smallest = _rejected(model, forecasts["drawn"])
    assert days == []
    assert smallest == pytest.approx(0.22, abs=0.02)
    assert _rejected(model, forecasts["fixed"])[0] == [6, 7, 9, 11]
    assert _rejected(model, forecasts["updated"])[0] == [6, 7, 11]


def test_the_running_mean_is_that_of_the_day_before(forecasts: Any) -> None:
    # From the third window on a whole day is complete: its events, and half of one.
    assert [forecast.mean for forecast in forecasts["running"][2:]] == [
        number + 0.5 for number in (12, 9, 4, 13, 17)
    ]
    # In the first one 22 events since 04:50:45, when magnitude 3.5 becomes complete; 18 hours to come.
    hours = 6 - (3 + 19 / 60 + 53.04 / 3600) - 24 * 10 ** (-0.9 / 0.75)
    assert forecasts["running"][0].mean == pytest.approx(22.5 / hours * 18, rel=1e-6)


def test_scores_of_counts_are_those_of_the_specification(packages: None, forecasts: Any) -> None:
    namespace: dict[str, Any] = {}
    exec((EXAMPLE / "counts.py").read_text(), namespace)

    class Total:
        def __init__(self, total: float) -> None:
            self.total = total

    def gains(observed: tuple[int, ...], above: float) -> list[float]:
        return [
            namespace["gain"](
                Total(forecast.mean * 10 ** (-0.91 * above)),
                range(number),
                Total(0.0015317162 * 10 ** (1.45 - above) * (0.75 if not place else 1.0)),
            )["statistic"]
            for place, (forecast, number) in enumerate(zip(forecasts["fixed"], observed, strict=True))
        ]

    assert gains(OBSERVED, 0.0) == pytest.approx(COUNT_GAINS, abs=0.05)
    assert sum(gains(OBSERVED, 0.0)) / 116 == pytest.approx(5.34, abs=0.005)
    small = gains(OBSERVED_395, 0.45)
    assert sum(small) / 27 == pytest.approx(4.49, abs=0.005)
    assert small[2:4] == pytest.approx([-6.2, -4.2], abs=0.05)


def test_times_follow_omori(model: Any, forecasts: Any) -> None:
    when = forecasts["fixed"][0].when
    shares = np.linspace(0, 1, 11)
    days = when(shares)
    assert days[[0, -1]] == pytest.approx([0, 0.75])
    begin = (6 - (3 + 19 / 60 + 53.04 / 3600)) / 24
    grid = np.linspace(0, 0.75, 200_001)
    rate = (begin + grid + 0.05) ** -1.08
    reached = np.concatenate([[0], np.cumsum((rate[1:] + rate[:-1]) / 2)])
    assert np.interp(days, grid, reached / reached[-1]) == pytest.approx(shares, abs=1e-8)


def test_epicentres_are_spread_with_a_floor(model: Any) -> None:
    space, files = model("aftershocks.space"), model("aftershocks.files")
    cells = files.read_cells("aftershocks")
    nothing = np.zeros(0)
    flat = space.shares_of(files.Past(nothing, nothing, nothing, nothing), cells)
    assert flat.sum() == pytest.approx(1)
    assert flat / np.cos(np.radians(cells[:, 1] + 0.05)) == pytest.approx(
        flat[0] / math.cos(math.radians(35.55))
    )
    one = space.shares_of(files.Past(*(np.array([value]) for value in (-1.0, -117.55, 35.75, 3.0))), cells)
    assert one.sum() == pytest.approx(1)
    place = int(np.flatnonzero((np.rint(cells * 10) == [-1176, 357]).all(axis=1))[0])
    assert int(np.argmax(one)) == place
    assert (one > space.BACKGROUND * flat).all()
    # By polar coordinates over the circle that has the cell's area; 5 km is the kernel's own scale.
    radius = math.sqrt(0.1 * 111.195 * 0.1 * 111.195 * math.cos(math.radians(35.75)) / math.pi)
    assert one[place] == pytest.approx(0.99 * (1 - 5 / math.hypot(5, radius)), rel=0.06)


def test_poisson_numbers_are_quantiles(model: Any) -> None:
    means = np.array([0.03, 1.0, 5.4, 75.6, 2400.0])
    for level in (0.001, 0.3, 0.5, 0.97, 0.9995):
        numbers = model("aftershocks.simulation").poisson_numbers(means, np.full(len(means), level))
        assert numbers.tolist() == scipy.stats.poisson.ppf(level, means).tolist()


COMMANDS = ("reasenberg-jones", "running-mean", "stationary")
DAY = {"start_date": "2019-07-08T00:00:00", "end_date": "2019-07-09T00:00:00", "prefix": "it", "n_sims": 40}


def _run(folder: Path, command: str, past: str, **arguments: object) -> bytes:
    """Run a command in a folder of its own; give the file that it writes."""
    for file in (folder / "forecasts").glob("*"):
        file.unlink()
    run_command(folder, f"{command} input/args.txt", DAY | arguments, past)
    (file,) = (folder / "forecasts").iterdir()
    return file.read_bytes()


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("output", ["catalogs", "rates"])
def test_a_seed_decides_and_later_events_do_not(
    packages: None, windows: tuple[TimeWindow, ...], tmp_path: Path, command: str, output: str
) -> None:
    def run(seed: int, past: str) -> bytes:
        return _run(tmp_path, command, past, output=output, seed=seed)

    first = run(1, past_of(windows[2]))
    assert run(1, past_of(windows[2])) == first
    assert run(1, (EXAMPLE / "learning.csv").read_text()) == first
    assert (run(2, past_of(windows[2])) == first) is (output == "rates")


@pytest.mark.parametrize("command", COMMANDS)
def test_catalogs_lie_in_window_region_and_magnitudes(
    packages: None, windows: tuple[TimeWindow, ...], tmp_path: Path, command: str
) -> None:
    _run(tmp_path, command, past_of(windows[2]), seed=5)
    file = tmp_path / "forecasts" / "it_2019-07-08_2019-07-09.csv"
    forecast = read_catalog_forecast(file, n_catalogs=40)
    loaded = load_experiment(EXAMPLE / "config.yml")
    fitted = fit_catalogs(
        forecast,
        region=build_region(loaded.config.region, loaded.locate),
        magnitudes=np.array(loaded.config.magnitudes),
        window=windows[2],
        depth_km=loaded.config.depth_km,
    )
    assert len(fitted.counted) == forecast.n_events
    assert {finding.code for finding in fitted.findings} <= {"empty_catalogs"}
    assert len(forecast) == 40


def test_rates_add_up_to_the_number_and_fall_as_gutenberg_and_richter_say(
    forecasts: Any, windows: tuple[TimeWindow, ...], tmp_path: Path
) -> None:
    arguments = {"output": "rates", "mag_min": 3.95, "mag_max": 7.95}
    text = _run(tmp_path, "reasenberg-jones", past_of(windows[2]), **arguments).decode()
    heading, *rows = text.splitlines()
    names = heading.split(",")
    assert names[:6] == ["lon_min", "lon_max", "lat_min", "lat_max", "depth_min", "depth_max"]
    assert [float(name) for name in names[6:]] == pytest.approx(np.arange(3.95, 8, 0.1))
    rates = np.array([row.split(",")[6:] for row in rows], dtype=float)
    assert rates.sum() == pytest.approx(forecasts["fixed"][2].mean * 10 ** (-0.91 * 0.45), rel=1e-6)
    above = rates.sum(axis=0)[::-1].cumsum()[::-1]
    assert np.log10(above[1:] / above[:-1]) == pytest.approx(-0.091, abs=1e-6)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sead": 1}, "unknown argument 'sead'"),
        ({"output": "maps"}, "output is 'maps', not catalogs or rates"),
        ({"variant": "guessed"}, "variant is 'guessed', not one of fixed, drawn, updated"),
        ({"start_date": "2019-07-04T00:00:00"}, "there is no earthquake before the window"),
    ],
)
def test_what_it_cannot_do_it_says(
    packages: None, tmp_path: Path, change: dict[str, object], words: str
) -> None:
    with pytest.raises(SystemExit, match=words):
        _run(tmp_path, "reasenberg-jones", (EXAMPLE / "learning.csv").read_text(), **change)
    assert not (tmp_path / "forecasts").exists()


def test_the_two_packages_hold_the_same_copies(packages: None) -> None:
    folder = EXAMPLE / "models"
    for name in ("files.py", "simulation.py"):
        copies = [
            (folder / package / package / name).read_text().replace(f"from {package}.", "from .")
            for package in ("aftershocks", "stationary")
        ]
        assert copies[0] == copies[1]


def test_the_packages_install_commands_and_need_numpy_alone(model: Any) -> None:
    for package in ("aftershocks", "stationary"):
        folder = EXAMPLE / "models" / package
        project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
        assert [name.partition(">")[0] for name in project["dependencies"]] == ["numpy"]
        _, *pins = (folder / "requirements.txt").read_text().splitlines()
        assert [name.partition("==")[0] for name in pins] == ["numpy"]
    assert sorted(commands()) == sorted(COMMANDS)
    for place in commands().values():
        module, _, function = place.partition(":")
        assert callable(getattr(model(module), function))


def test_intervals_are_those_of_windows() -> None:
    namespace: dict[str, Any] = {"__name__": "intervals"}
    exec((EXAMPLE / "intervals.py").read_text(), namespace)
    results = [
        {
            "test": "Counts 1",
            "model": "it",
            "reference": "other",
            "start": datetime(2019, 7, day, tzinfo=UTC).isoformat(),
            "statistic": statistic,
            "n_observed": 2,
        }
        for day, statistic in ((7, 6.0), (6, 2.0))
    ]
    ((score, name, nats, gain, interval),) = namespace["rows_of"]([*results, {**results[0], "test": "N"}])
    # Of four ways to draw two windows of two, one has the worse one twice and one the better one twice.
    assert (score, name, nats, gain, interval) == ("Counts over other", "it", [2.0, 6.0], 2.0, (1.0, 3.0))
