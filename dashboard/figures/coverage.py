"""What a run has done: models in rows, windows in columns, each cell done, failed, under way or to come."""

import html
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import IntEnum
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard._theme import Theme, pale
from dashboard._words import count_of, window_name
from dashboard.figures.cell_text import cut
from forequake.config import ExperimentConfig
from forequake.places import labels_of
from forequake.results import UnitRecord, UnitState
from forequake.windows import TimeWindow
from stores import Coverage

__all__ = ["CoverageGrid", "Work", "coverage_figure", "coverage_grid", "coverage_legend", "coverage_table"]

#: Up to so many windows a cell has room for its letter.
_LETTERS: Final = 60
#: More marks than this are an area, which is seen without them.
_MOST_MARKS: Final = 2000
_TICKS: Final = 7
_ROW: Final = 20
#: Of longer names the beginning is shown.
_LONG_NAME: Final = 22


class Work(IntEnum):
    """How the results of a model in a window stand; the first that fits."""

    FAILED = 0
    RUNNING = 1
    DONE = 2
    PART = 3
    MISSING = 4
    WAITING = 5


@dataclass(frozen=True)
class _Look:
    words: str
    letter: str


_LOOKS: Final = {
    Work.FAILED: _Look("a computation failed", "!"),
    Work.RUNNING: _Look("running", "▸"),
    Work.DONE: _Look("done", "✓"),
    Work.PART: _Look("partly done", "½"),
    Work.MISSING: _Look("missing", "·"),
    Work.WAITING: _Look("waits for the window's end", "…"),
}


@dataclass(frozen=True, eq=False)
class CoverageGrid:
    """Results that are there and those that are expected, by model and window.

    Attributes
    ----------
    works : array of int8, shape (models, windows)
        Values of `Work`.
    done, expected, failed : arrays of int, shape (models, windows)
        Numbers of results, and of computations that ended badly. Where it is not known how many results are
        expected, it is the most that the model has in any window.
    """

    models: tuple[str, ...]
    windows: tuple[TimeWindow, ...]
    works: NDArray[np.int8]
    done: NDArray[np.int64]
    expected: NDArray[np.int64]
    failed: NDArray[np.int64]

    def count(self, work: Work) -> int:
        """Count the cells of one kind."""
        return int((self.works == work).sum())

    def of_models(self, models: Sequence[str]) -> "CoverageGrid":
        """Give the rows of some of the models."""
        rows = [place for place, model in enumerate(self.models) if model in models]
        return replace(
            self,
            models=tuple(self.models[row] for row in rows),
            works=self.works[rows],
            done=self.done[rows],
            expected=self.expected[rows],
            failed=self.failed[rows],
        )


def coverage_grid(
    config: ExperimentConfig | None, coverage: Coverage, units: Sequence[UnitRecord], moment: datetime
) -> CoverageGrid:
    """Compare the results that are there with those that an experiment is to have.

    Parameters
    ----------
    config
        None where it cannot be read: then all with results is shown, and the most of a model count as all.
    units
        Computations that are under way or ended badly.
    moment
        The present time: windows that end later wait.
    """
    models, windows = _axes(config, coverage)
    row = {model: place for place, model in enumerate(models)}
    column = {window: place for place, window in enumerate(windows)}
    shape = len(models), len(windows)
    done, failed, running = (np.zeros(shape, dtype=np.int64) for _ in range(3))
    places = [(place, column[window]) for place, window in enumerate(coverage.windows) if window in column]
    counts = np.array(coverage.counts, dtype=np.int64).reshape(len(coverage.windows), len(coverage.models))
    of_model = [(place, row[model]) for place, model in enumerate(coverage.models) if model in row]
    if places and of_model:
        taken = counts[np.ix_([place for place, _ in places], [place for place, _ in of_model])]
        done[np.ix_([place for _, place in of_model], [place for _, place in places])] = taken.T
    for unit in units:
        if unit.label.model in row and unit.label.window in column:
            kind = running if unit.state is UnitState.RUNNING else failed
            kind[row[unit.label.model], column[unit.label.window]] += 1
    expected = _expected(config, models, windows, done)
    to_come = np.array([window.end > moment for window in windows], dtype=np.bool_)
    works = np.select(
        [
            failed > 0,
            running > 0,
            (done >= expected) & (expected > 0),
            done > 0,
            np.broadcast_to(to_come, shape),
        ],
        [Work.FAILED, Work.RUNNING, Work.DONE, Work.PART, Work.WAITING],
        default=Work.MISSING,
    )
    return CoverageGrid(models, windows, works.astype(np.int8), done, expected, failed)


def _axes(
    config: ExperimentConfig | None, coverage: Coverage
) -> tuple[tuple[str, ...], tuple[TimeWindow, ...]]:
    if config is None:
        return coverage.models, coverage.windows
    return tuple(model.name for model in config.models), config.windows


def _expected(
    config: ExperimentConfig | None,
    models: Sequence[str],
    windows: Sequence[TimeWindow],
    done: NDArray[np.int64],
) -> NDArray[np.int64]:
    if config is None or not windows:
        return np.broadcast_to(done.max(axis=1, initial=0)[:, None], done.shape)
    # All windows have the same places, but for the one that spans them all, if any: it has those of tests
    # over windows as well. It can only be the last.
    ends = tuple(dict.fromkeys((windows[0], windows[-1])))
    counted = Counter(
        (label.model, label.window) for label in labels_of(config.model_copy(update={"windows": ends}))
    )
    columns = [[counted[model, window] for model in models] for window in (windows[0], windows[-1])]
    expected = np.tile(np.array(columns[0], dtype=np.int64)[:, None], (1, len(windows)))
    expected[:, -1] = columns[1]
    return expected


