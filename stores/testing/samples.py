"""Valid records for tests, each a pure function of its arguments."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Final

from forequake.evaluations.registry import TestDefinition, find_test
from forequake.keys import KeyInputs
from forequake.quantities import Sha256
from forequake.results import (
    QUANTILE_COUNT,
    BlobRef,
    CatalogForecastRecord,
    CatalogRetrieval,
    CatalogSnapshot,
    ComparisonRecord,
    ConsistencyRecord,
    Distribution,
    DistributionRecord,
    EnvironmentRecord,
    EvaluationRecord,
    ExperimentRecord,
    ForecastRecord,
    Label,
    LowerQuantile,
    Outcome,
    PoissonDistribution,
    QualityFinding,
    Quantiles,
    RegionRecord,
    ResolvedInputs,
    RunDraft,
    ScoreRecord,
    SignedRankDistribution,
    SimulatedDistribution,
    StudentDistribution,
    StudentQuantiles,
    TailQuantiles,
    WilcoxonQuantile,
)
from forequake.windows import TimeWindow

__all__ = [
    "FIRST_WINDOW",
    "sample_catalog",
    "sample_catalog_forecast",
    "sample_comparison",
    "sample_digest",
    "sample_distribution",
    "sample_environment",
    "sample_experiment",
    "sample_forecast",
    "sample_label",
    "sample_region",
    "sample_result",
    "sample_retrieval",
    "sample_run",
    "sample_score",
    "sample_window",
]

#: Where the first sample window starts; each lasts a week.
FIRST_WINDOW: Final = datetime(2020, 1, 1, tzinfo=UTC)
_COMPUTED_AT: Final = datetime(2021, 3, 4, 5, 6, 7, 891011, tzinfo=UTC)
_ALPHA: Final = 0.05
_SIZE: Final = 1000


class _Sample(KeyInputs):
    what = "sample"

    kind: str
    name: str
    number: int


def sample_digest(name: str, number: int = 0) -> Sha256:
    """Give a hash that nothing in particular has."""
    return hashlib.sha256(f"{name} {number}".encode()).hexdigest()


def sample_window(number: int = 0) -> TimeWindow:
    """Give a week, the `number`-th after `FIRST_WINDOW`."""
    start = FIRST_WINDOW + number * timedelta(days=7)
    return TimeWindow(start=start, end=start + timedelta(days=7))


def sample_label(
    test: str = "N",
    model: str = "alpha",
    window: int | TimeWindow = 0,
    *,
    experiment: str = "sample",
    reference: str | None = None,
) -> Label:
    """Give a place; `window` is a window or its number."""
    return Label(
        experiment=experiment,
        test=test,
        model=model,
        reference=reference,
        window=window if isinstance(window, TimeWindow) else sample_window(window),
    )


def sample_result(
    number: int = 0,
    *,
    test: str = "N",
    outcome: Outcome | None = None,
    statistic: float | None = None,
    computed_at: datetime | None = None,
) -> EvaluationRecord:
    """Give a result of a test by any of its names; another number or test has another key.

    Parameters
    ----------
    outcome
        By default what the other numbers say, which is that the forecast passed or that none is better.
        ``undefined`` has no numbers, but a reason.
    statistic
        By default one that follows from `number`.
    """
    definition = find_test(test)
    if definition.kind == "comparison":
        return sample_comparison(number, test=test, outcome=outcome, computed_at=computed_at)
    if definition.kind == "score":
        return sample_score(number, test=test, outcome=outcome, statistic=statistic, computed_at=computed_at)
    value = float(number % 7) - 0.25 * definition.simulated if statistic is None else statistic
    undefined = outcome is Outcome.UNDEFINED
    inputs = _Sample(kind="result", name=definition.name, number=number)
    return ConsistencyRecord(
        key=inputs.key,
        canon=inputs.canon,
        test=definition.name,
        statistic=None if undefined else value,
        quantiles=None if undefined else _quantiles(definition, outcome),
        outcome=outcome or Outcome.PASSED,
        reason="no target event in the window" if undefined else None,
        alpha=_ALPHA,
        side=definition.side,
        rule=definition.rule,
        n_observed=number % 7,
        n_forecast=3.25 + number / 128,
        seed=1000 + number if definition.simulated else None,
        num_simulations=_SIZE if definition.simulated else None,
        distribution=None if undefined else _distribution(definition, number),
        kernel_version=definition.kernel_version,
        computed_at=computed_at or _COMPUTED_AT + timedelta(seconds=number),
        seconds=0.125,
    )


def sample_comparison(
    number: int = 0,
    *,
    test: str = "T",
    outcome: Outcome | None = None,
    information_gain: float | None = None,
    computed_at: datetime | None = None,
) -> ComparisonRecord:
    """Give a result of a comparison; see `sample_result`."""
    definition = find_test(test)
    undefined = outcome is Outcome.UNDEFINED
    gain = 0.125 + number / 64 if information_gain is None else information_gain
    inputs = _Sample(kind="result", name=definition.name, number=number)
    return ComparisonRecord(
        key=inputs.key,
        canon=inputs.canon,
        test=definition.name,
        statistic=None if undefined else gain,
        quantiles=None if undefined else _quantiles(definition, outcome),
        outcome=outcome or Outcome.NO_DIFFERENCE,
        reason="fewer than two target events" if undefined else None,
        alpha=_ALPHA,
        side=definition.side,
        rule=definition.rule,
        n_observed=number % 7,
        n_forecast=3.25 + number / 128,
        distribution=None if undefined else _distribution(definition, number),
        kernel_version=definition.kernel_version,
        computed_at=computed_at or _COMPUTED_AT + timedelta(seconds=number),
        seconds=0.0625,
        n_reference=2.75,
        information_gain=None if undefined else gain,
        interval=None if undefined or definition.short != "T" else (gain - 0.5, gain + 0.5),
    )


def sample_score(
    number: int = 0,
    *,
    test: str = "LL",
    outcome: Outcome | None = None,
    statistic: float | None = None,
    computed_at: datetime | None = None,
) -> ScoreRecord:
    """Give a score of one window; see `sample_result`."""
    definition = find_test(test)
    undefined = outcome is Outcome.UNDEFINED
    inputs = _Sample(kind="result", name=definition.name, number=number)
    return ScoreRecord(
        key=inputs.key,
        canon=inputs.canon,
        test=definition.name,
        statistic=None if undefined else -8.5 - number / 32 if statistic is None else statistic,
        outcome=Outcome.UNDEFINED if undefined else Outcome.SCORE_ONLY,
        reason="forecast and reference both have a rate of zero at a target event" if undefined else None,
        alpha=_ALPHA,
        rule=definition.rule,
        n_observed=number % 7,
        n_forecast=3.25 + number / 128,
        kernel_version=definition.kernel_version,
        computed_at=computed_at or _COMPUTED_AT + timedelta(seconds=number),
        seconds=0.03125,
        n_reference=2.75 if definition.needs_reference else None,
    )


def sample_distribution(result: EvaluationRecord) -> DistributionRecord:
    """Give the whole distribution of a result, under the result's key."""
    values = (float("-inf"), *(-30.0 + 10.0 * step / _SIZE for step in range(1, _SIZE)))
    return DistributionRecord(key=result.key, canon=result.canon, values=values)


