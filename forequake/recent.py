"""A few values that are dear to make and asked for again soon."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["Recent"]

V = TypeVar("V")


class Recent(Generic[V]):
    """The values that were asked for last, by key; threads may share it.

    Parameters
    ----------
    most
        How many values are kept.

    Examples
    --------
    >>> squares: Recent[int] = Recent(most=2)
    >>> [squares.get(str(number), lambda: number**2) for number in (3, 4, 3)]
    [9, 16, 9]
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: dict[str, V] = {}  # the latest used one comes last
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: str, make: Callable[[], V]) -> V:
        """Give the value of a key, made anew where it is not kept; two threads may both make it."""
        with self._lock:
            if key in self._values:
                self._values[key] = value = self._values.pop(key)
                return value
        value = make()
        with self._lock:
            self._values.pop(key, None)
            self._values[key] = value
            while len(self._values) > self._most:
                self._values.pop(next(iter(self._values)))
        return value
