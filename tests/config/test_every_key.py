"""Each key of an experiment's files once: what the experiment is where it is given.

The cases are named by section and key, such as ``TimeSection.horizon``; docs/keys.md has the same keys.
"""

from collections.abc import Callable, Mapping
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from forequake.catalogs import CatalogSpec, CompletenessStep, FileCatalog, Mainshock, QueryCatalog
from forequake.config import (
    FileModel,
    FileRegion,
    FolderModel,
    GitSource,
    LearningReference,
    LoadedExperiment,
    ProgramSpec,
    ReferenceModel,
    Smoothing,
    SubmissionModel,
    ZenodoSource,
    load_experiment,
)
from forequake.config._catalog_shape import (
    BoxSection,
    CatalogSection,
    CompletenessSection,
    MainshockSection,
    RulesSection,
    StepSection,
)
from forequake.config._limits import LimitsSection
from forequake.config._model_shape import ModelSection
from forequake.config._region_shape import RegionSection
from forequake.config._section import Section
from forequake.config._shapes import ExperimentSection
from forequake.config._test_shape import ArgumentSection, TestSection
from forequake.config._time_shape import TimeSection
from forequake.config.program_keys import RunLimits
from forequake.config.schema import SECTIONS, keys_page
from forequake.config.specs import OwnFunction
from forequake.config.submission_specs import SubmissionStore
from forequake.errors import ConfigError

BASE: dict[str, Any] = {
    "name": "small",
    "time_config": {"start_date": "2010-01-01", "end_date": "2020-01-01"},
    "region_config": {"region": "region.txt", "mag_min": 4.0, "mag_max": 8.0, "mag_bin": 1.0},
    "catalog": "catalog.csv",
    "models": [{"A": {"path": "a.csv"}}, {"B": {"path": "b.dat"}}],
    "tests": [{"N": {"func": "N"}}, {"S": {"func": "S"}}, {"T": {"func": "T", "ref_model": "A"}}],
}

Look = Callable[[LoadedExperiment], object]
#: What is set (None takes a key away), where to look, and what must be there.
Case = tuple[dict[str, Any], Look, object]


def _starts(loaded: LoadedExperiment) -> list[str]:
    return [f"{window.start:%Y-%m-%d}" for window in loaded.config.windows]


def _spans(loaded: LoadedExperiment) -> list[str]:
    return [f"{window.start:%Y-%m-%d}/{window.end:%Y-%m-%d}" for window in loaded.config.windows]


def _time(**keys: Any) -> dict[str, Any]:
    return {"time_config": keys}


def _region(**keys: Any) -> dict[str, Any]:
    return {"region_config": keys}


def _model(keys: dict[str, Any]) -> dict[str, Any]:
    """Set the second model's keys; it is gridded, whatever else it is."""
    return {"models": [{"A": {"path": "a.csv"}}, {"B": keys}]}


def _folder(**keys: Any) -> dict[str, Any]:
    return _model({"path": "td", "forecast_type": "gridded", **keys})


def _b(loaded: LoadedExperiment) -> Any:
    return loaded.config.models[1]


def _smoothed(**keys: Any) -> dict[str, Any]:
    return _model({"reference": "smoothed_seismicity", **keys})


def _mean(**keys: Any) -> dict[str, Any]:
    return _model({"reference": "running_mean", **keys})


def _handed_in(**keys: Any) -> dict[str, Any]:
    return _model({"kind": "submission", "experiment": "live", "forecast_type": "gridded", **keys})


CENTRAL = SubmissionStore(name="central", experiment="live", model="B")


def _catalog(keys: dict[str, Any]) -> dict[str, Any]:
    return {"catalog": {"path": "catalog.csv", **keys}}


def _rules(keys: dict[str, Any]) -> dict[str, Any]:
    return _catalog({"rules": keys})


def _completeness(keys: dict[str, Any]) -> dict[str, Any]:
    return {"completeness": keys}


