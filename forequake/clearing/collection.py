"""What of the cache folder may go, and why; and how it goes."""

import time
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from platformdirs import user_cache_path

from forequake.clearing import caches, shelves
from forequake.clearing.thing import KINDS, Kind, Thing
from forequake.models.uses import ModelUse, noted_uses

__all__ = ["YOUNG_SECONDS", "Judged", "Rules", "cleared", "judged", "things"]

#: What was used so short a time ago stays, whatever is asked for: who made it may still look for it.
YOUNG_SECONDS: Final = 600.0


@dataclass(frozen=True)
class Rules:
    """What may go.

    Attributes
    ----------
    older_than
        Seconds since its last use.
    keep
        Kinds of which nothing goes.
    needed_too
        Also what the next run of an experiment would take, which has to fetch and build it again then.
    stored
        Names of the experiments in the store; None where the store cannot tell.
    """

    older_than: float = 30 * 86400.0
    keep: Collection[Kind] = ()
    needed_too: bool = False
    stored: Collection[str] | None = field(default=None)


@dataclass(frozen=True)
class Judged:
    """A thing, whether it may go, and why."""

    thing: Thing
    goes: bool
    why: str


def things(folder: Path | None = None) -> Iterator[Thing]:
    """List all that lies in the cache folder and is no record; nothing is touched, not even a time.

    Parameters
    ----------
    folder
        By default the user's.
    """
    root = user_cache_path("forequake") if folder is None else folder
    models = root / "models"
    uses: dict[str, list[ModelUse]] = {}
    for use in noted_uses(models / "uses").values():
        for key in (*use.needed, *use.former):
            uses.setdefault(key, []).append(use)
    yield from shelves.runs(root / "runs")
    yield from shelves.environments(models / "environments", uses)
    yield from shelves.sources(models / "sources", uses)
    yield from shelves.submissions(root / "submissions")
    yield from caches.arrays(root / "arrays")
    yield from caches.simulated(root / "catalogs")
    yield from caches.regions(root / "regions")


def judged(found: Iterable[Thing], rules: Rules) -> list[Judged]:
    """Say of each thing whether it may go, in the order of their kinds and, within one, of their sizes."""
    moment, order = time.time(), list(KINDS)
    judgements = [Judged(thing, *_judge(thing, rules, moment)) for thing in found]
    return sorted(judgements, key=lambda one: (order.index(one.thing.kind), -one.thing.size, one.thing.path))


def _judge(thing: Thing, rules: Rules, moment: float) -> tuple[bool, str]:
    if thing.in_use:
        return False, thing.in_use
    if thing.kind in rules.keep:
        return False, "asked to be kept"
    if thing.left:
        return True, thing.left
    if moment - thing.used < max(rules.older_than, YOUNG_SECONDS):
        return False, "used not long ago"
    needing = dict.fromkeys(use.experiment for use in thing.needed_by if _is_known(use, rules))
    if needing and not rules.needed_too:
        return False, f"the next run of {', '.join(needing)} takes it"
    return True, "not used for long"


def _is_known(use: ModelUse, rules: Rules) -> bool:
    """Tell whether an experiment may run again: the store has it, or its files are still there."""
    return rules.stored is None or use.experiment in rules.stored or Path(use.folder).is_dir()


def cleared(
    judgements: Iterable[Judged], failed: Callable[[Thing, OSError], None] = lambda thing, error: None
) -> list[Judged]:
    """Take away what may go, and give what has gone by that; what is used by now stays.

    Parameters
    ----------
    failed
        Told of what cannot be taken away.
    """
    gone = []
    for one in judgements:
        if one.goes:
            try:
                if one.thing.remove():
                    gone.append(one)
            except OSError as error:
                failed(one.thing, error)
    return gone
