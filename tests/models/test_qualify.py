"""Models that qualify and models that do not, tried for real: each with the verdict and the sentence."""

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from flows.cli import app
from forequake.errors import InputError
from forequake.models.runs.input_catalog import csep_csv
from forequake.models.sources import PathSource, fetch_source
from forequake.qualification import (
    Check,
    FolderOptions,
    Qualification,
    qualify,
    simulated_catalog,
    subject_of_experiment,
    subject_of_folder,
)
from forequake.qualification.source_hints import source_hints
from forequake.regions import Region
from tests.ridgecrest import EXAMPLE, copied

MODELS = Path(__file__).parent / "bad_models"
REGION = "{box: {west: 0, east: 2, south: 0, north: 1, cell_size: 1}}"
#: A model that does all it should, in parts that others have otherwise.
PARTS = {
    "first": "import os, random",
    "arguments": 'given = dict(row.split(" = ", 1) for row in open("input/args.txt").read().splitlines())',
    "window": 'start, end = (datetime.fromisoformat(given[key]) for key in ("start_date", "end_date"))',
    "past": 'past = open("input/catalog.csv").read().splitlines()[1:]',
    "chance": 'chance = random.Random(int(os.environ["FOREQUAKE_SEED"]))',
    "number": 'number = int(given["n_sims"])',
    "names": "names = range(number)",
    "middle": "",
    "last": """days = (end - start) / timedelta(days=1)
rows = ["lon,lat,mag,time_string,depth,catalog_id,event_id"]
for name in names:
    for _ in range(int(days * (1 + len(past) % 7)) + chance.randrange(3)):
        when = start + timedelta(days=days * chance.random() * 0.999)
        rows.append(f"{chance.random():.4f},0.5,{4 + chance.random():.2f},{when.isoformat()},10.0,{name},")
path = f"forecasts/{given['prefix']}_{start.date()}_{end.date()}.csv"
open(path, "w").write("\\n".join(rows) + "\\n")""",
}
ARGS = "prefix = model\nn_sims = 20\nmag_min = 4\nmag_max = 5\nmag_bin = 1\n"


def _model(folder: Path, **parts: str) -> Path:
    """Write a model of a few lines, with some of its parts in other words."""
    place = folder / "a model"
    (place / "input").mkdir(parents=True)
    lines = ["from datetime import datetime, timedelta, date", *(PARTS | parts).values()]
    (place / "run.py").write_text("\n".join(lines) + "\n")
    (place / "input" / "args.txt").write_text(ARGS)
    return place


def _tried(place: Path, *, quick: bool = True, **more: Any) -> Qualification:
    subject = subject_of_folder(str(place), FolderOptions(**{"region": REGION, **more}), lambda words: None)
    return qualify(subject, quick=quick)


def _check(found: Qualification, name: str) -> Check:
    return next(check for check in found.checks if check.name == name)


linux = pytest.mark.skipif(sys.platform != "linux", reason="what is watched is known on Linux alone")
slow = pytest.mark.slow


@linux
@slow
def test_a_model_that_does_what_it_should_qualifies(tmp_path: Path) -> None:
    found = _tried(_model(tmp_path), quick=False)
    assert found.qualifies
    unlike = {
        (check.name, check.verdict) for check in found.checks if check.verdict not in {"pass", "skipped"}
    }
    assert unlike <= {
        ("environment", "info"),
        ("unknown argument", "info"),  # it takes any
        ("quality", "info"),  # catalogs without events
        ("network", "warn"),  # where the machine cannot take it away
    }
    assert found.command == "python run.py"
    assert _check(found, "number of catalogs").found == "20 as n_sims says"
    assert found.cost is not None
    assert 0 < found.cost.hours_a_year < 10


