"""Names in the order in which people read them: the numbers in them by their size."""

import re
from typing import Final

__all__ = ["natural"]

_NUMBER: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)")


def natural(name: str) -> tuple[tuple[str, float, str], ...]:
    """Give what a name is sorted by.

    Examples
    --------
    >>> sorted(["etas@b=10.0", "etas@b=0.95", "eepas", "etas@b=2"], key=natural)
    ['eepas', 'etas@b=0.95', 'etas@b=2', 'etas@b=10.0']
    """
    words = _NUMBER.split(name)  # text, number, text, ...
    pairs = zip(words[::2], [*words[1::2], "-1"], strict=True)
    return tuple((text.casefold(), float(number), text) for text, number in pairs)