BOX = {"west": -125, "east": -110, "south": 30, "north": 40}
TOP: dict[str, Case] = {
    "name": ({"name": "another"}, lambda e: e.config.name, "another"),
    "path": ({"path": "below"}, lambda e: e.locate("a.csv").parent.name, "below"),
    "time_config": (_time(intervals=2), lambda e: len(e.config.windows), 2),
    "region_config": (_region(mag_max=6.0), lambda e: e.config.magnitudes, (4.0, 5.0, 6.0)),
    "catalog": (
        {"catalog": "csep:comcat_example_catalog"},
        lambda e: e.config.catalog,
        CatalogSpec.file("csep:comcat_example_catalog"),
    ),
    "catalog_reader": (
        {"catalog": None, "catalog_reader": "query_bsi"},
        lambda e: e.config.catalog.source,
        QueryCatalog(service="bsi"),
    ),
    "input_catalog": (
        {"input_catalog": {"query": "query_comcat", "mag_min": 2.5}},
        lambda e: e.config.input_catalog,
        CatalogSpec(source=QueryCatalog(service="comcat"), magnitude_min=2.5),
    ),
    "completeness": (
        {"completeness": 4.5},
        lambda e: e.config.completeness and e.config.completeness.floor,
        4.5,
    ),
    "models": ({"models": "models.yml"}, lambda e: [model.name for model in e.config.models], ["A", "C"]),
    "model_config": (
        {"models": None, "model_config": "models.yml"},
        lambda e: [model.name for model in e.config.models],
        ["A", "C"],
    ),
    "models_config": (
        {"models": None, "models_config": "models.yml"},
        lambda e: [model.name for model in e.config.models],
        ["A", "C"],
    ),
    "order": ({"order": [1, 0]}, lambda e: [model.name for model in e.config.models], ["B", "A"]),
    "tests": ({"tests": "tests.yml"}, lambda e: [test.name for test in e.config.tests], ["M"]),
    "test_config": (
        {"tests": None, "test_config": "tests.yml"},
        lambda e: [test.name for test in e.config.tests],
        ["M"],
    ),
    "tests_config": (
        {"tests": None, "tests_config": "tests.yml"},
        lambda e: [test.name for test in e.config.tests],
        ["M"],
    ),
    "seed": ({"seed": 23}, lambda e: e.config.seed, 23),
    "limits": (
        _model({"path": "td", "forecast_type": "gridded", "func": "run", "limits": {"processes": 7}})
        | {"limits": {"processes": 3, "memory_mb": 512}},
        lambda e: _b(e).program.limits,
        RunLimits(processes=7, memory_mb=512),
    ),
    "alpha": ({"alpha": 0.01}, lambda e: e.config.alpha, 0.01),
    "embargo_until": (
        {"embargo_until": "2031-05-01"},
        lambda e: e.config.embargo_until,
        datetime(2031, 5, 1, tzinfo=UTC),
    ),
    "forecast_quality": ({"forecast_quality": "record"}, lambda e: e.config.forecast_quality, "record"),
}
TIME: dict[str, Case] = {
    "start_date": (_time(start_date="2015-06-15"), _starts, ["2015-06-15"]),
    "end_date": (_time(end_date="2011-03-01"), _spans, ["2010-01-01/2011-03-01"]),
    "exp_class": (_time(exp_class="time-dependent"), lambda e: e.config.exp_class, "td"),
    "intervals": (_time(intervals=10), lambda e: len(e.config.windows), 10),
    "timeintervals": (_time(timeintervals=10), lambda e: len(e.config.windows), 10),
    "horizon": (_time(horizon="4-years"), _starts, ["2010-01-01", "2014-01-01"]),
    "offset": (
        _time(end_date="2010-01-15", horizon="7-days", offset="3-days"),
        _spans,
        ["2010-01-01/2010-01-08", "2010-01-04/2010-01-11", "2010-01-07/2010-01-14"],
    ),
    "timeoffset": (
        _time(end_date=None, intervals=2, horizon="7 days", timeoffset="1day"),
        _spans,
        ["2010-01-01/2010-01-08", "2010-01-02/2010-01-09"],
    ),
    "growth": (
        _time(horizon="5 years", growth="cumulative"),
        _spans,
        ["2010-01-01/2015-01-01", "2010-01-01/2020-01-01"],
    ),
    "time_windows": (
        _time(start_date=None, end_date=None, time_windows=[["2010-01-01", "2010-01-02"]]),
        _spans,
        ["2010-01-01/2010-01-02"],
    ),
    "timewindows": (
        _time(start_date=None, end_date=None, timewindows=[["2010-01-01", "2010-01-02"]]),
        _spans,
        ["2010-01-01/2010-01-02"],
    ),
}
REGION: dict[str, Case] = {
    "region": (_region(region="region.txt"), lambda e: e.config.region, FileRegion(path="region.txt")),
    "mag_min": (_region(mag_min=7.0), lambda e: e.config.magnitudes, (7.0, 8.0)),
    "mag_max": (_region(mag_max=5.0), lambda e: e.config.magnitudes, (4.0, 5.0)),
    "mag_bin": (_region(mag_bin=2.0), lambda e: e.config.magnitudes, (4.0, 6.0, 8.0)),
    "magnitudes": (
        _region(mag_min=None, mag_max=None, mag_bin=None, magnitudes=[4.95, 5.5, 6.05]),
        lambda e: e.config.magnitudes,
        (4.95, 5.5, 6.05),
    ),
    "depth_min": (_region(depth_min=-2), lambda e: e.config.depth_km, (-2.0, 7000.0)),
    "depth_max": (_region(depth_max=30), lambda e: e.config.depth_km, (-20.0, 30.0)),
    "depths": (_region(depths=[-2, 30]), lambda e: e.config.depth_km, (-2.0, 30.0)),
}
GIT = "https://example.org/model.git"
MODEL: dict[str, Case] = {
    "kind": (
        _model({"kind": "folder", "path": "td", "forecast_type": "gridded"}),
        lambda e: _b(e).kind,
        "folder",
    ),
    "path": (_model({"path": "b.dat"}), _b, FileModel(name="B", path="b.dat")),
    "filename": (_model({"path": "below", "filename": "a.csv"}), lambda e: _b(e).path, "below/a.csv"),
    "class": (_folder(**{"class": "td"}), lambda e: type(_b(e)), FolderModel),
    "model_class": (_folder(model_class="time_dependent"), lambda e: type(_b(e)), FolderModel),
    "flavours": (
        _model({"path": "below", "flavours": {"x": "a.csv", "y": "b.csv"}}),
        lambda e: [(model.name, model.path) for model in e.config.models if model.kind == "file"],
        [("A", "a.csv"), ("B@x", "below/a.csv"), ("B@y", "below/b.csv")],
    ),
    "forecast_type": (_folder(), lambda e: _b(e).forecast_type, "gridded"),
    "forecast_unit": (_model({"path": "b.dat", "forecast_unit": 5}), lambda e: _b(e).forecast_unit, 5.0),
    "fmt": (
        _model({"path": "td", "fmt": "xml"}),
        lambda e: (_b(e).format, _b(e).forecast_type),
        ("xml", "gridded"),
    ),
    "format": (_model({"path": "a.csv", "format": "quadtree"}), lambda e: _b(e).format, "quadtree"),
    "n_sims": (
        {
            "models": [{"B": {"path": "a.csv", "n_sims": 10_000}}],
            "tests": [{"N": {"func": "N"}}],
        },
        lambda e: e.config.unused,
        ("models.n_sims",),
    ),
    "prefix": (_folder(prefix="mock"), lambda e: _b(e).prefix, "mock"),
    "func": (_folder(func="run.sh -x"), lambda e: _b(e).program, ProgramSpec(command="run.sh -x")),
    "func_kwargs": (
        _folder(func="run", func_kwargs={"n_sims": 10, "mc": 3.5}),
        lambda e: _b(e).program.arguments,
        {"n_sims": 10, "mc": 3.5},
    ),
    "variants": (
        _folder(func="run", variants={"product": {"b": [0.9, 1.0]}}),
        lambda e: [
            (model.name, model.prefix, model.program.arguments)
            for model in e.config.models
            if isinstance(model, FolderModel) and model.program is not None
        ],
        [("B@b=0.9", "B@b=0.9", {"b": 0.9}), ("B@b=1.0", "B@b=1.0", {"b": 1.0})],
    ),
    "args_file": (
        _folder(func="run", args_file="input/args.json"),
        lambda e: _b(e).program.args_file,
        "args.json",
    ),
    "input_cat": (_folder(func="run", input_cat="cat.csv"), lambda e: _b(e).program.input_catalog, "cat.csv"),
    "build": (_folder(func="run", build="conda"), lambda e: _b(e).program.build, "conda"),
    "force_build": (
        _folder(func="run", build="venv", force_build=True),
        lambda e: _b(e).program.force_build,
        True,
    ),
    "limits": (
        _folder(func="run", limits={"seconds": "2 hours"}),
        lambda e: _b(e).program.limits,
        RunLimits(seconds=7200.0),
    ),
    "variables": (
        _folder(func="run", variables={"MODE": "fast", "OMP_NUM_THREADS": 4, "TOKEN": None}),
        lambda e: _b(e).program.variables,
        {"MODE": "fast", "OMP_NUM_THREADS": "4", "TOKEN": None},
    ),
    "seed_argument": (
        _folder(func="run", seed_argument="simulation.seed", func_kwargs={"simulation": {"seed": None}}),
        lambda e: _b(e).program.seed_argument,
        "simulation.seed",
    ),
    "force_stage": (
        _folder(path="new", func="run", giturl=GIT, force_stage=True),
        lambda e: _b(e).force_stage,
        True,
    ),
    "zenodo_id": (
        _model({"path": "new/a.csv", "zenodo_id": 6289795}),
        lambda e: _b(e).source,
        ZenodoSource(record=6289795),
    ),
    "giturl": (_folder(path="new", func="run", giturl=GIT), lambda e: _b(e).source, GitSource(url=GIT)),
    "repo_hash": (
        _folder(path="new", func="run", giturl=GIT, repo_hash="v3.2"),
        lambda e: _b(e).source,
        GitSource(url=GIT, revision="v3.2"),
    ),
    "lead_time": (_folder(func="run", lead_time="90-minutes"), lambda e: _b(e).lead_time, "90 minutes"),
    "store": (_handed_in(store="central"), lambda e: _b(e).store, CENTRAL),
    "experiment": (
        _handed_in(store="central", experiment="etas"),
        lambda e: _b(e).store.experiment,
        "etas",
    ),
    "model": (_handed_in(store="central", model="ETAS"), lambda e: _b(e).store.model, "ETAS"),
    "late": (
        _model({"kind": "submission", "path": "drop", "forecast_type": "gridded", "late": "refuse"}),
        _b,
        SubmissionModel(name="B", path="drop", prefix="B", forecast_type="gridded", late="refuse"),
    ),
    "reference": (
        _model({"reference": "uniform", "total": 3}),
        _b,
        ReferenceModel(name="B", total=3.0),
    ),
    "total": (_model({"reference": "uniform", "total": 7}), lambda e: _b(e).total, 7.0),
    "b_value": (_model({"reference": "uniform", "total": 7, "b_value": 0.9}), lambda e: _b(e).b_value, 0.9),
    "mag_min": (_smoothed(mag_min=3), lambda e: _b(e).mag_min, 3.0),
    "mag_bin": (_smoothed(mag_bin=0.01), lambda e: _b(e).mag_bin, 0.01),
    "start_date": (
        _mean(start_date="1981-01-01"),
        lambda e: _b(e).start,
        datetime(1981, 1, 1, tzinfo=UTC),
    ),
    "end_date": (_mean(end_date="2009-01-01"), lambda e: _b(e).end, datetime(2009, 1, 1, tzinfo=UTC)),
    "last": (
        _mean(last="30-days"),
        _b,
        LearningReference(name="B", reference="running_mean", last="30 days"),
    ),
    "space": (_mean(space="smoothed"), lambda e: _b(e).smoothing, Smoothing(neighbours=6)),
    "kernel": (
        _smoothed(kernel="gaussian"),
        _b,
        LearningReference(
            name="B",
            reference="smoothed_seismicity",
            smoothing=Smoothing(kernel="gaussian", neighbours=6),
        ),
    ),
    "neighbours": (_smoothed(neighbours=2), lambda e: _b(e).smoothing, Smoothing(neighbours=2)),
    "bandwidth_km": (_smoothed(bandwidth_km=20), lambda e: _b(e).smoothing, Smoothing(bandwidth_km=20.0)),
    "background": (_smoothed(background=0.1), lambda e: _b(e).smoothing.background, 0.1),
}


