"""Processes of their own for code that is not ours: supervised, limited, and gone when we are."""

from forequake.processes.supervisor import Ending, FunctionProcess, Limits

__all__ = ["Ending", "FunctionProcess", "Limits"]
