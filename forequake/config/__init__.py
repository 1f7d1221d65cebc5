"""The experiment file, read strictly: all mistakes at once, each with its file, line and key.

The format is that of floatCSEP's experiment folders. `load_experiment` reads one; what it gives is
`LoadedExperiment`, whose `config` is an `ExperimentConfig` with all defaults written out.
"""

from forequake.config.load import LoadedExperiment, load_experiment
from forequake.config.model_specs import (
    CallableSpec,
    FileModel,
    FolderModel,
    GitSource,
    LearningReference,
    ModelSpec,
    ProgramSpec,
    ReferenceModel,
    Smoothing,
    SourceSpec,
    WindowModel,
    ZenodoSource,
)
from forequake.config.specs import ExperimentConfig, TestSpec
from forequake.config.submission_specs import SubmissionModel
from forequake.regions.specs import FileRegion, NamedRegion, RegionSpec

__all__ = [
    "CallableSpec",
    "ExperimentConfig",
    "FileModel",
    "FileRegion",
    "FolderModel",
    "GitSource",
    "LearningReference",
    "LoadedExperiment",
    "ModelSpec",
    "NamedRegion",
    "ProgramSpec",
    "ReferenceModel",
    "RegionSpec",
    "Smoothing",
    "SourceSpec",
    "SubmissionModel",
    "TestSpec",
    "WindowModel",
    "ZenodoSource",
    "load_experiment",
]
