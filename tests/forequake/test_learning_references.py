"""References that learn, in an experiment: from its files to keys and forecasts."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from forequake.config import LoadedExperiment, load_experiment
from forequake.errors import ForecastError
from forequake.experiments import WINDOW_OPEN, Experiment
from forequake.forecasts import rates_from_file
from forequake.plan import Selection, lacking_forecasts, result_keys
from forequake.quantities import now
from forequake.resolution import resolve
from forequake.results import ForecastRecord
from forequake.steps import make_forecasts, stage_model, windows_by_source

CONFIG = """
name: learning
time_config: {start_date: 2001-01-01, end_date: 2001-01-05, horizon: 1 days, exp_class: td}
region_config: {region: region.txt, mag_min: 5.0, mag_max: 5.1, mag_bin: 0.1}
catalog: {path: catalog.csep, start_date: 2000-01-01}
models:
- flat: {reference: uniform, total: 10}
- smooth: {reference: smoothed_seismicity, neighbours: 1, b_value: 1}
- week: {reference: running_mean, last: 1 weeks, b_value: 1}
tests:
- N: {func: N}
- T: {func: T, ref_model: smooth}
"""
PAST = [("2000-03-01", 0.5), ("2000-12-27", 0.6), ("2000-12-30", 1.5), ("2001-01-02", 0.2)]


def _write(folder: Path, past: list[tuple[str, float]], config: str = CONFIG) -> None:
    (folder / "config.yml").write_text(config)
    (folder / "region.txt").write_text("0 0\n1 0\n")
    rows = [f"{x},0.5,5.0,{day}T12:00:00,10,0,{number}\n" for number, (day, x) in enumerate(past)]
    (folder / "catalog.csep").write_text("".join(rows))


def _read(folder: Path) -> tuple[LoadedExperiment, Experiment]:
    loaded = load_experiment(folder)
    return loaded, resolve(loaded)


def test_forecasts_of_windows_and_their_totals_by_hand(tmp_path: Path) -> None:
    _write(tmp_path, PAST)
    loaded, experiment = _read(tmp_path)

    groups = windows_by_source(experiment, "smooth", experiment.config.windows)
    made = [make_forecasts(loaded, experiment, "smooth", group) for group in groups]

    # The event of January 2 at noon is learned from by January 3 and 4.
    assert [len(group) for group in groups] == [2, 2]
    records = [record for some in made for record in some.records]
    assert all(isinstance(record, ForecastRecord) for record in records)
    assert [record.source for record in records] == ["smoothed_seismicity reference"] * 4
    # N / T: 3 events in 2000, for a day of 1/365 years; then in a day more each time, and one event more.
    day = 1 / 365
    years = [1.0, 1 + day, 1 + 2 * day, 1 + 3 * day]
    totals = [count * day / length for count, length in zip((3, 3, 4, 4), years, strict=True)]
    assert [record.total for record in records] == pytest.approx(totals, rel=1e-9)
    with made[0].open() as file:
        rates = rates_from_file(file)
    assert rates.sum() == pytest.approx(3, rel=1e-12)
    assert rates.sum(axis=0) == pytest.approx([3 * (1 - 10**-0.1), 3 * 10**-0.1])
    assert [finding.code for finding in records[0].findings] == ["learned"]
    stage_model(loaded, experiment, "smooth")


def test_the_last_week_is_counted(tmp_path: Path) -> None:
    _write(tmp_path, PAST)
    loaded, experiment = _read(tmp_path)

    totals = [
        make_forecasts(loaded, experiment, "week", [window]).records[0].total
        for window in experiment.config.windows
    ]

    # Weeks from December 25, 26, 27 and 28 on; days of 2000 are 1/366 years.
    weeks = [7 / 366, 6 / 366 + 1 / 365, 5 / 366 + 2 / 365, 4 / 366 + 3 / 365]
    expected = [count / 365 / week for count, week in zip((2, 2, 3, 2), weeks, strict=True)]
    assert totals == pytest.approx(expected, rel=1e-9)


def test_a_revised_event_recomputes_the_windows_after_it(tmp_path: Path) -> None:
    _write(tmp_path, PAST)
    before = result_keys(_read(tmp_path)[1], Selection())
    _write(tmp_path, [*PAST[:3], ("2001-01-02", 0.3)])
    after = result_keys(_read(tmp_path)[1], Selection())

    changed = {
        (label.model, label.test, label.window.start.day) for label in after if after[label] != before[label]
    }

    compared = {("flat", "T", day) for day in (2, 3, 4)} | {("week", "T", day) for day in (2, 3, 4)}
    observed = {(model, "N", 2) for model in ("flat", "smooth", "week")}
    learned = {("smooth", "N", day) for day in (3, 4)}  # a mean over the area has no places
    assert changed == compared | observed | learned


def test_a_store_gives_the_same_keys(tmp_path: Path) -> None:
    """A worker has the record alone, without the catalog from which models learn."""
    _write(tmp_path, PAST)
    experiment = _read(tmp_path)[1]
    kept = type(experiment.record).model_validate_json(experiment.record.model_dump_json())
    worker = Experiment(
        record=kept, config=experiment.config, region=experiment.region, events=experiment.events
    )

    assert result_keys(worker, Selection()) == result_keys(experiment, Selection())


def test_the_input_catalog_goes_before_the_observed_one(tmp_path: Path) -> None:
    _write(tmp_path, PAST, CONFIG + "input_catalog: {path: past.csep, start_date: 1999-01-01}\n")
    (tmp_path / "past.csep").write_text("0.5,0.5,5.0,1999-06-01T00:00:00,10,0,a\n" * 1)
    loaded, experiment = _read(tmp_path)
    first = experiment.config.windows[0]

    with pytest.raises(
        ForecastError, match=r"'smooth' cannot learn .* its 1 events have no neighbour number 1"
    ):
        make_forecasts(loaded, experiment, "smooth", [first])
    source = experiment.source("smooth", first)
    assert source is not None
    assert source.unit_years == pytest.approx(2.0)


def test_windows_to_come_wait_and_those_begun_have_a_forecast(tmp_path: Path) -> None:
    day = now().replace(hour=0, minute=0, second=0, microsecond=0)
    start, end = day - timedelta(days=1), day + timedelta(days=2)
    span = f"start_date: {start:%Y-%m-%d}, end_date: {end:%Y-%m-%d}"
    _write(tmp_path, PAST, CONFIG.replace("start_date: 2001-01-01, end_date: 2001-01-05", span))
    loaded, experiment = _read(tmp_path)
    ended, begun, to_come = experiment.config.windows

    assert experiment.source("smooth", to_come) is None
    assert set(lacking_forecasts(experiment, Selection()).values()) == {WINDOW_OPEN}
    assert {label.window.id for label in result_keys(experiment, Selection())} == {ended.id}
    record = make_forecasts(loaded, experiment, "smooth", [begun]).records[0]
    years = (day - datetime(2000, 1, 1, tzinfo=UTC)) / timedelta(days=365.2425)
    assert record.total == pytest.approx(4 / years / 365.25, rel=5e-3)


def test_windows_that_learn_from_nothing_each_have_their_reason(tmp_path: Path) -> None:
    _write(tmp_path, [("2001-01-01", 9.5)], CONFIG.replace(", start_date: 2000-01-01", ""))
    loaded, experiment = _read(tmp_path)
    reasons = []
    for group in windows_by_source(experiment, "week", experiment.config.windows):
        with pytest.raises(ForecastError) as caught:
            make_forecasts(loaded, experiment, "week", group)
        reasons += [str(caught.value).partition("window: ")[2]] * len(group)
    assert reasons[0].startswith("its learning begins at 2001-01-01 12:00, and at no time")
    none = "there are no events to count (0 of magnitude 5 or more in the region in the last 1 weeks)"
    assert reasons[1:] == [none] * 3
