"""The experiment file, read strictly: all mistakes at once, each with its file, line and key.

The format is that of floatCSEP's experiment folders. `load_experiment` reads one; what it gives is
`LoadedExperiment`, whose `config` is an `ExperimentConfig` with all defaults written out.
"""

from forequake.config.load import LoadedExperiment, load_experiment
from forequake.config.specs import (
    ExperimentConfig,
    FileModel,
    FileRegion,
    ModelSpec,
    NamedRegion,
    ReferenceModel,
    RegionSpec,
    TestSpec,
)

__all__ = [
    "ExperimentConfig",
    "FileModel",
    "FileRegion",
    "LoadedExperiment",
    "ModelSpec",
    "NamedRegion",
    "ReferenceModel",
    "RegionSpec",
    "TestSpec",
    "load_experiment",
]
