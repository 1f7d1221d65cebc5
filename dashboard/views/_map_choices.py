"""What the page of maps lets its reader choose: models, what is drawn, and with which colours."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import streamlit as st

from dashboard.figures.maps import Rate
from dashboard.views._failures import unknown_name
from dashboard.views._filters import drop_unknown
from dashboard.views._frame import Frame
from forequake.errors import unknown

__all__ = ["Choices", "Shows", "choose"]


class Shows(StrEnum):
    """What is drawn."""

    BOTH = "both models"
    FIRST = "first model"
    SECOND = "second model"
    RATIO = "ratio"
    GAIN = "gain of events"


class Colours(StrEnum):
    """What decides which rate has which colour."""

    ALIKE = "alike for both models"
    OWN = "of each map alone"
    FIXED = "fixed for all windows"


_RATES: Final[dict[str, Rate]] = {"per cell": "cell", "per 100 km² and day": "area"}
#: Least and greatest exponent that colours can be fixed to, and what they are at first.
_EXPONENTS: Final = (-20, 2)
_AT_FIRST: Final = (-8, 0)


@dataclass(frozen=True)
class Choices:
    """What the reader chose.

    Attributes
    ----------
    first, second
        Models; no second one where the page shows a single model.
    from_bin
        The first magnitude bin that counts in rates.
    linked
        Whether colours mean the same in both maps.
    fixed
        Least and greatest logarithm of rates, where the reader fixed them.
    outside
        Whether events that do not count are drawn.
    """

    first: str
    second: str | None
    shows: Shows
    rate: Rate = "cell"
    from_bin: int = 0
    linked: bool = True
    fixed: tuple[float, float] | None = None
    outside: bool = True


def choose(shown: Frame, magnitudes: Sequence[float]) -> Choices:
    """Draw the choices of the page."""
    models = shown.models
    first, second = _usual(shown)
    if second is None:
        shows = Shows.FIRST
        with st.container(horizontal=True, vertical_alignment="bottom"):
            return _choose_looks(Choices(first, None, shows), magnitudes)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        first = _one_of("First model", "map_a", models, first, width=230)
        second = _one_of("Second model", "map_b", models, second, width=230)
        options = [one.value for one in Shows]
        shows = Shows(_one_of("Show", "map_shows", options, options[0], width=180))
        chosen = Choices(first, second, shows)
        return chosen if shows is Shows.GAIN else _choose_looks(chosen, magnitudes)


def _choose_looks(chosen: Choices, magnitudes: Sequence[float]) -> Choices:
    """Let the reader choose magnitudes and events, and what colours stand for."""
    edges = [f"{edge:g}" for edge in magnitudes]
    from_bin = edges.index(_one_of("Magnitudes from", "map_from", edges, edges[0], width=150))
    rate, linked, fixed = chosen.rate, chosen.linked, None
    if chosen.shows is not Shows.RATIO:
        rate = _RATES[_one_of("Rates", "map_rate", tuple(_RATES), next(iter(_RATES)), width=210)]
        kinds = [one.value for one in Colours if chosen.second is not None or one is not Colours.ALIKE]
        colours = Colours(_one_of("Colours", "map_colours", kinds, kinds[0], width=210))
        linked = colours is Colours.ALIKE
        fixed = _fixed() if colours is Colours.FIXED else None
    outside = st.checkbox("Events outside of the test", value=True, key="map_outside", bind="query-params")
    return replace(chosen, rate=rate, from_bin=from_bin, linked=linked, fixed=fixed, outside=outside)


def _fixed() -> tuple[float, float]:
    low, high = st.slider(
        "Colours: powers of ten",
        *_EXPONENTS,
        value=_AT_FIRST,
        key="map_range",
        bind="query-params",
        width=230,
    )
    return float(low), float(max(high, low + 1))


def _usual(shown: Frame) -> tuple[str, str | None]:
    """Give the models at first: one that is compared with a reference, and the reference."""
    models = shown.models
    references = [column.reference for column in shown.all_columns if column.reference in models]
    second = references[0] if references else models[-1]
    first = next((model for model in models if model != second), second)
    return first, second if len(models) > 1 else None


def _one_of(label: str, key: str, options: Sequence[str], usual: str | None, *, width: int) -> str:
    """Let the reader choose; what stands there at first is not written into the address."""
    if key not in st.session_state:
        asked = st.query_params.get(key)
        if asked is not None and asked not in options:
            unknown_name(f"{unknown(label.casefold(), asked, options)}.")
    drop_unknown(key, options)
    picked = st.selectbox(
        label, options, index=None, placeholder=str(usual), key=key, bind="query-params", width=width
    )
    return str(usual) if picked is None else picked
