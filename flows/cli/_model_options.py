"""The options of ``forequake qualify``, by which a modeller says what the model's folder does not say."""

from enum import StrEnum
from typing import Annotated

import typer

__all__ = [
    "ArgsFile",
    "Arguments",
    "Build",
    "CatalogOf",
    "CatalogSeed",
    "Func",
    "LearnedFrom",
    "Magnitude",
    "Megabytes",
    "ModelName",
    "ModelOrExperiment",
    "NSims",
    "OutputFormat",
    "Prefix",
    "Quick",
    "RegionOf",
    "Revision",
    "RunSeconds",
    "SeedArgument",
    "TypeOf",
    "TypeWord",
    "WindowOf",
]


class LearnedFrom(StrEnum):
    """From which catalog the model learns."""

    SIMULATED = "simulated"
    EXPERIMENT = "experiment"


class TypeWord(StrEnum):
    """What a forecast is."""

    GRIDDED = "gridded"
    CATALOG = "catalog"


_Text = str | None

ModelOrExperiment = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        help="A model's folder, the address of a git repository, zenodo:NUMBER, or an experiment's file.",
        show_default=False,
    ),
]
ModelName = Annotated[_Text, typer.Option("--model", help="Which model of the experiment.")]
WindowOf = Annotated[_Text, typer.Option("--window", help="The window, such as 2021-06-01_2021-06-02.")]
Func = Annotated[_Text, typer.Option("--func", help="The command; else what the folder says.")]
Build = Annotated[
    _Text, typer.Option("--build", help="venv, conda, micromamba, docker or none; else by its files.")
]
Arguments = Annotated[
    list[str], typer.Option("--arg", metavar="KEY=VALUE", help="An argument (YAML); may be repeated.")
]
ArgsFile = Annotated[_Text, typer.Option("--args-file", help="File of arguments in the folder input.")]
SeedArgument = Annotated[_Text, typer.Option("--seed-argument", help="The argument that takes the seed.")]
Prefix = Annotated[_Text, typer.Option("--prefix", help="Begins the forecast's name; else the model's.")]
OutputFormat = Annotated[_Text, typer.Option("--format", help="Of the forecast's file; csv.")]
TypeOf = Annotated[TypeWord | None, typer.Option("--type", help="What the forecast is.")]
NSims = Annotated[int | None, typer.Option("--n-sims", min=1, help="Catalogs in a forecast.")]
RegionOf = Annotated[
    _Text, typer.Option("--region", help="A region's name, a file, or YAML as in an experiment.")
]
Magnitude = Annotated[float | None, typer.Option(help="Of the magnitude bins, as in an experiment.")]
Revision = Annotated[_Text, typer.Option("--revision", help="Branch, tag or commit of a repository.")]
CatalogOf = Annotated[
    LearnedFrom, typer.Option("--catalog", help="Learn from a simulated catalog, or the experiment's.")
]
CatalogSeed = Annotated[int, typer.Option("--seed", min=0, help="Of the simulated catalog.")]
RunSeconds = Annotated[float | None, typer.Option("--seconds", help="What a run may take.")]
Megabytes = Annotated[int | None, typer.Option(help="What a run may take or write.")]
Quick = Annotated[bool, typer.Option("--quick", help="Only the runs that can speak against it.")]
