"""How long a service of the network is waited for."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

__all__ = ["PATIENCE", "Patience"]


@dataclass(frozen=True)
class Patience:
    """Limits of a query, or of a download.

    Attributes
    ----------
    tries
        How often one request is made before the query ends.
    request_seconds, total_seconds
        How long one request and the whole query may take, the waits included.
    first_wait, longest_wait
        Seconds: the wait after the first failure, which doubles with each, and its limit. A service that
        asks to be left alone for longer than the limit ends the query.
    most_bytes
        The longest answer that is taken.
    sleep
        Waits for some seconds.
    jitter
        Gives a number between 0 and 1, so that not all clients come back at once.
    """

    tries: int = 5
    request_seconds: float = 150.0
    total_seconds: float = 1800.0
    first_wait: float = 2.0
    longest_wait: float = 120.0
    most_bytes: int = 512 * 1024**2
    sleep: Callable[[float], None] = time.sleep
    # Not a secret and not a result: any generator will do, and this one is nobody else's.
    jitter: Callable[[], float] = random.Random().random  # noqa: S311

    def wait(self, failures: int) -> float:
        """Give the seconds to wait after so many failures: doubled each time, less up to a half."""
        longest = min(self.first_wait * 2.0 ** (failures - 1), self.longest_wait)
        return longest * (1 - self.jitter() / 2)


#: What a run has: up to half an hour, with waits from a second to two minutes.
PATIENCE: Final = Patience()
