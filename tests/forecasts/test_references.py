"""References that learn: what they learn from, how many events they expect, and what they never see."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from forequake.catalogs import (
    CatalogSpec,
    CompletenessSpec,
    CompletenessStep,
    Events,
    Mainshock,
    QueryCatalog,
)
from forequake.config import ExperimentConfig, LearningReference, NamedRegion, Smoothing, TestSpec
from forequake.datasets import locate_dataset
from forequake.errors import ForecastError
from forequake.forecasts import fit_to_experiment, read_forecast
from forequake.forecasts.references.learned import learned_rates, learned_sources
from forequake.forecasts.references.past import LearningCatalog
from forequake.forecasts.references.shares import area_shares, b_value_of, magnitude_shares
from forequake.regions import Region, named_region
from forequake.windows import TimeWindow

REGION = Region("square", np.array([[x, y] for y in range(4) for x in range(4)], dtype=np.float64), 1.0)
MAGNITUDES = np.array([5.0, 5.5, 6.0])
START = datetime(2010, 1, 1, tzinfo=UTC)
DAYS = tuple(
    TimeWindow(start=START + timedelta(days=day), end=START + timedelta(days=day + 1)) for day in range(4)
)
SMOOTHED = LearningReference(
    name="S", reference="smoothed_seismicity", smoothing=Smoothing(neighbours=2), b_value=1.0
)
UNIFORM_MEAN = LearningReference(name="M", reference="running_mean", b_value=1.0)


def _events(rows: list[tuple[datetime, float, float, float]]) -> Events:
    """Make events of (time, longitude, latitude, magnitude)."""
    rows = sorted(rows, key=lambda row: row[0])
    columns = [np.array([row[place] for row in rows], dtype=np.float64) for place in (1, 2, 3)]
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    times = [(row[0] - epoch) // timedelta(microseconds=1) for row in rows]
    return Events(
        time_us=np.array(times, dtype=np.int64),
        longitude=columns[0],
        latitude=columns[1],
        depth_km=np.full(len(rows), 10.0),
        magnitude=columns[2],
        event_id=np.array([str(number) for number in range(len(rows))]),
    )


def _config(**changes: Any) -> ExperimentConfig:
    given: dict[str, Any] = {
        "name": "x",
        "windows": DAYS,
        "region": NamedRegion(name="california_relm_region"),
        "magnitudes": tuple(MAGNITUDES.tolist()),
        "catalog": CatalogSpec.file("catalog.csv"),
        "models": (SMOOTHED,),
        "tests": (TestSpec(name="N", test="poisson_number"),),
    }
    return ExperimentConfig(**(given | changes))


def _past(count: int, seed: int = 1, years: int = 10) -> list[tuple[datetime, float, float, float]]:
    rng = np.random.default_rng(seed)
    when = np.sort(rng.uniform(0, years * 365, count))
    when[0] = 0
    begin = START - timedelta(days=365 * years)
    return [
        (begin + timedelta(days=float(day)), float(x), float(y), float(m))
        for day, x, y, m in zip(
            when,
            rng.uniform(0, 4, count),
            rng.uniform(0, 4, count),
            5 + rng.exponential(0.43, count),
            strict=True,
        )
    ]


def _learn(
    model: LearningReference, rows: list[Any], window: TimeWindow = DAYS[0], **changes: Any
) -> tuple[NDArray[np.float64], float]:
    """Give a reference's rates, and the years that they stand for."""
    config, events = _config(**changes), _events(rows)
    rates = learned_rates(model, config, REGION, MAGNITUDES, events, window).rates
    source = learned_sources(model, config, REGION, events, [window])[window.id]
    assert source.unit_years is not None
    return rates, source.unit_years


def test_b_by_hand() -> None:
    # Mean 4.2 - 4.0 and half a step of 0.1: log10(e) / 0.25.
    assert b_value_of(np.array([4.0, 4.1, 4.5]), 4.0, 0.1) == pytest.approx(0.4342944819 / 0.25, rel=1e-9)
    assert b_value_of(np.array([4.0, 4.1, 4.5]), 4.0, 0.0) == pytest.approx(0.4342944819 / 0.2, rel=1e-9)