#: Part that is otherwise, then the check, its verdict, words of what was found, and of what to mend.
UNFIT = {
    "draws without a seed": (
        {"chance": "chance = random.Random()"},
        ("same seed twice", "fail", "two forecasts: ", "seed is an argument or the variable FOREQUAKE_SEED"),
    ),
    "goes by the second": (
        {"chance": "chance = random.Random(datetime.now().microsecond)"},
        ("same seed twice", "fail", "two forecasts: ", "(run.py:6 datetime.now())"),
    ),
    "goes by the day": (
        {"middle": "print(date.today() - start.date())"},
        ("clock", "warn", "asks for the date of today (run.py:9 date.today())", "take start_date"),
    ),
    "writes the time of day": (
        {"middle": "now = datetime.now()", "last": PARTS["last"].replace("{name},", "{name},{now}")},
        ("same seed twice", "warn", "the same numbers in other words: line 2", "differs from run to run"),
    ),
    "ignores the seed": (
        {"chance": "chance = random.Random(1)"},
        ("another seed", "warn", "the seed is not used", "take the seed that the run gives"),
    ),
    "ignores the window's length": (
        {
            "middle": "end = start + timedelta(days=1)",
            "last": PARTS["last"].replace("{end.date()}", "{given['end_date'][:10]}"),
        },
        ("longer window", "warn", "exactly as many events are expected", "from start_date to end_date"),
    ),
    "forecasts one day only": (
        {"window": "start, end = datetime(2020, 1, 1), datetime(2020, 1, 2)"},
        ("forecast file", "fail", "_2021-06-02.csv was expected; beside it there is model_2020", "write"),
    ),
    "writes yesterday": (
        {
            "middle": "other = start; start = start - timedelta(days=1); end = other",
            "last": PARTS["last"].replace("{start.date()}_{end.date()}", "{other.date()}_2021-06-02"),
        },
        ("window", "fail", "events of the forecast are not in the window", "take start_date and end_date"),
    ),
    "reads all catalogs of its folder": (
        {
            "first": "import os, random, glob",
            "past": 'past = [row for file in sorted(glob.glob("input/*.csv")) for row in open(file)]',
        },
        ("look-ahead", "fail", "events after the window's start, in its folder, change the", "alone"),
    ),
    "simulates as often as it likes": (
        {"number": "number = 20"},
        ("number of simulations", "fail", "asked for 10 with n_sims: ", "as many catalogs as n_sims says"),
    ),
}


@linux
@slow
@pytest.mark.parametrize("what", UNFIT)
def test_an_unfit_model_is_told_what_to_mend(what: str, tmp_path: Path) -> None:
    parts, (name, verdict, words, mend) = UNFIT[what]
    found = _tried(_model(tmp_path, **parts))
    check = _check(found, name)
    assert check.verdict == verdict, found.checks
    assert words in check.found
    assert mend in check.mend
    assert found.qualifies is (verdict != "fail")


@linux
@slow
def test_the_order_of_a_set_and_an_empty_past_are_found(tmp_path: Path) -> None:
    names = (
        'names = range(number); order = {f"cell {name}" for name in range(50)}; chance.seed("".join(order))'
    )
    found = _tried(_model(tmp_path, names=names, middle="print(1 / len(past))"), quick=False)
    assert found.qualifies
    empty = _check(found, "no events before it")
    assert (empty.verdict, empty.mend[:35]) == ("warn", "make a forecast of the background, ")
    assert "ZeroDivisionError" in empty.found
    check = _check(found, "other circumstances")
    assert check.verdict == "warn"
    assert check.found.startswith("another PYTHONHASHSEED: ")
    assert check.mend.startswith("the order of a set of texts is another one in each process: sort it")
    assert _check(found, "same seed twice").verdict == "pass"


@linux
@slow
def test_a_catalog_of_its_own_is_seen_through(tmp_path: Path) -> None:
    place = _model(tmp_path, past='past = open("all.csv").read().splitlines()[1:]')
    end = datetime(2021, 7, 1, tzinfo=UTC)
    region = Region("box", np.array([[0.0, 0.0], [1.0, 0.0]]), 1.0)
    all_events = simulated_catalog(region, cut_off=end - timedelta(days=90), until=end, magnitude_min=4)
    (place / "all.csv").write_text(csep_csv(all_events))
    found = _tried(place)
    assert _check(found, "look-ahead").verdict == "fail"
    later = len(all_events) - len(all_events.before(datetime(2021, 6, 1, tzinfo=UTC)))
    own = _check(found, "catalogs of its own")
    assert own.verdict == "warn"
    assert f"all.csv ({later} of {len(all_events)})" in own.found


