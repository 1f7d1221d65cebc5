"""Names that an experiment gives: to itself, to its models and to its tests."""

import unicodedata
from typing import Annotated, Final

from pydantic import AfterValidator

from forequake.config._refusals import refuse

__all__ = ["ExperimentName", "as_name", "fault_of_name"]

#: Refused in names of models and tests, since these become names of files on any system.
_UNFIT: Final = frozenset('/\\:*?"<>|')
_LONGEST: Final = 100


def as_name(text: str) -> str:
    """Give a name in its one spelling: letters with accents have two in Unicode, which look the same."""
    return unicodedata.normalize("NFC", text)


def fault_of_name(name: str, *, for_files: bool = True) -> str | None:
    """Say what makes a name unfit, or None.

    Parameters
    ----------
    for_files
        Whether the name must also do as part of a file's name.
    """
    if not name.strip():
        return "a name must not be empty"
    if name != name.strip():
        return "a name must not begin or end with a blank"
    if len(name) > _LONGEST:
        return f"a name has {_LONGEST} characters or fewer"
    if not all(char.isprintable() for char in name):
        return "a name holds printable characters only"
    unfit = sorted(_UNFIT.intersection(name)) if for_files else []
    if unfit:
        return f"a name must do as the name of a file, without {' '.join(unfit)}"
    if for_files and not name.strip("."):
        return "a name must not be made of dots"
    return None


def _check_experiment(text: str) -> str:
    fault = fault_of_name(text, for_files=False)
    if fault is not None:
        refuse(fault)
    return as_name(text)


#: The name of an experiment: one printable line.
ExperimentName = Annotated[str, AfterValidator(_check_experiment)]