def test_b_of_rounded_and_of_exact_magnitudes_is_that_of_pycsep() -> None:
    from csep.core.catalogs import CSEPCatalog

    exact = 4.95 + np.random.default_rng(5).exponential(np.log10(np.e) / 1.1, 20_000)
    rounded = np.round(exact, 1)
    theirs = CSEPCatalog(data=[("", 0, 0.0, 0.0, 0.0, m) for m in rounded]).get_bvalue(
        mag_bins=np.arange(4.95, 9, 0.1), return_error=False
    )

    for magnitudes in (exact, rounded):
        # The approximation is below the exact maximum by (b 0.1 ln 10)^2 / 12, which is 0.53 %.
        assert b_value_of(magnitudes, 4.95, 0.1) == pytest.approx(theirs * (1 - 0.0053), rel=3e-4)


def test_shares_are_those_of_area_and_gutenberg_richter() -> None:
    assert magnitude_shares(MAGNITUDES, 1.0) == pytest.approx([1 - 10**-0.5, 10**-0.5 - 0.1, 0.1])
    north = area_shares(Region("two", np.array([[0.0, 0.0], [0.0, 60.0]]), 1.0))
    assert north[1] / north[0] == pytest.approx(
        np.sin(np.radians(0.5)) and np.cos(np.radians(60.5)), rel=1e-4
    )


@pytest.mark.parametrize("model", [SMOOTHED, UNIFORM_MEAN], ids=["smoothed", "uniform"])
def test_the_mean_rate_by_hand(model: LearningReference) -> None:
    """Ten years of 365 days from 2000-01-04 on: 9.9918 by the calendar, as windows are measured."""
    rates, years = _learn(model, _past(40))

    assert years == pytest.approx(10 - 3 / 366, rel=1e-12)
    assert rates.sum() == pytest.approx(40, rel=1e-12)
    assert (rates > 0).all()
    assert rates.sum(axis=0) == pytest.approx(40 * magnitude_shares(MAGNITUDES, 1.0), rel=1e-12)


def test_smaller_events_are_brought_to_the_least_magnitude() -> None:
    rows = [(time, x, y, m - 1) for time, x, y, m in _past(40)]
    model = SMOOTHED.model_copy(update={"mag_min": 4.0})

    assert _learn(model, rows)[0].sum() == pytest.approx(4.0, rel=1e-12)


def test_the_last_days_give_the_rate_and_all_the_past_the_map() -> None:
    model = SMOOTHED.model_copy(update={"reference": "running_mean", "last": "2 years"})
    rows = _past(100)
    recent = sum(time >= datetime(2008, 1, 1, tzinfo=UTC) for time, *_ in rows)

    rates, years = _learn(model, rows)

    assert years == pytest.approx(2.0)
    assert rates.sum() == pytest.approx(recent, rel=1e-12)
    assert 10 < recent < 40
    everything = _learn(SMOOTHED, rows)[0]
    assert rates / rates.sum() == pytest.approx(everything / everything.sum(), rel=1e-12)


def test_the_map_is_smoothed_events_and_a_background() -> None:
    model = SMOOTHED.model_copy(
        update={"smoothing": Smoothing(kernel="gaussian", bandwidth_km=0.5, background=0.2)}
    )
    rows = [(START - timedelta(days=400), 0.5, 0.5, 5.0), (START - timedelta(days=9), 2.5, 3.5, 5.0)]

    cells = _learn(model, rows)[0].sum(axis=1)

    background = 2 * 0.2 * area_shares(REGION)
    expected = background.copy()
    expected[[0, 14]] += 0.8
    assert cells == pytest.approx(expected, rel=1e-12)


def test_learning_begins_and_ends_as_the_reference_says() -> None:
    rows = _past(100)
    model = UNIFORM_MEAN.model_copy(
        update={"start": datetime(2002, 1, 1, tzinfo=UTC), "end": datetime(2007, 1, 1, tzinfo=UTC)}
    )
    inside = sum(2002 <= time.year < 2007 for time, *_ in rows)

    rates, years = _learn(model, rows, DAYS[3])

    assert rates.sum() == pytest.approx(inside)
    assert years == pytest.approx(5.0)
    sources = learned_sources(model, _config(), REGION, _events(rows), DAYS)
    assert len({source.content for source in sources.values()}) == 1


def test_a_catalogs_own_start_and_end_are_those_of_learning() -> None:
    spec = CatalogSpec.file("past.csv").model_copy(
        update={"start": datetime(1990, 1, 1, tzinfo=UTC), "end": datetime(2009, 1, 1, tzinfo=UTC)}
    )

    assert _learn(UNIFORM_MEAN, _past(30), input_catalog=spec)[1] == pytest.approx(19.0)