def coverage_figure(grid: CoverageGrid, theme: Theme) -> go.Figure:
    """Draw the grid; up to 60 windows have letters, of more those that failed or run are marked."""
    names = [window_name(window) for window in grid.windows]
    colours = _colours(theme)
    scale = [
        [edge, colour]
        for work, colour in colours.items()
        for edge in (work / len(Work), (work + 1) / len(Work))
    ]
    letters = len(names) <= _LETTERS
    figure = go.Figure(
        go.Heatmap(
            z=grid.works,
            x=names,
            y=list(range(len(grid.models))),
            zmin=-0.5,
            zmax=len(Work) - 0.5,
            colorscale=scale,
            showscale=False,
            xgap=1 if letters else 0,
            ygap=1,
            customdata=_hovers(grid),
            hovertemplate="%{customdata}<br>%{x}<extra></extra>",
        )
    )
    for work in (Work.FAILED, Work.RUNNING, *((Work.DONE, Work.PART, Work.MISSING, Work.WAITING) * letters)):
        _letters(figure, grid, names, work, theme, size=13 if letters else 11)
    step = max(1, -(-len(names) // _TICKS))
    ticks = list(range(0, len(names), step))
    figure.update_xaxes(
        type="category",
        tickvals=[names[place] for place in ticks],
        ticktext=[f"{grid.windows[place].start:%Y-%m-%d}" for place in ticks],
        tickangle=0,
        range=[-0.5, len(names) - 0.5],
        showgrid=False,
    )
    figure.update_yaxes(
        tickvals=list(range(len(grid.models))),
        ticktext=[html.escape(cut(model, _LONG_NAME)) for model in grid.models],
        range=[len(grid.models) - 0.5, -0.5],
        showgrid=False,
        zeroline=False,
    )
    figure.update_layout(
        height=70 + _ROW * max(len(grid.models), 2),
        margin={"l": 10, "r": 10, "t": 10, "b": 30},
        showlegend=False,
        plot_bgcolor="rgba(0,0,0,0)",
    )
    return figure


def _colours(theme: Theme) -> dict[Work, str]:
    return {
        Work.FAILED: theme.text,
        Work.RUNNING: theme.differ,
        Work.DONE: theme.agree,
        Work.PART: pale(theme.agree, 0.45),
        Work.MISSING: pale(theme.silent, 0.5),
        Work.WAITING: pale(theme.silent, 0.14),
    }


def _letters(
    figure: go.Figure, grid: CoverageGrid, names: Sequence[str], work: Work, theme: Theme, size: int
) -> None:
    rows, columns = np.nonzero(grid.works == work)
    if not len(rows) or len(rows) > _MOST_MARKS:
        return
    many = len(names) > _LETTERS
    dark = work in (Work.FAILED, Work.RUNNING, Work.DONE)
    mark: dict[str, Any] = {"mode": "text", "text": _LOOKS[work].letter}
    if many:  # a column of a pixel: the mark stands out of it
        mark = {
            "mode": "markers",
            "marker": {
                "symbol": "x-thin" if work is Work.FAILED else "circle-open",
                "size": 7,
                "line": {"width": 2, "color": _colours(theme)[work]},
                "color": _colours(theme)[work],
            },
        }
    figure.add_trace(
        go.Scatter(
            x=[names[int(place)] for place in columns],
            y=rows,
            name=_LOOKS[work].words,
            textfont={"size": size, "color": theme.background if dark else theme.text},
            hoverinfo="skip",
            **mark,
        )
    )


def _hovers(grid: CoverageGrid) -> list[list[str]]:
    return [
        [
            f"{html.escape(model)}: {_LOOKS[Work(work)].words}, {done} of {count_of(int(expected), 'result')}"
            + (f", {failed} failed" if failed else "")
            for work, done, expected, failed in zip(
                grid.works[place], grid.done[place], grid.expected[place], grid.failed[place], strict=True
            )
        ]
        for place, model in enumerate(grid.models)
    ]


def coverage_legend(grid: CoverageGrid, theme: Theme) -> str:
    """Name the kinds of cells that the grid has, each with its letter and their number, as HTML."""
    colours = _colours(theme)
    entries = []
    for work, look in _LOOKS.items():
        number = grid.count(work)
        if not number:
            continue
        dark = work in (Work.FAILED, Work.RUNNING, Work.DONE)
        entries.append(
            '<span style="display:inline-flex;align-items:center;gap:.4rem">'
            f'<span aria-hidden="true" style="flex:none;width:16px;height:16px;line-height:16px;'
            f"text-align:center;font-size:12px;background:{colours[work]};"
            f'color:{theme.background if dark else theme.text}">{look.letter}</span>'
            f"{look.words} ({number:,})</span>"
        )
    return (
        '<div style="display:flex;flex-wrap:wrap;gap:.35rem 1.1rem;font-size:.85rem;line-height:1.35">'
        f"{''.join(entries)}</div>"
    )


def coverage_table(grid: CoverageGrid) -> list[dict[str, Any]]:
    """List the models with the numbers of their windows by kind, and of results."""
    return [
        {
            "model": model,
            **{_LOOKS[work].words: int((grid.works[place] == work).sum()) for work in Work},
            "results": int(grid.done[place].sum()),
            "expected results": int(grid.expected[place].sum()),
            "failed computations": int(grid.failed[place].sum()),
        }
        for place, model in enumerate(grid.models)
    ]
