"""Every error that forequake raises on purpose.

::

    ForequakeError
    +-- InputError              a mistake in what the user gave: exit code 2
    |   +-- ConfigError         one or more problems in an experiment's files
    |   +-- CatalogError        a catalog that cannot be used as it is
    |   |   +-- CatalogUnavailable   its service does not answer as it should (transient)
    |   +-- ForecastError       a forecast that cannot be used as it is
    |   +-- RegionError         a region that cannot be built
    |   +-- SourceError         a model's source that cannot be used as it is (also a ModelError)
    |       +-- SourceUnavailable    its server does not answer as it should (transient)
    +-- ModelError              a model that is a program cannot be fetched, built or run
    |   +-- SourceChanged       its source is not what was fetched
    |   +-- EnvironmentFailed   its environment cannot be built
    |       +-- EnvironmentUnavailable   ... now: the network, or a service on it (transient)
    |   +-- ModelFailed         one run of it gave no forecast that can be used
    +-- EvaluationError         a test could not be computed
    +-- ServerError             Prefect's server cannot be reached or started
    +-- Interrupted             the user or the system asked the run to stop
    +-- StoreError
        +-- StoreUnavailable    nobody answers, or the store is busy (transient)
        +-- StoreFull           no space left where the store lives
        +-- AccessDenied        the store refuses this user or this file mode
        +-- NotFound            no such record, blob, run or experiment
        +-- Conflict            somebody else changed it first
        +-- ClaimLost           the lease ran out and another worker took over
        +-- SchemaVersion       the store was written by a newer forequake
        +-- CorruptRecord       stored bytes do not say what they should

`transient` tells a scheduler whether trying again can help. Messages name the thing, its value, and what
is allowed or what to do; they never contain a password.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import ClassVar

__all__ = [
    "AccessDenied",
    "CatalogError",
    "CatalogUnavailable",
    "ClaimLost",
    "ConfigError",
    "Conflict",
    "CorruptRecord",
    "EnvironmentFailed",
    "EnvironmentUnavailable",
    "EvaluationError",
    "ForecastError",
    "ForequakeError",
    "InputError",
    "Interrupted",
    "ModelError",
    "ModelFailed",
    "NotFound",
    "Problem",
    "RegionError",
    "SchemaVersion",
    "ServerError",
    "SourceChanged",
    "SourceError",
    "SourceUnavailable",
    "StoreError",
    "StoreFull",
    "StoreUnavailable",
    "suggestion",
    "unknown",
    "variants_among",
]


class ForequakeError(Exception):
    """The root of all errors that forequake raises on purpose."""

    transient: ClassVar[bool] = False


class InputError(ForequakeError):
    """Something that the user gave cannot be used; the message says what and why."""


@dataclass(frozen=True)
class Problem:
    """One mistake in an experiment's files, with all that is needed to mend it.

    Attributes
    ----------
    message
        What is wrong and what is allowed.
    file, line
        Where it stands; the line counts from 1 and is None where a whole file is meant.
    key
        The dotted path of the key, such as ``time_config.start_date``.
    value
        The value as the file has it, None where the key is missing.
    suggestion
        The nearest allowed word, where one is near.
    """

    message: str
    file: Path | None = None
    line: int | None = None
    key: str | None = None
    value: object | None = None
    suggestion: str | None = None

    def __str__(self) -> str:
        place = "" if self.file is None else str(self.file)
        if self.line is not None:
            place += f":{self.line}"
        parts = [part for part in (place, self.key) if part]
        text = f"{': '.join(parts)}: {self.message}" if parts else self.message
        if self.value is not None:
            text += f" (got {self.value!r})"
        if self.suggestion is not None:
            text += f"; did you mean {self.suggestion!r}?"
        return text


class ConfigError(InputError):
    """All the problems that were found in an experiment's files, at once."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class CatalogError(InputError):
    """A catalog of earthquakes cannot be used as it is."""


class CatalogUnavailable(CatalogError):
    """The service of a catalog does not answer now, or not as it does when it is well."""

    transient: ClassVar[bool] = True


class ForecastError(InputError):
    """A forecast cannot be used as it is."""


class RegionError(InputError):
    """A region cannot be built from what was given."""