def _limit(name: str, written: object, expected: object) -> Case:
    limits = {"limits": {name: written}}
    return _folder(func="run", **limits), lambda e: getattr(_b(e).program.limits, name), expected


LIMITS: dict[str, Case] = {
    "seconds": _limit("seconds", 90, 90.0),
    "silence_seconds": _limit("silence_seconds", "10-minutes", 600.0),
    "cpu_seconds": _limit("cpu_seconds", "1 day", 86400.0),
    "memory_mb": _limit("memory_mb", 100, 100),
    "disk_mb": _limit("disk_mb", 101, 101),
    "processes": _limit("processes", 1, 1),
    "output_mb": _limit("output_mb", 5, 5),
    "grace_seconds": _limit("grace_seconds", 0, 0.0),
}
TEST: dict[str, Case] = {
    "func": (
        {"tests": [{"x": {"func": "poisson_evaluations.w_test", "ref_model": "A"}}]},
        lambda e: e.config.tests[0].test,
        "poisson_w",
    ),
    "func_kwargs": (
        {"tests": [{"x": {"func": "S", "func_kwargs": {"seed": 5}}}]},
        lambda e: e.config.tests[0].seed,
        5,
    ),
    "func_args": (
        {"tests": [{"x": {"func": "S", "func_args": {"seed": 5}}}]},
        lambda e: e.config.tests[0].seed,
        5,
    ),
    "ref_model": (
        {"tests": [{"x": {"func": "T", "ref_model": "B"}}]},
        lambda e: e.config.tests[0].reference,
        "B",
    ),
}


