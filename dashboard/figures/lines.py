"""Lines of many models in one picture: a colour and a dash for each, grey where there are too many."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dashboard._theme import Theme, pale

__all__ = ["MOST_LINES", "Line", "kept_places", "milliseconds", "styles_of"]

#: So many lines can be told apart; of more, those that are chosen stand out.
MOST_LINES: Final = 8
_COLOURS: Final = {
    "light": ("#0072B2", "#D55E00", "#00805D", "#B0528A", "#9C6500", "#3A9BD9", "#1A1D23", "#7A828E"),
    "dark": ("#56B4E9", "#E8702A", "#2DBE95", "#E39AC8", "#EFC04A", "#7D8FF0", "#F2F4F7", "#9AA0A8"),
}
_DASHES: Final = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot", "5px,2px,1px,2px", "2px,5px")
_SYMBOLS: Final = ("circle", "square", "diamond", "triangle-up", "cross", "x", "star", "hexagon")


@dataclass(frozen=True)
class Line:
    """How a model's line looks; `grey` ones stand back and have no name in the legend.

    Attributes
    ----------
    symbol
        Of the marks on it, where it has some.
    """

    colour: str
    dash: str
    width: float
    grey: bool = False
    symbol: str = "circle-open"

    @property
    def named_dash(self) -> str:
        """The dash where a line is drawn by the graphics card, which knows those with names alone."""
        return "dot" if self.dash.endswith("px") else self.dash


def styles_of(models: Sequence[str], highlighted: Sequence[str], theme: Theme) -> dict[str, Line]:
    """Give each model its line.

    Parameters
    ----------
    models
        Always in the same order, so that a model has the same line in all pictures.
    highlighted
        Those that stand out, at most `MOST_LINES`; all of few models do where none is named.
    """
    chosen = [model for model in models if model in highlighted] or list(models)
    chosen = chosen[:MOST_LINES]
    colours = _COLOURS[theme.name]
    styles = {model: Line(pale(theme.silent, 0.5), "solid", 1.2, grey=True) for model in models}
    return styles | {
        model: Line(colours[place], _DASHES[place], 2.4, symbol=_SYMBOLS[place])
        for place, model in enumerate(chosen)
    }


def milliseconds(times: Iterable[datetime]) -> NDArray[np.float64]:
    """Give times as axes of dates take them in an eighth of the letters: milliseconds since 1970."""
    return np.array([time.timestamp() * 1000 for time in times], dtype=np.float64)


def kept_places(values: NDArray[np.float64], most: int) -> NDArray[np.intp]:
    """Choose the points of a line that its picture needs: of each stretch the ends, the least, the greatest.

    Parameters
    ----------
    values : array of float64, shape (points,)
    most
        About so many points are kept; a picture of half as many pixels is the same.

    Examples
    --------
    >>> kept_places(np.array([0.0, 9, 1, 2, -5, 3, 4, 5]), 4).tolist()
    [0, 1, 4, 7]
    """
    if len(values) <= most:
        return np.arange(len(values))
    kept: list[int] = []
    for part in np.array_split(np.arange(len(values)), max(most // 4, 1)):
        inside = values[part]
        kept += [part[0], part[int(np.argmin(inside))], part[int(np.argmax(inside))], part[-1]]
    return np.unique(np.array(kept, dtype=np.intp))
