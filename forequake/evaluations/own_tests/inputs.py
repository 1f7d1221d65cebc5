"""What decides the result of a user's own test, beside what decides any result."""

import sys
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from forequake.quantities import Sha256
from forequake.windows import TimeWindow

__all__ = ["PYTHON", "OwnTestInputs"]

#: The version of Python that calls own tests, without the patch: 3.11.
PYTHON: Final = f"{sys.version_info.major}.{sys.version_info.minor}"


class OwnTestInputs(BaseModel):
    """The code and what it is told; part of the result's key.

    Attributes
    ----------
    function
        ``file.py:function``.
    files
        SHA-256 of every file that the code can read, by its path in the experiment's folder.
    arguments
        Handed to the function by their names.
    window
        Which the function may look at; other tests know no more than the events in it.
    python
        Version of Python without the patch.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    function: str
    files: dict[str, Sha256] = Field(min_length=1)
    arguments: dict[str, JsonValue] = {}
    window: TimeWindow
    python: str = PYTHON
