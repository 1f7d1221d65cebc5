"""In words, which forecasts of an experiment were sealed too late to be prospective."""

from collections import Counter
from collections.abc import Collection, Mapping

from forequake.config import ExperimentConfig
from forequake.reading import ManyReader
from forequake.results import ProspectiveStatus
from forequake.seals import counting, late_policy_of, may_be_sealed, read_seals
from forequake.windows import TimeWindow
from forequake.wording import count_of

__all__ = ["Statuses", "late_words", "sealed_statuses", "words_of_window"]

#: How sealed forecasts stand to their windows, by the names of models and the ids of windows.
Statuses = Mapping[tuple[str, str], ProspectiveStatus]


def sealed_statuses(store: ManyReader, config: ExperimentConfig | None) -> Statuses:
    """Read how the sealed forecasts of an experiment that count stand to their windows."""
    found: dict[tuple[str, str], ProspectiveStatus] = {}
    for model in () if config is None else config.models:
        if not may_be_sealed(model) or config is None:
            continue
        for window, seals in read_seals(store, config.name, model.name, config.windows).items():
            seal = counting(seals, late_policy_of(model))
            if seal is not None:
                found[model.name, window] = seal.prospective
    return found


def words_of_window(
    statuses: Statuses, window: TimeWindow, models: Collection[str | None] = ()
) -> str | None:
    """Say which models' forecasts for a window are not prospective though sealed; None where all are.

    Parameters
    ----------
    models
        Names of those that are meant; empty means all.

    Examples
    --------
    >>> day = TimeWindow.from_id("2020-01-01T00:00:00Z_2020-01-02T00:00:00Z")
    >>> words_of_window({("etas", day.id): ProspectiveStatus.LATE}, day)
    'the forecast of etas is late'
    """
    late = [
        f"the forecast of {model} is {_word(status)}"
        for (model, of), status in statuses.items()
        if of == window.id and status is not ProspectiveStatus.PROSPECTIVE and (not models or model in models)
    ]
    return ", ".join(late) or None


def late_words(statuses: Statuses, models: Collection[str | None] = ()) -> list[str]:
    """Say of each model in how many windows its sealed forecasts are not prospective.

    Examples
    --------
    >>> late_words({("etas", "w1"): ProspectiveStatus.LATE, ("etas", "w2"): ProspectiveStatus.PROSPECTIVE})
    ['forecasts of etas: late in 1 window']
    """
    counts: dict[str, Counter[str]] = {}
    for (model, _), status in statuses.items():
        if status is not ProspectiveStatus.PROSPECTIVE and (not models or model in models):
            counts.setdefault(model, Counter())[_word(status)] += 1
    return [
        f"forecasts of {model}: "
        + ", ".join(f"{word} in {count_of(number, 'window')}" for word, number in found.items())
        for model, found in counts.items()
    ]


def _word(status: ProspectiveStatus) -> str:
    return status.value.replace("_", "-")