class ModelError(ForequakeError):
    """A model that is a program cannot be fetched, built or run."""


class SourceError(ModelError, InputError):
    """The source of a model cannot be used as it is, or is not there."""


class SourceUnavailable(SourceError):
    """The server of a source does not answer now, or not as it does when it is well."""

    transient: ClassVar[bool] = True


class SourceChanged(ModelError):
    """The source of a model is not what was fetched: something wrote into it."""


class EnvironmentFailed(ModelError):
    """The environment of a model cannot be built, or does not work.

    Attributes
    ----------
    output
        The end of what the program printed that was to build it, without passwords; empty where none ran.
    """

    def __init__(self, message: str, output: str = "") -> None:
        self.output = output
        super().__init__(message)


class EnvironmentUnavailable(EnvironmentFailed):
    """The environment of a model cannot be built now: the network, or a service on it, does not answer."""

    transient: ClassVar[bool] = True


class ModelFailed(ModelError):
    """One run of a model gave no forecast that can be used.

    Attributes
    ----------
    cause
        A short stable word, such as ``exit_code``; `forequake.models.runs` lists them.
    output
        The end of what the model printed.
    """

    def __init__(self, message: str, *, cause: str, output: str = "") -> None:
        self.cause = cause
        self.output = output
        super().__init__(message)


class EvaluationError(ForequakeError):
    """A test could not be computed for a reason that is neither the input's nor the store's."""


class ServerError(ForequakeError):
    """Prefect's server cannot be reached, started or stopped."""


class Interrupted(ForequakeError):
    """The run was asked to stop; what was finished by then is stored."""


class StoreError(ForequakeError):
    """The results store cannot do what was asked."""


class StoreUnavailable(StoreError):
    """Nobody answers at the store's place, or it is busy for too long."""

    transient: ClassVar[bool] = True


class StoreFull(StoreError):
    """There is no space left where the store lives; nothing half-written remains."""


class AccessDenied(StoreError):
    """The store refuses this user, or its files may not be read or written."""


class NotFound(StoreError, LookupError):
    """The store has no such record, blob, run or experiment."""


class Conflict(StoreError):
    """The stored state is not the one that was expected: somebody else changed it first."""


class ClaimLost(StoreError):
    """The lease on a block ran out and another worker holds it now."""


class SchemaVersion(StoreError):
    """The store, or a record in it, was written by a newer forequake than this one."""


class CorruptRecord(StoreError):
    """Stored bytes cannot be decoded, or do not have the hash that names them."""


def suggestion(word: str, allowed: Iterable[str]) -> str | None:
    """Give the allowed word that is nearest to `word`, or None where none is near.

    Examples
    --------
    >>> suggestion("forcast_unit", ["path", "forecast_unit"])
    'forecast_unit'
    """
    choices = {choice.casefold(): choice for choice in allowed}
    near = get_close_matches(word.casefold(), choices, n=1, cutoff=0.6)
    return choices[near[0]] if near else None


def variants_among(name: str, models: Iterable[str], most: int = 8) -> str:
    """List the variants and flavours of a model among others' names, empty where there is none.

    Examples
    --------
    >>> variants_among("etas", ["etas@b=0.9", "etas@b=1.0", "eepas"])
    'etas@b=0.9, etas@b=1.0'
    """
    found = [model for model in models if model.casefold().startswith(f"{name.casefold()}@")]
    more = f", ... ({len(found)} in all)" if len(found) > most else ""
    return ", ".join(found[:most]) + more


def unknown(what: str, word: str, allowed: Iterable[str]) -> str:
    """Say that a word names nothing, which one is near, and which are allowed.

    Examples
    --------
    >>> unknown("model", "afterhsock", ["mainshock", "aftershock"])
    "there is no model 'afterhsock'; did you mean 'aftershock'? There is: mainshock, aftershock"
    """
    choices = list(allowed)
    if variants := variants_among(word, choices):
        return f"there is no {what} {word!r} itself; its variants are {variants}"
    near = suggestion(word, choices)
    hint = f"; did you mean {near!r}?" if near else "."
    return f"there is no {what} {word!r}{hint} There is: {', '.join(choices) or 'none'}"
