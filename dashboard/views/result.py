"""One result: its distribution, its quantiles, what they mean in a sentence, and where they come from."""

import html
import json
import re
from collections.abc import Mapping, Sequence
from typing import Final, Literal
from urllib.parse import urlencode

import plotly.graph_objects as go
import streamlit as st

from dashboard import _data
from dashboard._as_of import written
from dashboard._sentences import (
    flag_words,
    gain_unit,
    missing_words,
    power_words,
    sentence,
    windows_words,
)
from dashboard._theme import Theme, theme_of
from dashboard._words import (
    OUTCOMES,
    SIDES,
    count_of,
    is_drawn,
    letters,
    number,
    quantile_texts,
    simulations_of,
    window_name,
)
from dashboard.figures.curves import curve_figure
from dashboard.figures.distributions import distribution_figure
from dashboard.figures.legend import mark_image
from dashboard.figures.marks import MARKS, Status
from dashboard.views._failures import unknown_name
from dashboard.views._filters import AS_OF, choose_address, link_to, of_this_time
from dashboard.views._parts import listed, plot, say_late, sentence_of
from dashboard.views._result_files import link_test, offer_files, repeating
from dashboard.views._result_windows import over_time, say_sum
from dashboard.views._text import clock, plain
from forequake.config import ExperimentConfig
from forequake.errors import NotFound
from forequake.evaluations.power import power_of
from forequake.places import window_marks
from forequake.results import (
    AdjustedQuantile,
    AnyEvaluation,
    BatchQuantiles,
    ComparisonRecord,
    KolmogorovQuantile,
    Label,
    RunRecord,
    ScoreRecord,
    SimulatedDistribution,
)
from stores import BoundResult, ResultRow

#: With what probability a test would have found what is said beside its outcome.
_POWER: Final = 0.8
_HASH: Final = re.compile(r"[0-9a-f]{64}")


def show() -> None:
    """Draw the page."""
    address = choose_address()
    slot = st.query_params.get("slot", "")
    if not _HASH.fullmatch(slot):
        _back(None)
        if slot:
            unknown_name("the link does not name a result: its slot is not a hash of 64 digits")
        else:
            st.info("Choose a result in the overview.", icon=":material/grid_view:")
        return
    try:
        values = _data.history(address, slot)
    except NotFound:
        values = ()
    shown = _value(values)
    if shown is None:
        return
    result = _data.result(address, shown.key)
    label = shown.label
    spans = result.n_windows is not None
    # Of a result over windows others would be those of the experiment's earlier ends, which are no windows.
    rows = () if spans else _rows(address, label)
    _steps(label, rows, result)
    theme = theme_of(st.context.theme.type)
    config = _config(address, label)
    marks = window_marks(config)
    _title(label, result, _taken_from(config, label), theme)
    if result.missing:
        st.caption(f":material/event_busy: {plain(missing_words(result.missing))}")
    _say_mark(result, label, marks)
    window = None if spans else label.window
    say_late(_data.statuses(address, label.experiment), window, (label.model, label.reference))
    _revisions(shown, values)
    scored = isinstance(result, ScoreRecord)
    curve = curve_figure(result, theme) if isinstance(result, ScoreRecord) else None
    picture = curve
    # Scores of one window without a curve have nothing to draw: then numbers stand alone.
    alone = scored and curve is None and len(rows) < 2
    wide, narrow = (st.container(), st.container()) if alone else st.columns([2.2, 1], gap="large")
    with wide:
        if curve is not None:
            st.plotly_chart(curve, key="curve", config=plot(), alt=sentence(result))
        elif not scored:
            picture = _picture(address, result, theme)
        if picture is None and len(rows) > 1:
            over_time(rows, label, theme, marks)
    with narrow:
        _numbers(result)
        if scored:
            say_sum(address, label, rows)
    if picture is not None and len(rows) > 1:
        over_time(rows, label, theme, marks)
    run = next((run for run in _data.runs(address, label.experiment) if run.run_no == shown.run_no), None)
    _provenance(address, shown, result, run)
    offer_files(address, label, result, config, picture)


def _value(values: Sequence[BoundResult]) -> BoundResult | None:
    """Give the value that the link names: the one of its key, else the latest."""
    key = st.query_params.get("key")
    if not values:
        _back(None)
        unknown_name("this store has no result in the place that the link names")
        return None
    if key is None:
        return values[-1]
    found = [value for value in values if value.key == key]
    if not found:
        _back(values[-1].label)
        unknown_name("the place that the link names never had the value of this key")
        _lead("Show its latest value", {"slot": _slot(values)})
        return None
    return found[-1]


