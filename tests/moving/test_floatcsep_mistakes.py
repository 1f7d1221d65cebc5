"""What floatCSEP 0.5.2 takes without a word and gets wrong in an experiment's data: here right, or refused.

Each test is a small experiment as its files say it, read, resolved and computed without a server or a store.
Mistakes in the configuration itself are tested beside its reader: `test_where_mistakes_are_tested.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pytest
import yaml

from forequake.config import LoadedExperiment, load_experiment
from forequake.errors import CatalogError, ForecastError
from forequake.experiments import Experiment
from forequake.plan import Selection, result_keys
from forequake.resolution import resolve
from forequake.results import AnyEvaluation, ForecastRecord, Outcome, Record
from forequake.shelf import ForecastShelf
from forequake.steps import make_forecasts, windows_by_source
from forequake.units import evaluate_unit

HEADING = "lon_min, lon_max, lat_min, lat_max, depth_min, depth_max"
#: Two cells, two bins: 57.3 events in all.
ROWS = ("0, 1, 0, 1, 0, 30, 40.0, 10.0", "1, 2, 0, 1, 0, 30, 5.3, 2.0")
EVENTS = ("0.5,0.5,5.0,2000-01-01T06:00:00,10,0,a", "1.5,0.5,5.1,2000-01-02T07:00:00,10,0,b")
CONFIG: dict[str, Any] = {
    "name": "small",
    "seed": 7,
    "time_config": {"start_date": "2000-01-01", "end_date": "2000-01-03", "horizon": "1 days"},
    "region_config": {"region": "region.txt", "mag_min": 5.0, "mag_max": 5.1, "mag_bin": 0.1},
    "catalog": "catalog.csv",
    "models": [{"A": {"path": "a.csv"}}, {"B": {"path": "b.csv"}}],
    "tests": [
        {"N": {"func": "poisson_evaluations.number_test"}},
        {"S": {"func": "poisson_evaluations.spatial_test", "func_kwargs": {"num_simulations": 10}}},
        {"M": {"func": "poisson_evaluations.magnitude_test", "func_kwargs": {"num_simulations": 10}}},
        {
            "CL": {
                "func": "poisson_evaluations.conditional_likelihood_test",
                "func_kwargs": {"num_simulations": 10},
            }
        },
        {"T": {"func": "poisson_evaluations.paired_t_test", "ref_model": "A"}},
    ],
}


def table(*rows: str, edges: str = "5.0, 5.1") -> str:
    """Write a forecast as floatCSEP's table."""
    return "\n".join((f"{HEADING}, {edges}", *rows)) + "\n"


@dataclass
class Lab:
    """An experiment, and what a store would hold of its forecasts."""

    loaded: LoadedExperiment
    experiment: Experiment
    records: dict[str, ForecastRecord] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)

    def get(self, kind: type[Record], key: str) -> Any:
        return self.records[key]

    def open_blob(self, sha: str) -> BinaryIO:
        return BytesIO(self.blobs[sha])

    def forecasts(self, model: str) -> list[ForecastRecord]:
        """Read a model's forecasts as a run does."""
        made = []
        for windows in windows_by_source(self.experiment, model, self.experiment.config.windows):
            found = make_forecasts(self.loaded, self.experiment, model, windows)
            records = [record for record in found.records if isinstance(record, ForecastRecord)]
            made += records
            self.records |= {record.key: record for record in records}
            with found.open() as data:
                self.blobs[records[0].rates.sha256] = data.read()
        return made

    def results(self, model: str) -> dict[tuple[str, str], AnyEvaluation]:
        """Compute a model's results, by test and first day of the window."""
        shelf = ForecastShelf(self.experiment, self)
        labels = [label for label in self.experiment.labels() if label.model == model]
        return {
            (label.test, f"{label.window.start:%d}"): evaluate_unit(
                self.experiment, shelf, label, self.experiment.result_inputs(label), "0" * 64
            )[0]
            for label in labels
        }

    def observed(self) -> list[list[str]]:
        """Give the ids of the events that count, window by window."""
        windows = self.experiment.config.windows
        return [self.experiment.observed(window)[0].event_id.tolist() for window in windows]


@pytest.fixture
def lab(tmp_path: Path) -> Callable[..., Lab]:
    """Set up an experiment: keys of CONFIG (and of its sections) changed, files written."""

    def build(files: dict[str, str] | None = None, **changes: Any) -> Lab:
        standard = {
            "region.txt": "0 0\n1 0\n",
            "catalog.csv": "\n".join(EVENTS) + "\n",
            "a.csv": table(*ROWS),
            "b.csv": table("0, 1, 0, 1, 0, 30, 30, 20", "1, 2, 0, 1, 0, 30, 4, 1"),
        }
        for name, text in {**standard, **(files or {})}.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        config = {
            key: {**value, **changes.get(key, {})} if isinstance(value, dict) else changes.get(key, value)
            for key, value in {**changes, **CONFIG}.items()
        }
        (tmp_path / "config.yml").write_text(yaml.safe_dump(config, sort_keys=False))
        loaded = load_experiment(tmp_path)
        return Lab(loaded, resolve(loaded))

    return build


Build = Callable[..., Lab]
DAILY = {"path": "daily", "class": "td", "forecast_type": "gridded"}
DAYS = {f"daily/forecasts/D_2000-01-0{day}_2000-01-0{day + 1}.csv": table(*ROWS) for day in (1, 2)}


def test_a_daily_forecast_of_57_3_events_expects_57_3_events(lab: Build) -> None:
    """Read as rates of a year, which is floatCSEP's way, it would expect 0.157 of them."""
    days = lab(DAYS, models=[{"D": DAILY}], tests=CONFIG["tests"][:1]).forecasts("D")

    assert [record.total for record in days] == pytest.approx([57.3, 57.3], rel=1e-12)


def test_a_unit_of_a_time_dependent_forecast_is_in_days(lab: Build) -> None:
    weekly = {**DAILY, "forecast_unit": 7}
    days = lab(DAYS, models=[{"D": weekly}], tests=CONFIG["tests"][:1]).forecasts("D")

    assert [record.total for record in days] == pytest.approx([57.3 / 7] * 2, rel=1e-12)


#: The least depth, and which events count; 0 is the surface, and mountains are higher than the sea.
LEAST = {-2: "ABCDE", -1: "BCDE", 0: "ABCDE", 5: "DE"}


@pytest.mark.parametrize(("least", "counted"), LEAST.items())
def test_depths_cut_the_test_catalog(least: int, counted: str, lab: Build) -> None:
    depths = {"A": -1.3, "B": -1, "C": 0, "D": 12, "E": 70, "F": 70.1}
    rows = [f"0.5,0.5,5.0,2000-01-01T06:00:00,{depth},0,{name}" for name, depth in depths.items()]
    small = lab({"catalog.csv": "\n".join(rows) + "\n"}, region_config={"depth_min": least, "depth_max": 70})

    assert ["".join(sorted(names)) for names in small.observed()] == [counted, ""]


def test_an_event_without_a_depth_is_refused_where_depths_count(lab: Build) -> None:
    rows = "0.5,0.5,5.0,2000-01-01T06:00:00,,0,a\n"

    with pytest.raises(CatalogError, match="no depth"):
        lab({"catalog.csv": rows}, region_config={"depth_min": 0, "depth_max": 70})


def test_an_event_above_mag_max_lies_in_the_last_bin(lab: Build) -> None:
    rows = "0.5,0.5,5.1,2000-01-01T06:00:00,10,0,last\n0.5,0.5,7.9,2000-01-01T07:00:00,10,0,great\n"
    small = lab({"catalog.csv": rows})
    small.forecasts("A")

    assert small.observed()[0] == ["last", "great"]
    # By hand: log P(n) = n log(rate) - rate - log(n!), summed over bins of magnitude, for two events.
    scale = 2 / 57.3
    expected = 2 * np.log(12.0 * scale) - 57.3 * scale - np.log(2)
    assert small.results("A")["M", "01"].statistic == pytest.approx(expected, rel=1e-12)


def test_windows_of_six_hours_have_catalogs_and_results_of_their_own(lab: Build) -> None:
    small = lab(time_config={"end_date": "2000-01-02", "horizon": "6 hours"})
    keys = result_keys(small.experiment, Selection(models=("A",), tests=("S",)))

    assert small.observed() == [[], ["a"], [], []]
    assert len(set(keys.values())) == 4  # the seed follows the window, whatever its catalog
    assert len({label.slot for label in keys}) == 4


