"""The house rules that no linter checks: sizes, names, layers, start-up cost, and nothing of this machine."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("forequake", "stores", "flows", "dashboard")
MODULES = sorted(file for package in PACKAGES for file in (ROOT / package).rglob("*.py"))
MOST_LINES = 400
MOST_FUNCTION_LINES = 60
#: What may be used of numpy.random: generators of one's own, never the global one behind the functions.
OWN_GENERATORS = {
    "BitGenerator",
    "Generator",
    "MT19937",
    "PCG64",
    "Philox",
    "RandomState",
    "SeedSequence",
    "default_rng",
}
VAGUE = {"common", "handler", "handlers", "helper", "helpers", "manager", "managers", "util", "utils"}


def _name(file: Path) -> str:
    return str(file.relative_to(ROOT))


def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def _tracked() -> list[Path]:
    listed = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True, text=True)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    files = [ROOT / name for name in listed.stdout.split("\0") if name]
    return [file for file in files if file.is_file()]


def test_there_is_something_to_check() -> None:
    assert len(MODULES) > 20


def test_no_module_is_longer_than_400_lines() -> None:
    lengths = {_name(file): len(file.read_text(encoding="utf-8").splitlines()) for file in MODULES}
    assert {name: length for name, length in lengths.items() if length > MOST_LINES} == {}


def test_no_function_is_longer_than_60_lines() -> None:
    long = {}
    for file in MODULES:
        for node in ast.walk(_tree(file)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > MOST_FUNCTION_LINES:
                    long[f"{_name(file)}:{node.name}"] = length
    assert long == {}


def test_module_names_say_what_is_in_them() -> None:
    vague = [_name(file) for file in MODULES if VAGUE & set(file.stem.split("_"))]
    assert vague == []


def _public_names(tree: ast.Module, *, is_package: bool) -> set[str]:
    """Give the names without an underscore that a module defines, or that a package's front takes in."""
    names: set[str] = set()
    for node in tree.body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.Assign(value=ast.Call(func=ast.Name(id="TypeVar"))):
                pass
            case ast.Assign(targets=targets):
                names |= {target.id for target in targets if isinstance(target, ast.Name)}
            case ast.AnnAssign(target=ast.Name(id=name)):
                names.add(name)
            case ast.ImportFrom(module=str(module), names=aliases) if is_package:
                if module.split(".")[0] in PACKAGES:
                    names |= {alias.asname or alias.name for alias in aliases}
            case _:
                pass
    return {name for name in names if not name.startswith("_")}


def _declared(tree: ast.Module) -> list[str] | None:
    for node in tree.body:
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["__all__"]:
            return [str(name) for name in ast.literal_eval(node.value)]
    return None


def _by_kind(name: str) -> tuple[int, str]:
    """Sort as ruff does: constants, classes, functions."""
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
    return kind, name


@pytest.mark.parametrize(
    "file", [file for file in MODULES if _name(file).startswith(("forequake/", "stores/"))], ids=_name
)
def test_all_is_sorted_and_complete(file: Path) -> None:
    tree = _tree(file)
    is_package = file.name == "__init__.py"
    public = _public_names(tree, is_package=is_package)
    declared = _declared(tree)
    if declared is None:
        assert public == set(), f"{_name(file)} has no __all__"
        return
    assert declared == sorted(declared, key=_by_kind)
    assert {name for name in declared if not name.startswith("__")} == public


def _loaded_by_path() -> list[str]:
    """Give the names that Prefect and Streamlit put first on the import path with a script's folder."""
    folders = (ROOT / "flows", ROOT / "dashboard")
    names = {file.stem for folder in folders for file in folder.glob("*.py")}
    names |= {file.parent.name for folder in folders for file in folder.glob("*/__init__.py")}
    return sorted(names - {"__init__"})


def test_scripts_that_are_loaded_by_path_shadow_no_module(tmp_path: Path) -> None:
    code = (
        "import importlib.util, json, sys\n"
        "print(json.dumps([name for name in sys.argv[1:] if importlib.util.find_spec(name)]))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code, *_loaded_by_path()],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    assert json.loads(found.stdout) == []


@pytest.mark.parametrize("module", ["forequake", "stores", "flows.cli"])
def test_importing_it_loads_nothing_slow(module: str) -> None:
    code = f"import {module}, json, sys; print(json.dumps(sorted({{m.split('.')[0] for m in sys.modules}})))"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    names = set(json.loads(loaded.stdout))
    assert module.split(".")[0] in names
    assert not names & {"csep", "matplotlib", "plotly", "prefect", "pymongo", "streamlit"}


def _random_names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(
                attr=name, value=ast.Attribute(attr="random", value=ast.Name(id="np" | "numpy"))
            ):
                yield name
            case ast.ImportFrom(module="numpy.random", names=aliases):
                yield from (alias.name for alias in aliases)
            case _:
                pass


def test_numpys_global_generator_is_not_touched() -> None:
    used = {(_name(file), name) for file in MODULES for name in _random_names(_tree(file))}
    # The generator of the process in which a user's own test, or a model's function, is alone.
    used -= {("forequake/evaluations/own_tests/_interface.py", "seed")}
    used -= {("forequake/models/runs/_function_runner.py", "seed")}
    assert {(file, name) for file, name in used if name not in OWN_GENERATORS} == set()


#: Put together from halves, so that this file does not find itself.
FOREIGN = {
    "a path of one machine": re.compile(
        "|".join(["/ro" + "ot/", "/wo" + "rk/", r"/ho" + r"me/\w", "/Us" + "ers/"])
    ),
    "an address of a package index": re.compile(
        "|".join(["py" + r"pi\.", "python" + "hosted", "--(extra-)?index" + "-url"])
    ),
    "an address in a private network": re.compile(
        r"\b(10\.\d+|192\.168|172\.(1[6-9]|2\d|3[01]))\.\d+\.\d+\b"
    ),
}


@pytest.mark.parametrize("what", FOREIGN)
def test_no_tracked_file_names(what: str) -> None:
    found = []
    for file in _tracked():
        try:
            text = file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{_name(file)}: {match[0]}" for match in FOREIGN[what].finditer(text)]
    assert found == []


def test_constraints_pin_one_version_each_and_are_sorted() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not re.fullmatch(r"[a-z0-9-]+==[0-9][\w.+]*", line)] == []
    assert lines == sorted(lines, key=lambda line: line.split("==")[0])
    assert len({line.split("==")[0] for line in lines}) == len(lines)


def test_the_layers_hold() -> None:
    command = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([command], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout
