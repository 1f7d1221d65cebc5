"""What is refused on purpose, in words for the user."""

from collections.abc import Iterable
from typing import Final, Never

from pydantic_core import PydanticCustomError

from forequake.errors import suggestion

__all__ = ["REFUSED", "refuse", "refuse_word"]

#: The type of the errors that `refuse` raises.
REFUSED: Final = "refused"


def refuse(message: str, near: str | None = None) -> Never:
    """Refuse a value in a validator.

    Parameters
    ----------
    near
        What the user may have meant.

    Raises
    ------
    PydanticCustomError
        Always.
    """
    raise PydanticCustomError(REFUSED, "{message}", {"message": message, "near": near})


def refuse_word(what: str, word: str, allowed: Iterable[str]) -> Never:
    """Refuse a word that names nothing, with the nearest that does.

    Raises
    ------
    PydanticCustomError
        Always.
    """
    choices = list(allowed)
    refuse(f"there is no such {what}; known: {', '.join(choices)}", suggestion(word, choices))
