"""The places of an experiment's results, and its windows that need a mark."""

from datetime import timedelta

from forequake.catalogs.completeness import IncompletePart, incomplete_part
from forequake.config import ExperimentConfig, TestSpec
from forequake.evaluations.registry import TESTS
from forequake.results import Label

__all__ = ["incomplete_windows", "labels_of", "window_marks"]


def labels_of(config: ExperimentConfig) -> list[Label]:
    """List the places of all results of an experiment, model by model and window by window.

    Results over windows come behind those of windows; their place spans all windows. A comparison of a model
    with itself is not one of them.
    """
    spans = {"window": config.windows, "windows": (config.span,)}
    return [
        Label(experiment=config.name, test=test.name, model=model.name, reference=reference, window=window)
        for scope, windows in spans.items()
        for model in config.models
        for window in windows
        for test in config.tests
        if TESTS[test.test].scope == scope
        for reference in _references(config, test)
        if reference != model.name
    ]


def _references(config: ExperimentConfig, test: TestSpec) -> tuple[str | None, ...]:
    if TESTS[test.test].against_all:
        return tuple(model.name for model in config.models)
    return (test.reference,)


def incomplete_windows(config: ExperimentConfig) -> dict[str, IncompletePart]:
    """Give the windows in which the catalog may miss events of the least magnitude, by their ids."""
    if config.completeness is None:
        return {}
    parts = {
        window.id: incomplete_part(config.completeness, window, config.magnitudes[0])
        for window in config.windows
    }
    return {name: part for name, part in parts.items() if part.spans}


def window_marks(config: ExperimentConfig | None) -> dict[str, str]:
    """Say what is to be known of windows beside their results, by their ids."""
    if config is None:
        return {}
    parts = incomplete_windows(config)
    floor = f"{config.magnitudes[0]:g}"
    return {
        window.id: f"the catalog may miss events of magnitude {floor} in "
        f"{_length(parts[window.id].fraction * (window.end - window.start))} of this window"
        for window in config.windows
        if window.id in parts
    }


def _length(span: timedelta) -> str:
    """Write a length of time in the unit that suits it."""
    minutes = span.total_seconds() / 60
    if minutes < 60:
        return f"{minutes:.2g} minutes"
    return f"{minutes / 60:.3g} hours" if minutes < 4320 else f"{minutes / 1440:.3g} days"
