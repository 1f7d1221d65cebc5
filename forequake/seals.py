"""Sealed forecasts: of all that came for a window, the one that counts."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import BinaryIO, TypeGuard

from forequake.config.model_specs import FolderModel, ModelSpec
from forequake.config.submission_specs import LatePolicy, SubmissionModel
from forequake.errors import NotFound
from forequake.quantities import Sha256
from forequake.reading import ManyReader
from forequake.results import ForecastSource, ProspectiveStatus, SealRecord, seal_key
from forequake.windows import TimeWindow

__all__ = [
    "Judged",
    "Sealed",
    "Verdict",
    "counting",
    "has_program",
    "judge",
    "late_policy_of",
    "may_be_sealed",
    "read_seals",
]


class Verdict(StrEnum):
    """What became of something that came for a window; the first two count."""

    TAKEN = "taken"
    LATE = "late"
    REPLACED = "replaced"
    REFUSED = "refused"


@dataclass(frozen=True)
class Judged:
    """A seal, what became of it, and why where that needs a word."""

    seal: SealRecord
    verdict: Verdict
    reason: str | None = None


def _no_blobs(sha: Sha256) -> BinaryIO:
    message = f"there is no blob {sha}: no store was opened"
    raise NotFound(message)


@dataclass(frozen=True)
class Sealed:
    """The sealed forecasts of an experiment that count, and how their files are opened.

    Attributes
    ----------
    by_model
        By the names of models and the ids of windows.
    reasons
        In the same way, why nothing that came counts.
    troubles
        Why nothing could be looked for, by the names of models.
    """

    by_model: Mapping[str, Mapping[str, SealRecord]] = field(default_factory=dict)
    reasons: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    troubles: Mapping[str, str] = field(default_factory=dict)
    open: Callable[[Sha256], BinaryIO] = _no_blobs

    def find(self, model: str, window: TimeWindow) -> SealRecord | None:
        """Give the seal that counts of a window, None where there is none."""
        return self.by_model.get(model, {}).get(window.id)

    def reason(self, model: str, window: TimeWindow) -> str | None:
        """Tell why nothing that came for a window counts, None where nothing came."""
        return self.reasons.get(model, {}).get(window.id)

    def status(self, model: str, window: TimeWindow) -> ProspectiveStatus | None:
        """Tell how a sealed forecast stands to its window, None where it is not sealed."""
        seal = self.find(model, window)
        return None if seal is None else seal.prospective

    def uses_of(self, model: str, tree: Sha256) -> list[datetime]:
        """Give the times at which forecasts were sealed that were made by the files of this hash."""
        seals = self.by_model.get(model, {}).values()
        return [seal.sealed_at for seal in seals if seal.run is not None and seal.run.tree == tree]

    def sources(self, model: str) -> dict[str, ForecastSource]:
        """Give what sealed forecasts are read from, by the ids of windows."""
        seals = self.by_model.get(model, {})
        return {window: seal.source for window, seal in seals.items() if seal.source is not None}


def has_program(model: ModelSpec) -> TypeGuard[FolderModel]:
    """Tell whether a program or a function makes a model's forecasts."""
    return isinstance(model, FolderModel) and model.program is not None


def may_be_sealed(model: ModelSpec) -> bool:
    """Tell whether forecasts of a model are sealed, if they come before their windows end."""
    return isinstance(model, SubmissionModel) or has_program(model)


def late_policy_of(model: ModelSpec) -> LatePolicy:
    """Tell what becomes of a model's late forecasts; what a program makes late counts with its mark."""
    return model.late if isinstance(model, SubmissionModel) else "mark"


def judge(seals: Sequence[SealRecord], late: LatePolicy) -> list[Judged]:
    """Tell of all that came for one window what became of each.

    The last one that can be used and was sealed before the window began counts. Without one, the first one
    that came later does, with its mark, where `late` allows it. What a program made anew after a withdrawal
    counts as if nothing had been before.

    Parameters
    ----------
    seals
        All of one place, in the order of their numbers.
    """
    withdrawn = max((place for place, seal in enumerate(seals) if seal.origin == "withdrawal"), default=-1)
    usable = [seal for seal in seals[withdrawn + 1 :] if seal.source is not None]
    in_time = [seal for seal in usable if seal.sealed_at < seal.window.start]
    after = [seal for seal in usable if seal.sealed_at >= seal.window.start]
    chosen = in_time[-1] if in_time else after[0] if after and late == "mark" else None
    judged = []
    for place, seal in enumerate(seals):
        if seal.origin == "withdrawal":
            continue
        if place < withdrawn:
            judged.append(Judged(seal, Verdict.REPLACED, "a new forecast was asked for"))
        elif seal.source is None:
            judged.append(Judged(seal, Verdict.REFUSED, seal.fault))
        elif seal is chosen:
            judged.append(Judged(seal, Verdict.TAKEN if in_time else Verdict.LATE))
        elif seal.sealed_at < seal.window.start:
            judged.append(Judged(seal, Verdict.REPLACED, "another one came before the window began"))
        elif chosen is not None:
            reason = f"it came after the window began; the one that was sealed at {_shown(chosen)} stands"
            judged.append(Judged(seal, Verdict.REFUSED, reason))
        else:
            judged.append(Judged(seal, Verdict.REFUSED, "it came after the window began (late: refuse)"))
    return judged


def counting(seals: Sequence[SealRecord], late: LatePolicy) -> SealRecord | None:
    """Give the seal of a window that counts, None where none does."""
    taken = (found.seal for found in judge(seals, late) if found.verdict in (Verdict.TAKEN, Verdict.LATE))
    return next(taken, None)


def read_seals(
    store: ManyReader, experiment: str, model: str, windows: Iterable[TimeWindow]
) -> dict[str, tuple[SealRecord, ...]]:
    """Read all that came for windows, by their ids, in the order of numbers.

    Windows for which nothing came are left out. The numbers of a place follow one another: more are asked
    for where all were found so far.
    """
    found: dict[str, list[SealRecord]] = {}
    left, first, count = list(windows), 1, 1
    while left:
        numbers = range(first, first + count)
        keys = [seal_key(experiment, model, window, number) for window in left for number in numbers]
        records = store.get_many(SealRecord, keys).values()
        for record in sorted(records, key=lambda seal: seal.number):
            found.setdefault(record.window.id, []).append(record)
        first, count = first + count, 2 * count
        left = [window for window in left if len(found.get(window.id, ())) == first - 1]
    return {window: tuple(seals) for window, seals in found.items()}


def _shown(seal: SealRecord) -> str:
    return f"{seal.sealed_at:%Y-%m-%d %H:%M:%S} UTC"
