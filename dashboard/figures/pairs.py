"""All models against each other: one cell for each pair, in one window or counted over those of all pairs.

Every mark carries ``[model, test, other]`` of its pair as ``customdata``.
"""

import html
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard._theme import Theme, pale
from dashboard._words import count_of, equation, number, quantile_texts
from dashboard.figures.cell_text import cut, wrapped
from dashboard.figures.marks import MARKS, Status
from forequake.results import Label, Quantiles
from forequake.windows import TimeWindow
from stores import ResultColumns
from stores.columns import OUTCOMES

__all__ = ["Last", "Pair", "PairMatrix", "pair_figure", "pair_matrix"]

_ROW: Final = 62
_HEAD: Final = 66
#: The least width of a column and of the models' names, in pixels.
_CELL: Final = 84
_NAMES: Final = 130


@dataclass(frozen=True)
class Last:
    """The result of a pair in the last of its windows."""

    label: Label
    quantiles: Quantiles | None
    reason: str | None


@dataclass(frozen=True)
class Pair:
    """A model against another one.

    Attributes
    ----------
    counts
        Number of windows by outcome.
    gain
        Information gain per event over all these windows, in nats, those without events included; None where
        it is not defined, or the windows share time.
    latest
        The result of the last of these windows.
    """

    model: str
    other: str
    counts: Mapping[Status, int] = field(default_factory=dict)
    gain: float | None = None
    latest: Last | None = None


@dataclass(frozen=True)
class PairMatrix:
    """Pairs of models, row by row.

    Attributes
    ----------
    others
        Those that models are compared with, in the order of the columns.
    windows
        Those that are counted, in order of time.
    left_out
        Number of windows that are not counted, since only some pairs have a result there.
    common
        Whether only windows are counted in which all pairs have a result; else each pair has its own.
    """

    models: tuple[str, ...]
    others: tuple[str, ...]
    pairs: tuple[Pair, ...]
    windows: tuple[TimeWindow, ...]
    left_out: int
    common: bool = True

    @property
    def least_width(self) -> int:
        """The width in pixels below which cells would run into each other."""
        return _NAMES + _CELL * len(self.others)


def pair_matrix(
    models: Sequence[str],
    columns: Iterable[ResultColumns],
    *,
    independent: bool = True,
    common: bool = True,
) -> PairMatrix:
    """Put results that compare models with several others into a matrix.

    Parameters
    ----------
    models
        Those to show; results of others are left out, and models without any result, too.
    columns
        Of one test of all pairs, or of the same test against several references, under different names.
    independent
        Whether windows share no time, so that their gains may be summed.
    common
        Whether only windows count in which all pairs have a result that have one anywhere.
    """
    results = _Results.of(models, columns)
    there = {name for pair in results.pairs for name in pair}
    shown = tuple(model for model in models if model in there)
    others = tuple(model for model in shown if any(other == model for _, other in results.pairs))
    counted: NDArray[np.bool_] = np.ones(len(results.windows), dtype=np.bool_)
    if common:
        counted = np.all(results.places >= 0, axis=0)
    pairs = tuple(
        results.pair(one, other, counted, independent=independent)
        for one in shown
        for other in others
        if one != other
    )
    windows = tuple(window for window, taken in zip(results.windows, counted, strict=True) if taken)
    return PairMatrix(shown, others, pairs, windows, len(results.windows) - len(windows), common)


