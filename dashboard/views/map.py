"""Maps: where models expect events, where they came, and which of them a model gains from."""

import html
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from dashboard import _data, _inputs
from dashboard._sentences import gain_unit
from dashboard._words import count_of, number, window_name
from dashboard.figures.events import SeenEvents, event_gains
from dashboard.figures.maps import MapLayout, gain_map, rate_map, rate_range, ratio_map, shown_rates
from dashboard.figures.pixels import Pixels
from dashboard.views._failures import no_forecast, no_inputs
from dashboard.views._frame import Frame, frame, say_filters
from dashboard.views._map_choices import Choices, Shows, choose
from dashboard.views._map_tables import events_table, gains_table, offer_rates
from dashboard.views._parts import in_proportion, plot
from dashboard.views._steps import step_windows
from dashboard.views._tables import show_table
from dashboard.views._text import plain
from forequake.errors import ForecastError, NotFound
from forequake.windows import TimeWindow

#: With buttons to look closer; a wheel or a finger still moves the page.
_BUTTONS = ("zoomIn2d", "zoomOut2d", "pan2d", "resetScale2d")
_DAY = 86_400.0
#: Widths of a map in CSS pixels: alone, and beside another.
_ALONE, _BESIDE = 740, 345


@dataclass(frozen=True, eq=False)
class _Shown:
    """The forecast of a model on the map."""

    model: str
    sums: _inputs.ForecastSums
    rates: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _Scene:
    """What all of the page's figures share."""

    shown: Frame
    window: TimeWindow
    choices: Choices
    pixels: Pixels
    seen: SeenEvents

    def layout(self, width: int) -> MapLayout:
        return MapLayout(pixels=self.pixels, seen=self.seen, theme=self.shown.theme, width=width)

    @property
    def days(self) -> float:
        return (self.window.end - self.window.start).total_seconds() / _DAY

    @property
    def file(self) -> str:
        return f"{self.shown.name}_{self.window.id}"


def show() -> None:
    """Draw the page."""
    shown = frame()
    st.header("Map")
    st.caption(f"{plain(shown.name)}: where models expect events, and where they came.")
    if not say_filters(shown):
        return
    window = shown.one_window
    if window is None or not shown.models:
        st.info("No window has results yet: there is nothing to draw.", icon=":material/hourglass_empty:")
        return
    step_windows(shown, window)
    if shown.window is None and len(shown.windows.listed) > 1:
        st.caption("The latest window with results; choose another one at the side.")
    scene = _scene(shown, window)
    if scene is None:
        return
    choices = scene.choices
    if choices.second is None or choices.shows in (Shows.FIRST, Shows.SECOND, Shows.BOTH):
        _rates(scene)
    elif choices.shows is Shows.RATIO:
        _ratio(scene, choices.second)
    else:
        _gains(scene, choices.second)


def _scene(shown: Frame, window: TimeWindow) -> _Scene | None:
    """Read region and events; None where the store has them no more, which is said then."""
    if shown.config is None:
        st.info("This forequake does not understand the experiment's record: it cannot draw its region.")
        return None
    choices = choose(shown, shown.config.magnitudes)
    try:
        pixels = _inputs.pixels(shown.address, shown.record_key)
        seen = _inputs.seen(shown.address, shown.record_key, window)
    except NotFound:
        no_inputs()
        return None
    if not choices.outside:
        seen = replace(seen, outside=seen.outside.take(np.arange(0)), reasons=(), n_outside=0)
    if choices.from_bin:
        seen = seen.from_magnitude(shown.config.magnitudes[choices.from_bin])
    return _Scene(shown, window, choices, pixels, seen)


def _read(scene: _Scene, model: str) -> _Shown | None:
    """Read the forecast of a model; None where there is none, which is said then."""
    shown, choices = scene.shown, scene.choices
    try:
        sums = _inputs.forecast_sums(shown.address, shown.record_key, model, scene.window, choices.from_bin)
    except (NotFound, ForecastError):
        no_forecast([model])
        return None
    return _Shown(model, sums, shown_rates(scene.pixels, sums.per_pixel, choices.rate, scene.days))


