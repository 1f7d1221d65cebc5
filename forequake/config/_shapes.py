"""The keys at the top of config.yml, without those of time and region that may stand there too."""

from typing import Annotated, Final, Never

from pydantic import BeforeValidator

from forequake.config._moments import Moment
from forequake.config._names import ExperimentName
from forequake.config._refusals import refuse
from forequake.config._section import Metadata, Section, Unused, key, shown_as
from forequake.config.specs import DEFAULT_ALPHA, Alpha, Seed
from forequake.forecasts.policy import QualityPolicy

__all__ = ["OTHER_NAMES", "ExperimentSection"]

#: Keys with the other names under which files of floatCSEP have them.
OTHER_NAMES: Final = {
    "catalog": ("catalog_reader",),
    "models": ("model_config", "models_config"),
    "tests": ("test_config", "tests_config"),
}

_Section = dict[str, object]
_Time = Annotated[_Section, shown_as("TimeSection")]
_Region = Annotated[_Section, shown_as("RegionSection")]
_Models = Annotated[object, shown_as("Models")]
_Tests = Annotated[object, shown_as("Tests")]


def _refuse_input(value: object) -> Never:
    refuse(
        "this key is of floatCSEP after 0.5.2; write input_catalog instead, a mapping with path or query, "
        "start_date, region (a box), mag_min, depth_min, depth_max"
    )


_Order = list[int]
_Catalog = Annotated[object, shown_as("Catalog")]
_Limits = Annotated[_Section, shown_as("LimitsSection")]
_Completeness = Annotated[object, shown_as("Completeness")]


class ExperimentSection(Section):
    """The top of config.yml."""

    name: ExperimentName | None = key("Results are kept under it.")
    path: str | None = key("Folder from which relative paths start, relative to this file.", ".")
    time_config: _Time | None = key("The time windows; its keys may also stand at the top.")
    region_config: _Region | None = key("Region, magnitudes and depths; its keys may also stand at the top.")
    catalog: _Catalog = key("The observed catalog: a file, a data set, a query, or its definition.")
    catalog_reader: _Catalog = key("Old name of catalog.")
    input_catalog: _Catalog = key(
        "The catalog from which time-dependent models learn, as catalog; not given: the past of catalog."
    )
    input_config: Annotated[object, BeforeValidator(_refuse_input)] = key(
        "Refused: limits of the input catalog in floatCSEP after 0.5.2; input_catalog has them."
    )
    completeness: _Completeness = key(
        "Above which magnitude the observed catalog is complete, and when; other windows are marked."
    )
    models: _Models = key("The models, a list or the file that holds it.")
    model_config_: _Models = key("Another name of models.", alias="model_config")
    models_config: _Models = key("Old name of models.")
    order: _Order | None = key(
        "Which models take part, and in which order: their numbers from 0 on, flavours and variants "
        "counted one by one. Not given: all, as listed.",
        min_length=1,
    )
    tests: _Tests = key("The tests, a list or the file that holds it.")
    test_config: _Tests = key("Another name of tests.")
    tests_config: _Tests = key("Old name of tests.")
    seed: Seed | None = key("Seed of all tests that have none of their own; not given: 0.")
    limits: _Limits | None = key("What a run of any model's command may use.")
    alpha: Alpha | None = key("Level of significance.", DEFAULT_ALPHA)
    forecast_quality: QualityPolicy | None = key(
        "A forecast that has something wrong with it: refuse it, or take it by a fixed rule and record that.",
        "refuse",
    )
    embargo_until: Moment | None = key(
        "Until then a dashboard for the public (forequake dashboard --public) leaves the experiment out."
    )

    authors: Metadata = key("For people.")
    doi: Metadata = key("For people.")
    journal: Metadata = key("For people.")
    manuscript_doi: Metadata = key("For people.")
    catalog_doi: Metadata = key("For people.")
    last_run: Metadata = key("For people.")
    exp_time: Metadata = key("For people.")
    floatcsep_version: Metadata = key("For people.")
    pycsep_version: Metadata = key("For people.")
    LICENSE: Metadata = key("For people.")
    license: Metadata = key("For people.")
    URL: Metadata = key("For people.")
    url: Metadata = key("For people.")
    description: Metadata = key("For people.")

    postprocess: Unused = key("Pictures and report of floatCSEP.")
    postproc_config: Unused = key("Old name of postprocess.")
    run_dir: Unused = key("Where floatCSEP writes its results; forequake's are in a store.")
    rundir: Unused = key("Old name of run_dir.")
    run_mode: Unused = key("Whether floatCSEP works in parallel.")
    stage_dir: Unused = key("Where floatCSEP puts the inputs of models.")
    force_rerun: Unused = key("Has floatCSEP make all forecasts anew; here a command does.")
    timestamp: Unused = key("Has floatCSEP put the date into the name of its results.")
    logging: Unused = key("File in which floatCSEP writes what it does.")
    concurrent_tasks: Unused = key("How much floatCSEP does at a time.")
    default_test_kwargs: Unused = key("Stored and not used by floatCSEP either.")
    report_hook: Unused = key("Stored and not used by floatCSEP either.")
    config_file: Unused = key("Written by floatCSEP for its command reproduce.")
    original_config: Unused = key("Written by floatCSEP for its command reproduce.")
    original_run_dir: Unused = key("Written by floatCSEP for its command reproduce.")
    task_graph: Unused = key("Written by old releases of floatCSEP.")