@linux
@slow
@pytest.mark.parametrize(
    ("name", "check", "words"),
    [
        ("hangs", "ends well", "ended after 1 s"),
        ("exits_with_7", "ends well", "exit code 7; it said last: the fit did not converge"),
        ("writes_nan", "format and values", "100 events have a value that is missing"),
        ("writes_another_region", "region and magnitudes", "none of its 100 events lies in the region"),
        ("writes_the_next_window", "forecast file", "model_2020-01-02"),
        ("links_outside", "format and values", "leads out of the model's folder"),
    ],
)
def test_bad_models_do_not_qualify(name: str, check: str, words: str, tmp_path: Path) -> None:
    good, bad = (MODELS / f"{file}.py" for file in ("good", name))
    (tmp_path / "good.py").write_text(good.read_text())
    (tmp_path / "run.py").write_text(bad.read_text().replace("2020-01-03", "2021-06-02"))
    if name == "writes_the_next_window":
        check, words = "window", "0 before it, 100 at its end or later"
    else:
        (tmp_path / "run.py").write_text(bad.read_text().replace("2020-01-02", "2021-06-01"))
    edges = (4.0, 5.0, 1.0)
    found = _tried(tmp_path, limits={"seconds": 1.0}, prefix="model", magnitudes=edges)
    assert not found.qualifies
    assert _check(found, check).verdict == "fail", found.checks
    assert words in _check(found, check).found
    assert found.runs == 1


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, whose models are not installed: making their environments takes long."""
    example = copied(tmp_path_factory.mktemp("example"))
    for file in ("pyproject.toml", "requirements.txt"):
        for model in ("aftershocks", "stationary"):
            (example / "models" / model / file).unlink()
    return example


def _called(package: str, function: str) -> FolderOptions:
    return FolderOptions(
        func=f"python -c 'from {package}.commands import {function}; {function}()'", build="none"
    )


COMMANDS = {
    "rj@updated": _called("aftershocks", "run_reasenberg_jones"),
    "running-mean": _called("aftershocks", "run_running_mean"),
    "stationary": _called("stationary", "run"),
}


@linux
@slow
@pytest.mark.parametrize(
    ("config", "model"),
    [("config.yml", "rj@updated"), ("rates.yml", "running-mean"), ("config.yml", "stationary")],
)
def test_the_models_of_ridgecrest_qualify(config: str, model: str, example: Path) -> None:
    subject = subject_of_experiment(example / config, model, COMMANDS[model])
    found = qualify(subject, quick=True)
    assert found.qualifies, found.checks
    assert [check.name for check in found.checks if check.verdict == "warn"] in (
        [],
        ["quality"],  # the stationary one has nearly only empty catalogs
    )
    learns = _check(found, "learns from events")
    assert learns.verdict == ("pass" if model == "rj@updated" else "info")
    if model == "running-mean":
        assert "and says why: the catalog is not complete from magnitude 3.5 on" in learns.found
    if config == "rates.yml":
        assert _check(found, "another seed").found == "the same rates: no chance is in them"


FUNCTION = """
import numpy as np

def forecast(given, *, share=1.0):
    rate = share * given.days * (1 + len(given.past)) / 1e6
    return np.full((len(given.cells), len(given.magnitudes)), rate)
