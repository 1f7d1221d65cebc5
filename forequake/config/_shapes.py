"""The mappings of floatCSEP's experiment files, key by key."""

from difflib import get_close_matches
from itertools import pairwise
from typing import Annotated, ClassVar, Literal, Never

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator

from forequake.config._files import CatalogPath, ForecastPath, RegionPlace
from forequake.config._moments import Moment, TimePair
from forequake.config._names import ExperimentName
from forequake.config._refusals import NotRun, refuse, refuse_word
from forequake.config._section import Metadata, Section, Unused
from forequake.config.model_specs import Years
from forequake.config.specs import Alpha, Seed
from forequake.errors import InputError, suggestion
from forequake.evaluations.registry import TESTS, TestDefinition, find_test
from forequake.quantities import DepthKm, Magnitude
from forequake.schedules import Growth, Horizon

__all__ = [
    "ArgumentSection",
    "ExperimentSection",
    "ModelSection",
    "RegionSection",
    "TestSection",
    "TimeSection",
]

_TIME_INDEPENDENT = ("ti", "time_independent", "time-independent")
#: Where floatCSEP finds the tests that this version knows.
_MODULE = "poisson_evaluations"
_TIME_DEPENDENT = ("td", "time_dependent", "time-dependent")


def _refuse_order(value: object) -> Never:
    refuse("models run in the order of their list; leave this key out")


def _check_class(text: str) -> str:
    if text in _TIME_DEPENDENT:
        refuse("this version runs time-independent gridded forecasts from files")
    if text not in _TIME_INDEPENDENT:
        refuse_word("class", text, (*_TIME_INDEPENDENT, *_TIME_DEPENDENT))
    return text


def _check_forecast_type(text: str) -> str:
    if text == "catalog":
        refuse("this version runs gridded forecasts only, not catalog-based ones")
    if text != "gridded":
        refuse_word("type of forecast", text, ("gridded",))
    return text


def _read_horizon(value: object) -> Horizon:
    if not isinstance(value, str):
        refuse("expected a number with a unit, such as '2 years' or '12 hours'")
    try:
        return Horizon.parse(value)
    except InputError as error:
        refuse(str(error))


def _read_function(value: object) -> TestDefinition:
    if not isinstance(value, str):
        refuse("expected the name of a test, such as poisson_evaluations.number_test")
    try:
        return find_test(value)
    except InputError:
        functions = {definition.floatcsep.rpartition(".")[2]: definition for definition in TESTS.values()}
        module, _, function = value.rpartition(".")
        near = suggestion(function, functions)
        # A catalog-based test is no misspelt Poisson test, however much the names look alike.
        if near is None or (module and not get_close_matches(module, [_MODULE], cutoff=0.8)):
            near = None
        known = ", ".join(definition.floatcsep for definition in functions.values())
        message = f"there is no such test; this version knows {known}"
        refuse(message, None if near is None else functions[near].floatcsep)


def _increasing(edges: list[float]) -> list[float]:
    for lower, upper in pairwise(edges):
        if lower >= upper:
            refuse(f"the edges must increase, but {upper:g} follows {lower:g}")
    return edges


_Class = Annotated[str, AfterValidator(_check_class)]
_Several = Annotated[int, Field(gt=0)]
# More would not fit into memory; a quantile to six digits needs no more.
_Simulations = Annotated[int, Field(gt=0, le=1_000_000)]


class ExperimentSection(Section):
    """The top of config.yml, without the keys of time and region that may stand there too."""

    name: ExperimentName | None = None
    path: str | None = None
    seed: Seed | None = None
    alpha: Alpha | None = None
    catalog: CatalogPath | None = None
    time_config: dict[str, object] | None = None
    region_config: dict[str, object] | None = None
    models: object = None
    model_config_: object = Field(default=None, alias="model_config")
    tests: object = None
    test_config: object = None
    order: Annotated[object, BeforeValidator(_refuse_order)] = None

    authors: Metadata = None
    doi: Metadata = None
    journal: Metadata = None
    manuscript_doi: Metadata = None
    catalog_doi: Metadata = None
    last_run: Metadata = None
    exp_time: Metadata = None
    floatcsep_version: Metadata = None
    pycsep_version: Metadata = None
    LICENSE: Metadata = None

    postprocess: Unused = None
    run_dir: Unused = None
    run_mode: Unused = None
    stage_dir: Unused = None
    force_rerun: Unused = None
    logging: Unused = None
    concurrent_tasks: Unused = None
    default_test_kwargs: Unused = None
    report_hook: Unused = None
    config_file: Unused = None
    original_config: Unused = None
    original_run_dir: Unused = None


class TimeSection(Section):
    """time_config."""

    start_date: Moment | None = None
    end_date: Moment | None = None
    exp_class: _Class | None = None
    intervals: _Several | None = None
    horizon: Annotated[Horizon | None, BeforeValidator(_read_horizon)] = None
    growth: Growth | None = None
    time_windows: list[TimePair] | None = Field(default=None, min_length=1)
    timewindows: list[TimePair] | None = Field(default=None, min_length=1)
    offset: NotRun = None
    timeintervals: NotRun = None
    timeoffset: NotRun = None


class RegionSection(Section):
    """region_config."""

    region: RegionPlace | None = None
    mag_min: Magnitude | None = None
    mag_max: Magnitude | None = None
    mag_bin: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    magnitudes: (
        Annotated[list[Magnitude], Field(min_length=1, max_length=10_000), AfterValidator(_increasing)] | None
    ) = None
    depth_min: DepthKm | None = None
    depth_max: DepthKm | None = None


class ModelSection(Section):
    """What follows a model's name."""

    kind: Literal["file", "reference"] | None = None
    path: ForecastPath | None = None
    forecast_unit: Years | None = None
    class_: _Class | None = Field(default=None, alias="class")
    forecast_type: Annotated[str, AfterValidator(_check_forecast_type)] | None = None
    reference: Literal["uniform"] | None = None
    total: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    b_value: Annotated[float, Field(gt=0, le=10)] | None = None

    authors: Metadata = None
    doi: Metadata = None

    force_stage: Unused = None
    store_db: Unused = None
    lazy_load: Unused = None

    flavours: NotRun = None
    zenodo_id: NotRun = None
    giturl: NotRun = None
    repo_hash: NotRun = None
    fmt: NotRun = None
    func: NotRun = None
    func_kwargs: NotRun = None
    args_file: NotRun = None
    input_cat: NotRun = None
    prefix: NotRun = None
    build: NotRun = None
    force_build: NotRun = None
    n_sims: NotRun = None


class TestSection(Section):
    """What follows a test's name."""

    __test__: ClassVar[bool] = False  # pytest: not a class of tests

    func: Annotated[TestDefinition | None, PlainValidator(_read_function)] = None
    func_kwargs: dict[str, object] | None = None
    ref_model: str | None = None

    plot_func: Unused = None
    plot_args: Unused = None
    plot_kwargs: Unused = None
    markdown: Unused = None


class ArgumentSection(Section):
    """func_kwargs of a test."""

    seed: Seed | None = None
    num_simulations: _Simulations | None = None
    alpha: Alpha | None = None

    verbose: Unused = None