@dataclass(frozen=True, eq=False)
class _Results:
    """Results of pairs in windows.

    Attributes
    ----------
    parts
        Columns, and where each begins among all results.
    pairs
        Models and what they are compared with, by their row in `places`.
    places : array of int64, shape (pairs, windows)
        Where a result stands among all; -1 where there is none.
    expected : array of float64, by model, shape (windows,)
        Expected number of events; NaN where the model has no result.
    """

    parts: tuple[tuple[int, ResultColumns], ...]
    windows: tuple[TimeWindow, ...]
    pairs: Mapping[tuple[str, str], int]
    places: NDArray[np.int64]
    expected: Mapping[str, NDArray[np.float64]]

    @classmethod
    def of(cls, models: Sequence[str], columns: Iterable[ResultColumns]) -> "_Results":
        parts: list[tuple[int, ResultColumns]] = []
        for each in columns:
            own, against = (
                np.isin(codes, [each.code_of(words, model) for model in models])
                for codes, words in ((each.model, "models"), (each.reference, "references"))
            )
            kept = each.where(own & against)
            begin = parts[-1][0] + len(parts[-1][1]) if parts else 0
            if len(kept):
                parts.append((begin, kept))
        spans = {window for _, part in parts for window in part.windows}
        windows = sorted(spans, key=lambda window: (window.start, window.end))
        across = {window: place for place, window in enumerate(windows)}
        pairs: dict[tuple[str, str], int] = {}
        places = np.full((len(models) ** 2, len(windows)), -1, dtype=np.int64)
        expected: dict[str, NDArray[np.float64]] = {}
        for begin, part in parts:
            column = np.array([across[window] for window in part.windows])[part.window]
            for one, model in enumerate(part.models):
                of_model = part.model == one
                numbers = expected.setdefault(model, np.full(len(windows), np.nan))
                numbers[column[of_model]] = part.n_forecast[of_model]
                for other, reference in enumerate(part.references):
                    here = np.flatnonzero(of_model & (part.reference == other))
                    if len(here):
                        row = pairs.setdefault((model, reference), len(pairs))
                        places[row, column[here]] = begin + here
        return cls(tuple(parts), tuple(windows), pairs, places[: len(pairs)], expected)

    @cached_property
    def numbers(
        self,
    ) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
        """Outcome, number of events, information gain and expected number of events of all results."""
        outcome, events, gain, expected = (
            np.concatenate([getattr(part, name) for _, part in self.parts])
            for name in ("outcome", "n_observed", "information_gain", "n_forecast")
        )
        return outcome, events, gain, expected

    def pair(self, one: str, other: str, counted: NDArray[np.bool_], *, independent: bool) -> Pair:
        """Count the results of a pair in the windows that count."""
        if (one, other) not in self.pairs:
            return Pair(one, other)
        row = self.places[self.pairs[one, other]]
        taken = counted & (row >= 0)
        places = row[taken]
        outcomes = np.bincount(self.numbers[0][places], minlength=len(OUTCOMES)).tolist()
        counts = {
            Status(outcome.value): count for outcome, count in zip(OUTCOMES, outcomes, strict=True) if count
        }
        gain = None
        if independent or len(places) == 1:
            expected = self.expected.get(other, np.full(len(self.windows), np.nan))
            gain = self._gain(places, expected[taken])
        return Pair(one, other, counts, gain, self._last(int(places[-1])) if len(places) else None)

    def _gain(self, places: NDArray[np.int64], expected: NDArray[np.float64]) -> float | None:
        """Give the information gain per event over windows; a window without events adds -(N1 - N2)."""
        _, events, gains, own = (numbers[places] for numbers in self.numbers)
        with np.errstate(invalid="ignore"):  # infinities of both signs give NaN
            added = np.where(events > 0, gains * events, expected - own)
        total = sum(added.tolist())
        return total / int(events.sum()) if events.any() and not math.isnan(total) else None

    def _last(self, place: int) -> Last:
        begin, part = next(found for found in reversed(self.parts) if found[0] <= place)
        code = int(part.reason[place - begin])
        return Last(
            part.label(place - begin),
            part.quantiles_at(place - begin),
            None if code < 0 else part.reasons[code],
        )


def pair_figure(matrix: PairMatrix, theme: Theme) -> go.Figure:
    """Draw which model is better than which: the outcome as colour and triangle, the information gain below.

    Over several windows the triangles count windows, and the colour is the fuller, the larger the share of
    windows in which a model is better, or worse; undefined ones count among all.
    """
    figure = go.Figure()
    shared: dict[str, Any] = {
        "x": [matrix.others.index(pair.other) for pair in matrix.pairs],
        "y": [matrix.models.index(pair.model) for pair in matrix.pairs],
        "cliponaxis": False,
    }
    figure.add_trace(
        go.Scatter(
            **shared,
            name="pairs",
            mode="markers+text",
            customdata=[
                [pair.model, pair.latest.label.test, pair.other] if pair.latest else None
                for pair in matrix.pairs
            ],
            marker={
                "symbol": "square",
                "size": 54,
                "color": [_fill(pair, theme) for pair in matrix.pairs],
                "line": {"width": 1, "color": theme.line},
            },
            text=[_inside(pair, matrix) for pair in matrix.pairs],
            textfont={"size": 12, "color": theme.text},
            hovertext=[_hover(pair, many=len(matrix.windows) > 1) for pair in matrix.pairs],
            hovertemplate="%{hovertext}<extra></extra>",
            unselected={"marker": {"opacity": 1}},
        )
    )
    _lay_out(figure, matrix, theme)
    return figure


