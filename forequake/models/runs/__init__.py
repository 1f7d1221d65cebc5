"""One run of a model: its folder, its program under a supervisor, and whether its forecast can be used."""

from forequake.models.runs._function_runner import RUNNER_VERSION
from forequake.models.runs.arguments import render_arguments
from forequake.models.runs.prospective import prospective_status
from forequake.models.runs.request import (
    ExpectedForecast,
    ModelLimits,
    ModelRequest,
    ModelRun,
)
from forequake.models.runs.run import CAUSES, run_model
from forequake.models.runs.starting import place_below_start
from forequake.models.runs.variables import declared_variables

__all__ = [
    "CAUSES",
    "RUNNER_VERSION",
    "ExpectedForecast",
    "ModelLimits",
    "ModelRequest",
    "ModelRun",
    "declared_variables",
    "place_below_start",
    "prospective_status",
    "render_arguments",
    "run_model",
]