def test_a_queried_catalog_begins_where_it_was_asked_from() -> None:
    """The input catalog is asked for from ten years before the first window on."""
    query = CatalogSpec(source=QueryCatalog(service="comcat"))

    assert _learn(UNIFORM_MEAN, _past(30), input_catalog=query)[1] == pytest.approx(10.0)


def test_times_without_a_complete_catalog_count_neither_as_time_nor_by_events() -> None:
    spec = CompletenessSpec(
        steps=(
            CompletenessStep(start=None, magnitude=6.0),
            CompletenessStep(start=datetime(2005, 1, 1, tzinfo=UTC), magnitude=5.0),
        )
    )
    rows = _past(100)

    rates, years = _learn(UNIFORM_MEAN, rows, completeness=spec)

    assert years == pytest.approx(5.0, rel=1e-9)
    assert rates.sum() == pytest.approx(sum(time.year >= 2005 for time, *_ in rows))


def test_after_a_mainshock_what_the_catalog_lacks_is_not_learned_from() -> None:
    shock = START - timedelta(days=100)
    # The law says 8 - 4.5 - 0.75 log10(t): magnitude 5 from 10^-2 days on, 5.75 at 10^-3 days.
    rows = [
        (START - timedelta(days=365), 1.5, 1.5, 5.2),
        (shock, 1.5, 1.5, 8.0),
        (shock + timedelta(days=1e-3), 1.5, 1.5, 5.6),
        (shock + timedelta(days=1e-3), 1.5, 1.5, 5.9),
        (shock + timedelta(days=2e-2), 1.5, 1.5, 5.1),
    ]
    config = _config(completeness=CompletenessSpec(mainshocks=(Mainshock(time=shock, magnitude=8.0),)))

    past = LearningCatalog(UNIFORM_MEAN, config, REGION, _events(rows)).past(DAYS[0])

    assert past.magnitude.tolist() == [5.2, 8.0, 5.9, 5.1]
    assert past.whole.tolist() == [True, False, False, True]
    assert past.years == pytest.approx(1.0)


POINTS = st.tuples(
    st.integers(0, 40), st.floats(-1, 5), st.floats(-1, 5), st.floats(4, 9)
)  # tenths of a day from the first window's start on


@settings(max_examples=25, deadline=None)
@given(later=st.lists(POINTS, max_size=6), other=st.lists(POINTS, max_size=6), window=st.sampled_from(DAYS))
@pytest.mark.parametrize(
    "model",
    [
        SMOOTHED,
        SMOOTHED.model_copy(update={"reference": "running_mean", "last": "3 years"}),
        UNIFORM_MEAN.model_copy(update={"b_value": None}),
    ],
    ids=["smoothed", "mean", "uniform"],
)
def test_nothing_from_the_windows_start_on_is_seen(
    model: LearningReference,
    later: list[tuple[int, float, float, float]],
    other: list[tuple[int, float, float, float]],
    window: TimeWindow,
) -> None:
    rows = _past(60)
    before = [row for row in _at(later) if row[0] < window.start]
    config = _config()
    seen = []
    for after in (_at(later), before, before + [row for row in _at(other) if row[0] >= window.start]):
        events = _events(rows + after)
        source = learned_sources(model, config, REGION, events, [window])[window.id]
        rates = learned_rates(model, config, REGION, MAGNITUDES, events, window).rates
        seen.append((source, rates.tobytes()))

    assert seen[0] == seen[1] == seen[2]


def _at(points: list[tuple[int, float, float, float]]) -> list[tuple[datetime, float, float, float]]:
    return [(START + timedelta(days=tenths / 10), x, y, m) for tenths, x, y, m in points]


def test_a_revised_event_changes_the_windows_after_it_and_no_other() -> None:
    rows, config = _past(60), _config()
    during_second = (DAYS[1].start, 2.0, 2.0, 5.5)

    def contents(added: tuple[datetime, float, float, float]) -> list[str]:
        sources = learned_sources(SMOOTHED, config, REGION, _events([*rows, added]), DAYS)
        return [sources[window.id].content for window in DAYS]

    old, moved = contents(during_second), contents((DAYS[1].start, 2.1, 2.0, 5.5))
    small = contents((DAYS[1].start, 2.0, 2.0, 4.9))

    assert [one == two for one, two in zip(old, moved, strict=True)] == [True, True, False, False]
    assert len(set(old)) == 2  # two days before the event and two after it: each pair learns the same
    assert len(set(small)) == 1  # below the least magnitude


