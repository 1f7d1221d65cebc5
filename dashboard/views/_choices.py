"""Choices between runs, and between states of an experiment as runs left it."""

from collections.abc import Sequence

import streamlit as st

from dashboard.views._failures import unknown_name
from forequake.results import RunRecord

__all__ = ["pick", "run_named", "run_options"]


def run_options(runs: Sequence[RunRecord]) -> list[str]:
    """Name runs, the last first; what stands in the list stands in the address."""
    return [f"run {run.run_no}" for run in sorted(runs, key=lambda run: -run.run_no)]


def run_named(runs: Sequence[RunRecord], name: str | None) -> RunRecord | None:
    """Find the run that an option names; None for other options."""
    return next((run for run in runs if f"run {run.run_no}" == name), None)


def pick(label: str, key: str, options: Sequence[str], default: str) -> str | None:
    """Let the reader choose one of the options, kept in the page's address; None stands for the default."""
    asked = st.query_params.get(key)
    if asked is not None and asked not in options and key not in st.session_state:
        unknown_name(f"there is no {asked!r} here; shown is {default}.")
    if st.session_state.get(key) not in (None, *options):  # what another experiment left
        st.session_state[key] = None
    return st.selectbox(label, options, index=None, placeholder=default, key=key, bind="query-params")
