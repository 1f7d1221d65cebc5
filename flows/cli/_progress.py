"""The display of a run: results as a bar, and a line for each model that runs."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Column

from flows._following import duration, view_text
from flows.cli._terminal import note

if TYPE_CHECKING:
    from flows._following import ModelView
    from flows._session import Session

__all__ = ["showing_progress"]

#: Where there is no terminal, so long a model runs before a line is said of it, and between two of them.
_FIRST_SECONDS: Final = 15.0
_NEXT_SECONDS: Final = 60.0


@contextmanager
def showing_progress(session: "Session", experiment: str) -> Iterator[None]:
    """Show how far a run and its models are while the flow works."""
    console = Console(stderr=True, emoji=False)
    display = _Display(experiment, console)
    session.on_plan, session.on_progress = display.plan, display.advance
    session.on_model = display.model if console.is_terminal else _Lines().model
    try:
        with Live(display.group, console=console, transient=True, refresh_per_second=8):
            yield
    finally:
        session.on_plan, session.on_progress = (lambda *_: None), (lambda *_: None)
        session.on_model = lambda *_: None


class _Display:
    """What a terminal shows."""

    def __init__(self, experiment: str, console: Console) -> None:
        self._experiment = experiment
        self._results = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", table_column=Column(no_wrap=True, overflow="ellipsis")),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
        )
        self._models = Progress(
            TextColumn("  {task.description}", table_column=Column(no_wrap=True, overflow="ellipsis")),
            BarColumn(bar_width=12),
            TextColumn("{task.fields[share]:>4}"),
            TextColumn(
                "{task.fields[words]}", table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1)
            ),
            TimeElapsedColumn(),
            console=console,
            expand=True,
        )
        self.group = Group(self._results, self._models)
        self._task = self._results.add_task(escape(f"{experiment}: planning"), total=None)
        self._rows: dict[str, TaskID] = {}
        self._windows: dict[str, int] = {}

    def plan(self, total: int, cached: int) -> None:
        words = escape(f"{self._experiment}: {cached} stored already")
        self._results.update(self._task, total=total, description=words)

    def advance(self, count: int, what: str) -> None:
        words = escape(f"{self._experiment}: {what}")
        self._results.update(self._task, advance=count, description=words)

    def model(self, name: str, view: "ModelView | None") -> None:
        if view is None:
            row = self._rows.pop(name, None)
            if row is not None:
                self._models.remove_task(row)
            return
        if name not in self._rows:
            self._rows[name] = self._models.add_task("", total=None, share="", words="")
        row, status = self._rows[name], view.status
        if self._windows.get(name) != view.number:
            self._windows[name] = view.number
            self._models.reset(row, total=None, share="", words="")
        words = escape(status.step)
        if view.is_silent:
            words = f"[yellow]silent for {duration(status.silent_seconds)}[/] {words}"
        start = f"{view.window.start:%Y-%m-%d %H:%M}".removesuffix(" 00:00")
        self._models.update(
            row,
            description=escape(f"{name} {view.number}/{view.of} {start}"),
            total=None if status.share is None else 1.0,
            completed=status.share or 0.0,
            share="" if status.share is None else f"{status.share:.0%}",
            words=words,
        )


class _Lines:
    """What a file gets: now and then a line of a model that takes long."""

    def __init__(self) -> None:
        self._due: dict[str, float] = {}

    def model(self, name: str, view: "ModelView | None") -> None:
        moment = time.monotonic()
        if view is None:
            self._due.pop(name, None)
        elif moment >= self._due.setdefault(name, moment + _FIRST_SECONDS):
            self._due[name] = moment + _NEXT_SECONDS
            note(view_text(view))