def _rates(scene: _Scene) -> None:
    choices = scene.choices
    names = [choices.first, choices.second] if choices.shows is Shows.BOTH else [choices.first]
    if choices.shows is Shows.SECOND:
        names = [choices.second]
    models = [name for name in names if name is not None]
    found = [one for one in (_read(scene, model) for model in dict.fromkeys(models)) if one is not None]
    if not found:
        return
    _say_what_counts(scene)
    other = choices.second if choices.linked and choices.shows is not Shows.BOTH else None
    beside = found if other is None else [*found, *_quietly(scene, choices.first, other)]
    figures = {}
    for column, one in zip(st.columns(len(found), gap="medium"), found, strict=True):
        colours = choices.fixed or rate_range(*(each.rates for each in (beside if choices.linked else [one])))
        layout = scene.layout(_ALONE if len(found) == 1 else _BESIDE)
        figure = rate_map(layout, one.rates, choices.rate, colours, one.sums.n_catalogs)
        figures[f"{scene.file}_{one.model}"] = figure
        with column:
            st.subheader(plain(one.model))
            expected = float(one.sums.per_pixel.sum())
            kind = "" if one.sums.n_catalogs is None else f", counted from {one.sums.n_catalogs} catalogs"
            st.caption(f"{number(expected)} events expected{kind}.")
            with in_proportion(f"rates-{len(figures)}", figure):
                st.plotly_chart(
                    figure,
                    height="stretch",
                    key=f"map of {one.model}",
                    config=plot(*_BUTTONS),
                    alt=f"Map of the rates of {one.model}: {number(expected)} events expected, "
                    f"{len(scene.seen.counted)} came",
                )
    _say_together(scene)
    show_table(events_table(scene.seen), f"{scene.file}_events", figures)
    offer_rates(scene.pixels, {one.model: one.rates for one in found}, scene.file)


def _quietly(scene: _Scene, *models: str) -> list[_Shown]:
    """Read forecasts for their range of colours alone."""
    found = []
    for model in models:
        try:
            sums = _inputs.forecast_sums(
                scene.shown.address, scene.shown.record_key, model, scene.window, scene.choices.from_bin
            )
        except (NotFound, ForecastError):
            continue
        rates = shown_rates(scene.pixels, sums.per_pixel, scene.choices.rate, scene.days)
        found.append(_Shown(model, sums, rates))
    return found


def _ratio(scene: _Scene, second: str) -> None:
    ours, theirs = _read(scene, scene.choices.first), _read(scene, second)
    if ours is None or theirs is None:
        return
    _say_what_counts(scene)
    names = (html.escape(ours.model), html.escape(theirs.model))
    figure = ratio_map(scene.layout(_ALONE), (ours.rates, theirs.rates), names)
    with in_proportion("ratio", figure):
        st.plotly_chart(
            figure,
            height="stretch",
            key="map of the ratio",
            config=plot(*_BUTTONS),
            alt=f"Map of the ratio of the rates of {ours.model} to those of {theirs.model}: "
            f"{ours.model} expects more on {_share_above(ours, theirs):.0%} of the map",
        )
    _say_together(scene)
    show_table(events_table(scene.seen), f"{scene.file}_events", {f"{scene.file}_ratio": figure})
    offer_rates(scene.pixels, {ours.model: ours.rates, theirs.model: theirs.rates}, scene.file)


def _share_above(ours: _Shown, theirs: _Shown) -> float:
    """Give the part of the pixels in which the first forecast expects more."""
    inside = ~np.isnan(ours.rates)
    return float((ours.rates > theirs.rates)[inside].mean())


