"""The environment variables that a model declares, and what of them nobody may read."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from forequake.errors import ModelFailed

__all__ = ["Secrets", "declared_variables"]

#: A shorter value is no secret, and stands in many words.
_LEAST: Final = 4


def declared_variables(
    declared: Mapping[str, str | None], surroundings: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Give the variables of a model with their values.

    Parameters
    ----------
    declared
        As of `forequake.config.ProgramSpec`: None takes the value from the surroundings.
    surroundings
        By default the variables of this process.

    Raises
    ------
    ModelFailed
        Where the surroundings have no such variable; with the cause ``cannot_start``.
    """
    around = os.environ if surroundings is None else surroundings
    missing = [name for name, value in declared.items() if value is None and name not in around]
    if missing:
        message = (
            f"it needs the environment variable {missing[0]} from the surroundings in which forequake runs, "
            "and it is not set there; set it, or give its value under `variables`"
        )
        raise ModelFailed(message, cause="cannot_start")
    return {name: around[name] if value is None else value for name, value in declared.items()}


@dataclass(frozen=True)
class Secrets:
    """Values that were passed on from the surroundings, taken out of all that is told or stored.

    Attributes
    ----------
    values
        By the names of their variables, which stand in their places.
    """

    values: Mapping[str, str] = field(default_factory=dict, repr=False)

    def out_of(self, text: str) -> str:
        """Give a text without the values, also where it begins within one."""
        for name, value in self._told:
            rest = _begins_within(text, value)
            text = (f"[{name}]{text[rest:]}" if rest else text).replace(value, f"[{name}]")
        return text

    def out_of_all(self, value: Any) -> Any:
        """Give plain data without the values in any of their texts."""
        match value:
            case str():
                return self.out_of(value)
            case Mapping():
                return {self.out_of(str(key)): self.out_of_all(item) for key, item in value.items()}
            case list() | tuple():
                return [self.out_of_all(item) for item in value]
        return value

    @property
    def _told(self) -> list[tuple[str, str]]:
        # The longest first: one may be a part of another.
        ordered = sorted(self.values.items(), key=lambda item: -len(item[1]))
        return [(name, value) for name, value in ordered if len(value) >= _LEAST]


def _begins_within(text: str, value: str) -> int:
    """Give how much of a value's end a text begins with, 0 where that is too little to count."""
    for at in range(1, len(value) - _LEAST + 1):
        if value.startswith(text[:_LEAST], at) and text.startswith(value[at:]):
            return len(value) - at
    return 0
