"""Environments of models: built once from their sources, kept by key, whole or not there."""

from forequake.models.environments.built import BuildSource, BuiltEnvironment
from forequake.models.environments.commands import (
    RUN_LABEL,
    RUN_PLACE,
    SOURCE_PLACE,
    Invocation,
    WrappedCommand,
)
from forequake.models.environments.declared_build import chosen_build, runs_itself
from forequake.models.environments.preparing import environment_key, prepare_environment

__all__ = [
    "RUN_LABEL",
    "RUN_PLACE",
    "SOURCE_PLACE",
    "BuildSource",
    "BuiltEnvironment",
    "Invocation",
    "WrappedCommand",
    "chosen_build",
    "environment_key",
    "prepare_environment",
    "runs_itself",
]
