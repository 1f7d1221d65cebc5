"""Mistakes in models: one each, found alone, in its line, under its key."""

from collections.abc import Callable

import pytest

MODEL_A = "  - Model A:\n      path: models/a.csv\n"

#: What is replaced, by what, the key and the line that are blamed, what is said, and what is suggested.
BROKEN: dict[str, tuple[str, ...]] = {
    "models a mapping": (
        "  - Model A:\n      path: models/a.csv\n  - Model B:",
        "  Model A:",
        "models",
        "models:",
        "as `- name:`",
    ),
    "model not indented": (
        MODEL_A,
        "  - Model A:\n    path: models/a.csv\n",
        "models[0]",
        "- Model A:",
        "2 keys side by side",
    ),
    "model without keys": (
        "  - Model B:\n      path: models/b.dat\n      forecast_unit: 5\n",
        "  - Model B:\n",
        "models.Model B.path",
        "- Model B:",
        "required",
    ),
    "model a word": (
        "  - Model B:\n      path: models/b.dat\n      forecast_unit: 5\n",
        "  - Model B: models/b.dat\n",
        "models.Model B",
        "- Model B: models/b.dat",
        "mapping of the model's keys",
    ),
    "models missing": ("models:\n", "authors:\n", "models", "", "required"),
    "models file missing": (
        "name: small",
        "name: small\nmodel_config: models.yml",
        "model_config",
        "model_config: models.yml",
        "given here and as models",
    ),
    "model misspelt unit": (
        "forecast_unit: 5",
        "forcast_unit: 5",
        "models.Model B.forcast_unit",
        "forcast_unit: 5",
        "unknown key",
        "forecast_unit",
    ),
    "model misspelt path": (
        "path: models/b.dat",
        "pth: models/b.dat",
        "models.Model B.pth",
        "pth: models/b.dat",
        "unknown key",
        "path",
    ),
    "model's file missing": (
        "models/b.dat",
        "models/bb.dat",
        "models.Model B.path",
        "path: models/bb.dat",
        "no such file",
        "models/b.dat",
    ),
    "model of an unknown ending": (
        "models/b.dat",
        "models/c.xml",
        "models.Model B.path",
        "path: models/c.xml",
        "no reader for the ending .xml",
    ),
    "model a folder": (
        "models/b.dat",
        "td_model",
        "models.Model B.path",
        "path: td_model",
        "time-dependent models",
    ),
    "model of catalogs": (
        "models/b.dat",
        "csep:ucerf3_ascii_format_landers",
        "models.Model B.path",
        "path: csep:ucerf3_ascii_format_landers",
        "is a catalog-based forecast, not a gridded forecast",
    ),
    "unit zero": (
        "forecast_unit: 5",
        "forecast_unit: 0",
        "models.Model B.forecast_unit",
        "forecast_unit: 0",
        "greater than 0",
    ),
    "unit infinite": (
        "forecast_unit: 5",
        "forecast_unit: .inf",
        "models.Model B.forecast_unit",
        "forecast_unit: .inf",
        "finite",
    ),
    "unit in words": (
        "forecast_unit: 5",
        "forecast_unit: five",
        "models.Model B.forecast_unit",
        "forecast_unit: five",
        "expected a number",
    ),
    "model time-dependent": (
        "forecast_unit: 5",
        "class: td",
        "models.Model B.class",
        "class: td",
        "runs time-independent",
    ),
    "model that runs": (
        "forecast_unit: 5",
        "func: run.sh",
        "models.Model B.func",
        "func: run.sh",
        "from files",
    ),
    "model from Zenodo": (
        "forecast_unit: 5",
        "zenodo_id: 1",
        "models.Model B.zenodo_id",
        "zenodo_id: 1",
        "from files",
    ),
    "model of several flavours": (
        "forecast_unit: 5",
        "flavours: {x: y}",
        "models.Model B.flavours",
        "flavours: {x: y}",
        "from files",
    ),
    "model catalog-based": (
        "forecast_unit: 5",
        "forecast_type: catalog",
        "models.Model B.forecast_type",
        "forecast_type: catalog",
        "gridded",
    ),
    "model twice": (
        "  - Model B:",
        "  - Model A:",
        "models.Model A",
        "- Model A:",
        "given twice; first in line 14",
    ),
    "model with a slash": ("  - Model B:", "  - Model/B:", "models.Model/B", "- Model/B:", "without /"),
    "model without a name": ("  - Model B:", "  - '':", "models.", "- '':", "must not be empty"),
    "model of dots": ("  - Model B:", "  - '..':", "models...", "- '..':", "made of dots"),
    "reference without total": (
        "path: models/b.dat",
        "reference: uniform",
        "models.Model B.total",
        "- Model B:",
        "required",
    ),
    "reference unknown": (
        "path: models/b.dat",
        "kind: reference\n      total: 3\n      reference: unifrom",
        "models.Model B.reference",
        "reference: unifrom",
        "expected 'uniform'",
        "uniform",
    ),
    "reference with a path": (
        "path: models/b.dat",
        "reference: uniform\n      total: 3\n      path: models/b.dat",
        "models.Model B.path",
        "path: models/b.dat",
        "kind reference does not take this key",
    ),
    "file with a b-value": (
        "forecast_unit: 5",
        "b_value: 1",
        "models.Model B.b_value",
        "b_value: 1",
        "kind file does not take this key",
    ),
    "reference of nothing": (
        "path: models/b.dat",
        "reference: uniform\n      total: 0",
        "models.Model B.total",
        "total: 0",
        "greater than 0",
    ),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_one_mistake_makes_one_problem_in_its_place(
    broken: tuple[str, ...], told_alone: Callable[..., None]
) -> None:
    told_alone(*broken)
