"""Filling a store with an experiment as a run would leave it, without computing one."""

import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forequake.evaluations.registry import TestDefinition, find_test
from forequake.keys import KeyInputs
from forequake.quantities import Sha256
from forequake.results import (
    QUANTILE_COUNT,
    ComparisonRecord,
    ConsistencyRecord,
    Curve,
    DistributionRecord,
    EvaluationRecord,
    ExperimentRecord,
    Label,
    LowerQuantile,
    Outcome,
    PoissonDistribution,
    Record,
    RunChange,
    RunCounts,
    RunRecord,
    RunState,
    ScoreRecord,
    SignedRankDistribution,
    SimulatedDistribution,
    StudentDistribution,
    StudentQuantiles,
    TailQuantiles,
    UnitEnd,
    UnitError,
    UnitState,
    WilcoxonQuantile,
)
from stores.base import ResultsStore
from stores.exchange import Binding, Block, RunRef
from stores.testing.samples import (
    sample_catalog,
    sample_catalog_forecast,
    sample_environment,
    sample_experiment,
    sample_forecast,
    sample_label,
    sample_region,
    sample_retrieval,
    sample_run,
)
from stores.testing.sealed_samples import sample_seal

__all__ = ["fill_store"]

_ALPHA: Final = 0.05
_SIMULATIONS: Final = 1000
_BATCH: Final = 200
_RECORD_TYPES: Final[dict[str, type[EvaluationRecord]]] = {
    "consistency": ConsistencyRecord,
    "comparison": ComparisonRecord,
    "score": ScoreRecord,
}
#: Earthquakes that a window has on average.
_RATE: Final = 2.5


class _Inputs(KeyInputs):
    what = "filled-result"

    test: str
    model: int
    window: int
    seed: int


@dataclass(frozen=True)
class _Place:
    """One result to be: where it belongs, and the number of its model and window."""

    definition: TestDefinition
    label: Label
    model: int
    window: int
    seed: int


def fill_store(
    store: ResultsStore,
    *,
    models: Sequence[str] = ("alpha", "beta", "gamma"),
    tests: Sequence[str] = ("N", "L", "CL", "S", "M", "T", "W"),
    windows: int = 4,
    experiment: str = "sample",
    seed: int = 1,
    failed: int = 0,
) -> RunRecord:
    """Put an experiment of models x tests x windows into a store, as a run would leave it.

    The first model is the reference of the comparisons and is not compared with itself. It expects what is
    observed; each further one expects more, so that the last ones tend to be rejected. Windows without an
    event give undefined results, and some statistics are -infinity. Equal arguments give equal results:
    filling again is a second run that finds everything there.

    Parameters
    ----------
    tests
        By any of their names; places carry the names that are given here.
    windows
        Number of weeks, from 2020-01-01.
    failed
        So many of the last units end badly instead, and have no result.

    Returns
    -------
    RunRecord
        The run, completed.
    """
    config = sample_experiment(experiment, seed)
    environment = _put_inputs(store, config, len(models))
    run = store.begin_run(sample_run(config))
    ref = RunRef(id=run.id, experiment=experiment, run_no=run.run_no)
    places = list(_places(models, tests, windows, experiment, seed))
    due = places[: max(0, len(places) - failed)]
    _end_badly(store, [place.label for place in places[len(due) :]])
    undefined = cached = 0
    for start in range(0, len(due), _BATCH):
        records: list[Record] = []
        bindings = []
        for place in due[start : start + _BATCH]:
            result, distribution = _result(place, environment)
            undefined += result.outcome is Outcome.UNDEFINED
            records += [result] if distribution is None else [result, distribution]
            bindings.append(Binding(label=place.label, key=result.key))
        known = store.existing(EvaluationRecord, [binding.key for binding in bindings])
        cached += len(known)
        store.put(records)
        store.publish(ref, bindings)
    counts = RunCounts(
        cached=cached, computed=len(due) - cached, failed=len(places) - len(due), undefined=undefined
    )
    change = RunChange(state=RunState.COMPLETED, counts=counts)
    return store.update_run(ref, change, expect=RunState.RUNNING)


def _put_inputs(store: ResultsStore, config: ExperimentRecord, models: int) -> Sha256:
    """Put all that the results start from; give the key of the environment."""
    environment = sample_environment()
    region = sample_region(store.put_blob(io.BytesIO(b"origins")))
    catalog = sample_catalog(store.put_blob(io.BytesIO(b"events")))
    rates = store.put_blob(io.BytesIO(b"rates"))
    forecasts = [sample_forecast(rates, number) for number in range(models)]
    simulated = sample_catalog_forecast(store.put_blob(io.BytesIO(b"catalogs")))
    sealed = sample_seal(store.put_blob(io.BytesIO(b"a forecast's file")))
    store.put([config, environment, region, catalog, sample_retrieval(), *forecasts, simulated, sealed])
    return environment.key


def _places(
    models: Sequence[str], tests: Sequence[str], windows: int, experiment: str, seed: int
) -> Iterator[_Place]:
    for window in range(windows):
        for number, model in enumerate(models):
            for test in tests:
                definition = find_test(test)
                compares = definition.needs_reference
                if compares and number == 0:
                    continue
                reference = models[0] if compares else None
                label = sample_label(test, model, window, experiment=experiment, reference=reference)
                yield _Place(definition, label, number, window, seed)


def _end_badly(store: ResultsStore, labels: Sequence[Label]) -> None:
    if not labels:
        return
    block = Block(id=f"{labels[0].experiment}/failing", units=tuple(labels))
    error = UnitError(kind="EvaluationError", message="the test's own computation gave no number")
    ends = [UnitEnd(label=label, state=UnitState.FAILED, error=error) for label in labels]
    for claim in store.claim([block], "host/boot/1/1"):
        store.finish(claim, ends)


def _result(place: _Place, environment: Sha256) -> tuple[EvaluationRecord, DistributionRecord | None]:
    n_observed = int(np.random.default_rng((place.seed, place.window)).poisson(_RATE))
    expected = _RATE * (1.0 + 0.9 * place.model)
    inputs = _Inputs(test=place.definition.name, model=place.model, window=place.window, seed=place.seed)
    draw = np.random.default_rng(int(inputs.key[:8], 16))
    sample = None
    if place.definition.kind == "comparison":
        found = _comparison(place, n_observed, draw)
    elif place.definition.kind == "score":
        found = _score(place, n_observed, draw)
    elif place.definition.simulated:
        found, sample = _simulated(place, n_observed, draw)
    else:
        found = _number(n_observed, expected)
    simulated = place.definition.simulated
    shared = {
        "key": inputs.key,
        "canon": inputs.canon,
        "test": place.definition.name,
        "alpha": _ALPHA,
        "side": place.definition.side,
        "rule": place.definition.rule,
        "n_observed": n_observed,
        "n_forecast": expected,
        "seed": int(inputs.key[:8], 16) if simulated else None,
        "num_simulations": _SIMULATIONS if simulated else None,
        "kernel_version": place.definition.kernel_version,
        "environment": environment,
        "computed_at": place.label.window.end,
        "seconds": 0.01,
    }
    result = _RECORD_TYPES[place.definition.kind].model_validate({**shared, **found})
    if sample is None:
        return result, None
    return result, DistributionRecord(key=inputs.key, canon=inputs.canon, values=tuple(sample.tolist()))


def _number(n_observed: int, expected: float) -> dict[str, object]:
    masses = [
        math.exp(-expected) * expected**count / math.factorial(count) for count in range(n_observed + 1)
    ]
    at_most = min(1.0, math.fsum(masses))
    at_least = min(1.0, 1.0 - math.fsum(masses[:-1]))
    rejected = min(at_least, at_most) < _ALPHA / 2
    return {
        "statistic": float(n_observed),
        "quantiles": TailQuantiles(delta1=at_least, delta2=at_most),
        "outcome": Outcome.REJECTED if rejected else Outcome.PASSED,
        "distribution": PoissonDistribution(mean=expected),
    }


