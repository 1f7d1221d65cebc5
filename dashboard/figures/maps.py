"""Maps of forecasts: expected rates, the ratio of two of them, and what each event is worth."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.colors import sequential

from dashboard._theme import Theme, pale
from dashboard.figures.event_marks import draw_counted, draw_gains, draw_outside
from dashboard.figures.events import SeenEvents
from dashboard.figures.ground import draw_ground
from dashboard.figures.pixels import Pixels

__all__ = ["RATES", "MapLayout", "Rate", "gain_map", "rate_map", "rate_range", "ratio_map", "shown_rates"]

#: What a colour stands for: the number expected in a cell, or per area and time.
Rate = Literal["cell", "area"]
RATES: Final[dict[Rate, str]] = {"cell": "events per cell", "area": "events per 100 km² and day"}

#: Decades of rates that colours tell apart at most; lower ones have the last colour.
_DECADES: Final = 8.0
#: Factors of ten between two models that colours tell apart at most.
_RATIO: Final = 4.0
_AREA_KM2: Final = 100.0
#: How much of its colours what lies below events has.
_GROUND: Final = 0.35
#: From this width in CSS pixels on, marks have their full size.
_FULL_WIDTH: Final = 700

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class MapLayout:
    """What all maps of a page share.

    Attributes
    ----------
    pixels
        Where the region's cells lie.
    seen
        Events to draw.
    width
        About as many CSS pixels as a map will have.
    """

    pixels: Pixels
    seen: SeenEvents
    theme: Theme
    width: int = 620

    @property
    def scale(self) -> float:
        """How large marks of events are: smaller on smaller maps."""
        return min(max(math.sqrt(self.width / _FULL_WIDTH), 0.6), 1.0)


def shown_rates(pixels: Pixels, per_pixel: Array, rate: Rate, days: float) -> Array:
    """Give the rates that a map shows.

    Parameters
    ----------
    per_pixel : array of float64, shape (rows, columns)
        Expected number of events.
    days
        Length of the window.

    Returns
    -------
    array of float64, shape (rows, columns)
        Per cell, the mean of those that share a pixel; or per 100 square kilometres and day. NaN outside of
        the region.
    """
    size = pixels.cells if rate == "cell" else pixels.area / _AREA_KM2 * days
    with np.errstate(divide="ignore", invalid="ignore"):
        rates: Array = np.where(pixels.inside, per_pixel / size, np.nan)
    return rates


def rate_range(*rates: Array) -> tuple[float, float] | None:
    """Give the least and the greatest logarithm (base 10) of rates above 0; None where all are 0.

    At most `_DECADES` below the greatest: tails of nothing would leave no colours for what matters.
    """
    least, greatest = math.inf, -math.inf
    for some in rates:
        above = some[some > 0]
        if len(above):
            least, greatest = min(least, float(above.min())), max(greatest, float(above.max()))
    if math.isinf(least):
        return None
    low, high = math.log10(least), math.log10(greatest)
    if high - low < 0.1:
        return low - 0.5, high + 0.5
    return max(low, high - _DECADES), high


def rate_map(
    layout: MapLayout,
    rates: Array,
    rate: Rate,
    colours: tuple[float, float] | None,
    n_catalogs: int | None = None,
) -> go.Figure:
    """Draw expected rates with the events that came.

    Parameters
    ----------
    rates : array of float64, shape (rows, columns)
        What `shown_rates` gives.
    colours
        Least and greatest logarithm that have colours of their own.
    n_catalogs
        Of a forecast that is counted from simulated catalogs.
    """
    figure = go.Figure()
    theme = layout.theme
    scale = sequential.YlGnBu if theme.name == "light" else sequential.Cividis
    if colours is not None:
        low, high = colours
        ticks = _exponents(low, high)
        figure.add_trace(
            _heat(
                layout.pixels,
                np.where(rates > 0, rates, np.nan),
                zmin=low,
                zmax=high,
                colorscale=scale,
                colorbar=_bar(ticks, [_power(tick) for tick in ticks]),
                hovertemplate=_hover(f"10<sup>%{{z:.2f}}</sup> {RATES[rate]}"),
            )
        )
    nothing = "expects none" if n_catalogs is None else f"none in {n_catalogs} catalogs"
    _draw_nothing(figure, layout, rates == 0, nothing)
    draw_ground(figure, layout.pixels, theme, layout.width)
    _say(figure, RATES[rate])
    draw_outside(figure, layout.seen, layout.pixels, theme, layout.scale)
    draw_counted(figure, layout.seen, layout.pixels, theme, theme.differ, layout.scale)
    return figure


def ratio_map(layout: MapLayout, rates: tuple[Array, Array], names: tuple[str, str]) -> go.Figure:
    """Draw by what factor one forecast expects more than another.

    Parameters
    ----------
    rates : two arrays of float64, shape (rows, columns)
        Of both forecasts, in the same unit.
    names
        Of the models, safe as HTML.
    """
    figure = go.Figure()
    theme = layout.theme
    ours, theirs = rates
    both = (ours > 0) & (theirs > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        logarithm = np.where(both, np.log10(ours) - np.log10(theirs), np.nan)
    most = min(float(np.abs(logarithm[both]).max()) if both.any() else 0.0, _RATIO)
    most = max(most, 0.1)
    ticks, texts = _factors(most)
    ratio = np.where(both, ours / np.where(both, theirs, 1.0), np.nan)
    figure.add_trace(
        _heat(
            layout.pixels,
            ratio,
            zmin=-most,
            zmax=most,
            colorscale=diverging(theme),
            colorbar=_bar(ticks, texts),
            hovertemplate=_hover("ratio 10<sup>%{z:.2f}</sup>"),
        )
    )
    _draw_nothing(figure, layout, (ours == 0) & (theirs == 0), "both expect none")
    _draw_nothing(figure, layout, (ours > 0) & (theirs == 0), f"only {names[0]} expects any", theme.agree)
    _draw_nothing(figure, layout, (ours == 0) & (theirs > 0), f"only {names[1]} expects any", theme.differ)
    draw_ground(figure, layout.pixels, theme, layout.width)
    _say(figure, f"◀ {names[1]} expects more · {names[0]} expects more ▶")
    draw_outside(figure, layout.seen, layout.pixels, theme, layout.scale)
    draw_counted(figure, layout.seen, layout.pixels, theme, theme.text, layout.scale)
    return figure


def gain_map(
    layout: MapLayout, gains: Array, names: tuple[str, str], rates: tuple[Array, Array]
) -> go.Figure:
    """Draw the counted events, of which there is one at least, by their own information gain.

    The map shows their surroundings: events of a sequence lie on top of each other on a map of a country.
    Pale below them is where each of the models expects more.

    Parameters
    ----------
    gains : array of float64, shape (events,)
        Of the first model over the second, in nats (see `event_gains`).
    names
        Of the models, safe as HTML.
    rates : two arrays of float64, shape (rows, columns)
        Of both forecasts, in the same unit.
    """
    figure = go.Figure()
    events = layout.seen.counted
    places = np.column_stack([layout.pixels.turned(events.longitude), events.latitude])
    _draw_who_expects_more(figure, layout, rates)
    draw_ground(figure, layout.pixels, layout.theme, layout.width, around=places)
    _say(figure, f"nats · ▼ {names[1]} is better · {names[0]} is better ▲")
    draw_gains(figure, layout.seen, layout.pixels, gains, layout.theme, names, _bar())
    return figure


def _draw_who_expects_more(figure: go.Figure, layout: MapLayout, rates: tuple[Array, Array]) -> None:
    """Draw the ratio of two forecasts as a pale ground, full where only one of them expects any."""
    ours, theirs = rates
    with np.errstate(divide="ignore", invalid="ignore"):
        logarithm = np.log10(ours) - np.log10(theirs)
    finite = np.isfinite(logarithm)
    most = max(min(float(np.abs(logarithm[finite]).max()) if finite.any() else 0.0, _RATIO), 0.1)
    figure.add_trace(
        go.Heatmap(
            x=layout.pixels.longitude,
            y=layout.pixels.latitude,
            z=np.clip(logarithm, -most, most).astype(np.float32),
            zmin=-most,
            zmax=most,
            colorscale=diverging(layout.theme),
            opacity=_GROUND,
            showscale=False,
            name="",
            hoverinfo="skip",
        )
    )


def diverging(theme: Theme) -> list[tuple[float, str]]:
    """Give a scale from the colour of worse to that of better, through one that says nothing."""
    middle = "#F1F3F5" if theme.name == "light" else "#262C36"
    return [(0.0, theme.differ), (0.5, middle), (1.0, theme.agree)]


def _heat(pixels: Pixels, values: Array, **looks: Any) -> go.Heatmap:
    """Draw the logarithm of values; NaN has no colour."""
    return go.Heatmap(
        x=pixels.longitude, y=pixels.latitude, z=np.log10(values).astype(np.float32), name="", **looks
    )


def _draw_nothing(
    figure: go.Figure, layout: MapLayout, where: NDArray[np.bool_], words: str, colour: str | None = None
) -> None:
    """Draw cells that have no logarithm as what they are."""
    if not where.any():
        return
    fill = pale(colour or layout.theme.silent, 0.45)
    # No more than the part of the map that has such cells: all of it would double what browsers load.
    rows, columns = (np.flatnonzero(where.any(axis=axis)) for axis in (1, 0))
    high, wide = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    figure.add_trace(
        go.Heatmap(
            x=layout.pixels.longitude[wide.start : wide.stop + 1],
            y=layout.pixels.latitude[high.start : high.stop + 1],
            z=np.where(where[high, wide], 1.0, np.nan).astype(np.float32),
            colorscale=[(0, fill), (1, fill)],
            showscale=False,
            name="",
            hovertemplate=_hover(words),
        )
    )
    figure.add_trace(
        go.Scatter(
            x=[None],
            y=[None],
            mode="markers",
            name=words,
            marker={"symbol": "square", "size": 12, "color": fill},
            hoverinfo="skip",
        )
    )


def _say(figure: go.Figure, words: str) -> None:
    """Write above the colour bar what it stands for; its own title would lie on it in low figures."""
    figure.add_annotation(
        text=words, x=0.5, y=1, xref="paper", yref="paper", yanchor="bottom", yshift=36, showarrow=False
    )


def _hover(words: str) -> str:
    return f"%{{x:.2f}}°, %{{y:.2f}}°<br>{words}<extra></extra>"


def _bar(ticks: Sequence[float] | None = None, texts: Sequence[str] | None = None) -> dict[str, Any]:
    bar: dict[str, Any] = {
        "orientation": "h",
        "x": 0.5,
        "xanchor": "center",
        "y": 1,
        "yanchor": "bottom",
        "ypad": 4,
        "len": 0.9,
        "thickness": 10,
        "outlinewidth": 0,
    }
    return bar if ticks is None else bar | {"tickvals": list(ticks), "ticktext": texts}


def _exponents(low: float, high: float) -> list[float]:
    """Give whole exponents between two, or both ends where there are none."""
    step = max(math.ceil((high - low) / 6), 1)
    whole = [float(one) for one in range(math.ceil(low), math.floor(high) + 1) if one % step == 0]
    return whole if len(whole) > 1 else [low, high]


def _power(exponent: float) -> str:
    """Write a power of ten.

    Examples
    --------
    >>> _power(-4.0), _power(-2.46)
    ('10<sup>−4</sup>', '10<sup>−2.5</sup>')
    """
    return f"10<sup>{exponent:.2g}</sup>".replace("-", "−")


def _factors(most: float) -> tuple[list[float], list[str]]:
    """Give ticks for the logarithm of a ratio, and write them as factors.

    Examples
    --------
    >>> _factors(1.3)
    ([-1.0, 0.0, 1.0], ['÷10', 'equal', '×10'])
    """
    largest = next((step for step in (3, 2, 1) if step <= most), None)
    if largest is not None:
        exponents = list(range(1, largest + 1))
        factors = [10.0**one for one in exponents]
    else:
        factor = next(one for one in (5, 2, 1.5, 1.2) if math.log10(one) <= most)
        factors = [float(factor)]
    logarithms = [math.log10(factor) for factor in factors]
    ticks = [-one for one in reversed(logarithms)] + [0.0, *logarithms]
    texts = [f"÷{one:g}" for one in reversed(factors)] + ["equal"] + [f"×{one:g}" for one in factors]
    return ticks, texts
