"""Units that are under way or ended badly, in words: as few lines as reasons."""

from collections.abc import Iterable, Sequence
from typing import Final

from flows.cli._terminal import words
from forequake.results import UnitRecord
from forequake.wording import count_of

__all__ = ["trouble_lines"]

#: So many lines are shown; JSON has every unit.
_MOST_LINES: Final = 30


def trouble_lines(units: Iterable[UnitRecord]) -> list[str]:
    """Say what is under way or ended badly: once for the tests and windows of a model that have one reason.

    Reasons that differ by the window and its dates alone are one; that of the first window is said.
    """
    groups: dict[tuple[str, str, str], list[UnitRecord]] = {}
    for unit in sorted(units, key=lambda unit: (unit.label.window.start, unit.label.window.end)):
        groups.setdefault((unit.state.value, unit.label.model, _reason(unit)), []).append(unit)
    lines = [_line(state, model, group) for (state, model, _), group in groups.items()]
    more = len(lines) - _MOST_LINES
    return lines if more <= 0 else [*lines[:_MOST_LINES], f"... and {more} more: --json has all"]


def _reason(unit: UnitRecord) -> str:
    """Give a reason without what names its window."""
    if unit.error is None:
        return ""
    window, reason = unit.label.window, unit.error.message
    for word in (window.id, f"{window.start:%Y-%m-%d}", f"{window.end:%Y-%m-%d}"):
        reason = reason.replace(word, "")
    return reason


def _line(state: str, model: str, group: Sequence[UnitRecord]) -> str:
    """Write one line for units of a model, in the order of their windows."""
    attempts = sorted({unit.attempts for unit in group})
    tried = f"attempt {attempts[0]}" if len(attempts) == 1 else f"attempts {attempts[0]} to {attempts[-1]}"
    tests = words(list(dict.fromkeys(unit.label.test for unit in group)))
    windows = list(dict.fromkeys(unit.label.window for unit in group))
    where = windows[0].id
    if len(windows) > 1:
        where = (
            f"{count_of(len(windows), 'window')}, first {windows[0].id}, last {windows[-1].id}, "
            f"{count_of(len(group), 'result')}"
        )
    error = group[0].error
    return f"{state} ({tried}): {tests} of {model} in {where}{f': {error.message}' if error else ''}"