def _simulated(
    place: _Place, n_observed: int, draw: np.random.Generator
) -> tuple[dict[str, object], NDArray[np.float64] | None]:
    if n_observed == 0 and place.definition.short != "L":
        return _undefined("no target event in the window"), None
    sample = draw.normal(-6.0 * (1 + n_observed), 4.0, _SIMULATIONS)
    statistic = float(draw.normal(-6.0 * (1 + n_observed) - 3.0 * place.model, 4.0))
    flags: tuple[str, ...] = ()
    if draw.random() < 0.05:
        statistic, flags = -math.inf, ("event_in_zero_rate_cell",)
    q = float(np.mean(sample <= statistic))
    ranks = np.ceil(np.linspace(0.0, 1.0, QUANTILE_COUNT) * (_SIMULATIONS - 1)).astype(int)
    quantiles = np.sort(sample)[ranks]
    return {
        "statistic": statistic,
        "quantiles": LowerQuantile(q=q),
        "outcome": Outcome.REJECTED if q < _ALPHA else Outcome.PASSED,
        "flags": flags,
        "distribution": SimulatedDistribution(size=_SIMULATIONS, quantiles=tuple(quantiles.tolist())),
    }, sample


def _comparison(place: _Place, n_observed: int, draw: np.random.Generator) -> dict[str, object]:
    from scipy import stats  # half a second that most tests need not spend

    if n_observed < 2:
        return {**_undefined("fewer than two target events"), "n_reference": _RATE}
    scale = 0.5 / math.sqrt(n_observed)
    gain = float(draw.normal(-0.5 * place.model, 0.25))
    t, t_critical = gain / scale, float(stats.t.ppf(1 - _ALPHA / 2, n_observed - 1))
    p = float(2 * stats.t.sf(abs(t), n_observed - 1))
    decided = Outcome.BETTER if gain > 0 else Outcome.WORSE
    is_t = place.definition.short == "T"
    quantiles = StudentQuantiles(t=t, t_critical=t_critical, p=p) if is_t else WilcoxonQuantile(p=p)
    half = t_critical * scale
    return {
        "statistic": gain,
        "quantiles": quantiles,
        "outcome": decided if p < _ALPHA else Outcome.NO_DIFFERENCE,
        "n_reference": _RATE,
        "information_gain": gain,
        "interval": (gain - half, gain + half) if is_t else None,
        "distribution": StudentDistribution(degrees_of_freedom=n_observed - 1, scale=scale)
        if is_t
        else SignedRankDistribution(size=n_observed, exact=True),
    }


def _score(place: _Place, n_observed: int, draw: np.random.Generator) -> dict[str, object]:
    if place.definition.measure.startswith("area"):
        return _area(draw.uniform(0.5, 1.0), falls=place.definition.short == "Molchan")
    compares = place.definition.needs_reference
    mean = -0.5 * place.model * n_observed if compares else -6.0 * n_observed - _RATE
    return {
        "statistic": float(draw.normal(mean, 0.25 * n_observed)),
        "quantiles": None,
        "outcome": Outcome.SCORE_ONLY,
        "n_reference": _RATE if compares else None,
    }


def _area(area: float, *, falls: bool) -> dict[str, object]:
    """Give the score of a single cell with events: all of them are found where 1 - area is in alarm."""
    found = (0.0, 0.0, 1.0, 1.0)
    return {
        "statistic": area,
        "quantiles": None,
        "outcome": Outcome.SCORE_ONLY,
        "n_reference": None,
        "curve": Curve(
            x=(0.0, 1 - area, 1 - area, 1.0),
            y=tuple(1 - share for share in found) if falls else found,
            x_name="share in alarm",
            y_name="share missed" if falls else "share found",
        ),
    }


def _undefined(reason: str) -> dict[str, object]:
    return {"statistic": None, "quantiles": None, "outcome": Outcome.UNDEFINED, "reason": reason}
