"""A small experiment on real earthquakes, run twice into a store without a server: a week at Ridgecrest.

Three models of 289 cells in seven days, of which two have no target event. `flat` is the reference, `near`
knows where the events come, and `holes` gives some of them no rate at all: its statistics are infinite.
"""

import io
import math
from collections.abc import Sequence
from pathlib import Path

from forequake.across import present_inputs
from forequake.config import load_experiment
from forequake.environment import record_environment
from forequake.experiments import Experiment
from forequake.quantities import Sha256
from forequake.resolution import resolve
from forequake.results import (
    EvaluationRecord,
    Outcome,
    Record,
    RunChange,
    RunCounts,
    RunDraft,
    RunState,
    Stage,
)
from forequake.retrieval import retrieve_catalogs
from forequake.shelf import ForecastShelf
from forequake.steps import make_forecasts
from forequake.timers import Timers, Timing, collecting
from forequake.units import evaluate_unit
from stores import Binding, ResultsStore, RunRef, open_store

__all__ = ["MODELS", "NAME", "make_ridge"]

NAME = "ridge"
MODELS = ("near", "flat", "holes")
EDGES = [round(3.95 + 0.1 * number, 2) for number in range(31)]
CELLS = [(round(-118.4 + 0.1 * i, 1), round(34.9 + 0.1 * j, 1)) for j in range(17) for i in range(17)]

CONFIG = """\
name: ridge
seed: {seed}
time_config:
  exp_class: ti
  time_windows:
    - [2019-07-06T06:00:00, 2019-07-07]
    - [2019-07-07, 2019-07-08]
    - [2019-07-08, 2019-07-09]
    - [2019-07-09, 2019-07-10]
    - [2019-07-10, 2019-07-11]
    - [2019-07-11, 2019-07-12]
    - [2019-07-12, 2019-07-13]
region_config:
  {{region: region.txt, mag_min: 3.95, mag_max: 6.95, mag_bin: 0.1, depth_min: -2, depth_max: 30}}
catalog: csep:comcat_example_catalog
models:
- near: {{path: near.csv}}
- flat: {{path: flat.csv}}
- holes: {{path: holes.csv}}
tests:
- N: {{func: poisson_evaluations.number_test}}
- S: {{func: poisson_evaluations.spatial_test, func_kwargs: {{num_simulations: 201}}}}
- L: {{func: poisson_evaluations.likelihood_test, func_kwargs: {{num_simulations: 201}}}}
- CL: {{func: poisson_evaluations.conditional_likelihood_test, func_kwargs: {{num_simulations: 201}}}}
- T: {{func: poisson_evaluations.paired_t_test, ref_model: flat}}
- W: {{func: poisson_evaluations.w_test, ref_model: flat}}
- IG: {{func: sequential_information_gain, ref_model: flat}}
- ROC: {{func: plots.plot_ROC_diagram}}
- Molchan: {{func: plots.plot_Molchan_diagram}}
- Cumulative N: {{func: cumulative N}}
- Calibration of N: {{func: calibration, func_kwargs: {{of: N}}}}
"""


def make_ridge(folder: Path) -> str:
    """Write the experiment's files, run it with two seeds, and give the store's address."""
    near = [1 / (0.02 + math.hypot(x + 117.55, y - 35.72) ** 2) for x, y in CELLS]
    north = [0.0 if y > 35.85 else weight for (_, y), weight in zip(CELLS, near, strict=True)]
    (folder / "region.txt").write_text("".join(f"{x} {y}\n" for x, y in CELLS))
    (folder / "near.csv").write_text(_table(near, 8.0))
    (folder / "flat.csv").write_text(_table([1.0] * len(CELLS), 8.0))
    (folder / "holes.csv").write_text(_table(north, 2.0))
    url = f"sqlite:///{folder / 'results.sqlite'}"
    store = open_store(url)
    for seed in (1, 2):
        config = folder / "config.yml"
        config.write_text(CONFIG.format(seed=seed))
        _run(store, config)
    return url


def _table(weights: Sequence[float], events_a_day: float) -> str:
    """Write a forecast in rates a year: shares of cells, and magnitudes that fall with b = 1."""
    magnitudes = [10.0 ** (EDGES[0] - edge) for edge in EDGES]
    whole = sum(weights) * sum(magnitudes)
    lines = ["lon_min, lon_max, lat_min, lat_max, depth_min, depth_max, " + ", ".join(map(str, EDGES))]
    for (x, y), weight in zip(CELLS, weights, strict=True):
        rates = ", ".join(f"{365.25 * events_a_day * weight * each / whole:.10g}" for each in magnitudes)
        lines.append(f"{x}, {x + 0.1:.1f}, {y}, {y + 0.1:.1f}, 0, 30, {rates}")
    return "\n".join(lines) + "\n"


def _run(store: ResultsStore, config: Path) -> None:
    """Do what a run does, in its order, here and at once."""
    loaded = load_experiment(config)
    experiment = resolve(loaded)
    environment = record_environment()
    store.put([experiment.record, environment])
    draft = RunDraft(
        experiment=NAME,
        experiment_key=experiment.record.key,
        owner="here/boot/1/1",
        command=("forequake", "run", "config.yml"),
        environment=environment.key,
        host="here",
        seed=experiment.config.seed,
    )
    begun = store.begin_run(draft)
    run = RunRef(id=begun.id, experiment=NAME, run_no=begun.run_no)
    timers = Timers()
    with collecting(timers):
        region, cells = experiment.region_record()
        store.put_blob(io.BytesIO(cells))
        store.put([region])
        for retrieved in retrieve_catalogs(experiment):
            store.put_blob(io.BytesIO(retrieved.data))
            store.put([retrieved.snapshot, retrieved.retrieval])
        for model in MODELS:
            made = make_forecasts(loaded, experiment, model, experiment.config.windows)
            with made.open() as data:
                store.put_blob(data)
            store.put(made.records)
        counts = _evaluate(store, experiment, run, environment.key)
    change = RunChange(state=RunState.COMPLETED, counts=counts, timings=timers.timings())
    store.update_run(run, change, expect=RunState.RUNNING)


def _evaluate(store: ResultsStore, experiment: Experiment, run: RunRef, environment: Sha256) -> RunCounts:
    """Compute what the store lacks; results over windows come last, since they take the others."""
    shelf = ForecastShelf(experiment, store)
    computed = undefined = cached = 0
    for last in (False, True):
        records: list[Record] = []
        bindings = []
        for label in experiment.labels():
            if experiment.over_windows(label) is not last:
                continue
            inputs = present_inputs(experiment, store, label) if last else experiment.result_inputs(label)
            bindings.append(Binding(label=label, key=inputs.key))
            if store.existing(EvaluationRecord, [inputs.key]):
                cached += 1
                continue
            with Timing(Stage.TESTS, label.model, label.window, label.test):
                record, distribution = evaluate_unit(experiment, shelf, label, inputs, environment)
            computed += 1
            undefined += record.outcome is Outcome.UNDEFINED
            records += [record] if distribution is None else [record, distribution]
        store.put(records)
        store.publish(run, bindings)
    return RunCounts(computed=computed, cached=cached, undefined=undefined)
