"""Experiment folders with programs, written as floatCSEP's tutorials have them.

Every model lies in a folder of its own, can be installed, and prints what it saw of its input. The command of
one says no path, another's is written from the experiment's folder, a third's is for a shell.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

__all__ = ["DAYS", "FOLDERS", "START", "write_drawn", "write_nested", "write_package", "write_shell"]

START = datetime(2012, 5, 23)  # noqa: DTZ001  # as in a file
DAYS = 3
#: Installs a folder as setuptools does, or a link to it, but without anything from the network.
_BACKEND = """
import pathlib, zipfile
NAME, SCRIPT = {name!r}, {script!r}
def _wheel(directory, files):
    about = NAME + "-1.0.dist-info/"
    files[about + "METADATA"] = "Metadata-Version: 2.1\\nName: " + NAME + "\\nVersion: 1.0\\n"
    files[about + "WHEEL"] = "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
    files[about + "entry_points.txt"] = "[console_scripts]\\n" + SCRIPT + "\\n"
    files[about + "RECORD"] = "".join(name + ",,\\n" for name in files)
    wheel = NAME + "-1.0-py3-none-any.whl"
    with zipfile.ZipFile(pathlib.Path(directory, wheel), "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return wheel
def build_wheel(directory, config_settings=None, metadata_directory=None):
    return _wheel(directory, {{str(path): path.read_text() for path in pathlib.Path(NAME).rglob("*.py")}})
def build_editable(directory, config_settings=None, metadata_directory=None):
    return _wheel(directory, {{NAME + ".pth": str(pathlib.Path.cwd()) + "\\n"}})
"""
_PROJECT = """[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "{name}"
version = "1.0"
requires-python = ">=3.10"
"""
#: What all models in Python share: their arguments, their catalog, and a word of what they saw.
_COMMON = '''"""Read the input of a run, and tell what it is."""

import csv
import hashlib
import json
from datetime import datetime


def read_events(path):
    with open(path) as lines:
        events = list(csv.DictReader(lines))
    times = [event["time_string"] for event in events]
    text = "".join(",".join(event.values()) + "\\n" for event in events)
    print("SEEN", json.dumps({"events": len(events), "last": max(times, default=None),
          "catalog": hashlib.sha256(text.encode()).hexdigest()[:12]}, sort_keys=True))
    return events


def show(arguments):
    print("ARGUMENTS", json.dumps(arguments, sort_keys=True))


def name_of(arguments):
    start, end = (datetime.fromisoformat(arguments[key]) for key in ("start_date", "end_date"))
    return f"{start:%Y-%m-%d}_{end:%Y-%m-%d}.csv"
'''
_DRAWN = '''"""Draw catalogs whose number follows a Poisson law with the mean rate of the past."""

import math
import random
import sys
from datetime import datetime, timedelta
from pathlib import Path

from drawn.common import name_of, read_events, show


def poisson(draw, mean):
    count, product, limit = 0, draw.random(), math.exp(-mean)
    while product > limit:
        count, product = count + 1, product * draw.random()
    return count


def run():
    # Beside its own files, where the command names no other place.
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1] / "input" / "args.txt"
    lines = [line.split(" = ", 1) for line in path.read_text().splitlines() if " = " in line]
    arguments = {key: value.strip() for key, value in lines}
    show(arguments)
    events = read_events(path.parent / arguments["catalog"])
    start, end = (datetime.fromisoformat(arguments[key]) for key in ("start_date", "end_date"))
    draw = random.Random(int(arguments["seed"]))
    rows = []
    for number in range(int(arguments["n_sims"])):
        drawn = sorted(draw.random() for _ in range(poisson(draw, len(events) / 10)))
        for place, share in enumerate(drawn):
            event = draw.choice(events)
            time = (start + share * (end - start)).strftime("%Y-%m-%dT%H:%M:%S.%f")
            magnitude = round(min(float(arguments["mag_min"]) + draw.expovariate(math.log(10)), 5.9), 2)
            values = (event["lon"], event["lat"], magnitude, time, event["depth"], number, place)
            rows.append(",".join(map(str, values)))
    folder = path.parent.parent / "forecasts"
    folder.mkdir(exist_ok=True)
    heading = "lon,lat,mag,time_string,depth,catalog_id,event_id\\n"
    (folder / f"drawn_{name_of(arguments)}").write_text(heading + "".join(row + "\\n" for row in rows))
'''
_NESTED = '''"""Expect the past's mean rate, in two cells and two bins."""

import json
import sys
from pathlib import Path

from nested.common import name_of, read_events, show


def read(path):
    if path.suffix == ".json":
        return json.loads(path.read_text())
    arguments, place = {}, []
    for line in path.read_text().splitlines():  # no more of YAML than a mapping of mappings
        key, _, value = line.strip().partition(":")
        place = place[: (len(line) - len(line.lstrip())) // 2] + [key]
        inner = arguments
        for name in place[:-1]:
            inner = inner[name]
        inner[key] = json.loads(value.strip().replace("'", '"')) if value.strip() else {}
    return arguments


def run():
    path = Path(sys.argv[1])
    arguments = read(path)
    show(arguments)
    events = read_events(path.parent / "catalog.csv")
    rate = len(events) / arguments["fit"]["learning"]["days"] * arguments["fit"]["factor"]
    lines = ["lon_min, lon_max, lat_min, lat_max, depth_min, depth_max, 4.0, 5.0"]
    lines += [f"{west}, {west + 1}, 0, 1, 0, 70, {rate * 0.45}, {rate * 0.05}" for west in (0, 1)]
    folder = path.parent.parent / "forecasts"
    folder.mkdir(exist_ok=True)
    (folder / f"rates_{name_of(arguments)}").write_text("\\n".join(lines) + "\\n")
'''
_SHELL = """# Three catalogs, with as many events as there were magnitudes of 4.5 in the past.
start=$(sed -n 's/^start_date = //p' input/args.txt)
end=$(sed -n 's/^end_date = //p' input/args.txt)
events=$(($(wc -l < input/past.csv) - 1))
last=$(tail -n 1 input/past.csv | cut -d, -f4)
echo "SEEN {\\"events\\": $events, \\"last\\": \\"$last\\"}"
mkdir -p forecasts
{
    echo "lon,lat,mag,time_string,depth,catalog_id,event_id"
    for number in 0 1 2; do
        awk -F, -v number=$number -v time="$start" -v OFS=, \\
            'NR > 1 && $3 >= 4.5 { print $1, $2, $3, time ".000000", 10, number, event++ }' input/past.csv
    done
} > "forecasts/counted_${start%T*}_${end%T*}.csv"
"""


def _catalog() -> str:
    """Write events every nine hours from ten days before the first window on, deep enough to count."""
    lines = ["lon,lat,mag,time_string,depth,catalog_id,event_id"]
    time, number = START - timedelta(days=10), 0
    while time < START + timedelta(days=DAYS):
        longitude, magnitude = (0.5, 1.5)[number % 3 == 0], 4.0 + 0.1 * (number % 8)
        lines.append(f"{longitude},0.5,{magnitude:.1f},{time:%Y-%m-%dT%H:%M:%S.%f},10.0,,e{number}")
        time, number = time + timedelta(hours=9), number + 1
    return "\n".join(lines) + "\n"


def _experiment(folder: Path, name: str, models: str, kind: str) -> None:
    end = START + timedelta(days=DAYS)
    files = {
        "region.txt": "0 0\n1 0\n",
        "catalog.csv": _catalog(),
        "config.yml": f"""name: {name}
time_config:
  start_date: {START:%Y-%m-%dT%H:%M:%S}
  end_date: {end:%Y-%m-%dT%H:%M:%S}
  horizon: 1days
  exp_class: td
region_config:
  region: region.txt
  mag_min: 4.0
  mag_max: 5.0
  mag_bin: 1.0
  depth_min: 0
  depth_max: 70
catalog: catalog.csv
model_config: models.yml
test_config: tests.yml
postprocess:
  plot_forecasts: False
  plot_catalog: False
""",
        "models.yml": models,
        "tests.yml": f"""- N-test:
    func: {kind}_evaluations.number_test
    plot_func: plot_consistency_test
""",
    }
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in files.items():
        (folder / file).write_text(text)


def write_package(folder: Path, name: str, files: Mapping[str, str], script: str) -> None:
    package = {
        "backend.py": _BACKEND.format(name=name, script=script),
        "pyproject.toml": _PROJECT.format(name=name),
    }
    for file, text in {**package, **files}.items():
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def write_drawn(folder: Path) -> None:
    """Catalogs by a package whose command finds its input beside its own files, or is told where it is."""
    models = """- drawn:
    path: models/drawn
    func: drawn
    func_kwargs:
      n_sims: 50
      mag_min: 4.0
      seed: 23
    build: venv
- told:
    path: models/told
    prefix: drawn
    func: drawn models/told/input/args.txt
    func_kwargs:
      n_sims: 50
      mag_min: 4.0
      seed: 24
    build: venv
"""
    _experiment(folder, "drawn", models, "catalog")
    files = {
        "drawn/__init__.py": "",
        "drawn/common.py": _COMMON,
        "drawn/main.py": _DRAWN,
        "input/args.txt": "# own\nstart_date = 2018-07-02T00:00:00\ncatalog = catalog.csv\nn_sims = 100\n",
    }
    for name in ("drawn", "told"):
        write_package(folder / "models" / name, "drawn", files, "drawn = drawn.main:run")


def write_nested(folder: Path) -> None:
    """Rates by packages that read nested values, of YAML and of JSON, and are those of a day."""
    models = "".join(
        f"""- rates-{form}:
    path: models/{form}
    prefix: rates
    forecast_type: gridded
    forecast_unit: 1
    func: python models/{form}/run.py models/{form}/input/args.{form}
    args_file: args.{form}
    func_kwargs:
      fit:
        factor: 1.5{more}
    build: venv
"""
        # floatCSEP joins nested values in YAML alone.
        for form, more in (("yml", ""), ("json", "\n        learning: {days: 10}"))
    )
    _experiment(folder, "nested", models, "poisson")
    files = {"nested/__init__.py": "", "nested/common.py": _COMMON, "nested/main.py": _NESTED}
    files["run.py"] = "from nested.main import run\nrun()\n"
    inputs = {
        "yml": "fit:\n  factor: 1.0\n  learning:\n    days: 10\n",
        "json": '{"fit": {"factor": 1.0, "learning": {"days": 10}}}',
    }
    for form, text in inputs.items():
        given = {**files, f"input/args.{form}": text}
        write_package(folder / "models" / form, "nested", given, "nested = nested.main:run")


def write_shell(folder: Path) -> None:
    """Catalogs by a script of a shell, in a line that only a shell understands, beside forecasts as files."""
    models = """- counted:
    path: models/counted
    func: cd models/counted && sh run.sh > run.log 2>&1; cat run.log | tail -n 5
    input_cat: past.csv
    build: venv
- given:
    path: models/given
    class: td
"""
    _experiment(folder, "shell", models, "catalog")
    files = {"counted/__init__.py": "", "run.sh": _SHELL}
    write_package(folder / "models" / "counted", "counted", files, "counted = counted:run")
    forecasts = folder / "models" / "given" / "forecasts"
    forecasts.mkdir(parents=True)
    for day in range(DAYS):
        start = START + timedelta(days=day)
        times = [f"{start:%Y-%m-%d}T0{number}:00:00.000000" for number in range(8)]
        rows = "".join(f"0.5,0.5,4.{number},{time},10,{number},0\n" for number, time in enumerate(times))
        name = f"given_{start:%Y-%m-%d}_{start + timedelta(days=1):%Y-%m-%d}.csv"
        (forecasts / name).write_text("lon,lat,mag,time_string,depth,catalog_id,event_id\n" + rows)


#: All folders by their names.
FOLDERS: dict[str, Callable[[Path], None]] = {
    "drawn": write_drawn,
    "nested": write_nested,
    "shell": write_shell,
}
