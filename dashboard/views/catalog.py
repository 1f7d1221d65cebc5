"""The observed catalog: where and when events came, and how many beside what models expect."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from dashboard import _catalogs, _inputs
from dashboard._words import count_of, events, number, window_name
from dashboard.figures.catalog import epicentre_map, magnitude_time
from dashboard.figures.catalog_counts import (
    ModelCounts,
    cumulative_figure,
    frequency_figure,
    magnitude_histogram,
)
from dashboard.figures.judged import JudgedEvents, b_value, reason_words
from dashboard.figures.lines import styles_of
from dashboard.views._catalog_span import brushed, choose_span, figure_key, has_box
from dashboard.views._failures import no_forecast, no_inputs
from dashboard.views._files import file_name
from dashboard.views._filters import drop_unknown
from dashboard.views._frame import Frame, frame, say_filters
from dashboard.views._parts import in_proportion, plot, scrolled, sentence_of
from dashboard.views._steps import step_windows
from dashboard.views._tables import show_table
from dashboard.views._text import plain
from forequake.config import ExperimentConfig
from forequake.errors import ForecastError, NotFound
from forequake.models.runs.input_catalog import csep_csv
from forequake.places import window_marks
from forequake.windows import TimeWindow

#: Models of which forecasts are read at once, and at first.
_MOST_MODELS: Final = 4
_FIRST_MODELS: Final = 3
#: Rows of the table of events on the page; the file has all.
_MOST_ROWS: Final = 1000
#: Below so many events the error of b says little.
_FEW: Final = 50
_STEP: Final = 0.1
_ZOOM: Final = ("zoomIn2d", "zoomOut2d", "pan2d", "resetScale2d")
_BRUSH: Final = ("select2d", "zoom2d", "pan2d", "resetScale2d")


@dataclass(frozen=True, eq=False)
class _Scene:
    """What all figures of the page share."""

    shown: Frame
    config: ExperimentConfig
    judged: JudgedEvents

    @property
    def step(self) -> float:
        edges = self.config.magnitudes
        return round(float(np.median(np.diff(edges))), 9) if len(edges) > 1 else _STEP


def show() -> None:
    """Draw the page."""
    shown = frame()
    st.header("Catalog")
    if not say_filters(shown):
        return
    scene = _scene(shown)
    if scene is None:
        return
    counted = int(scene.judged.counted.sum())
    st.caption(
        f"The observed catalog: {events(len(scene.judged))}, of which {counted} count in "
        f"{count_of(len(scene.config.windows), 'window')}: from magnitude {scene.config.magnitudes[0]:g} on, "
        "in the region and its depths."
    )
    seen, span = _over_time(scene)
    _where(scene, seen, span)
    if shown.one_window is not None:
        _in_window(scene, shown.one_window)
    _events_table(scene, seen)


def _scene(shown: Frame) -> _Scene | None:
    if shown.config is None:
        st.info("This forequake does not understand the experiment's record: it cannot draw its catalog.")
        return None
    try:
        judged = _catalogs.judged(shown.address, shown.record_key)
    except NotFound:
        no_inputs()
        return None
    if not len(judged):
        st.info("The catalog has no events at all.", icon=":material/radio_button_unchecked:")
        return None
    return _Scene(shown, shown.config, judged)


def _over_time(scene: _Scene) -> tuple[JudgedEvents, TimeWindow]:
    """Draw magnitudes over time; give the events of the span that the reader chose, and the span."""
    shown, tested = scene.shown, scene.config.span
    whole = _whole(scene.judged, tested)
    key = figure_key(shown.name)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        written = choose_span(tested)
        drawn = tested
        if whole != tested and st.toggle(
            "Also events outside of all windows", key="catalog_whole", bind="query-params"
        ):
            drawn = whole
    inside = scene.judged.within(drawn)
    span = written or shown.window or drawn
    # Plotly draws a brushed box itself, and forgets it where its figure changes.
    framed = shown.window if has_box(key) else written or shown.window
    figure = magnitude_time(inside, scene.config, drawn, framed, shown.theme)
    if not len(inside):
        st.caption(":material/radio_button_unchecked: No event came in this time.")
    with scrolled("magnitude-time", 480):
        st.plotly_chart(
            figure,
            key=key,
            on_select=brushed(key),
            selection_mode="box",
            config=plot(*_BRUSH),
            alt=f"Magnitudes of {events(len(inside))} over time; the table below lists them",
        )
    st.caption(
        "Filled marks count in the test; the dashed line is its least magnitude. Drag over the figure to "
        "choose a span for what is below."
    )
    return scene.judged.within(span), span


def _whole(judged: JudgedEvents, tested: TimeWindow) -> TimeWindow:
    """Give the span of all events and all windows."""
    times = judged.events.take(np.array([0, len(judged) - 1])).times()
    return TimeWindow(start=min(times[0], tested.start), end=max(times[1], tested.end))


def _where(scene: _Scene, seen: JudgedEvents, span: TimeWindow) -> None:
    """Draw the epicentres of the chosen span, and its magnitudes."""
    shown = scene.shown
    st.subheader(plain(window_name(span)))
    if not len(seen):
        st.info("No event came in this span.", icon=":material/radio_button_unchecked:")
        return
    pixels = _inputs.pixels(shown.address, shown.record_key)
    left, right = st.columns([1.15, 1], gap="medium")
    place = epicentre_map(seen, pixels, shown.theme, 390)
    with left:
        counted = int(seen.counted.sum())
        st.caption(f"{_many(len(seen))}, {counted} in the test; larger marks, larger events.")
        with in_proportion("epicentres", place):
            st.plotly_chart(
                place,
                height="stretch",
                key="epicentres",
                config=plot(*_ZOOM),
                alt=f"Map of {events(len(seen))}, {counted} of them in the test",
            )
    with right:
        frequencies = _frequencies(scene, seen)
    figures = {f"{shown.name}_epicentres": place}
    if frequencies is not None:
        figures[f"{shown.name}_frequency"] = frequencies[0]
        show_table(frequencies[1], f"{shown.name}_b_value", figures)


def _frequencies(scene: _Scene, seen: JudgedEvents) -> tuple[go.Figure, list[dict[str, Any]]] | None:
    """Draw the frequency of magnitudes in the region and its depths."""
    least = scene.config.magnitudes[0]
    magnitudes = seen.events.magnitude[seen.located]
    if not len(magnitudes):
        st.caption(":material/radio_button_unchecked: None of them lies in the region and its depths.")
        return None
    found = b_value(magnitudes, least, scene.step)
    said = f"{_many(len(magnitudes))} in the region and its depths. "
    if found is None:
        said += f"Too few from magnitude {least:g} on for b."
    else:
        said += f"b by maximum likelihood from magnitude {least:g} on: {found.b:.2f} ± {found.error:.2f} "
        said += f"({events(found.n_events)}{', few' if found.n_events < _FEW else ''})."
    st.caption(said)
    figure = frequency_figure(magnitudes, found, least, scene.step, scene.shown.theme)
    st.plotly_chart(figure, key="frequency", config=plot(), alt=said)
    table = [
        {
            "events": len(magnitudes),
            "least magnitude": least,
            "events from it on": int((magnitudes >= least).sum()),
            "b": None if found is None else found.b,
            "standard error": None if found is None else found.error,
        }
    ]
    return figure, table


def _in_window(scene: _Scene, window: TimeWindow) -> None:
    """Draw observed numbers beside those that models expect in a window."""
    shown = scene.shown
    st.subheader("Observed and expected")
    step_windows(shown, window)
    observation = _inputs.experiment(shown.address, shown.record_key).observation(window)
    if not len(observation.events):
        st.caption(":material/radio_button_unchecked: No event counts in this window.")
    mark = window_marks(scene.config).get(window.id)
    if mark is not None:
        st.caption(f":material/flag: {plain(sentence_of(mark))}")
    models = _read(scene, _choose_models(shown), window)
    edges = np.array(scene.config.magnitudes)
    observed = np.bincount(observation.bins, minlength=len(edges))
    file = f"{shown.name}_{window.id}"
    left, right = st.columns(2, gap="medium")
    by_magnitude = magnitude_histogram(edges, observed, models, shown.theme)
    over_time = cumulative_figure(observation.events.time_us, window, models, shown.theme)
    with left:
        st.caption(
            "By magnitude. Bars hold 95 %: Poisson's of rates, the simulated of catalogs; "
            "a mark without a bar: 95 % have no event in the bin."
        )
        with scrolled("by-magnitude", 340):
            st.plotly_chart(
                by_magnitude,
                key="by magnitude",
                config=plot(),
                alt=f"{events(len(observation.events))} by magnitude beside what "
                f"{count_of(len(models), 'model')} expect",
            )
    with right:
        st.caption("Over time. Rates hold for the whole window, so what they expect grows evenly.")
        with scrolled("since-the-start", 340):
            st.plotly_chart(
                over_time,
                key="since the start",
                config=plot(),
                alt=f"{events(len(observation.events))} over time beside what "
                f"{count_of(len(models), 'model')} expect",
            )
    table = _bins_table(edges, observed, models)
    figures = {f"{file}_magnitudes": by_magnitude, f"{file}_over_time": over_time}
    show_table(table, f"{file}_magnitudes", figures)


def _many(count: int) -> str:
    """Begin a sentence with a number of events."""
    said = events(count)
    return f"{said[:1].upper()}{said[1:]}"


def _choose_models(shown: Frame) -> Sequence[str]:
    if len(shown.models) <= _FIRST_MODELS:
        return shown.models
    drop_unknown("catalog_models", shown.models)
    picked = st.multiselect(
        "Models",
        shown.models,
        key="catalog_models",
        placeholder=f"the first {_FIRST_MODELS} of {len(shown.models)} models",
        max_selections=_MOST_MODELS,
        bind="query-params",
        wrap=True,
    )
    return picked or shown.models[:_FIRST_MODELS]


def _read(scene: _Scene, names: Sequence[str], window: TimeWindow) -> list[ModelCounts]:
    """Read the forecasts of models; those that are not there are said."""
    shown, found, lacking = scene.shown, [], []
    styles = styles_of(names, names, shown.theme)
    for model in names:
        try:
            sums = _inputs.forecast_sums(shown.address, shown.record_key, model, window)
            growth = _catalogs.growth(shown.address, shown.record_key, model, window)
        except (NotFound, ForecastError):
            lacking.append(model)
            continue
        found.append(ModelCounts(model, styles[model], sums.per_bin, sums.band, growth))
    if lacking:
        no_forecast(lacking)
    return found


def _bins_table(
    edges: np.ndarray[Any, Any], observed: np.ndarray[Any, Any], models: Sequence[ModelCounts]
) -> list[dict[str, Any]]:
    """List the bins with what came and what each model expects."""
    table: list[dict[str, Any]] = [
        {"from magnitude": float(edge), "observed": int(count)}
        for edge, count in zip(edges, observed, strict=True)
    ]
    for counts in models:
        low, high = counts.bands
        for place, entry in enumerate(table):
            entry[f"{counts.model} expected"] = float(counts.per_bin[place])
            ends = (number(float(end[place]), 3) for end in (low, high))
            entry[f"{counts.model} 95 %"] = " to ".join(ends)
    return table


def _events_table(scene: _Scene, seen: JudgedEvents) -> None:
    """List the events of the chosen span, the largest first, and offer all of them as a file."""
    if not len(seen):
        return
    st.subheader("Events")
    only = st.toggle("Only those in the test", key="catalog_counted", bind="query-params")
    listed = seen.take(seen.counted) if only else seen
    if not len(listed):
        st.caption(":material/radio_button_unchecked: None of them counts.")
        return
    largest = listed.take(np.argsort(-listed.events.magnitude, kind="stable")[:_MOST_ROWS])
    if len(largest) < len(listed):
        st.caption(f"The largest {len(largest)} of {len(listed)} are listed; the file has all.")
    columns = largest.events
    st.dataframe(
        {
            "time (UTC)": columns.time_us.astype("datetime64[us]"),
            "magnitude": columns.magnitude,
            "longitude": columns.longitude,
            "latitude": columns.latitude,
            "depth in km": columns.depth_km,
            **({"id": columns.event_id.tolist()} if any(columns.event_id) else {}),
            "in the test": [
                f"no: {reason_words(code)}" if code else "yes" for code in largest.why_not.tolist()
            ],
        },
        hide_index=True,
    )
    st.download_button(
        "Download as CSEP CSV",
        data=lambda: csep_csv(listed.events).encode(),
        file_name=file_name(f"{scene.shown.name}_events.csv"),
        mime="text/csv",
        on_click="ignore",
        icon=":material/download:",
    )


if __name__ == "__main__":
    show()