def _lead(
    name: str,
    query: dict[str, str],
    *,
    icon: str | None = None,
    icon_position: Literal["left", "right"] = "left",
    disabled: bool = False,
) -> None:
    """Lead to another result. A link from a page to itself does nothing in Streamlit, so this is a button."""
    key = f"{name} {' '.join(query.values())}"
    if st.button(name, key=key, type="tertiary", icon=icon, icon_position=icon_position, disabled=disabled):
        st.switch_page("views/result.py", query_params=of_this_time(**query))


def _slot(values: Sequence[BoundResult]) -> str:
    return values[-1].label.slot


def _rows(address: str, label: Label) -> tuple[ResultRow, ...]:
    """Give the results of the same test and model in all windows."""
    token = _data.token_of(address, label.experiment)
    return _data.series(address, label.experiment, token, label.test, label.model, label.reference)


def _back(label: Label | None) -> None:
    """Lead to the overview: as the reader left it, or of the experiment that a link led into."""
    query = link_to() if label is None else link_to(experiment=label.experiment)
    st.page_link(
        "views/overview.py", label="Back to the overview", icon=":material/arrow_back:", query_params=query
    )


def _steps(label: Label, rows: Sequence[ResultRow], result: AnyEvaluation) -> None:
    """Lead back to the overview, to the same test of all models, and to the windows before and after."""
    windows = [row.label.window for row in rows]
    place = windows.index(label.window) if label.window in windows else None
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        _back(label)
        link_test(label, result)
        if place is None or len(rows) < 2:
            return
        steps: tuple[tuple[str, str, Literal["left", "right"], int], ...] = (
            ("Previous window", ":material/chevron_left:", "left", place - 1),
            ("Next window", ":material/chevron_right:", "right", place + 1),
        )
        for name, icon, side, step in steps:
            inside = 0 <= step < len(rows)
            slot = rows[step if inside else place].label.slot
            _lead(name, {"slot": slot}, icon=icon, icon_position=side, disabled=not inside)


def _title(label: Label, result: AnyEvaluation, source: str | None, theme: Theme) -> None:
    short = letters(result.test)
    test = label.test if short is None else f"{short}-test" if _is_letter(short, result) else short
    against = "" if label.reference is None else f" against {plain(label.reference)}"
    st.header(f"{plain(test[:1].upper() + test[1:])} of {plain(label.model)}{against}")
    named = "" if short in (None, label.test) else f" · {plain(label.test)}"
    taken = "" if source is None else f" · of the results of {plain(source)}"
    st.caption(f"{plain(label.experiment)}{named}{taken} · {plain(window_name(label.window))} (UTC)")
    status = Status(result.outcome.value)
    colour = MARKS[status].colour(theme)
    said = html.escape(sentence(result, label.reference))
    st.html(
        f'<div role="status" style="border-left:5px solid {colour};padding:.55rem .9rem;'
        'font-size:1.08rem;line-height:1.45;display:flex;align-items:center;gap:.7rem">'
        f"{mark_image(status, theme, 18)}<span>{said}</span></div>"
    )
    for flag in result.flags:
        st.caption(f":material/flag: {plain(flag_words(flag))}")


def _is_letter(short: str, result: AnyEvaluation) -> bool:
    """Tell whether a test is called by letters, as the N-test is; others are words, as calibration."""
    return result.kind != "score" and short not in ("calibration", "Holm")


def _config(address: str, label: Label) -> ExperimentConfig | None:
    """Read the experiment's configuration."""
    summaries = _data.experiments(address).experiments
    key = next((summary.record_key for summary in summaries if summary.name == label.experiment), None)
    return None if key is None else _data.config(address, key)


def _taken_from(config: ExperimentConfig | None, label: Label) -> str | None:
    """Name the test whose results a test over windows takes; None for other tests."""
    tests = () if config is None else config.tests
    return next((test.of for test in tests if test.name == label.test), None)


def _say_mark(result: AnyEvaluation, label: Label, marks: Mapping[str, str]) -> None:
    """Say that the catalog may miss events in the window, or in some of all windows."""
    said = None
    if result.n_windows is None:
        said = sentence_of(marks[label.window.id]) if label.window.id in marks else None
    elif marks:
        said = f"The catalog may miss events in {count_of(len(marks), 'window')} of the experiment."
    if said is not None:
        st.caption(f":material/flag: {plain(said)}")


def _revisions(shown: BoundResult, values: Sequence[BoundResult]) -> None:
    """Say that there are other values, and which one this is."""
    if len({value.key for value in values}) < 2:
        return
    latest = values[-1]
    slot = latest.label.slot
    if shown.key != latest.key:
        st.warning(
            f"This value is of run {shown.run_no}. Run {latest.run_no} replaced it on "
            f"{plain(clock(latest.bound_at))}.",
            icon=":material/history:",
        )
        _lead("Show the latest value", {"slot": slot})
        return
    with st.container(horizontal=True, gap="small"):
        st.caption(":material/history: Earlier values:", width="content")
        for value in values[:-1][-5:]:
            _lead(f"run {value.run_no}", {"slot": slot, "key": value.key})


