"""Processes of their own for code that is not ours: supervised, limited, and gone when we are."""

from forequake.processes.environment import foreign_environment
from forequake.processes.orphans import EndedOrphan, end_orphans
from forequake.processes.program import ProgramEnding, ProgramLimits, ProgramRun
from forequake.processes.supervisor import Ending, FunctionProcess, Limits

__all__ = [
    "EndedOrphan",
    "Ending",
    "FunctionProcess",
    "Limits",
    "ProgramEnding",
    "ProgramLimits",
    "ProgramRun",
    "end_orphans",
    "foreign_environment",
]
