"""How a model takes inputs that are unlike the first ones."""

from datetime import timedelta
from typing import Final

import numpy as np

from forequake.catalogs import Events
from forequake.qualification.content import difference
from forequake.qualification.outcome import Check
from forequake.qualification.trials import Trial

__all__ = [
    "UNKNOWN_ARGUMENT",
    "few_events_check",
    "prefix_check",
    "responds_check",
    "unknown_check",
    "with_large",
]

#: An argument that no model knows.
UNKNOWN_ARGUMENT: Final = "forequake_unknown"
_BEFORE: Final = timedelta(hours=1)
_LARGER: Final = 1.0


def with_large(events: Events, cut_off_us: int) -> tuple[Events, str]:
    """Add an event to the past, an hour before a cut-off and larger than all, where the largest one was.

    Returns
    -------
    Events
        The past with it.
    str
        What it is, for people.
    """
    largest = int(np.argmax(events.magnitude))
    magnitude = round(float(events.magnitude[largest]) + _LARGER, 2)
    extra = Events(
        time_us=np.array([max(cut_off_us - _BEFORE // timedelta(microseconds=1), int(events.time_us[-1]))]),
        longitude=events.longitude[[largest]],
        latitude=events.latitude[[largest]],
        depth_km=events.depth_km[[largest]],
        magnitude=np.array([magnitude]),
        event_id=np.array(["simulated-large"]),
    )
    return Events.joined([events, extra]), f"an event of magnitude {magnitude:g} an hour before the window"


def responds_check(first: Trial, other: Trial, what: str) -> Check:
    """Compare with a run whose past holds another large event."""
    name = "learns from events"
    if first.content is None or other.content is None:
        if _says_why(other):
            return Check(name, "info", f"with {what} it makes no forecast, and says why: {other.last_words}")
        return Check(name, "warn", f"with {what}: {other.failure}", "take any catalog that the past may give")
    if difference(first.content, other.content) is None:
        # Few catalogs with few events stay the same by chance where their rates change little.
        depends = "does not depend" if first.content.n_events is None else "hardly depends"
        return Check(name, "info", f"{what} changes nothing: the forecast {depends} on the input catalog")
    amounts = f"{first.content.expected:.4g} events expected, and {other.content.expected:.4g}"
    return Check(name, "pass", f"{amounts} with {what}")


def few_events_check(trial: Trial, name: str) -> Check:
    """Judge a run with hardly any past."""
    if trial.content is not None:
        return Check(name, "pass", f"{trial.content.expected:.4g} events expected")
    if _says_why(trial):
        return Check(name, "pass", f"it makes no forecast, and says why: {trial.last_words}")
    return Check(
        name,
        "warn",
        str(trial.failure),
        "make a forecast of the background, or end with a sentence that says what is missing",
    )


def _says_why(trial: Trial) -> bool:
    """Tell whether a run ended without a forecast on purpose."""
    return not trial.crashed and bool(trial.last_words)


def prefix_check(trial: Trial, prefix: str) -> Check:
    """Judge a run whose forecast is to have another prefix, with a blank in it."""
    name = "prefix with a blank"
    if trial.content is not None and trial.run is not None:
        return Check(name, "pass", f"the argument prefix = {prefix!r} gives {trial.run.output.name}")
    mend = "begin the name of the forecast's file with the argument prefix as it is"
    return Check(name, "warn", str(trial.failure), mend)


def unknown_check(trial: Trial) -> Check:
    """Judge a run that has an argument of which the model cannot know."""
    name = "unknown argument"
    if trial.content is not None:
        return Check(name, "info", "an argument that it does not know is passed over: a slip goes unnoticed")
    if trial.crashed:
        return Check(name, "info", f"an argument that it does not know breaks it: {trial.failure}")
    return Check(name, "pass", f"it is refused: {trial.last_words or trial.failure}")