def sample_experiment(name: str = "sample", number: int = 0) -> ExperimentRecord:
    """Give an experiment; another number has another key under the same name."""
    inputs = _Sample(kind="experiment", name=name, number=number)
    return ExperimentRecord(
        key=inputs.key,
        canon=inputs.canon,
        name=name,
        config={
            "name": name,
            "seed": number,
            "depth_km": [0.0, 30.0],
            "note": "größer als 3,95",
            "tags": None,
        },
        inputs=ResolvedInputs(
            region=sample_digest("region"),
            catalog=sample_digest("catalog", number),
            models={"alpha": sample_digest("alpha"), "beta": sample_digest("beta")},
        ),
    )


def sample_environment(number: int = 0) -> EnvironmentRecord:
    """Give where something was computed."""
    inputs = _Sample(kind="environment", name="", number=number)
    return EnvironmentRecord(
        key=inputs.key,
        canon=inputs.canon,
        python="3.11.7",
        platform=f"Linux-{number}",
        packages={"numpy": "2.3.5", "pycsep": "0.8.0"},
    )


def sample_region(origins: BlobRef, number: int = 0) -> RegionRecord:
    """Give a region whose cells are in a blob."""
    inputs = _Sample(kind="region", name="", number=number)
    return RegionRecord(
        key=inputs.key, canon=inputs.canon, name="square", n_cells=4, cell_size=0.1, origins=origins
    )


