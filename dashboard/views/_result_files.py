"""What can be taken from the page of one result: files, the command that repeats it, links to its test."""

import json
import shlex
from functools import partial
from typing import Final

import plotly.graph_objects as go
import streamlit as st

from dashboard import _data
from dashboard._theme import theme_of
from dashboard._words import window_name
from dashboard.views._files import as_page, file_name
from dashboard.views._filters import ALL_WINDOWS
from forequake.config import ExperimentConfig
from forequake.evaluations.pycsep_results import has_pycsep_result, pycsep_result
from forequake.evaluations.registry import TESTS
from forequake.results import AnyEvaluation, Label, RunRecord, SimulatedDistribution

__all__ = ["link_test", "offer_files", "repeating"]

_CONFIG: Final = "config.yml"


def link_test(label: Label, result: AnyEvaluation) -> None:
    """Lead to the same test and window of all models."""
    chosen: dict[str, str | list[str]] = {"experiment": label.experiment}
    chosen["window"] = window_name(label.window) if result.n_windows is None else ALL_WINDOWS
    definition = TESTS.get(result.test)
    if result.kind == "comparison":
        page, name, icon = "comparison", "Compare all models", ":material/balance:"
        chosen["test"] = []
        if label.reference is not None and definition is not None and definition.names_reference:
            chosen["against"] = label.reference
    elif result.kind == "consistency" and definition is not None and not definition.of:
        page, name, icon = "consistency", "This test of all models", ":material/align_justify_center:"
        chosen["test"] = [label.test]
    else:
        return
    if st.button(name, icon=icon, type="tertiary", on_click=_choose, args=(chosen,)):
        st.switch_page(f"views/{page}.py", query_params=chosen)


def _choose(chosen: dict[str, str | list[str]]) -> None:
    """Choose before the page is drawn: a link's parameters give way to what the reader chose before."""
    for name, value in chosen.items():
        st.session_state[name] = value


def repeating(label: Label, run: RunRecord | None, *, spans: bool) -> str:
    """Give the command that computes one result again, in the folder in which its run began.

    Parameters
    ----------
    run
        That gave the result; its command names the experiment's file.
    spans
        Whether the result is one over windows, which needs all of them.
    """
    words = () if run is None else run.command
    config = next((word for word in words if word.endswith((".yml", ".yaml"))), _CONFIG)
    if words[1:2] == ("run",) and len(words) > 2 and not words[2].startswith("-"):
        config = words[2]
    parts = ["forequake", "run", config, "--model", label.model, "--test", label.test]
    if not spans:
        parts += ["--window", label.window.id]
    return shlex.join([*parts, "--force"])


def offer_files(
    address: str,
    label: Label,
    result: AnyEvaluation,
    config: ExperimentConfig | None,
    figure: go.Figure | None,
) -> None:
    """Offer the result as JSON, in the form of pyCSEP, and its figure as a page."""
    with st.container(horizontal=True):
        _offer("Download this result as JSON", f"{result.key[:16]}.json", result.model_dump_json(indent=1))
        if has_pycsep_result(result.test):
            _offer(
                "Download pyCSEP's EvaluationResult",
                f"{label.model}_{label.test}_{label.window.id}.json",
                _pycsep_json(address, label, result, config),
            )
        if figure is not None:
            title = f"{label.test} of {label.model}, {window_name(label.window)}"
            st.download_button(
                "Download the figure as HTML",
                data=partial(as_page, figure, title, theme_of(st.context.theme.type)),
                file_name=f"{result.key[:16]}.html",
                mime="text/html",
                on_click="ignore",
                icon=":material/download:",
            )
    if not has_pycsep_result(result.test):
        st.caption("pyCSEP has no result of this kind, so there is no file for it.")
    elif isinstance(result.distribution, SimulatedDistribution) and _data.sample(address, result.key) is None:
        st.caption("The whole sample was dropped: pyCSEP's file has the 201 quantiles that are kept.")


def _offer(name: str, file: str, text: str) -> None:
    st.download_button(
        name,
        text,
        file_name=file_name(file),
        mime="application/json",
        on_click="ignore",
        icon=":material/download:",
    )


def _pycsep_json(address: str, label: Label, result: AnyEvaluation, config: ExperimentConfig | None) -> str:
    sample = _data.sample(address, result.key)
    found = pycsep_result(
        result,
        label,
        sample=None if sample is None else sample.values,
        least_magnitude=None if config is None else config.magnitudes[0],
    )
    return json.dumps(found, indent=1)