@pytest.mark.parametrize(
    ("changes", "rows", "words"),
    [
        ({}, [], "at no time from then to the window is the catalog complete"),
        ({}, _past(2), "its 2 events have no neighbour number 2"),
        ({"b_value": None}, _past(49), "b is estimated from 50 events or more, and there are 49"),
        ({"reference": "running_mean", "last": "1 minute"}, _past(60), "no events .* in the last 1 minute"),
        ({"end": datetime(1990, 1, 1, tzinfo=UTC)}, _past(60), "its learning begins at 2000-01-04"),
        ({"mag_min": 9.0}, _past(60), r"no events to count \(0 of magnitude 9 or more"),
    ],
    ids=["empty", "no neighbours", "no b", "quiet", "ended", "too large"],
)
def test_too_little_to_learn_from_is_said(changes: dict[str, Any], rows: list[Any], words: str) -> None:
    model, config, events = SMOOTHED.model_copy(update=changes), _config(), _events(rows)

    assert learned_sources(model, config, REGION, events, DAYS)[DAYS[0].id].content
    with pytest.raises(ForecastError, match=f"the reference 'S' cannot learn before this window: .*{words}"):
        learned_rates(model, config, REGION, MAGNITUDES, events, DAYS[0])


def test_a_catalog_without_the_small_events_is_no_ground_to_learn_from() -> None:
    spec = CatalogSpec.file("catalog.csv").model_copy(update={"magnitude_min": 4.5})
    model = SMOOTHED.model_copy(update={"mag_min": 3.0})

    with pytest.raises(ForecastError, match=r"from magnitude 3 on, and its catalog has mag_min 4\.5"):
        learned_rates(model, _config(catalog=spec), REGION, MAGNITUDES, _events(_past(60)), DAYS[0])


def test_what_was_learned_is_told_and_where_the_catalog_fell_silent() -> None:
    early = [row for row in _past(100) if row[0].year < 2006]
    model = SMOOTHED.model_copy(update={"b_value": None})

    learned, silent = learned_rates(model, _config(), REGION, MAGNITUDES, _events(early), DAYS[0]).findings

    assert (learned.code, learned.count) == ("learned", len(early))
    assert (
        f"learned from {len(early)} events of magnitude 5 or more from 2000-01-04 on, b = " in learned.message
    )
    assert (silent.code, silent.severity) == ("learning_catalog_silent", "warning")
    assert "no event at all in the last 4" in silent.message


@pytest.mark.parametrize(
    "smoothing",
    [Smoothing(neighbours=6), Smoothing(kernel="gaussian", bandwidth_km=30.0)],
    ids=["adaptive", "fixed"],
)
def test_it_gains_over_a_uniform_forecast_on_events_to_come(smoothing: Smoothing) -> None:
    """Events drawn from the published forecast of Helmstetter et al.: half to learn from, half to come."""
    region = named_region("california_relm_region")
    edges = np.round(np.arange(4.95, 9.0, 0.1), 2)
    published = fit_to_experiment(
        read_forecast(Path(locate_dataset("csep:helmstetter_mainshock"))), region, edges
    ).rates.sum(axis=1)
    rng = np.random.default_rng(3)
    truth = published / published.sum()
    cells = rng.choice(len(region), size=600, p=truth)
    east, north = (region.origins[cells] + rng.uniform(0.01, 0.09, (600, 2))).T
    rows = [
        (START - timedelta(days=3000 - number), x, y, 5.0)
        for number, (x, y) in enumerate(zip(east[:300].tolist(), north[:300].tolist(), strict=True))
    ]
    model = SMOOTHED.model_copy(update={"smoothing": smoothing})

    rates = learned_rates(model, _config(), region, MAGNITUDES, _events(rows), DAYS[0]).rates.sum(axis=1)

    to_come, uniform = cells[300:], area_shares(region)
    gain = np.log(rates[to_come] / rates.sum() / uniform[to_come]).mean()
    best = np.log(truth[to_come] / uniform[to_come]).mean()
    assert 0.3 * best < gain < best
