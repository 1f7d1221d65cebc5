"""Places in an experiment's files, and the problems that are found there."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Self

from pydantic_core import PydanticCustomError

from forequake.config._yaml import Document, KeyPath, dotted, shown_path
from forequake.errors import ConfigError, Problem

__all__ = ["Place", "Problems"]


@dataclass(frozen=True)
class Place:
    """A key or list item of a document, present or missing.

    Attributes
    ----------
    path
        From the document's root.
    """

    document: Document
    path: KeyPath = ()

    def at(self, *keys: str | int) -> Self:
        """Give the place below this one."""
        return type(self)(self.document, (*self.path, *keys))

    @property
    def name(self) -> str:
        """The dotted name of the key in the experiment."""
        return dotted(self.path, self.document.prefix)

    @property
    def value(self) -> object:
        """The plain data that stand here, None where nothing does."""
        value = self.document.data
        for key in self.path:
            if isinstance(value, Mapping) and isinstance(key, str):
                value = value.get(key)
            elif isinstance(value, list) and isinstance(key, int) and key < len(value):
                value = value[key]
            else:
                return None
        return value

    @property
    def entries(self) -> dict[str, "Place"]:
        """The places of a mapping's keys, empty where this is no mapping."""
        value = self.value
        return {key: self.at(key) for key in value} if isinstance(value, Mapping) else {}

    def problem(self, message: str, suggestion: str | None = None) -> Problem:
        """Say what is wrong here; the line is the nearest that exists."""
        line = None
        for length in range(len(self.path), 0, -1):
            line = self.document.lines.get(self.path[:length])
            if line is not None:
                break
        return Problem(
            message,
            file=shown_path(self.document.file),
            line=line,
            key=self.name or None,
            value=self._shown_value(),
            suggestion=suggestion,
        )

    def _shown_value(self) -> object:
        """Give the value where it is short: lists and mappings are better looked at in the file."""
        value = self.value
        if isinstance(value, str | int | float):
            return value
        return None if value is None else self.document.texts.get(self.path)


class Problems:
    """Collects what is wrong, so that the user hears of it at once."""

    def __init__(self) -> None:
        self._problems: list[Problem] = []

    def __len__(self) -> int:
        return len(self._problems)

    def __iter__(self) -> Iterator[Problem]:
        return iter(self._problems)

    def add(self, place: Place, message: str, suggestion: str | None = None) -> None:
        """Note a problem in a place."""
        self.extend([place.problem(message, suggestion)])

    def add_refused(self, place: Place, error: PydanticCustomError) -> None:
        """Note what was refused in a place (see `forequake.config._refusals`)."""
        self.add(place, error.message(), (error.context or {}).get("near"))

    def extend(self, problems: Iterable[Problem]) -> None:
        """Note problems, each once."""
        self._problems.extend(problem for problem in problems if problem not in self._problems)

    def error(self) -> ConfigError:
        """Give the error with all problems: file by file as they were opened, in the order of lines."""
        files = list(dict.fromkeys(problem.file for problem in self._problems))
        return ConfigError(
            sorted(self._problems, key=lambda problem: (files.index(problem.file), problem.line or 0))
        )