def _own(arguments: dict[str, Any]) -> dict[str, Any]:
    return {"tests": [{"x": {"func": "mine.py:f", "func_kwargs": arguments}}]}


def _own_function(loaded: LoadedExperiment) -> OwnFunction:
    own = loaded.config.tests[0].own
    assert own is not None
    return own


ARGUMENT: dict[str, Case] = {
    "seed": (
        {"tests": [{"x": {"func": "S", "func_kwargs": {"seed": 0}}}]},
        lambda e: e.config.tests[0].seed,
        0,
    ),
    "num_simulations": (
        {"tests": [{"x": {"func": "S", "func_kwargs": {"num_simulations": 10}}}]},
        lambda e: e.config.tests[0].num_simulations,
        10,
    ),
    "alpha": (
        {"tests": [{"x": {"func": "T", "ref_model": "A", "func_kwargs": {"alpha": 0.1}}}]},
        lambda e: e.config.tests[0].alpha,
        0.1,
    ),
    "variance": (
        {"tests": [{"x": {"func": "NBD-N", "func_kwargs": {"variance": 23541}}}]},
        lambda e: e.config.tests[0].variance,
        23541.0,
    ),
    "kind": (_own({"kind": "score"}), lambda e: e.config.tests[0].test, "own_score"),
    "arguments": (_own({"arguments": {"n": 3}}), lambda e: _own_function(e).arguments, {"n": 3}),
    "files": (_own({"files": ["b.dat"]}), lambda e: _own_function(e).files, ("mine.py", "b.dat")),
    "timeout_s": (_own({"timeout_s": 2.5}), lambda e: _own_function(e).timeout_s, 2.5),
    "memory_mb": (_own({"memory_mb": 1024}), lambda e: _own_function(e).memory_mb, 1024),
    "compat": (
        {"tests": [{"x": {"func": "binary S", "func_kwargs": {"compat": "pycsep"}}}]},
        lambda e: e.config.tests[0].compat,
        "pycsep",
    ),
    "of": (
        {"tests": [{"x": {"func": "N"}}, {"y": {"func": "calibration", "func_kwargs": {"of": "x"}}}]},
        lambda e: e.config.tests[1].of,
        "x",
    ),
}
CATALOG: dict[str, Case] = {
    "path": (
        {"catalog": {"path": "catalog.csv"}},
        lambda e: e.config.catalog,
        CatalogSpec.file("catalog.csv"),
    ),
    "format": (
        _catalog({"format": "zmap"}),
        lambda e: e.config.catalog.source,
        FileCatalog(path="catalog.csv", format="zmap"),
    ),
    "query": (
        {"catalog": {"query": "query_gns"}},
        lambda e: e.config.catalog.source,
        QueryCatalog(service="geonet"),
    ),
    "address": (
        {"catalog": {"query": "query_gns", "address": "https://example.org"}},
        lambda e: e.config.catalog.source,
        QueryCatalog(service="geonet", address="https://example.org"),
    ),
    "start_date": (
        _catalog({"start_date": "2005-01-01"}),
        lambda e: e.config.catalog.start,
        datetime(2005, 1, 1, tzinfo=UTC),
    ),
    "end_date": (
        _catalog({"end_date": "2021-01-01"}),
        lambda e: e.config.catalog.end,
        datetime(2021, 1, 1, tzinfo=UTC),
    ),
    "region": (_catalog({"region": BOX}), lambda e: e.config.catalog.region, (-125, -110, 30, 40)),
    "mag_min": (_catalog({"mag_min": 2.5}), lambda e: e.config.catalog.magnitude_min, 2.5),
    "depth_min": (_catalog({"depth_min": 0}), lambda e: e.config.catalog.depth_km, (0.0, 7000.0)),
    "depth_max": (_catalog({"depth_max": 70}), lambda e: e.config.catalog.depth_km, (-20.0, 70.0)),
    "rules": (_rules({"duplicates": "drop"}), lambda e: e.config.catalog.rules.duplicates, "drop"),
}
BOX_CASES: dict[str, Case] = {
    side: (_catalog({"region": {**BOX, side: value}}), look, value)
    for side, value, look in (
        ("west", -120.0, lambda e: e.config.catalog.region[0]),
        ("east", -115.0, lambda e: e.config.catalog.region[1]),
        ("south", 35.0, lambda e: e.config.catalog.region[2]),
        ("north", 36.0, lambda e: e.config.catalog.region[3]),
    )
}


