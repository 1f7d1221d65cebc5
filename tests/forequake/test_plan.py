from pathlib import Path

import pytest

from forequake.config import load_experiment
from forequake.errors import InputError
from forequake.experiments import WINDOW_OPEN, Experiment
from forequake.plan import Plan, Selection, forecasts_needed, lacking_forecasts, plan_experiment, result_keys
from forequake.quantities import now
from forequake.resolution import resolve
from forequake.results import Label, UnitState

CONFIG = """
name: small
seed: 7
time_config: {start_date: 2000-01-01, end_date: 2003-01-01, intervals: 3}
region_config: {region: region.txt, mag_min: 5.0, mag_max: 5.1, mag_bin: 0.1}
catalog: catalog.csep
models:
- one: {path: one.csv}
- same: {path: same.csv}
- other: {path: other.csv}
tests:
- N: {func: poisson_evaluations.number_test}
- S: {func: poisson_evaluations.spatial_test}
- T: {func: poisson_evaluations.paired_t_test, ref_model: one}
"""
TABLE = """lon_min, lon_max, lat_min, lat_max, depth_min, depth_max, 5.0, 5.1
0, 1, 0, 1, 0, 30, 1.0, 0.5
1, 2, 0, 1, 0, 30, 1.0, 0.5
"""
CATALOG = "0.5,0.5,5.0,2000-06-01T00:00:00,10,0,a\n1.5,0.5,5.0,2001-06-01T00:00:00,10,0,b\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.yml").write_text(CONFIG)
    (tmp_path / "region.txt").write_text("0 0\n1 0\n")
    (tmp_path / "catalog.csep").write_text(CATALOG)
    for name in ("one", "same"):
        (tmp_path / f"{name}.csv").write_text(TABLE)
    (tmp_path / "other.csv").write_text(TABLE.replace("1.0, 0.5", "2.0, 0.1"))
    return tmp_path


def _read(folder: Path) -> Experiment:
    return resolve(load_experiment(folder / "config.yml"))


def _keys(folder: Path) -> dict[tuple[str, str, int], str]:
    experiment = _read(folder)
    keys = result_keys(experiment, Selection())
    order = [window.id for window in experiment.config.windows]
    return {(label.model, label.test, order.index(label.window.id)): key for label, key in keys.items()}


def test_planned_keys_are_those_of_the_results(folder: Path) -> None:
    experiment = _read(folder)
    keys = result_keys(experiment, Selection())
    assert {label: experiment.result_inputs(label).key for label in experiment.labels()} == keys


def _plan(folder: Path, known: set[Label] | None = None, *, force: bool = False) -> Plan:
    experiment = _read(folder)
    keys = result_keys(experiment, Selection())
    return plan_experiment(experiment, keys, {keys[label] for label in known or ()}, force=force)


def test_every_result_has_a_place_but_the_reference_with_itself(folder: Path) -> None:
    places = {(label.model, label.test) for label in _read(folder).labels()}
    assert len(_read(folder).labels()) == 8 * 3
    assert ("one", "T") not in places
    assert {("same", "T"), ("other", "T"), ("one", "N")} <= places


def test_a_result_is_a_function_of_contents_not_of_names(folder: Path) -> None:
    keys = _keys(folder)
    assert keys["one", "S", 0] == keys["same", "S", 0]  # equal files are one value
    assert keys["one", "S", 0] != keys["other", "S", 0]
    assert keys["one", "S", 0] != keys["one", "N", 0]
    assert _read(folder).seed(_read(folder).test("S"), _read(folder).config.windows[0]) not in {None, 0}


def test_a_change_touches_what_it_concerns_and_nothing_else(folder: Path) -> None:
    before = _keys(folder)

    def changed() -> set[tuple[str, str, int]]:
        after = _keys(folder)
        return {place for place in after if after[place] != before[place]}

    catalog = folder / "catalog.csep"
    catalog.write_text(CATALOG + "9.5,0.5,5.0,2000-06-01T00:00:00,10,0,outside\n")
    assert changed() == set()
    catalog.write_text(CATALOG.replace("1.5,0.5,5.0", "1.5,0.5,5.1"))  # an event of the second window
    assert changed() == {place for place in before if place[2] == 1}
    catalog.write_text(CATALOG)
    (folder / "same.csv").write_text(TABLE.replace("0.5", "0.4"))
    assert changed() == {place for place in before if place[0] == "same"}
    (folder / "same.csv").write_text(TABLE)
    (folder / "one.csv").write_text(TABLE.replace("0.5", "0.4"))  # the reference, too
    assert changed() == {place for place in before if place[0] == "one" or place[1] == "T"}
    (folder / "one.csv").write_text(TABLE)
    config = folder / "config.yml"
    config.write_text(CONFIG.replace("seed: 7", "seed: 8"))
    assert changed() == {place for place in before if place[1] == "S"}
    config.write_text(
        CONFIG.replace("- other: {path: other.csv}", "- other: {path: other.csv, forecast_unit: 5}")
    )
    assert changed() == {place for place in before if place[0] == "other"}


def test_other_rules_of_fitting_make_other_forecasts(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = _keys(folder)
    monkeypatch.setattr("forequake.experiments.FIT_VERSION", 2)
    after = _keys(folder)
    assert all(before[place] != after[place] for place in before)


def test_the_events_of_few_windows_stay_in_memory(folder: Path) -> None:
    config = CONFIG.replace("intervals: 3", "intervals: 30, growth: cumulative")
    (folder / "config.yml").write_text(config)
    experiment = _read(folder)
    windows = experiment.config.windows
    keys = [experiment.observed(window)[1] for window in windows]
    assert len(experiment._observed) < len(windows)
    assert [experiment.observed(window)[1] for window in windows] == keys
    assert [len(experiment.observed(window)[0]) for window in (windows[3], windows[-1])] == [0, 2]


def test_what_is_known_is_not_due_unless_forced(folder: Path) -> None:
    labels = _read(folder).labels()
    plan = _plan(folder, set(labels[:5]))
    # The second model is the first one under another name, so its equal values are known with it.
    cached = {unit.label for unit in plan.units if unit.state is UnitState.CACHED}
    assert set(labels[:5]) <= cached
    assert len(plan.due) == len(labels) - len(cached)
    assert len(_plan(folder, set(labels), force=True).due) == len(labels)
    nothing = _plan(folder, set(labels))
    assert (nothing.due, nothing.blocks, forecasts_needed(_read(folder), nothing)) == ((), (), {})


def test_blocks_keep_their_names_whatever_is_done(folder: Path) -> None:
    everything = _plan(folder)
    rest = _plan(folder, {label for label in _read(folder).labels() if label.test == "N"})
    assert {block.id for block in rest.blocks} <= {block.id for block in everything.blocks}
    # The second model has the first one's values, but for its comparison with it.
    assert [block.model for block in everything.blocks] == ["one", "same", "other"]
    same = [unit.label for block in everything.blocks if block.model == "same" for unit in block.units]
    assert {label.test for label in same} == {"T"}
    units = [unit for block in everything.blocks for unit in block.units]
    assert sorted(unit.label.slot for unit in units) == sorted(unit.label.slot for unit in everything.due)


def test_a_reference_is_needed_also_where_only_the_comparison_is_due(folder: Path) -> None:
    experiment = _read(folder)
    selection = Selection(models=("other",), tests=("T",))
    keys = result_keys(experiment, selection)
    assert list(forecasts_needed(experiment, plan_experiment(experiment, keys, set()))) == ["other", "one"]


@pytest.mark.parametrize(
    ("selection", "words"),
    [
        (Selection(models=("ohter",)), "no model 'ohter'; did you mean 'other'"),
        (Selection(tests=("TT",)), "no test 'TT'"),
        (Selection(windows=("2000",)), "no window '2000'"),
    ],
)
def test_a_selection_of_unknown_names_is_refused(folder: Path, selection: Selection, words: str) -> None:
    with pytest.raises(InputError, match=words):
        selection.check(_read(folder))


def test_an_input_catalog_begins_before_the_first_window(folder: Path) -> None:
    config = folder / "config.yml"
    config.write_text(CONFIG + "input_catalog: {path: past.csep, start_date: 2000-01-01}\n")
    (folder / "past.csep").write_text(CATALOG)
    with pytest.raises(
        InputError, match="before the first window, which begins at 2000-01-01 00:00; let this"
    ):
        _read(folder)
    config.write_text(CONFIG + "input_catalog: {path: past.csep, start_date: 1990-01-01}\n")
    assert _read(folder).notes == ("past.csep: the input catalog has no event before the first window",)
    (folder / "past.csep").write_text(CATALOG.replace("2000-06-01", "1999-06-01"))
    experiment = _read(folder)
    assert experiment.notes == ()
    assert experiment.learning is not None
    config.write_text(CONFIG + "input_catalog: {path: past.csep, start_date: 1990-01-01, mag_min: 9.5}\n")
    assert _read(folder).notes[0].startswith("input catalog: 0 of ")
    assert experiment.inputs.input_catalog == experiment.learning.inputs.key != experiment.inputs.catalog


def test_a_window_under_way_waits_until_it_has_ended(folder: Path) -> None:
    config = folder / "config.yml"
    config.write_text(CONFIG.replace("end_date: 2003-01-01, intervals: 3", "end_date: 2999-01-01"))
    experiment = _read(folder)
    (window,) = experiment.config.windows
    assert window.start < now() < window.end
    assert result_keys(experiment, Selection()) == {}
    assert set(lacking_forecasts(experiment, Selection()).values()) == {WINDOW_OPEN}
