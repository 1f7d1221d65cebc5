"""Entries of models that stand for several: names, arguments, and mistakes in them."""

import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from forequake.config import FolderModel, LearningReference, ModelSpec, ProgramSpec
from forequake.config._files import Folder
from forequake.config._model_list import read_models
from forequake.config._placeholders import filled_command
from forequake.config._places import Place, Problems
from forequake.config._yaml import Document
from forequake.errors import unknown
from forequake.windows import TimeWindow

DAY = TimeWindow.from_id("2016-11-14T00:00:00Z_2016-11-15T00:00:00Z")
GIVEN: dict[str, Any] = {"b": 1.0, "kernel": {"d": 5, "power": 3}}
PATH = "path: models/b.dat\n      forecast_unit: 5"
PROGRAM = "path: td_model\n      forecast_type: gridded\n      func: run\n      "

SMOOTHED = "reference: smoothed_seismicity\n      "
#: As bad as the name of a model may be.
NAME = "it's my $HOME `x` \\{name}"
HUNDRED = list(range(100))

Read = Callable[..., dict[str, ModelSpec | None]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Read a model ``M`` with some keys, and another one."""
    (tmp_path / "td").mkdir()
    (tmp_path / "a.csv").write_text("0 0\n")

    def read_model(**keys: Any) -> dict[str, ModelSpec | None]:
        entry = keys if "reference" in keys else {"path": "td", "func": "run", "func_kwargs": GIVEN} | keys
        data = [{"M": entry}, {"A": {"path": "a.csv"}}]
        place = Place(Document(file=tmp_path / "models.yml", data=data))
        problems = Problems()
        models, complete, _ = read_models(place, Folder(root=tmp_path), problems)
        assert not list(problems), str(problems.error())
        assert complete
        assert list(models)[-1] == "A"
        return {name: model for name, model in models.items() if name != "A"}

    return read_model


def _arguments(models: dict[str, ModelSpec | None]) -> dict[str, dict[str, Any]]:
    found = {}
    for name, model in models.items():
        assert isinstance(model, FolderModel)
        assert model.name == name
        assert model.program is not None
        found[name] = model.program.arguments
    return found


def test_named_ones_change_their_own_arguments(read: Read) -> None:
    models = read(variants={"low": {"b": 0.9}, "generic": None, "wide": {"kernel": {"d": 9}, "new": [1]}})
    assert _arguments(models) == {
        "M@low": {"b": 0.9, "kernel": {"d": 5, "power": 3}},
        "M@generic": GIVEN,
        "M@wide": {"b": 1.0, "kernel": {"d": 9, "power": 3}, "new": [1]},
    }


def test_a_product_has_all_combinations_the_last_argument_first(read: Read) -> None:
    models = read(variants={"product": {"b": [0.9, 1.0], "kernel.d": [5, 10]}})
    assert _arguments(models) == {
        f"M@b={b},kernel.d={d}": {"b": b, "kernel": {"d": d, "power": 3}} for b in (0.9, 1.0) for d in (5, 10)
    }


def test_zip_takes_values_side_by_side(read: Read) -> None:
    models = read(variants={"zip": {"b": [0.9, 1.0], "c": [True, None]}, "names": "b{b}"})
    assert _arguments(models) == {"M@b0.9": {**GIVEN, "b": 0.9, "c": True}, "M@b1.0": {**GIVEN, "c": None}}


def test_a_value_may_be_a_list(read: Read) -> None:
    models = read(variants={"product": {"edges": [[3, 5.5], ["a b"]]}})
    assert [value["edges"] for value in _arguments(models).values()] == [[3, 5.5], ["a b"]]
    assert list(models) == ["M@edges=3+5.5", "M@edges=a-b"]


def test_a_key_with_a_dot_is_that_key_where_there_is_one(read: Read) -> None:
    models = read(func_kwargs={"a.b": 1}, variants={"product": {"a.b": [2]}})
    assert _arguments(models) == {"M@a.b=2": {"a.b": 2}}


def test_a_name_is_made_of_the_variants_own_values(read: Read) -> None:
    """Another value in a list renames nothing: the forecasts of the others would be made again."""
    few = read(variants={"product": {"b": [0.9, 10], "c": ["x"]}})
    more = read(variants={"product": {"b": [0.9, 0.125, 10], "c": ["x", "30 days"]}})
    assert few.keys() < more.keys()
    assert all(more[name] == few[name] for name in few)


def test_variants_do_not_take_each_others_files(read: Read) -> None:
    low, high = read(prefix="it", variants={"low": {}, "high": {}}).values()
    assert isinstance(low, FolderModel)
    assert isinstance(high, FolderModel)
    assert not {*low.forecast_paths(DAY)} & {
        *high.forecast_paths(DAY),
        "td/forecasts/it_2016-11-14_2016-11-15.csv",
    }
    # In its private folder a program may write what it always writes.
    assert low.output_names(DAY)[2::3] == (
        "it@low_2016-11-14_2016-11-15.csv",
        "it_2016-11-14_2016-11-15.csv",
    )


def test_a_program_is_told_its_prefix_and_name(read: Read) -> None:
    keys = {"func": "run --as {prefix} '{{x}}' ${y}", "func_kwargs": {"a": [{"b": "{name}.{prefix}"}]}}
    model = read(prefix="my own", **keys)["M"]
    assert isinstance(model, FolderModel)
    assert isinstance(model.program, ProgramSpec)
    assert model.program.command == "run --as 'my own' '{x}' ${y}"
    assert model.program.arguments == {"a": [{"b": "M.my own"}]}
    variant = read(prefix="my", **keys, variants={"low": {}})["M@low"]
    assert isinstance(variant, FolderModel)
    assert variant.program is not None
    assert variant.program.arguments == {"a": [{"b": "M@low.my@low"}]}


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("run {name}", ["run", NAME]),
        ("run x{name}.csv", ["run", f"x{NAME}.csv"]),
        ("run '{name}'", ["run", NAME]),
        ('run "{name}"', ["run", NAME]),
        ("run \\'{name} \"'\"{name}", ["run", f"'{NAME}", f"'{NAME}"]),
    ],
)
def test_a_name_in_a_command_is_a_part_of_one_word(command: str, words: list[str]) -> None:
    filled = filled_command(command, {"name": NAME})
    assert shlex.split(filled) == words
    shell = subprocess.run(
        ["/bin/sh", "-c", filled.replace("run ", "printf '%s|' ", 1)],
        check=True,
        capture_output=True,
        text=True,
    )
    assert shell.stdout.split("|")[:-1] == words[1:]


def test_references_vary_in_their_own_keys(read: Read) -> None:
    models = read(
        reference="smoothed_seismicity", variants={"product": {"neighbours": [3, 6], "b_value": [0.9]}}
    )
    assert list(models) == ["M@neighbours=3,b_value=0.9", "M@neighbours=6,b_value=0.9"]
    for model, neighbours in zip(models.values(), (3, 6), strict=True):
        assert isinstance(model, LearningReference)
        assert model.smoothing is not None
        assert (model.smoothing.neighbours, model.b_value) == (neighbours, 0.9)


def test_the_variants_of_a_name_are_told() -> None:
    twelve = [f"etas@b={b},p={p}" for b in (0.9, 1.0, 1.1) for p in (1.0, 1.1, 1.2, 1.3)]
    assert unknown("model", "etas", ["a", *twelve]) == (
        f"there is no model 'etas' itself; its variants are {', '.join(twelve[:8])}, ... (12 in all)"
    )


#: What stands for Model B's keys, the key and line that are blamed, what is said, and what is suggested.
BROKEN: dict[str, tuple[str, ...]] = {
    "lists of two lengths": (
        PROGRAM + "variants: {zip: {b: [1, 2, 3], c: [1, 2]}}",
        "zip",
        "variants:",
        "one length: b has 3, c has 2",
    ),
    "too many": (
        PROGRAM + f"variants: {{product: {{a: {HUNDRED}, b: {HUNDRED}, c: {HUNDRED}}}}}",
        "product",
        "variants:",
        "there would be 1,000,000 variants (100 x 100 x 100), and 64 are allowed",
    ),
    "more than most": (
        PROGRAM + "variants: {product: {b: [1, 2]}, most: 1}",
        "product",
        "variants:",
        "there would be 2 variants, and 1 are allowed",
    ),
    "most of nothing": (
        PROGRAM + "variants: {product: {b: [1, 2]}, most: 0}",
        "most",
        "variants:",
        "whole number of 1 or more",
    ),
    "most of too many": (
        PROGRAM + f"variants: {{product: {{a: {HUNDRED}, b: {HUNDRED}, c: {HUNDRED}}}, most: 1000000}}",
        "most",
        "variants:",
        "10,000 variants or fewer",
    ),
    "two forms": (
        PROGRAM + "variants: {product: {b: [1, 2]}, zip: {c: [1]}}",
        "",
        "variants:",
        "product stands alone",
    ),
    "one value": (PROGRAM + "variants: {product: {b: 1}}", "product.b", "variants:", "a list of values"),
    "no value": (PROGRAM + "variants: {product: {b: []}}", "product.b", "variants:", "must not be empty"),
    "lists without a form": (
        PROGRAM + "variants: {b: [1, 2]}",
        "b",
        "variants:",
        "all combinations of lists",
    ),
    "a form misspelt": (
        PROGRAM + "variants: {prodct: {b: [1, 2]}}",
        "prodct",
        "variants:",
        "lists alone",
        "product",
    ),
    "none": (PROGRAM + "variants: {}", "", "variants:", "names with their arguments"),
    "two of one name": (
        PROGRAM + "variants:\n        product:\n          b:\n          - a b\n          - a/b",
        "product.b[1]",
        "- a/b",
        "two variants have the name 'Model B@b=a-b'",
    ),
    "a value without a name": (
        PROGRAM + "variants: {product: {b: [{c: 1}]}}",
        "product.b[0]",
        "variants:",
        "does not do as a part of a name; give them names",
    ),
    "a name that is none of a file": (
        PROGRAM + "variants: {a/b: {c: 1}}",
        "a/b",
        "variants:",
        "must do as the name of a file",
    ),
    "a pattern with another word": (
        PROGRAM + "variants: {product: {bval: [1]}, names: 'b{bvl}'}",
        "names",
        "variants:",
        "no argument 'bvl' varies",
        "bval",
    ),
    "a part of a value": (
        PROGRAM + "func_kwargs: {b: 1}\n      variants: {product: {b.c: [1]}}",
        "product.b.c[0]",
        "variants:",
        "b is a value in func_kwargs and a mapping here",
    ),
    "of a file": (
        "path: models/a.csv\n      variants: {low: {b: 1}}",
        "",
        "variants:",
        "they need func (or reference)",
    ),
    "beside flavours": (
        PROGRAM + "flavours: {a: b}\n      variants: {low: {b: 1}}",
        "",
        "variants:",
        "one of the two",
    ),
    "a reference in another key": (
        SMOOTHED + "variants: {product: {neighbors: [3]}}",
        "product.neighbors[0]",
        "variants:",
        "does not vary in this key",
        "neighbours",
    ),
}


def _line(text: str, begins: str) -> str:
    return next(line.strip() for line in text.splitlines() if line.strip().startswith(begins))


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_a_mistake_in_variants(broken: tuple[str, ...], told_alone: Callable[..., None]) -> None:
    keys, key, begins, *says = broken
    told_alone(PATH, keys, f"models.Model B.variants{'.' if key else ''}{key}", _line(keys, begins), *says)


@pytest.mark.parametrize(
    ("keys", "key", "begins", "says", "near"),
    [
        (
            PROGRAM + "build: vnv\n      variants: {low: {}, high: {}}",
            "build",
            "build:",
            "no such kind",
            "venv",
        ),
        (
            SMOOTHED + "bandwidth_km: 3\n      variants: {zip: {neighbours: [3, 6]}}",
            "bandwidth_km",
            "bandwidth_km:",
            "leave one of them out",
            None,
        ),
        (
            SMOOTHED + "variants:\n        zip:\n          neighbours:\n          - 3\n          - 0",
            "neighbours",
            "- 0",
            "greater than 0",
            None,
        ),
        (
            PROGRAM + "variants: {low: {a: '{prefx}'}}",
            "func_kwargs",
            "variants:",
            "{prefx} stands for nothing",
            "{prefix}",
        ),
    ],
)
def test_a_mistake_that_all_variants_have_is_told_once(
    keys: str, key: str, begins: str, says: str, near: str | None, told_alone: Callable[..., None]
) -> None:
    told_alone(PATH, keys, f"models.Model B.{key}", _line(keys, begins), says, near)


def test_a_comparison_with_all_variants_names_them(told_alone: Callable[..., None]) -> None:
    told_alone(
        "  - Model B:\n      path: models/b.dat\n      forecast_unit: 5\ntests:\n",
        "  - Model B:\n      " + PROGRAM + "variants: {product: {b: [0.9, 1.0]}}\n"
        "tests:\n  - IG:\n      func: IG\n      ref_model: Model B\n",
        "tests.IG.ref_model",
        "ref_model: Model B",
        "the variants of this one are Model B@b=0.9, Model B@b=1.0",
    )