def _picture(address: str, result: AnyEvaluation, theme: Theme) -> go.Figure | None:
    sample = None
    if isinstance(result.quantiles, KolmogorovQuantile | AdjustedQuantile):
        sample = _data.sample(address, result.key)
        if sample is None:
            st.caption("The numbers of the windows were dropped, and with them the picture.")
    elif isinstance(result.distribution, SimulatedDistribution):
        whole = st.toggle("Draw the whole sample", key="sample", bind="query-params")
        sample = _data.sample(address, result.key) if whole else None
        if whole and sample is None:
            st.caption("The whole sample was dropped; the picture is of the 201 quantiles that are kept.")
    figure = distribution_figure(result, theme, sample)
    if figure is None:
        st.caption("There is no distribution to draw.")
        return None
    st.plotly_chart(figure, key="distribution", config=plot(), alt=sentence(result))
    return figure


def _numbers(result: AnyEvaluation) -> None:
    # A probability that was worked out is not counted from simulations, though the test may have drawn some.
    simulations = simulations_of(result) if is_drawn(result.test, result.quantiles) else None
    entries = [
        ("Outcome", OUTCOMES[result.outcome]),
        *quantile_texts(result.quantiles, simulations).items(),
        ("Score" if isinstance(result, ScoreRecord) else "Statistic", number(result.statistic, 6)),
    ]
    if isinstance(result, ComparisonRecord):
        entries.append((f"Information gain per {gain_unit(result.test)}", number(result.information_gain, 5)))
        if result.interval is not None:
            ends = " to ".join(number(end, 4) for end in result.interval)
            entries.append((f"{100 * (1 - result.alpha):g} % interval", ends))
    if result.n_windows is not None:
        entries.append(("Windows", windows_words(result.n_windows, result.missing)))
    entries += [
        ("Events observed", str(result.n_observed)),
        ("Events expected", number(result.n_forecast, 5)),
    ]
    if isinstance(result, ComparisonRecord | ScoreRecord) and result.n_reference is not None:
        entries.append(("Expected by the reference", number(result.n_reference, 5)))
    if not isinstance(result, ScoreRecord):
        entries += [("Alpha", f"{result.alpha:g}"), ("Side", SIDES[result.side])]
    listed(entries)
    st.caption(plain(sentence_of(result.rule)))
    power = power_of(result) if result.alpha < _POWER else None
    said = None if power is None else power_words(power, family=isinstance(result.quantiles, BatchQuantiles))
    if said is not None:
        st.caption(f":material/search_insights: {plain(said)}")


def _provenance(address: str, shown: BoundResult, result: AnyEvaluation, run: RunRecord | None) -> None:
    st.subheader("Where it comes from")
    entries = [
        ("Key", result.key),
        ("Test", f"{result.test}, kernel version {result.kernel_version}"),
        ("Seed", "none: nothing is drawn" if result.seed is None else str(result.seed)),
    ]
    if result.num_simulations is not None:
        entries.append(("Simulated catalogs", str(result.num_simulations)))
    entries += [
        ("Computed at", f"{clock(result.computed_at)}, in {number(result.seconds, 3)} s"),
        ("Bound by", f"run {shown.run_no} at {clock(shown.bound_at)}"),
    ]
    if run is not None and run.git_commit:
        entries.append(
            ("Commit of its files", run.git_commit + (" and uncommitted changes" if run.git_dirty else ""))
        )
    if result.environment is not None:
        entries += _environment(address, result.environment)
    listed(entries)
    base = (st.context.url or "").split("?")[0]
    st.markdown("Permanent link to this value")
    query = of_this_time(slot=shown.label.slot, key=result.key)
    query.setdefault(AS_OF, written(_data.experiments(address).read_at))
    st.code(f"{base}?{urlencode(query)}", language=None, wrap_lines=True)
    st.markdown("Compute it again, in the folder in which its run began")
    st.code(repeating(shown.label, run, spans=result.n_windows is not None), language=None, wrap_lines=True)
    with st.expander("What its key is made of"):
        st.json(json.loads(result.canon), expanded=3)


def _environment(address: str, key: str) -> list[tuple[str, str]]:
    found = _data.environment(address, key)
    if found is None:
        return [("Environment", f"{key} (not in the store)")]
    versions = [
        f"{name} {found.packages[name]}"
        for name in ("forequake", "pycsep", "numpy", "scipy")
        if name in found.packages
    ]
    return [("Environment", ", ".join([f"Python {found.python}", found.platform, *versions]))]


if __name__ == "__main__":
    show()
