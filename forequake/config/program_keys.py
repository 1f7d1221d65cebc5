"""What an experiment says about the run of a model's program: its limits, and variables that it needs."""

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from forequake.processes import ProgramLimits

__all__ = ["LONGEST_SECONDS", "MOST_MB", "MOST_OUTPUT_MB", "MOST_PROCESSES", "RunLimits", "Variables"]

#: What the system takes as a limit, and nobody needs more: 366 days, and a petabyte.
LONGEST_SECONDS: Final = 366 * 86_400.0
MOST_MB: Final = 10**9
MOST_PROCESSES: Final = 100_000
#: Of a forecast's file, where nothing else is said.
MOST_OUTPUT_MB: Final = 4096

#: Environment variables with their values; None passes on what the surroundings have.
Variables = Mapping[str, str | None]

_Seconds = Annotated[float, Field(gt=0, le=LONGEST_SECONDS, allow_inf_nan=False)]
_Megabytes = Annotated[int, Field(gt=0, le=MOST_MB)]


class RunLimits(BaseModel):
    """What one run of a model's program may use; circumstances, which enter no key.

    Attributes
    ----------
    seconds, silence_seconds, cpu_seconds, memory_mb, disk_mb, processes, grace_seconds
        As of `forequake.processes.ProgramLimits`.
    output_mb
        Of the forecast's file.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    seconds: _Seconds = ProgramLimits.seconds
    silence_seconds: _Seconds | None = ProgramLimits.silence_seconds
    cpu_seconds: _Seconds | None = ProgramLimits.cpu_seconds
    memory_mb: _Megabytes = ProgramLimits.memory_mb
    disk_mb: _Megabytes = ProgramLimits.disk_mb
    processes: int = Field(default=ProgramLimits.processes, gt=0, le=MOST_PROCESSES)
    output_mb: _Megabytes = MOST_OUTPUT_MB
    grace_seconds: float = Field(
        default=ProgramLimits.grace_seconds, ge=0, le=LONGEST_SECONDS, allow_inf_nan=False
    )

    @property
    def program(self) -> ProgramLimits:
        """The part that the program's supervisor enforces."""
        return ProgramLimits(**self.model_dump(exclude={"output_mb"}))