def _rule(name: str, written: object, expected: object) -> Case:
    return _rules({name: written}), lambda e: getattr(e.config.catalog.rules, name), expected


RULES: dict[str, Case] = {
    "event_types": _rule("event_types", ["earthquake"], ("earthquake",)),
    "magnitude_types": _rule("magnitude_types", ["Mw*", "ML"], ("Mw*", "ML")),
    "other_magnitudes": _rule("other_magnitudes", "drop", "drop"),
    "duplicates": _rule("duplicates", "refuse", "refuse"),
    "duplicate_seconds": _rule("duplicate_seconds", 2.0, 2.0),
    "duplicate_km": _rule("duplicate_km", 10, 10.0),
    "duplicate_magnitude": _rule("duplicate_magnitude", 0.3, 0.3),
    "depth_datum": _rule("depth_datum", "sea level", "sea level"),
    "depth_offset_km": _rule("depth_offset_km", 1.5, 1.5),
    "missing_depth": _rule("missing_depth", 10, 10.0),
}
STEP = {"start_date": "2000-01-01", "magnitude": 3.5}
SHOCK = {"time": "2019-07-06T03:19:53", "magnitude": 7.1}
COMPLETENESS: dict[str, Case] = {
    "steps": (
        _completeness({"steps": [{"magnitude": 4}, STEP]}),
        lambda e: e.config.completeness and len(e.config.completeness.steps),
        2,
    ),
    "mainshocks": (
        _completeness({"mainshocks": [SHOCK]}),
        lambda e: e.config.completeness and len(e.config.completeness.mainshocks),
        1,
    ),
    "floor": (
        _completeness({"floor": 3.0}),
        lambda e: e.config.completeness and e.config.completeness.floor,
        3.0,
    ),
}
STEPS: dict[str, Case] = {
    name: (
        _completeness({"steps": [STEP]}),
        lambda e: e.config.completeness and e.config.completeness.steps[0],
        CompletenessStep(start=datetime(2000, 1, 1, tzinfo=UTC), magnitude=3.5),
    )
    for name in ("start_date", "magnitude")
}
SHOCKS: dict[str, Case] = {
    name: (
        _completeness({"mainshocks": [SHOCK]}),
        lambda e: e.config.completeness and e.config.completeness.mainshocks[0],
        Mainshock(time=datetime(2019, 7, 6, 3, 19, 53, tzinfo=UTC), magnitude=7.1),
    )
    for name in ("time", "magnitude")
}


