"""Sources of models: fetched once, kept by their content, verified before and after every use."""

from forequake.models.sources.fetching import SOURCE_PATIENCE, fetch_source
from forequake.models.sources.limits import LIMITS, SourceLimits
from forequake.models.sources.staged import (
    DownloadedFile,
    PathSource,
    SourceOrPath,
    StagedSource,
    verify,
)
from forequake.models.sources.tree import LEFT_OUT, Tree, TreeEntry, tree_hash

__all__ = [
    "LEFT_OUT",
    "LIMITS",
    "SOURCE_PATIENCE",
    "DownloadedFile",
    "PathSource",
    "SourceLimits",
    "SourceOrPath",
    "StagedSource",
    "Tree",
    "TreeEntry",
    "fetch_source",
    "tree_hash",
    "verify",
]
