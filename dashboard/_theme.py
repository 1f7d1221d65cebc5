"""Colours of the light and the dark theme; no Streamlit, so that figures can use them.

Blue and vermillion stay apart for readers with any of the three colour-vision deficiencies (Okabe and Ito
2008). Colour never speaks alone: `dashboard.figures.marks` gives each meaning its own shape.
"""

from dataclasses import dataclass
from typing import Any, Final, Literal

__all__ = ["DARK", "LIGHT", "Theme", "pale", "template", "theme_of"]

_FONT: Final = 'system-ui, "Segoe UI", Roboto, Arial, sans-serif'


@dataclass(frozen=True)
class Theme:
    """The colours that figures set themselves; axes and titles take theirs from the page.

    Attributes
    ----------
    agree, differ
        The two meanings that a test can have: the forecast passes or is better, is rejected or is worse.
    silent
        Where a test says nothing.
    text, muted, line
        Of letters, of letters that stand back, and of the lines between cells.
    bar, curve
        Of distributions.
    background
        Of the page, where a mark needs a rim.
    """

    name: Literal["light", "dark"]
    agree: str
    differ: str
    silent: str
    text: str
    muted: str
    line: str
    bar: str
    curve: str
    background: str


LIGHT: Final = Theme(
    name="light",
    agree="#0072B2",
    differ="#D55E00",
    silent="#909090",
    text="#1A1D23",
    muted="#5A616C",
    line="#E3E6EB",
    bar="#B8C2CE",
    curve="#5A616C",
    background="#FFFFFF",
)
DARK: Final = Theme(
    name="dark",
    agree="#56B4E9",
    differ="#E8702A",
    silent="#727272",
    text="#F2F4F7",
    muted="#A9B1BC",
    line="#2B313B",
    bar="#5B6675",
    curve="#A9B1BC",
    background="#12161C",
)


def theme_of(kind: str | None) -> Theme:
    """Give the theme that a browser reports; light where it reports none."""
    return DARK if kind == "dark" else LIGHT


def pale(colour: str, share: float) -> str:
    """Let the page's background through a colour, as a fill behind letters and lines needs it.

    Examples
    --------
    >>> pale("#0072B2", 0.25)
    'rgba(0,114,178,0.25)'
    """
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},{share:g})"


def template(theme: Theme) -> dict[str, Any]:
    """Give what the dashboard's pages give figures: the colours of axes, letters and background, as JSON."""
    axis = {
        "gridcolor": theme.line,
        "linecolor": theme.line,
        "zerolinecolor": theme.line,
        "tickcolor": theme.line,
        "tickfont": {"color": theme.muted, "size": 12},
        "title": {"font": {"color": theme.muted, "size": 13}},
    }
    return {
        "layout": {
            "font": {"family": _FONT, "color": theme.text, "size": 13},
            "paper_bgcolor": theme.background,
            "plot_bgcolor": theme.background,
            "xaxis": axis,
            "yaxis": axis,
            "hoverlabel": {
                "bgcolor": theme.background,
                "bordercolor": theme.muted,
                "font": {"color": theme.text},
            },
            "legend": {"font": {"color": theme.text}},
            "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": theme.muted, "activecolor": theme.text},
        }
    }