def _passed_over(section: type[Section], key: str) -> Case:
    """Make the case of a key that steers nothing: kept, or named as not used."""
    value = {"anything": [1, "two"]}
    change, prefix = {
        ExperimentSection: ({key: value}, ""),
        ModelSection: (_model({"path": "b.dat", key: value}), "models."),
        TestSection: ({"tests": [{"N": {"func": "N", key: value}}]}, "tests."),
        ArgumentSection: (
            {"tests": [{"S": {"func": "S", "func_kwargs": {key: value}}}]},
            "tests.func_kwargs.",
        ),
    }[section]
    if "unused" in _marks(section)[key]:
        return change, lambda e: e.config.unused, (f"{prefix}{key}",)
    if section is ModelSection:
        return change, lambda e: _b(e).metadata, {key: value}
    return change, lambda e: e.config.metadata, {key: value}


def _marks(section: type[Section]) -> dict[str, set[str]]:
    return {field.alias or name: section.marks(name) for name, field in section.model_fields.items()}


WRITTEN: dict[type[Section], Mapping[str, Case]] = {
    ExperimentSection: TOP,
    TimeSection: TIME,
    RegionSection: REGION,
    ModelSection: MODEL,
    LimitsSection: LIMITS,
    TestSection: TEST,
    ArgumentSection: ARGUMENT,
    CatalogSection: CATALOG,
    BoxSection: BOX_CASES,
    RulesSection: RULES,
    CompletenessSection: COMPLETENESS,
    StepSection: STEPS,
    MainshockSection: SHOCKS,
}
CASES: dict[str, Case] = {
    f"{section.__name__}.{key}": case for section, cases in WRITTEN.items() for key, case in cases.items()
} | {
    f"{section.__name__}.{key}": _passed_over(section, key)
    for section in SECTIONS
    for key, marks in _marks(section).items()
    if marks
}