#: What is wrong with a forecast: its rows and edges, what is said, and the finding on record.
FAULTS: dict[str, tuple[tuple[str, ...], str, str, str]] = {
    "NaN": (("0, 1, 0, 1, 0, 30, nan, 10", ROWS[1]), "5.0, 5.1", "not numbers", "missing_values"),
    "negative": (("0, 1, 0, 1, 0, 30, -4, 10", ROWS[1]), "5.0, 5.1", "negative", "negative_rates"),
    "missing cell": (ROWS[:1], "5.0, 5.1", "no rate", "missing_cells"),
    "cell of another region": (
        (*ROWS, "2, 3, 0, 1, 0, 30, 1, 1"),
        "5.0, 5.1",
        "not cells of the region",
        "outside_cells",
    ),
    "missing low magnitudes": (
        ("0, 1, 0, 1, 0, 30, 10", "1, 2, 0, 1, 0, 30, 2"),
        "5.1",
        "magnitude",
        "missing_low_magnitudes",
    ),
}


@pytest.mark.parametrize(("rows", "edges", "says", "code"), FAULTS.values(), ids=FAULTS)
def test_a_forecast_that_cannot_be_is_refused(
    rows: tuple[str, ...], edges: str, says: str, code: str, lab: Build
) -> None:
    small = lab({"b.csv": table(*rows, edges=edges)})

    with pytest.raises(ForecastError, match=rf"b\.csv.*{says}"):
        small.forecasts("B")


@pytest.mark.parametrize(("rows", "edges", "says", "code"), FAULTS.values(), ids=FAULTS)
def test_on_record_it_counts_by_a_fixed_rule_which_is_told(
    rows: tuple[str, ...], edges: str, says: str, code: str, lab: Build
) -> None:
    small = lab({"b.csv": table(*rows, edges=edges)}, forecast_quality="record")
    first = small.forecasts("B")[0]

    assert code in {finding.code for finding in first.findings}
    assert np.isfinite(first.total)
    assert first.total > 0


def test_a_broken_model_leaves_the_comparisons_of_others_alone(lab: Build) -> None:
    models = [{name: {"path": f"{name.lower()}.csv"}} for name in "ABC"]
    broken = {"c.csv": table("0, 1, 0, 1, 0, 30, nan, 10", ROWS[1])}
    whole = lab({"c.csv": table(*ROWS)}, models=models)
    expected = result_keys(whole.experiment, Selection())
    small = lab(broken, models=models)
    keys = result_keys(small.experiment, Selection())
    for name in "AB":
        small.forecasts(name)

    assert {label for label in keys if keys[label] != expected[label]} == {
        label for label in keys if label.model == "C"
    }
    assert small.results("B")["T", "01"].n_observed == 1


def test_a_window_without_events_has_no_verdict_but_that_of_the_number(lab: Build) -> None:
    small = lab({"catalog.csv": EVENTS[1] + "\n"})
    for name in "AB":
        small.forecasts(name)
    results = small.results("B")
    outcomes = {test: result.outcome for (test, day), result in results.items() if day == "01"}

    assert outcomes.pop("N") is not Outcome.UNDEFINED
    assert outcomes == dict.fromkeys(("S", "M", "CL", "T"), Outcome.UNDEFINED)
    assert all("no target events" in str(results[test, "01"].reason) for test in outcomes)
    assert all(results[test, "02"].outcome is not Outcome.UNDEFINED for test in ("N", "S", "M", "CL"))


def test_the_seed_is_part_of_the_record_and_of_each_result(lab: Build) -> None:
    small = lab()
    small.forecasts("A")
    experiment = small.experiment
    test, window = experiment.test("S"), experiment.config.windows[0]

    assert experiment.record.config["seed"] == 7
    assert small.results("A")["S", "01"].seed == experiment.seed(test, window)


def test_a_static_folder_of_forecasts_needs_no_program(lab: Build) -> None:
    """Told to make all forecasts anew, floatCSEP looks for the environment of a model that has none."""
    small = lab(DAYS, models=[{"D": DAILY}], tests=CONFIG["tests"][:1], force_rerun=True)

    assert len(small.forecasts("D")) == 2
    assert small.experiment.config.unused == ("force_rerun",)
