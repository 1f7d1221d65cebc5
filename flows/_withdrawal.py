"""Withdrawing what is sealed, so that programs make it anew."""

from collections.abc import Collection
from functools import partial

from flows._intake import append_seal
from forequake.config import LoadedExperiment
from forequake.quantities import now
from forequake.results import ProspectiveStatus, SealRecord
from forequake.seals import counting, has_program, read_seals
from stores import ResultsStore

__all__ = ["withdraw_seals"]


def withdraw_seals(
    store: ResultsStore, loaded: LoadedExperiment, models: Collection[str], windows: Collection[str]
) -> int:
    """Let what programs made and what is sealed of it count no more, so that they make it anew.

    What was sealed stays in the list, with the time of the withdrawal.

    Parameters
    ----------
    models, windows
        Names and ids of those that are meant; empty means all.

    Returns
    -------
    int
        The number of forecasts that were withdrawn.
    """
    name, withdrawn = loaded.config.name, 0
    for model in loaded.config.models:
        if not has_program(model) or (models and model.name not in models):
            continue
        found = read_seals(store, name, model.name, loaded.config.windows)
        for seals in found.values():
            if counting(seals, "mark") is None or (windows and seals[0].window.id not in windows):
                continue
            withdrawn += append_seal(store, seals, partial(_withdrawal, seals[-1]))[1]
    return withdrawn


def _withdrawal(last: SealRecord, number: int) -> SealRecord:
    moment = max(now(), last.sealed_at)
    return SealRecord.at(
        *last.place,
        number,
        origin="withdrawal",
        arrived_at=moment,
        sealed_at=moment,
        prospective=ProspectiveStatus.RETROSPECTIVE,
    )
