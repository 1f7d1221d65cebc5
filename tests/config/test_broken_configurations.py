"""One mistake each: it is found alone, in its line, under its key, with what to do."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from forequake.config import load_experiment
from forequake.errors import ConfigError, Problem

Write = Callable[..., Path]


class Broken(NamedTuple):
    """A change of the small experiment, and the one problem that it makes.

    `at` is the line in which it is to be found, without blanks around; empty where no line has it.
    """

    old: str
    new: str
    key: str
    at: str
    says: str
    near: str | None = None


END = "  end_date: 2020-1-1T00:00:00\n"
TIME = "  start_date: 2010-1-1T00:00:00\n" + END
BINS = "  mag_min: 4.0\n  mag_max: 8.0\n  mag_bin: 0.1\n"
MODEL_A = "  - Model A:\n      path: models/a.csv\n"
ALL_TESTS = (
    "tests:\n  - N-test:\n      func: poisson_evaluations.number_test\n"
    "  - S-test:\n      func: poisson_evaluations.spatial_test\n"
    "      func_kwargs:\n        seed: 23\n        num_simulations: 100\n"
    "  - T-test:\n      func: poisson_evaluations.paired_t_test\n      ref_model: Model A\n"
)

BROKEN = {
    # the top of the file
    "misspelt top key": Broken("models:\n", "modles:\n", "modles", "modles:", "unknown key", "models"),
    "key that nobody knows": Broken(
        "name: small", "name: small\nzzz: 1", "zzz", "zzz: 1", "known here: LICENSE"
    ),
    "misspelt time key at the top": Broken(
        "name: small", "name: small\nhorizn: 1 year", "horizn", "horizn: 1 year", "unknown key", "horizon"
    ),
    "no name": Broken("name: small\n", "", "name", "", "required"),
    "empty name": Broken("name: small", "name: ''", "name", "name: ''", "must not be empty"),
    "name without text": Broken("name: small", "name:", "name", "name:", "required"),
    "name a number": Broken(
        "name: small", "name: 2020", "name", "name: 2020", "expected text; put it into quotes"
    ),
    "name of two lines": Broken("name: small", 'name: "a\\nb"', "name", 'name: "a\\nb"', "printable"),
    "seed negative": Broken("name: small", "name: small\nseed: -1", "seed", "seed: -1", "0 or more"),
    "seed too large": Broken(
        "name: small", "name: small\nseed: 4294967296", "seed", "seed: 4294967296", "less than 4294967296"
    ),
    "seed a fraction": Broken("name: small", "name: small\nseed: 1.5", "seed", "seed: 1.5", "whole number"),
    "seed true": Broken("name: small", "name: small\nseed: true", "seed", "seed: true", "not true or false"),
    "seed as text": Broken("name: small", "name: small\nseed: '23'", "seed", "seed: '23'", "without quotes"),
    "seed with a leading zero": Broken(
        "name: small", "name: small\nseed: 010", "seed", "seed: 010", "whole number"
    ),
    "alpha one": Broken("name: small", "name: small\nalpha: 1", "alpha", "alpha: 1", "less than 1"),
    "alpha zero": Broken("name: small", "name: small\nalpha: 0.0", "alpha", "alpha: 0.0", "greater than 0"),
    "alpha not a number": Broken("name: small", "name: small\nalpha: .nan", "alpha", "alpha: .nan", "finite"),
    "order": Broken(
        "name: small", "name: small\norder: [1, 0]", "order", "order: [1, 0]", "order of their list"
    ),
    "path that is no folder": Broken(
        "name: small", "name: small\npath: nowhere", "path", "path: nowhere", "no such folder"
    ),
    # catalog
    "no catalog": Broken("catalog: catalog.csv\n", "", "catalog", "", "required"),
    "catalog misspelt": Broken(
        "catalog: catalog.csv",
        "catalog: catalogg.csv",
        "catalog",
        "catalog: catalogg.csv",
        "no such file",
        "catalog.csv",
    ),
    "catalog a folder": Broken(
        "catalog: catalog.csv", "catalog: models", "catalog", "catalog: models", "a folder"
    ),
    "catalog blank": Broken(
        "catalog: catalog.csv", "catalog: ' '", "catalog", "catalog: ' '", "no such file"
    ),
    "catalog by query": Broken(
        "catalog: catalog.csv", "catalog: query_comcat", "catalog", "catalog: query_comcat", "from files"
    ),
    "data set misspelt": Broken(
        "catalog: catalog.csv",
        "catalog: csep:comcat_exmple_catalog",
        "catalog",
        "catalog: csep:comcat_exmple_catalog",
        "no such data set",
        "csep:comcat_example_catalog",
    ),
    "data set of another kind": Broken(
        "catalog: catalog.csv",
        "catalog: csep:helmstetter_mainshock",
        "catalog",
        "catalog: csep:helmstetter_mainshock",
        "is a gridded forecast, not a catalog",
    ),
    # time
    "no time at all": Broken("time_config:\n" + TIME, "", "time_config.start_date", "", "required"),
    "no start": Broken(
        "  start_date: 2010-1-1T00:00:00\n", "", "time_config.start_date", "time_config:", "required"
    ),
    "no end": Broken(END, "", "time_config.end_date", "time_config:", "give end_date, or both"),
    "no such month": Broken(
        "start_date: 2010-1-1T00:00:00",
        "start_date: 2010-13-45",
        "time_config.start_date",
        "start_date: 2010-13-45",
        "no such date",
    ),
    "date in words": Broken(
        "start_date: 2010-1-1T00:00:00",
        "start_date: 1 January 2010",
        "time_config.start_date",
        "start_date: 1 January 2010",
        "such as 2020-01-31",
    ),
    "year alone": Broken(
        "end_date: 2020-1-1T00:00:00",
        "end_date: 2020",
        "time_config.end_date",
        "end_date: 2020",
        "such as 2020-01-31",
    ),
    "start after end": Broken(
        "start_date: 2010-1-1T00:00:00",
        "start_date: 2021-1-1",
        "time_config.start_date",
        "start_date: 2021-1-1",
        "must start before it ends",
    ),
    "start at end": Broken(
        "start_date: 2010-1-1T00:00:00",
        "start_date: 2020-01-01T00:00:00Z",
        "time_config.start_date",
        "start_date: 2020-01-01T00:00:00Z",
        "must start before it ends",
    ),
    "horizon a number": Broken(END, END + "  horizon: 2\n", "time_config.horizon", "horizon: 2", "'2 years'"),
    "horizon negative": Broken(
        END, END + "  horizon: -1 years\n", "time_config.horizon", "horizon: -1 years", "whole number"
    ),
    "horizon a fraction": Broken(
        END, END + "  horizon: 1.5 years\n", "time_config.horizon", "horizon: 1.5 years", "whole number"
    ),
    "horizon of an unknown unit": Broken(
        END, END + "  horizon: 2 yeers\n", "time_config.horizon", "horizon: 2 yeers", "did you mean 'years'"
    ),
    "horizon longer than the span": Broken(
        END, END + "  horizon: 11 years\n", "time_config.horizon", "horizon: 11 years", "is longer than"
    ),
    "too many windows": Broken(
        END, END + "  horizon: 1 minutes\n", "time_config.horizon", "horizon: 1 minutes", "is the unit right"
    ),
    "horizon past the calendar": Broken(
        END,
        "  horizon: 9000 years\n  intervals: 2\n",
        "time_config.horizon",
        "horizon: 9000 years",
        "beyond the year 9999",
    ),
    "end, intervals and horizon": Broken(
        END,
        END + "  horizon: 1 years\n  intervals: 3\n",
        "time_config.horizon",
        "horizon: 1 years",
        "cannot all three",
    ),
    "no intervals": Broken(
        END, END + "  intervals: 0\n", "time_config.intervals", "intervals: 0", "greater than 0"
    ),
    "growth unknown": Broken(
        END,
        END + "  growth: cummulative\n",
        "time_config.growth",
        "growth: cummulative",
        "expected",
        "cumulative",
    ),
    "time-dependent": Broken(
        END, END + "  exp_class: td\n", "time_config.exp_class", "exp_class: td", "runs time-independent"
    ),
    "class unknown": Broken(
        END, END + "  exp_class: tii\n", "time_config.exp_class", "exp_class: tii", "no such class", "ti"
    ),
    "offset": Broken(
        END, END + "  offset: 1-days\n", "time_config.offset", "offset: 1-days", "time-independent"
    ),
    "start given twice": Broken(
        "name: small",
        "name: small\nstart_date: 2010-01-01",
        "start_date",
        "start_date: 2010-01-01",
        "given here and in time_config (line 4)",
    ),
    "windows and a horizon": Broken(
        TIME,
        "  horizon: 1 years\n  time_windows: [[2010-01-01, 2011-01-01]]\n",
        "time_config.horizon",
        "horizon: 1 years",
        "listed in time_config.time_windows",
    ),
    "window backwards": Broken(
        TIME,
        "  time_windows:\n  - [2010-01-01, 2011-01-01]\n  - [2012-01-01, 2011-01-01]\n",
        "time_config.time_windows[1]",
        "- [2012-01-01, 2011-01-01]",
        "is not before its end",
    ),
    "window without an end": Broken(
        TIME,
        "  time_windows:\n  - [2010-01-01]\n",
        "time_config.time_windows[0]",
        "- [2010-01-01]",
        "a pair [start, end]",
    ),
    "window with a bad date": Broken(
        TIME,
        "  time_windows:\n  - [2010-01-01, never]\n",
        "time_config.time_windows[0][1]",
        "- [2010-01-01, never]",
        "expected a date",
    ),
    "window twice": Broken(
        TIME,
        "  time_windows:\n  - [2010-01-01, 2011-01-01]\n  - [2010-1-1, 2011-1-1]\n",
        "time_config.time_windows[1]",
        "- [2010-1-1, 2011-1-1]",
        "listed twice",
    ),
    "no windows listed": Broken(
        TIME, "  time_windows: []\n", "time_config.time_windows", "time_windows: []", "must not be empty"
    ),
    "windows under both names": Broken(
        TIME,
        "  time_windows: [[2010-01-01, 2011-01-01]]\n  timewindows: [[2010-01-01, 2012-01-01]]\n",
        "time_config.timewindows",
        "timewindows: [[2010-01-01, 2012-01-01]]",
        "old name of time_windows",
    ),
    "windows beside another end": Broken(
        TIME,
        "  time_windows: [[2010-01-01, 2011-01-01]]\n  end_date: 2012-01-01\n",
        "time_config.end_date",
        "end_date: 2012-01-01",
        "go from 2010-01-01T00:00:00Z to 2011-01-01T00:00:00Z",
    ),
    # region
    "no region": Broken("  region: region.txt\n", "", "region_config.region", "region_config:", "required"),
    "region file missing": Broken(
        "region.txt", "regin.txt", "region_config.region", "region: regin.txt", "no such file", "region.txt"
    ),
    "region name misspelt": Broken(
        "region.txt",
        "italy_csp_region",
        "region_config.region",
        "region: italy_csp_region",
        "no such region",
        "italy_csep_region",
    ),
    "region a mapping": Broken(
        "region: region.txt",
        "region: {dh: 0.1}",
        "region_config.region",
        "region: {dh: 0.1}",
        "expected the name",
    ),
    "region a polygon": Broken(
        "region.txt",
        "csep:relm_testing_polygon",
        "region_config.region",
        "region: csep:relm_testing_polygon",
        "list of cells",
    ),
    "magnitudes the wrong way": Broken(
        "mag_min: 4.0", "mag_min: 9.0", "region_config.mag_max", "mag_max: 8.0", "greater than mag_min, 9.0"
    ),
    "one magnitude": Broken(
        "mag_max: 8.0", "mag_max: 4", "region_config.mag_max", "mag_max: 4", "greater than mag_min"
    ),
    "no width of bins": Broken("  mag_bin: 0.1\n", "", "region_config.mag_bin", "region_config:", "required"),
    "width zero": Broken(
        "mag_bin: 0.1", "mag_bin: 0", "region_config.mag_bin", "mag_bin: 0", "greater than 0"
    ),
    "width negative": Broken(
        "mag_bin: 0.1", "mag_bin: -0.1", "region_config.mag_bin", "mag_bin: -0.1", "greater than 0"
    ),
    "width infinite": Broken(
        "mag_bin: 0.1", "mag_bin: .inf", "region_config.mag_bin", "mag_bin: .inf", "finite"
    ),
    "width as a power of ten": Broken(
        "mag_bin: 0.1", "mag_bin: 1e-1", "region_config.mag_bin", "mag_bin: 1e-1", "powers of ten as 1.0e-5"
    ),
    "width tiny": Broken(
        "mag_bin: 0.1",
        "mag_bin: 1.0e-300",
        "region_config.mag_bin",
        "mag_bin: 1.0e-300",
        "more than 10000 bins",
    ),
    "no whole number of bins": Broken(
        "mag_max: 8.0", "mag_max: 8.04", "region_config.mag_max", "mag_max: 8.04", "near are 8 and 8.1"
    ),
    "magnitude as text": Broken(
        "mag_min: 4.0", "mag_min: '4.0'", "region_config.mag_min", "mag_min: '4.0'", "without quotes"
    ),
    "magnitude that is none": Broken(
        "mag_max: 8.0", "mag_max: 80", "region_config.mag_max", "mag_max: 80", "12 or less"
    ),
    "edges that fall": Broken(
        BINS,
        "  magnitudes: [4.0, 5.0, 4.5]\n",
        "region_config.magnitudes",
        "magnitudes: [4.0, 5.0, 4.5]",
        "4.5 follows 5",
    ),
    "edges and a width": Broken(
        BINS,
        "  magnitudes: [4.0, 5.0]\n  mag_bin: 1\n",
        "region_config.mag_bin",
        "mag_bin: 1",
        "listed in magnitudes",
    ),
    "edges and another least": Broken(
        BINS,
        "  magnitudes: [4.0, 5.0]\n  mag_min: 4.5\n",
        "region_config.mag_min",
        "mag_min: 4.5",
        "first edge of magnitudes is 4",
    ),
    "no edges": Broken(
        BINS, "  magnitudes: []\n", "region_config.magnitudes", "magnitudes: []", "must not be empty"
    ),
    "depths the wrong way": Broken(
        "depth_min: 0",
        "depth_min: 80",
        "region_config.depth_max",
        "depth_max: 70",
        "not be less than depth_min",
    ),
    "depth in metres": Broken(
        "depth_max: 70", "depth_max: 70000", "region_config.depth_max", "depth_max: 70000", "7000 or less"
    ),
    # models
    "models a mapping": Broken(
        "  - Model A:\n      path: models/a.csv\n  - Model B:",
        "  Model A:",
        "models",
        "models:",
        "as `- name:`",
    ),
    "model not indented": Broken(
        MODEL_A,
        "  - Model A:\n    path: models/a.csv\n",
        "models[0]",
        "- Model A:",
        "2 keys side by side",
    ),
    "model without keys": Broken(
        "  - Model B:\n      path: models/b.dat\n      forecast_unit: 5\n",
        "  - Model B:\n",
        "models.Model B.path",
        "- Model B:",
        "required",
    ),
    "model a word": Broken(
        "  - Model B:\n      path: models/b.dat\n      forecast_unit: 5\n",
        "  - Model B: models/b.dat\n",
        "models.Model B",
        "- Model B: models/b.dat",
        "mapping of the model's keys",
    ),
    "models missing": Broken("models:\n", "authors:\n", "models", "", "required"),
    "models file missing": Broken(
        "name: small",
        "name: small\nmodel_config: models.yml",
        "model_config",
        "model_config: models.yml",
        "given here and as models",
    ),
    "model misspelt unit": Broken(
        "forecast_unit: 5",
        "forcast_unit: 5",
        "models.Model B.forcast_unit",
        "forcast_unit: 5",
        "unknown key",
        "forecast_unit",
    ),
    "model misspelt path": Broken(
        "path: models/b.dat",
        "pth: models/b.dat",
        "models.Model B.pth",
        "pth: models/b.dat",
        "unknown key",
        "path",
    ),
    "model's file missing": Broken(
        "models/b.dat",
        "models/bb.dat",
        "models.Model B.path",
        "path: models/bb.dat",
        "no such file",
        "models/b.dat",
    ),
    "model of an unknown ending": Broken(
        "models/b.dat",
        "models/c.xml",
        "models.Model B.path",
        "path: models/c.xml",
        "no reader for the ending .xml",
    ),
    "model a folder": Broken(
        "models/b.dat", "td_model", "models.Model B.path", "path: td_model", "time-dependent models"
    ),
    "model of catalogs": Broken(
        "models/b.dat",
        "csep:ucerf3_ascii_format_landers",
        "models.Model B.path",
        "path: csep:ucerf3_ascii_format_landers",
        "is a catalog-based forecast, not a gridded forecast",
    ),
    "unit zero": Broken(
        "forecast_unit: 5",
        "forecast_unit: 0",
        "models.Model B.forecast_unit",
        "forecast_unit: 0",
        "greater than 0",
    ),
    "unit infinite": Broken(
        "forecast_unit: 5",
        "forecast_unit: .inf",
        "models.Model B.forecast_unit",
        "forecast_unit: .inf",
        "finite",
    ),
    "unit in words": Broken(
        "forecast_unit: 5",
        "forecast_unit: five",
        "models.Model B.forecast_unit",
        "forecast_unit: five",
        "expected a number",
    ),
    "model time-dependent": Broken(
        "forecast_unit: 5", "class: td", "models.Model B.class", "class: td", "runs time-independent"
    ),
    "model that runs": Broken(
        "forecast_unit: 5", "func: run.sh", "models.Model B.func", "func: run.sh", "from files"
    ),
    "model from Zenodo": Broken(
        "forecast_unit: 5", "zenodo_id: 1", "models.Model B.zenodo_id", "zenodo_id: 1", "from files"
    ),
    "model of several flavours": Broken(
        "forecast_unit: 5", "flavours: {x: y}", "models.Model B.flavours", "flavours: {x: y}", "from files"
    ),
    "model catalog-based": Broken(
        "forecast_unit: 5",
        "forecast_type: catalog",
        "models.Model B.forecast_type",
        "forecast_type: catalog",
        "gridded",
    ),
    "model twice": Broken(
        "  - Model B:", "  - Model A:", "models.Model A", "- Model A:", "given twice; first in line 14"
    ),
    "model with a slash": Broken("  - Model B:", "  - Model/B:", "models.Model/B", "- Model/B:", "without /"),
    "model without a name": Broken("  - Model B:", "  - '':", "models.", "- '':", "must not be empty"),
    "model of dots": Broken("  - Model B:", "  - '..':", "models...", "- '..':", "made of dots"),
    "reference without total": Broken(
        "path: models/b.dat",
        "reference: uniform",
        "models.Model B.total",
        "- Model B:",
        "required",
    ),
    "reference unknown": Broken(
        "path: models/b.dat",
        "kind: reference\n      total: 3\n      reference: unifrom",
        "models.Model B.reference",
        "reference: unifrom",
        "expected 'uniform'",
        "uniform",
    ),
    "reference with a path": Broken(
        "path: models/b.dat",
        "reference: uniform\n      total: 3\n      path: models/b.dat",
        "models.Model B.path",
        "path: models/b.dat",
        "kind reference does not take this key",
    ),
    "file with a b-value": Broken(
        "forecast_unit: 5",
        "b_value: 1",
        "models.Model B.b_value",
        "b_value: 1",
        "kind file does not take this key",
    ),
    "reference of nothing": Broken(
        "path: models/b.dat",
        "reference: uniform\n      total: 0",
        "models.Model B.total",
        "total: 0",
        "greater than 0",
    ),
    # tests
    "no tests listed": Broken(
        ALL_TESTS,
        "tests: []\n",
        "tests",
        "tests: []",
        "list of tests is empty",
    ),
    "test function misspelt": Broken(
        "poisson_evaluations.number_test",
        "poisson_evaluations.numbr_test",
        "tests.N-test.func",
        "func: poisson_evaluations.numbr_test",
        "no such test",
        "poisson_evaluations.number_test",
    ),
    "test function without module": Broken(
        "poisson_evaluations.number_test",
        "number_test",
        "tests.N-test.func",
        "func: number_test",
        "no such test",
        "poisson_evaluations.number_test",
    ),
    "test that never runs": Broken(
        "poisson_evaluations.number_test",
        "catalog_evaluations.calibration_test",
        "tests.N-test.func",
        "func: catalog_evaluations.calibration_test",
        "this version knows",
    ),
    "test key misspelt": Broken(
        "ref_model: Model A",
        "ref_modl: Model A",
        "tests.T-test.ref_modl",
        "ref_modl: Model A",
        "unknown key",
        "ref_model",
    ),
    "test without function": Broken(
        "      func: poisson_evaluations.number_test\n", "", "tests.N-test.func", "- N-test:", "required"
    ),
    "comparison without reference": Broken(
        "      ref_model: Model A\n",
        "",
        "tests.T-test.ref_model",
        "- T-test:",
        "compares models with a reference",
    ),
    "reference that does not exist": Broken(
        "ref_model: Model A",
        "ref_model: Modle A",
        "tests.T-test.ref_model",
        "ref_model: Modle A",
        "no such model",
        "Model A",
    ),
    "reference that is not needed": Broken(
        "poisson_evaluations.number_test",
        "poisson_evaluations.number_test\n      ref_model: Model B",
        "tests.N-test.ref_model",
        "ref_model: Model B",
        "takes no reference",
    ),
    "test twice": Broken("  - S-test:", "  - N-test:", "tests.N-test", "- N-test:", "given twice"),
    "test with a slash": Broken("  - S-test:", "  - S/test:", "tests.S/test", "- S/test:", "without /"),
    "seed of a test that draws nothing": Broken(
        "poisson_evaluations.number_test",
        "poisson_evaluations.number_test\n      func_kwargs: {seed: 1}",
        "tests.N-test.func_kwargs.seed",
        "func_kwargs: {seed: 1}",
        "draws no random numbers",
    ),
    "seed of a test negative": Broken(
        "seed: 23", "seed: -23", "tests.S-test.func_kwargs.seed", "seed: -23", "0 or more"
    ),
    "no simulations": Broken(
        "num_simulations: 100",
        "num_simulations: 0",
        "tests.S-test.func_kwargs.num_simulations",
        "num_simulations: 0",
        "greater than 0",
    ),
    "simulations misspelt": Broken(
        "num_simulations: 100",
        "num_simulation: 100",
        "tests.S-test.func_kwargs.num_simulation",
        "num_simulation: 100",
        "unknown key",
        "num_simulations",
    ),
    "alpha of the wrong test": Broken(
        "num_simulations: 100",
        "alpha: 0.1",
        "tests.S-test.func_kwargs.alpha",
        "alpha: 0.1",
        "only the T-test",
    ),
    "func_kwargs a list": Broken(
        "ref_model: Model A",
        "ref_model: Model A\n      func_kwargs: [0.1]",
        "tests.T-test.func_kwargs",
        "func_kwargs: [0.1]",
        "expected a mapping",
    ),
    "func_args": Broken(
        "ref_model: Model A",
        "ref_model: Model A\n      func_args: {}",
        "tests.T-test.func_args",
        "func_args: {}",
        "unknown key",
        "func_kwargs",
    ),
    # YAML itself
    "key twice": Broken(
        "name: small",
        "name: small\nname: other",
        "name",
        "name: other",
        "given twice; the first is in line 1",
    ),
    "unsafe tag": Broken(
        "name: small",
        "name: small\nauthors: !!python/object/apply:os.getcwd []",
        "authors",
        "authors: !!python/object/apply:os.getcwd []",
        "the tag !!python/object/apply:os.getcwd is not allowed",
    ),
    "alias to itself": Broken(
        "name: small",
        "name: small\nauthors: &me [*me]",
        "authors[0]",
        "authors: &me [*me]",
        "refers to itself",
    ),
    "key that is not text": Broken("name: small", "name: small\nyes: 1", "yes", "yes: 1", "known here"),
    "metadata infinite": Broken("name: small", "name: small\ndoi: .inf", "doi", "doi: .inf", "finite number"),
}


def _problems(folder: Path) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        load_experiment(folder)
    return caught.value.problems


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_one_mistake_makes_one_problem_in_its_place(broken: Broken, write: Write) -> None:
    folder = write((broken.old, broken.new))

    (problem,) = _problems(folder)

    lines = (folder / "config.yml").read_text().splitlines()
    assert problem.key == (broken.key or None)
    assert problem.file is not None
    assert problem.file.absolute() == folder / "config.yml"
    assert broken.says in problem.message
    assert problem.suggestion == broken.near
    assert (lines[problem.line - 1].strip() if problem.line else "") == broken.at


def test_all_mistakes_are_told_at_once_in_the_order_of_lines(write: Write) -> None:
    folder = write(
        ("name: small", "name: small\nseed: x"),
        ("mag_bin: 0.1", "mag_bin: 0"),
        ("region.txt", "regin.txt"),
        ("start_date: 2010-1-1T00:00:00", "start_date: 2030-1-1"),
        ("forecast_unit: 5", "forcast_unit: 5"),
        ("ref_model: Model A", "ref_model: Model C"),
        ("num_simulations: 100", "num_simulations: many"),
    )

    problems = _problems(folder)

    assert [problem.key for problem in problems] == [
        "seed",
        "time_config.start_date",
        "region_config.region",
        "region_config.mag_bin",
        "models.Model B.forcast_unit",
        "tests.S-test.func_kwargs.num_simulations",
        "tests.T-test.ref_model",
    ]
    assert [problem.line for problem in problems] == [2, 4, 7, 10, 19, 27, 30]


def test_a_reference_is_not_blamed_where_the_models_cannot_be_read(write: Write) -> None:
    folder = write(
        ("catalog: catalog.csv", "catalog: catalog.csv\nmodel_config: m.yml"), ("models:\n", "authors:\n")
    )

    (problem,) = _problems(folder)

    assert problem.key == "model_config"
    assert "no such file" in problem.message


def test_a_problem_reads_well_in_a_terminal(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write(("ref_model: Model A", "ref_model: Modle A"))
    monkeypatch.chdir(folder.parent)

    (problem,) = _problems(folder)

    assert str(problem) == (
        "experiment/config.yml:29: tests.T-test.ref_model: there is no such model; "
        "the experiment has Model A, Model B (got 'Modle A'); did you mean 'Model A'?"
    )