#: Keys that are refused on purpose, with what is said.
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "ExperimentSection.input_config": ({"input_config": {"catalog": {"mag_min": 2}}}, "write input_catalog"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("keys")
    for name in ("region.txt", "catalog.csv", "a.csv", "b.dat", "below/a.csv", "below/b.csv"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text("0 0\n1 0\n")
    (root / "td").mkdir()
    for name in ("region.txt", "catalog.csv", "b.dat"):
        (root / "below" / name).write_text("0 0\n1 0\n")
    (root / "models.yml").write_text("- A: {path: a.csv}\n- C: {path: b.dat}\n")
    (root / "mine.py").write_text("def f(forecast, catalog, n=1): ...\n")
    (root / "tests.yml").write_text("- M: {func: M}\n")
    return root


def _changed(base: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Set keys of a mapping, and of the mappings in it; None takes a key away."""
    result = deepcopy(base)
    for key, value in changes.items():
        if value is None:
            result.pop(key, None)
        elif key in ("time_config", "region_config"):
            result[key] = _changed(result[key], value)
        else:
            result[key] = value
    return result


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_key_has_its_effect(case: Case, folder: Path) -> None:
    changes, look, expected = case
    (folder / "config.yml").write_text(yaml.safe_dump(_changed(BASE, changes), sort_keys=False))

    assert look(load_experiment(folder)) == expected


@pytest.mark.parametrize(("changes", "says"), REFUSED.values(), ids=REFUSED)
def test_the_key_is_refused(changes: dict[str, Any], says: str, folder: Path) -> None:
    (folder / "config.yml").write_text(yaml.safe_dump(_changed(BASE, changes), sort_keys=False))

    with pytest.raises(ConfigError, match=says):
        load_experiment(folder)


def test_there_is_a_case_for_every_key() -> None:
    keys = {f"{section.__name__}.{key}" for section in SECTIONS for key in _marks(section)}

    assert {*CASES, *REFUSED} == keys


def test_the_page_of_all_keys_is_that_of_the_code() -> None:
    page = Path(__file__).parents[2] / "docs" / "keys.md"

    assert page.read_text(encoding="utf-8") == keys_page(), "forequake schema --page > docs/keys.md"
