"""Legends as HTML: they wrap on narrow screens, where a legend inside a figure would take its room."""

import base64
import html
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from plotly.colors import sequential

from dashboard._theme import Theme, pale
from dashboard.figures.cells import CountedMatrix
from dashboard.figures.marks import MARKS, PALEST, Status

__all__ = ["counted_legend", "mark_image", "quantiles_legend", "window_legend"]

#: Plotly's symbols, drawn in a square of 20 by 20.
_FILLED: Final = {
    "square": "M3 3h14v14h-14z",
    "x": "M6.5 3 10 6.5 13.5 3 17 6.5 13.5 10 17 13.5 13.5 17 10 13.5 6.5 17 3 13.5 6.5 10 3 6.5z",
    "triangle-up": "M10 3 18 17H2z",
    "triangle-down": "M10 17 2 3h16z",
    "triangle-left": "M3 10 17 2v16z",
    "triangle-right": "M17 10 3 2v16z",
    "circle": "M10 8a2 2 0 1 1 0 4a2 2 0 1 1 0-4z",
}
_OPEN: Final = {
    "diamond-open": "M10 2 18 10 10 18 2 10z",
    "hexagon-open": "M10 2 17 6v8l-7 4-7-4V6z",
    "circle-open": "M10 3a7 7 0 1 1 0 14a7 7 0 1 1 0-14z",
    "square-open": "M3 3h14v14h-14z",
    "square-open-dot": "M3 3h14v14h-14zM9.5 10h1",
    "line-ew-open": "M3 10h14",
}


def mark_image(status: Status, theme: Theme, size: int = 15, symbol: str | None = None) -> str:
    """Draw the mark of a status as an image element, silent to screen readers: words stand beside it.

    The drawing is part of the element's own address, since Streamlit removes SVG elements from HTML.

    Parameters
    ----------
    symbol
        Of plotly, where it is not that of the overview.
    """
    mark = MARKS[status]
    colour, symbol = mark.colour(theme), symbol or mark.symbol
    if symbol in _FILLED:
        shape = f'<path d="{_FILLED[symbol]}" fill="{colour}"/>'
    else:
        shape = f'<path d="{_OPEN[symbol]}" fill="none" stroke="{colour}" stroke-width="2"/>'
    if mark.letter:
        shape += (
            f'<text x="10" y="14.5" text-anchor="middle" font-size="13" font-weight="700" '
            f'fill="{colour}">{html.escape(mark.letter)}</text>'
        )
    drawing = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 20">{shape}</svg>'
    encoded = base64.b64encode(drawing.encode()).decode()
    return (
        f'<img src="data:image/svg+xml;base64,{encoded}" width="{size}" height="{size}" alt="" '
        'style="flex:none">'
    )


def window_legend(
    statuses: Iterable[Status], theme: Theme, symbols: Mapping[Status, str] = MappingProxyType({})
) -> str:
    """Name the marks that a matrix of one window has.

    Parameters
    ----------
    symbols
        Of plotly, for those that look otherwise than in the overview.
    """
    present = set(statuses)
    return _row(
        [
            mark_image(status, theme, symbol=symbols.get(status)) + html.escape(MARKS[status].label)
            for status in MARKS
            if status in present
        ]
    )


def quantiles_legend(statuses: Iterable[Status], theme: Theme) -> str:
    """Name the outcomes in single windows, and the shades of what is not rejected."""
    present = set(statuses)
    entries = [
        mark_image(status, theme) + html.escape(MARKS[status].label)
        for status in MARKS
        if status in present and status is not Status.PASSED
    ]
    if Status.PASSED in present:
        passed = MARKS[Status.PASSED]
        colour = passed.colour(theme)
        shades = f"linear-gradient(90deg,{pale(colour, PALEST)},{colour})"
        entries.insert(0, f"{passed.label}, quantile 0{_gradient(shades, theme, 80)}1")
    return _row(entries)


def _gradient(shades: str, theme: Theme, width: int) -> str:
    return (
        f'<span style="width:{width}px;height:10px;border:1px solid {theme.line};background:{shades}"></span>'
    )


def counted_legend(theme: Theme, matrix: CountedMatrix) -> str:
    """Name what a matrix over all windows has: the shade, the ring, the two triangles, sums and means."""
    colours = ",".join(sequential.Cividis)
    cells, entries = matrix.cells, []
    if any(cell.share is not None for cell in cells):
        entries.append(
            f"share rejected: 0&nbsp;%{_gradient(f'linear-gradient(90deg,{colours})', theme, 120)}100&nbsp;%"
        )
    if any(cell.beyond_chance for cell in cells):
        entries.append(
            f'<span style="flex:none;width:13px;height:13px;border:3px solid {theme.differ}"></span>'
            "more rejections than chance gives in 95 % of cases"
        )
    if any(cell.decided and cell.column.reference is not None for cell in cells):
        entries.append("▲ windows better, ▼ worse than the reference")
    if any(cell.decided and cell.column.against_all for cell in cells):
        entries.append("against all others: ▲ comparisons better, ▼ worse")
    if any(cell.total is not None for cell in cells):
        entries.append("Σ sum of the scores of so many windows, in nats")
    if any(cell.spread is not None for cell in cells):
        entries.append("⌀ mean of the scores of so many windows, with the least and the greatest")
    return _row(entries)


def _row(entries: Sequence[str]) -> str:
    cells = "".join(
        f'<span style="display:inline-flex;align-items:center;gap:.4rem">{entry}</span>' for entry in entries
    )
    return (
        '<div style="display:flex;flex-wrap:wrap;gap:.35rem 1.1rem;font-size:.85rem;line-height:1.35">'
        f"{cells}</div>"
    )
