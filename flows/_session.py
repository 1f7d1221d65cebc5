"""One worker process: who it is, whether it was asked to stop, and the leases that it keeps alive."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from flows._following import ModelView
from forequake.environment import process_owner
from forequake.errors import Conflict, NotFound, StoreError
from forequake.results import Label, Outcome, RunChange, RunState
from forequake.timers import Timers
from stores import RENEWAL, Block, Claim, ResultRow, ResultsStore, RunRef

__all__ = ["Session", "current_session"]

_log: Final = logging.getLogger(__name__)


@dataclass
class Session:
    """What all threads of a worker process share.

    Attributes
    ----------
    owner
        The process, as leases and runs name it.
    stop
        Set by an interrupt; checked between units, so that the one under way is finished and stored.
    on_plan
        Told the number of results that a run is to have, and how many of them are stored already.
    on_progress
        Told the number of results that became available, and in which words.
    on_model
        Told of a model how far it is; None where it has ended.
    on_outcomes
        Given what a run's report says: all rows that the experiment has, and the number of outdated ones.
    """

    owner: str
    stop: threading.Event = field(default_factory=threading.Event)
    on_plan: Callable[[int, int], None] = field(default=lambda total, cached: None)
    on_progress: Callable[[int, str], None] = field(default=lambda count, what: None)
    on_model: Callable[[str, ModelView | None], None] = field(default=lambda model, view: None)
    on_outcomes: Callable[[list[ResultRow], int], None] = field(default=lambda rows, outdated: None)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._claims: dict[tuple[str, str], Claim] = {}
        self._lost: set[str] = set()
        self._computed: dict[tuple[str, str], dict[Label, Outcome]] = {}
        self._runs: dict[str, tuple[ResultsStore, RunRef]] = {}
        self._timers: dict[str, Timers] = {}
        self._renewer: threading.Thread | None = None

    def take(self, store: ResultsStore, run: RunRef, block: Block) -> Claim | None:
        """Claim a block, or give the claim that an earlier attempt of this run still holds.

        Returns
        -------
        Claim or None
            None where somebody else holds the block.
        """
        place = run.id, block.id
        with self._lock:
            if place in self._claims and block.id not in self._lost:
                return self._claims[place]
        claims = store.claim([block], self.owner)
        if not claims:
            return None
        with self._lock:
            self._claims[place] = claims[0]
            self._lost.discard(block.id)
        return claims[0]

    def forget(self, run: RunRef, block_id: str) -> None:
        """Forget a claim that was given back, and what was done under it."""
        with self._lock:
            self._claims.pop((run.id, block_id), None)
            self._computed.pop((run.id, block_id), None)

    def computed(self, run: RunRef, block_id: str) -> dict[Label, Outcome]:
        """Give what this process has computed of a block in all attempts, to be added to, until `forget`."""
        with self._lock:
            return self._computed.setdefault((run.id, block_id), {})

    def lost(self, block_id: str) -> bool:
        """Tell whether another worker took a block over because our lease ran out."""
        return block_id in self._lost

    def timers(self, run_id: str) -> Timers:
        """Give the timers of a run, to be added to, until `forget_timers`."""
        with self._lock:
            return self._timers.setdefault(run_id, Timers())

    def forget_timers(self, run_id: str) -> None:
        """Forget the timers of a run whose record has them."""
        with self._lock:
            self._timers.pop(run_id, None)

    def keep_alive(self, store: ResultsStore, run: RunRef) -> None:
        """Renew the leases of this process and the heartbeat of a run until `let_go`."""
        with self._lock:
            self._runs[run.id] = (store, run)
            if self._renewer is None:
                self._renewer = threading.Thread(target=self._renew_for_ever, name="leases", daemon=True)
                self._renewer.start()

    def let_go(self, run: RunRef) -> None:
        """Stop renewing for a run that has ended."""
        with self._lock:
            self._runs.pop(run.id, None)

    def _renew_for_ever(self) -> None:
        pause = threading.Event()
        while not pause.wait(RENEWAL.total_seconds()):
            with self._lock:
                runs = list(self._runs.values())
            for store, run in runs:
                self._renew(store, run)

    def _renew(self, store: ResultsStore, run: RunRef) -> None:
        try:
            lost = store.renew(self.owner)
            with self._lock:  # before anything else can fail: a loss is told once
                self._lost |= lost
            with self._lock:
                timers = self._timers.get(run.id)
            change = RunChange(timings=None if timers is None else timers.timings())
            store.update_run(run, change, expect=RunState.RUNNING)
        except (Conflict, NotFound) as error:
            _log.warning("run %s: %s", run.id, error)
        except StoreError as error:  # the next renewal may succeed; the lease holds for four of them
            _log.warning("leases could not be renewed: %s", error)


_sessions: Final[dict[str, Session]] = {}
_sessions_lock: Final = threading.Lock()


def current_session() -> Session:
    """Give the session of this process; a forked process gets one of its own."""
    owner = process_owner()
    with _sessions_lock:
        if owner not in _sessions:
            _sessions.clear()
            _sessions[owner] = Session(owner)
        return _sessions[owner]