def _fill(pair: Pair, theme: Theme) -> str:
    better, worse = (pair.counts.get(status, 0) for status in (Status.BETTER, Status.WORSE))
    if better == worse:
        return "rgba(0,0,0,0)"
    share = abs(better - worse) / sum(pair.counts.values())
    return pale(theme.agree if better > worse else theme.differ, 0.12 + 0.48 * share)


def _inside(pair: Pair, matrix: PairMatrix) -> str:
    gain = "" if pair.gain is None else _signed(pair.gain)
    better, worse, undefined = (
        pair.counts.get(status, 0) for status in (Status.BETTER, Status.WORSE, Status.UNDEFINED)
    )
    if len(matrix.windows) > 1:
        silent = f"{undefined} undef." if undefined else ""
        own = "" if matrix.common else f"of {sum(pair.counts.values())}"
        lines = [f"▲{better} ▼{worse}", gain, silent or own]
    else:
        lines = ["▲" * better + "▼" * worse + "undef." * undefined, gain]
    return "<br>".join(line for line in lines if line) if pair.counts else "·"


def _signed(gain: float) -> str:
    return f"+{number(gain, 2)}" if gain > 0 else number(gain, 2)


def _hover(pair: Pair, *, many: bool) -> str:
    lines = [f"<b>{html.escape(pair.model)}</b> against <b>{html.escape(pair.other)}</b>"]
    for status, count in pair.counts.items():
        label = MARKS[status].label.replace("the reference", html.escape(pair.other))
        lines.append(f"{label}: {count_of(count, 'window')}" if many else label)
    if pair.gain is not None:
        lines.append(f"information gain {_signed(pair.gain)} nats per event")
    if not many and pair.latest is not None:
        texts = quantile_texts(pair.latest.quantiles)
        lines += [html.escape(equation(name, text)) for name, text in texts.items()]
        if pair.latest.reason:
            lines.append(html.escape(cut(pair.latest.reason, 120)))
    lines.append(f"<i>Click for {'the latest window' if many else 'the result'}</i>")
    return "<br>".join(lines)


def _lay_out(figure: go.Figure, matrix: PairMatrix, theme: Theme) -> None:
    count, width = len(matrix.models), len(matrix.others)
    names = [wrapped(model) for model in matrix.models]
    axis: dict[str, Any] = {
        "showgrid": False,
        "zeroline": False,
        "showline": False,
        "ticks": "",
        "fixedrange": True,
        "tickfont": {"size": 13, "color": theme.text},
    }
    figure.update_layout(
        height=_HEAD + _ROW * count,
        margin={"l": 8, "r": 8, "t": _HEAD, "b": 4},
        dragmode=False,
        clickmode="event+select",
        hoverlabel={"align": "left"},
        showlegend=False,
        annotations=[
            {
                "x": place,
                "y": matrix.models.index(model),
                "text": "–",
                "showarrow": False,
                "font": {"color": theme.silent, "size": 13},
            }
            for place, model in enumerate(matrix.others)
        ],
    )
    across = [f"<i>against</i><br>{wrapped(model, 11)}" for model in matrix.others]
    figure.update_xaxes(
        **axis,
        side="top",
        range=[-0.5, width - 0.5],
        tickvals=list(range(width)),
        ticktext=across,
        tickangle=0,
    )
    figure.update_yaxes(
        **axis, range=[count - 0.5, -0.5], tickvals=list(range(count)), ticktext=names, automargin=True
    )
