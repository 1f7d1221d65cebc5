"""A commented experiment to begin from, which runs as it is with data that come with pycsep."""

import json
from pathlib import Path
from typing import Final, get_args

from forequake.config.schema import SchemaKind, file_schema
from forequake.errors import InputError

__all__ = ["write_starting_point"]

_CONFIG: Final = """\
# yaml-language-server: $schema=.schema/experiment.json
# An experiment: which forecasts are tested, against which earthquakes, how. All keys: forequake schema --page
name: {name}

time_config:
  # UTC. One window of a week; more of them with, say, `horizon: 1 weeks` and a later end_date.
  start_date: 2019-07-06T03:20:00
  end_date: 2019-07-13T03:20:00

region_config:
  # A region of pyCSEP by name, or a file with the lower left corners of cells.
  region: california_relm_region
  # Lower edges of the first and the last magnitude bin (which is open upwards), and the width of a bin.
  mag_min: 4.95
  mag_max: 8.95
  mag_bin: 0.1
  # Kilometres; leave both out to count events of any depth.
  depth_min: -5
  depth_max: 30

# The observed earthquakes: a file beside this one, or a data set of pycsep, which begins with csep:
catalog: csep:comcat_example_catalog

models: models.yml
tests: tests.yml

# Seed of all tests that draw random numbers.
seed: 1
"""
_MODELS: Final = """\
# yaml-language-server: $schema=.schema/models.json
# Each model is a name with its keys below. Paths start from this file.
- mainshock:
    path: csep:helmstetter_mainshock
    # Years that the forecast's rates stand for; they are scaled to each window.
    forecast_unit: 5
- aftershock:
    path: csep:helmstetter_aftershock
    forecast_unit: 5
# Built in: the same rate everywhere, `total` events in `forecast_unit` years.
- uniform:
    kind: reference
    reference: uniform
    total: 35.4
    forecast_unit: 5
# A model whose forecasts change from window to window is a folder with forecasts/NAME_START_END.csv:
# - etas:
#     path: models/etas
#     forecast_type: gridded
"""
_TESTS: Final = """\
# yaml-language-server: $schema=.schema/tests.json
# Each test is a name with its keys below; every test is for every model.
- N-test:
    func: poisson_evaluations.number_test
- S-test:
    func: poisson_evaluations.spatial_test
    func_kwargs:
      num_simulations: 1000
- CL-test:
    func: poisson_evaluations.conditional_likelihood_test
# A comparison needs the model with which the others are compared.
- T-test:
    func: poisson_evaluations.paired_t_test
    ref_model: uniform
"""
_README: Final = """\
# {name}

Check it with `forequake validate .`, run it with `forequake run .`, look at it with `forequake dashboard`.
`.schema/` is for editors, which complete the keys; `forequake schema` writes it anew.
"""


def write_starting_point(folder: Path) -> list[Path]:
    """Write an experiment into a new or empty folder.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    InputError
        Where the folder holds something already, or cannot be written.
    """
    name = folder.resolve().name or "experiment"
    texts = {
        "config.yml": _CONFIG.format(name=json.dumps(name, ensure_ascii=False)),
        "models.yml": _MODELS,
        "tests.yml": _TESTS,
        "README.md": _README.format(name=name),
    }
    for kind in get_args(SchemaKind):
        texts[f".schema/{kind}.json"] = json.dumps(file_schema(kind), indent=1) + "\n"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            message = f"{folder} is not empty; an experiment begins in a new folder"
            raise InputError(message)
        (folder / ".schema").mkdir()
        for file, text in texts.items():
            with (folder / file).open("x", encoding="utf-8") as opened:
                opened.write(text)
    except FileExistsError as error:
        message = f"{folder} is a file; an experiment begins in a new folder"
        raise InputError(message) from error
    except OSError as error:
        message = f"{folder} cannot be written ({error.strerror})"
        raise InputError(message) from error
    return [folder / file for file in texts]