"""


@linux
@slow
def test_a_function_qualifies_as_a_program_does(example: Path) -> None:
    (example / "even.py").write_text(FUNCTION)
    head = (example / "rates.yml").read_text().split("models:")[0]
    models = "models: [{even: {kind: callable, func: even.py:forecast, forecast_type: gridded}}]"
    config = example / "function.yml"
    config.write_text(f"{head}{models}\ntests: [{{N: {{func: poisson_evaluations.number_test}}}}]\n")
    found = qualify(subject_of_experiment(config, None, FolderOptions()), quick=True)
    assert found.qualifies, found.checks
    assert found.command == "even.py:forecast"
    assert _check(found, "another seed").found == "the same rates: no chance is in them"
    assert _check(found, "learns from events").verdict == "pass"
    expected = 644 * 46 * 0.75 * (1 + found.past) / 1e6
    assert f"; {expected:.4g} events expected" in _check(found, "format and values").found
    with pytest.raises(InputError, match="mean nothing to 'even', a function"):
        subject_of_experiment(config, None, FolderOptions(func="even.py:other"))


def _said(*words: str) -> tuple[int, str, str]:
    ended = CliRunner().invoke(app, ["qualify", *words])
    if ended.exception is not None and not isinstance(ended.exception, SystemExit):
        assert isinstance(ended.exception, InputError), ended.exception
        return 2, ended.stdout, str(ended.exception)
    return ended.exit_code, ended.stdout, ended.stderr


@linux
@slow
def test_the_command_prints_a_table_or_json_and_leaves_with_its_code(tmp_path: Path) -> None:
    place = _model(tmp_path, chance="chance = random.Random()")
    code, printed, told = _said(str(place), "--region", REGION, "--quick")
    assert code == 1
    assert "same seed twice" in printed
    assert "To mend" in printed
    assert "a-model does not qualify: 1 to mend" in told
    (place / "run.py").write_text("raise SystemExit('there is no fit')")
    code, printed, _ = _said(str(place), "--region", REGION, "--quick", "--json")
    assert code == 1
    found = json.loads(printed)
    assert found["qualifies"] is False
    assert found["runs"] == 1
    assert found["said"] == "there is no fit\n"
    assert {check["verdict"] for check in found["checks"]} <= {"pass", "warn", "fail", "info", "skipped"}


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["nowhere"], "expected a model's folder"),
        ([str(EXAMPLE)], "say which model with --model; those with a program are: rj@fixed"),
        ([str(EXAMPLE), "--model", "rj@updatet"], "did you mean 'rj@updated'"),
        ([str(EXAMPLE), "--model", "rj@drawn", "--window", "2019-07-06"], "--window: "),
        ([str(EXAMPLE), "--model", "rj@drawn", "--region", "x"], "--region: the experiment"),
        ([str(EXAMPLE), "--model", "rj@drawn", "--build", "pipx"], "--build: "),
        ([str(EXAMPLE.parent / "california"), "--model", "uniform"], "'uniform'"),
        ([str(EXAMPLE / "models" / "aftershocks")], "--func 'reasenberg-jones input/args.txt'"),
        ([str(EXAMPLE / "models" / "stationary"), "--build", "pipx"], "--build: "),
        ([str(EXAMPLE / "models" / "stationary"), "--region", "atlantis"], "--region: "),
        ([str(EXAMPLE / "models" / "stationary"), "--format", "doc"], "--format: "),
        ([str(EXAMPLE / "models" / "stationary"), "--window", "2021-06-02_2021-06-01"], "--window: "),
        ([str(EXAMPLE / "models" / "stationary"), "--model", "x"], "--model"),
        ([str(EXAMPLE / "models" / "stationary"), "--arg", "x"], "--arg: expected KEY=VALUE"),
        ([str(EXAMPLE / "models" / "stationary"), "--window", "9999-12-30_9999-12-31"], "--window: "),
        ([str(EXAMPLE / "models" / "stationary"), "--seconds", "nan"], "--seconds: "),
        ([str(EXAMPLE / "models" / "stationary"), "--memory-mb", "0"], "--memory-mb: "),
        ([str(EXAMPLE / "models" / "stationary"), "--revision", "v1"], "--revision belongs to"),
        ([str(EXAMPLE / "models" / "stationary"), "--mag-max", "3.5"], "--mag-max: must be greater"),
        (["x" * 5000], "expected a model's folder"),
        ([str(EXAMPLE / "models" / "stationary"), "--region", "x" * 5000], "--region: "),
        (["file:///nowhere/at/all.git"], "nowhere"),
        ([str(EXAMPLE.parent)], "nothing in the model's folder says how it is called"),
    ],
)
def test_what_cannot_be_asked_is_told(words: list[str], hint: str) -> None:
    code, printed, told = _said(*words)
    assert code == 2, told
    assert hint in told
    assert printed == ""


@pytest.fixture(scope="module")
def region() -> Region:
    corners = [
        (west, south) for west in range(10, 14) for south in range(40, 43) if (west, south) != (11, 41)
    ]
    return Region("holed", np.array(corners, dtype=float), 1.0)


def test_the_simulated_catalog_is_of_the_kind_that_models_expect(region: Region) -> None:
    cut_off = datetime(2020, 3, 1, 6, tzinfo=UTC)
    until = cut_off + timedelta(days=4)
    made = simulated_catalog(region, cut_off=cut_off, until=until, magnitude_min=3.5, depth_km=(0, 8), seed=3)
    again = simulated_catalog(
        region, cut_off=cut_off, until=until, magnitude_min=3.5, depth_km=(0, 8), seed=3
    )
    assert csep_csv(made) == csep_csv(again)
    other = simulated_catalog(region, cut_off=cut_off, until=until, magnitude_min=3.5, seed=4)
    assert csep_csv(made) != csep_csv(other)
    assert (np.diff(made.time_us) >= 0).all()
    assert cut_off - timedelta(days=731) < made.times()[0] < made.times()[-1] < until
    assert (region.cells_of(made.longitude, made.latitude) >= 0).all()
    assert made.depth_km.max() <= 8
    assert made.magnitude.min() >= 2.5
    past = made.before(cut_off)
    assert 200 < len(past) < len(made)
    assert past.magnitude.max() == 6.0
    assert len(set(made.event_id)) == len(made)
    # Aki's estimate of b, without the mainshocks; its standard error is b / sqrt(n).
    small = made.magnitude[made.magnitude < 5.5]
    b = np.log10(np.e) / (small.mean() - 2.495)
    assert b == pytest.approx(1, abs=4 / len(small) ** 0.5)
    # Of the aftershocks until the cut-off, the first of three days has 0.77 by Omori's law.
    days = (past.time_us - past.time_us[np.argmax(past.magnitude)]) / 86_400e6
    after = days[days > 0]
    assert (after < 1).mean() == pytest.approx(0.77, abs=0.08)


def test_the_simulated_catalog_crosses_the_date_line() -> None:
    corners = [(west, south) for west in range(178, 183) for south in range(-40, -36)]
    region = Region("box", np.array(corners, dtype=float), 1.0)
    cut_off = datetime(2020, 3, 1, tzinfo=UTC)
    made = simulated_catalog(region, cut_off=cut_off, until=cut_off + timedelta(days=9), magnitude_min=8.5)
    assert (region.cells_of(made.longitude, made.latitude) >= 0).all()
    assert -180 <= made.longitude.min() < -175
    assert 175 < made.longitude.max() < 180
    assert made.magnitude.max() == 9.5


@pytest.fixture
def looked_through(tmp_path: Path) -> list[tuple[str, int]]:
    lines = [
        "import numpy as np, requests",
        "np.random.normal(3)",
        "np.random.default_rng(3).normal()",
        "np.random.default_rng()",
        "open('../../catalog.csv')",
        "import datetime; datetime.datetime.utcnow()",
        "for name in {'a', 'b'}: pass",
    ]
    (tmp_path / "model.py").write_text("\n".join(lines) + "\n")
    (tmp_path / "broken.py").write_text("def (")
    source = fetch_source(PathSource(tmp_path), tmp_path, say=lambda words: None)
    return [(hint.kind, hint.line) for hint in source_hints(source)]


def test_the_source_says_where_to_look(looked_through: list[tuple[str, int]]) -> None:
    assert sorted(looked_through, key=lambda found: found[1]) == [
        ("network", 1),
        ("chance", 2),
        ("chance", 4),
        ("outside", 5),
        ("clock", 6),
        ("set", 7),
    ]