def sample_catalog(events: BlobRef, number: int = 0) -> CatalogSnapshot:
    """Give a catalog whose events are in a blob."""
    inputs = _Sample(kind="catalog", name="", number=number)
    return CatalogSnapshot(
        key=inputs.key,
        canon=inputs.canon,
        n_events=2,
        first=FIRST_WINDOW,
        last=FIRST_WINDOW + timedelta(hours=5, microseconds=123456),
        events=events,
    )


def sample_retrieval(number: int = 0) -> CatalogRetrieval:
    """Give one reading of a source."""
    inputs = _Sample(kind="retrieval", name="", number=number)
    return CatalogRetrieval(
        key=inputs.key,
        canon=inputs.canon,
        source="catalog.csv",
        retrieved_at=_COMPUTED_AT,
        snapshot=sample_digest("catalog", number),
    )


def sample_forecast(rates: BlobRef, number: int = 0, *, content: Sha256 | None = None) -> ForecastRecord:
    """Give a forecast whose rates are in a blob."""
    inputs = _Sample(kind="forecast", name="", number=number)
    return ForecastRecord(
        key=inputs.key,
        canon=inputs.canon,
        content=content or sample_digest("forecast", number),
        reader="gridded-csv 1",
        source=f"forecast-{number}.csv",
        region=sample_digest("region"),
        magnitudes=(3.95, 4.05, 4.15),
        rates=rates,
        scale=0.019163,
        total=3.25 + number / 128,
        findings=(QualityFinding(code="zero_rates", severity="note", message="2 cells are empty", count=2),),
        made_at=_COMPUTED_AT,
        seconds=0.5,
    )


def sample_catalog_forecast(
    catalogs: BlobRef, number: int = 0, *, content: Sha256 | None = None
) -> CatalogForecastRecord:
    """Give a forecast whose simulated catalogs are in a blob."""
    inputs = _Sample(kind="catalog_forecast", name="", number=number)
    return CatalogForecastRecord(
        key=inputs.key,
        canon=inputs.canon,
        content=content or sample_digest("catalog_forecast", number),
        reader="csep-csv 1",
        source=f"catalogs-{number}.csv",
        region=sample_digest("region"),
        magnitudes=(3.95, 4.05, 4.15),
        window=sample_window(number),
        catalogs=catalogs,
        n_catalogs=1000,
        n_empty=12,
        n_events=4711 + number,
        n_counted=4000,
        findings=(QualityFinding(code="outside_window", severity="note", message="711 events", count=711),),
        made_at=_COMPUTED_AT,
        seconds=0.25,
    )


def sample_run(experiment: ExperimentRecord, *, owner: str = "host/boot/1/1") -> RunDraft:
    """Give what a run of an experiment says of itself before it begins."""
    return RunDraft(
        experiment=experiment.name,
        experiment_key=experiment.key,
        owner=owner,
        command=("forequake", "run", "config.yml"),
        git_commit="0" * 40,
        git_dirty=False,
        host="host",
        seed=123456,
        tags=("sample",),
    )


def _quantiles(definition: TestDefinition, outcome: Outcome | None) -> Quantiles:
    extreme = outcome in (Outcome.REJECTED, Outcome.BETTER, Outcome.WORSE)
    match definition.short:
        case "N":
            return (
                TailQuantiles(delta1=0.001, delta2=0.9995)
                if extreme
                else TailQuantiles(delta1=0.4, delta2=0.8)
            )
        case "T":
            return StudentQuantiles(t=3.5 if extreme else 0.5, t_critical=2.57, p=0.017 if extreme else 0.638)
        case "W":
            return WilcoxonQuantile(p=0.01 if extreme else 0.5)
    return LowerQuantile(q=0.002 if extreme else 0.312)


def _distribution(definition: TestDefinition, number: int) -> Distribution:
    match definition.short:
        case "N":
            return PoissonDistribution(mean=3.25 + number / 128)
        case "T":
            return StudentDistribution(degrees_of_freedom=5, scale=0.25)
        case "W":
            return SignedRankDistribution(size=6, exact=True)
    quantiles = tuple(-30.0 + number / 16 + 0.1 * step for step in range(QUANTILE_COUNT))
    return SimulatedDistribution(size=_SIZE, quantiles=quantiles)
