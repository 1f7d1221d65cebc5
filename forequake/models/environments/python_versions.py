"""Which versions of Python a model asks for, in the words of PEP 440, of conda and of poetry."""

import re
from dataclasses import dataclass
from typing import Final

__all__ = ["PythonRequirement", "Version"]

#: Major, minor, micro.
Version = tuple[int, int, int]

_OPERATOR: Final = r"~=|===|==|!=|<=|>=|<|>|\^|~|="
_CLAUSE: Final = re.compile(
    rf"\s*(?P<operator>{_OPERATOR})?\s*v?"
    # A release before the final one counts as the final one.
    r"(?P<version>\*|\d+(?:\.\d+)*(?:\.\*|\*)?)(?:\.?(?:a|b|rc|dev|post)\d*)*\s*,?\s*"
)
#: Of a minor version these exist at most.
_MOST_MICRO: Final = 40


@dataclass(frozen=True)
class PythonRequirement:
    """Versions of Python that are wanted.

    Attributes
    ----------
    text
        As it was written: ``>=3.9,<3.12`` (PEP 440), ``=3.11`` or ``3.10|3.11`` (conda), ``^3.9`` (poetry).
    where
        File and key in which it stands, for messages.

    Raises
    ------
    ValueError
        Where the text is no such requirement.

    Examples
    --------
    >>> PythonRequirement(">=3.9,<3.12", "setup.cfg").fits((3, 11, 7))
    True
    >>> PythonRequirement("^3.9", "pyproject.toml").fits_minor((3, 8))
    False
    """

    text: str
    where: str

    def __post_init__(self) -> None:
        self._alternatives()

    def __str__(self) -> str:
        return f"Python {self.text} ({self.where})"

    def fits(self, version: Version) -> bool:
        """Tell whether a version is among those that are wanted."""
        return any(
            all(_holds(operator, wanted, version) for operator, wanted in clauses)
            for clauses in self._alternatives()
        )

    def fits_minor(self, minor: tuple[int, int]) -> bool:
        """Tell whether some version ``major.minor.*`` is wanted."""
        return any(self.fits((*minor, micro)) for micro in range(_MOST_MICRO))

    def _alternatives(self) -> list[list[tuple[str, str]]]:
        return [self._clauses(part) for part in re.split(r"\|\|?", self.text)]

    def _clauses(self, text: str) -> list[tuple[str, str]]:
        clauses: list[tuple[str, str]] = []
        at = 0
        while at < len(text) or not clauses:
            found = _CLAUSE.match(text, at)
            if found is None:
                message = f"{self.where}: {self.text!r} does not say which versions of Python are wanted"
                raise ValueError(message)
            clauses.append((found["operator"] or "=", found["version"]))
            at = found.end()
        return clauses


def _holds(operator: str, wanted: str, version: Version) -> bool:
    if wanted == "*":
        return True
    is_prefix = wanted.endswith("*")
    parts = tuple(int(part) for part in wanted.rstrip(".*").split("."))
    full = (*parts, 0, 0)[:3]
    begins = version[: len(parts)] == parts
    match operator:
        case ">=":
            return version >= full
        case ">":
            return version > full
        case "<=":
            return version <= full or (is_prefix and begins)
        case "<":
            return version < full
        case "!=":
            return not (begins if is_prefix else version == full)
        case "==" | "===":
            return begins if is_prefix else version == full
        case "~=":
            return version >= full and version[: len(parts) - 1] == parts[:-1]
        case "^":
            return version >= full and version[0] == parts[0]
        case "~":
            return version >= full and version[: min(len(parts), 2)] == parts[:2]
        case _:
            return begins