def _gains(scene: _Scene, second: str) -> None:
    ours, theirs = _read(scene, scene.choices.first), _read(scene, second)
    if ours is None or theirs is None:
        return
    if not len(scene.seen.counted):
        st.info("No event counts in this window: no model gains.", icon=":material/radio_button_unchecked:")
        return
    gains = event_gains(ours.sums.at_events, ours.sums.total, theirs.sums.at_events, theirs.sums.total)
    st.markdown(_mean_words(scene, gains, second))
    names = (html.escape(ours.model), html.escape(theirs.model))
    figure = gain_map(scene.layout(_ALONE), gains, names, (ours.sums.per_pixel, theirs.sums.per_pixel))
    with in_proportion("gains", figure):
        st.plotly_chart(
            figure,
            height="stretch",
            key="map of gains",
            config=plot(*_BUTTONS),
            alt=f"Map of {count_of(len(gains), 'event')} by the gain of {ours.model} over {theirs.model}",
        )
    st.caption(
        "An event's gain is the logarithm of the ratio of both rates in its cell and magnitude bin, less its "
        "share of the difference of the expected numbers. The map shows the surroundings of the events, "
        "pale blue where the first model expects more, pale orange where the second one does."
    )
    table = gains_table(
        scene.seen, gains, {ours.model: ours.sums.at_events, theirs.model: theirs.sums.at_events}
    )
    _say_extremes(table)
    show_table(table, f"{scene.file}_gains", {f"{scene.file}_gain": figure})


def _mean_words(scene: _Scene, gains: NDArray[np.float64], second: str) -> str:
    """Say the mean of the gains, and what a T-test stored."""
    first, shown = scene.choices.first, scene.shown
    mean = None if np.isnan(gains).any() else float(gains.mean())
    stored = None
    for row in _data.window_rows(shown.address, shown.name, shown.token, scene.window):
        place = (row.label.model, row.label.reference)
        if row.test == "poisson_paired_t" and row.information_gain is not None:
            if place == (first, second):
                stored = row.label.test, row.information_gain
            elif place == (second, first) and stored is None:
                stored = row.label.test, -row.information_gain
    said = (
        f"**{plain(first)}** over **{plain(second)}**: the mean of {count_of(len(gains), 'event')} is "
        f"**{number(mean, 4)} nats per {gain_unit('poisson_paired_t')}**"
    )
    if stored is None:
        return f"{said}. No T-test of these two models is stored for this window."
    return f"{said}; the test {plain(stored[0])} stored {number(stored[1], 4)}."


def _say_extremes(table: list[dict[str, object]]) -> None:
    """List the events with the largest and the smallest gains, all where they are few."""
    st.subheader("Where the gain comes from")
    if len(table) <= 10:
        st.dataframe(table, hide_index=True)
        return
    for column, words, part in zip(
        st.columns(2, gap="medium"),
        ("Largest gains", "Smallest gains"),
        (table[:5], table[:-6:-1]),
        strict=True,
    ):
        with column:
            st.caption(words)
            st.dataframe(part, hide_index=True)


def _say_what_counts(scene: _Scene) -> None:
    magnitudes = scene.shown.config.magnitudes if scene.shown.config is not None else ()
    least = magnitudes[scene.choices.from_bin]
    said = (
        f"Events from magnitude {least:g} on in {window_name(scene.window)}: larger marks are larger events, "
        "filled ones count in the test, open ones lie outside of its magnitudes, depths or region."
    )
    st.caption(said)


def _say_together(scene: _Scene) -> None:
    """Say where the map shows less than every cell."""
    pixels = scene.pixels
    if pixels.most_together > 1:
        st.caption(
            f":material/grid_on: {pixels.n_cells:,} cells are drawn as {int(pixels.inside.sum()):,} pixels, "
            f"up to {pixels.most_together} cells in one: rates per cell are means, densities stay right."
        )


if __name__ == "__main__":
    show()
