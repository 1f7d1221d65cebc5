"""The sealed forecasts of an experiment, as a run finds them in its store."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flows._intake import Received, Taking, receive
from flows._withdrawal import withdraw_seals
from forequake.config import FolderModel, LoadedExperiment, SubmissionModel
from forequake.quantities import now
from forequake.results import SealRecord
from forequake.seals import Sealed, Verdict, counting, has_program, judge, may_be_sealed, read_seals
from forequake.wording import count_of
from stores import ResultsStore

__all__ = ["Sealing", "sealed_forecasts"]


@dataclass(frozen=True)
class Sealing:
    """Where the sealed forecasts of an experiment are, and what becomes of those that came since.

    Attributes
    ----------
    open
        Opens the store, where it is needed; None where there is none yet.
    anew
        Models and windows whose programs are to make new forecasts in the place of sealed ones; None leaves
        all as they are, and empty sets mean all.
    """

    open: Callable[[], ResultsStore | None]
    taking: Taking = "take"
    anew: tuple[frozenset[str], frozenset[str]] | None = None

    def forecasts(self, loaded: LoadedExperiment, say: Callable[[str], None]) -> Sealed | None:
        """Take in what is new, and give the forecasts that count; None where no model has any.

        Raises
        ------
        StoreError
            Where the store fails.
        """
        if not any(may_be_sealed(model) for model in loaded.config.models):
            return None
        store = self.open()
        if store is not None and self.anew is not None:
            withdrawn = withdraw_seals(store, loaded, *self.anew)
            say(f"{count_of(withdrawn, 'sealed forecast')} withdrawn: programs make new ones")
        return sealed_forecasts(store, loaded, self.taking, say)


def sealed_forecasts(
    store: ResultsStore | None, loaded: LoadedExperiment, taking: Taking, say: Callable[[str], None]
) -> Sealed:
    """Take in what is new, and give the forecasts that count.

    Raises
    ------
    StoreError
        Where the store fails.
    """
    seals: dict[str, Mapping[str, SealRecord]] = {}
    reasons: dict[str, Mapping[str, str]] = {}
    troubles: dict[str, str] = {}
    for model in loaded.config.models:
        if has_program(model) and store is not None:
            seals[model.name] = _made(store, loaded, model)
        if not isinstance(model, SubmissionModel):
            continue
        received = receive(store, loaded, model, taking, say)
        seals[model.name], reasons[model.name] = _counting(received)
        if received.trouble is not None:
            troubles[model.name] = received.trouble
    if store is None:
        return Sealed(seals, reasons, troubles)
    return Sealed(seals, reasons, troubles, store.open_blob)


def _made(store: ResultsStore, loaded: LoadedExperiment, model: FolderModel) -> dict[str, SealRecord]:
    """Give the seals that count of what a program made."""
    issued = [window for window in loaded.config.windows if model.issue_time(window) <= now()]
    found = read_seals(store, loaded.config.name, model.name, issued)
    chosen = {window: counting(seals, "mark") for window, seals in found.items()}
    return {window: seal for window, seal in chosen.items() if seal is not None}


def _counting(received: Received) -> tuple[dict[str, SealRecord], dict[str, str]]:
    """Give the seals that count, and of the other windows why nothing that came does."""
    model = received.model
    counting: dict[str, SealRecord] = {}
    reasons: dict[str, str] = {}
    for window, seals in received.seals.items():
        for found in judge(seals, model.late):
            if found.verdict in (Verdict.TAKEN, Verdict.LATE):
                counting[window] = found.seal
            elif found.reason is not None:
                reasons[window] = f"{found.seal.name} of model {model.name!r} is refused: {found.reason}"
    for window, (_, reason) in received.look.refused.items():
        reasons.setdefault(window, f"what came of model {model.name!r} is refused: {reason}")
    return counting, reasons
