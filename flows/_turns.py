"""Whose turn it is to run a model's program, of several workers that need the same forecast."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, TypeVar

from forequake.errors import ClaimLost, StoreError
from forequake.quantities import Sha256
from forequake.results import CatalogForecastRecord, ForecastRecord
from stores import Block, Claim, ResultsStore

__all__ = ["OTHERS", "Turns"]

T = TypeVar("T")
#: Of a claim: store, owner and block.
_Place = tuple[str, str, str]

#: What a waiting worker says.
OTHERS: Final = "another worker makes the forecasts that are left; waiting for it"
_FIRST_PAUSE: Final = 0.2
#: A program takes seconds at least: who waits for another worker's looks so often, in seconds.
_LONGEST_PAUSE: Final = 5.0
#: Claims of this process; a store that was away could not be told that one is given back.
_held: Final[dict[_Place, Claim]] = {}
_busy: Final[set[_Place]] = set()
_lock: Final = threading.Lock()


@dataclass(frozen=True)
class Turns:
    """Takes forecasts one by one, each under a lease that other workers heed.

    What costs is the program's run. Leases are renewed with all others of the process, and those of a worker
    that was killed run out, or are released by the next start.

    Attributes
    ----------
    kind
        Of the forecasts' records.
    owner
        The process, as leases name it.
    stop
        Where it is set, nothing is waited for.
    on_wait
        Called once where another worker makes what is needed here.
    """

    store: ResultsStore
    kind: type[ForecastRecord | CatalogForecastRecord]
    owner: str
    stop: threading.Event
    on_wait: Callable[[], None]

    def each(self, groups: Sequence[T], key_of: Callable[[T], Sha256 | None]) -> Iterator[T]:
        """Give those groups that are still to be made, each while this worker alone makes it.

        A group that another worker makes comes last, and not at all where that one stored it.

        Parameters
        ----------
        key_of
            The key of a group's forecast; None needs no lease.
        """
        waiting, pause, told = list(groups), _FIRST_PAUSE, False
        while waiting:
            later = []
            for group in waiting:
                key = key_of(group)
                with self._turn(key) as ours:
                    if not ours:
                        later.append(group)
                    elif key is None or not self._is_there(key):
                        yield group
            if len(later) == len(waiting):
                if not told:
                    self.on_wait()
                    told = True
                if self.stop.wait(pause):
                    return
                pause = min(1.5 * pause, _LONGEST_PAUSE)
            waiting = [group for group in later if not self._is_there(key_of(group))]

    def _is_there(self, key: Sha256 | None) -> bool:
        return key is not None and key in self.store.existing(self.kind, (key,))

    @contextmanager
    def _turn(self, key: Sha256 | None) -> Iterator[bool]:
        """Hold the lease on a forecast; tell whether it is ours."""
        if key is None:
            yield True
            return
        block = Block(id=f"forecast/{key}", units=())
        place = self.store.name, self.owner, block.id
        with _lock:
            free = place not in _busy
            if free:
                _busy.add(place)
        if not free:  # another thread of this process makes it
            yield False
            return
        try:
            claim = _held.get(place) or next(iter(self.store.claim([block], self.owner)), None)
            if claim is None:
                yield False
                return
            _held[place] = claim
            try:
                yield True
            finally:
                self._give_back(place, claim)
        finally:
            with _lock:
                _busy.discard(place)

    def _give_back(self, place: _Place, claim: Claim) -> None:
        try:
            self.store.finish(claim, ())
        except ClaimLost:
            pass
        except StoreError:
            return  # it stays ours, for the next attempt
        _held.pop(place, None)
