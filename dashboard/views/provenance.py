"""Provenance: what results were made from, how to make them again, and what two runs do not share."""

import json
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import streamlit as st

from dashboard import _data, _past
from dashboard._prefect import flow_run_link
from dashboard._provenance import (
    CatalogFacts,
    Facts,
    config_hash,
    config_text,
    differences,
    document,
    facts_of,
    forecast_table,
    repeat_commands,
    requirements,
)
from dashboard._public import is_public
from dashboard._words import count_of, number, window_name
from dashboard.views._choices import pick, run_named, run_options
from dashboard.views._files import file_name
from dashboard.views._filters import link_to
from dashboard.views._frame import Frame, frame, say_filters
from dashboard.views._parts import listed
from dashboard.views._tables import show_rows, show_table
from dashboard.views._text import clock, plain
from forequake.results import EnvironmentRecord, ExperimentRecord, RunRecord
from forequake.windows import TimeWindow

#: The document has the records of forecasts of so many windows at most.
_MOST_WINDOWS: Final = 50


def show() -> None:
    """Draw the page."""
    shown = frame()
    st.header(f"Provenance of {plain(shown.name)}")
    say_filters(shown)
    st.caption("What a run started from, how to repeat it, and what it does not share with another run.")
    runs = _data.runs(shown.address, shown.name)
    if not runs:
        st.info("No run has begun.", icon=":material/hourglass_empty:")
        return
    with st.container(horizontal=True):
        name = pick("Run", "run", run_options(runs), f"the last, run {runs[0].run_no}")
        other = pick("Compared with", "compared_with", run_options(runs), "no other run")
    run = run_named(runs, name) or runs[0]
    against = run_named(runs, other)
    if against is not None:
        _differences(shown, against, run)
    _run(shown, run, runs[0])
    record = _past.experiment_record(shown.address, run.experiment_key)
    environment = _environment(shown, run)
    if record is None:
        st.warning("The store does not have what this run resolved.", icon=":material/link_off:")
        return
    catalogs = _past.catalogs(shown.address, record.key, run.started_at, run.ended_at)
    _repeat(run, environment, record)
    _configuration(shown, record)
    _catalogs(shown, catalogs, record)
    _forecasts(shown, record)
    _packages(shown, environment, run)
    _document(shown, run, record, environment, catalogs)


def _environment(shown: Frame, run: RunRecord) -> EnvironmentRecord | None:
    return None if run.environment is None else _data.environment(shown.address, run.environment)


def _run(shown: Frame, run: RunRecord, last: RunRecord) -> None:
    st.subheader(f"Run {run.run_no}")
    if last.run_no != run.run_no:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.caption(f":material/history: Superseded by run {last.run_no}.", width="content")
            st.page_link(
                "views/revisions.py",
                label="Which results changed",
                query_params=link_to(experiment=shown.name, before=f"run {run.run_no}"),
            )
    ended = "not ended" if run.ended_at is None else clock(run.ended_at)
    counts = run.counts
    took = (run.ended_at or run.heartbeat_at) - run.started_at
    table = [
        ("Run", f"{run.run_no}, {run.state.value}"),
        ("Id", run.id),
        ("Started", clock(run.started_at)),
        ("Ended", ended),
        ("Wall time", f"{number(took.total_seconds(), 5)} s"),
        (
            "Results",
            f"{counts.computed} computed, {counts.cached} stored already, "
            f"{counts.failed + counts.upstream_failed} failed",
        ),
        ("Commit of its files", run.git_commit or "none"),
        ("Uncommitted changes", {None: "not known", True: "yes", False: "no"}[run.git_dirty]),
        ("Seed", "none given" if run.seed is None else str(run.seed)),
    ]
    if not is_public():
        table += [
            ("Host", run.host or "not told"),
            ("Label", run.label or "none"),
            ("Flow run", run.flow_run_id or "none"),
        ]
    listed(table)
    link = flow_run_link(run.flow_run_id, st.context.url)
    if link is not None:
        st.link_button("Flow run and task runs in Prefect", link, icon=":material/open_in_new:")


def _repeat(run: RunRecord, environment: EnvironmentRecord | None, record: ExperimentRecord) -> None:
    st.subheader("Repeat it")
    commands = repeat_commands(run, environment)
    if commands is None:
        told = "Its command is not for the public." if is_public() else "The run does not tell its command."
        st.caption(told)
        return
    if run.git_commit is None:
        st.warning("The run's files were in no git repository: nothing brings them back.")
    elif run.git_dirty:
        st.warning("The run's files had changes that the commit lacks.", icon=":material/difference:")
    st.code(commands, language="bash", wrap_lines=True)
    if environment is not None:
        st.download_button(
            "Download requirements.txt",
            partial(requirements, environment),
            file_name="requirements.txt",
            key="requirements",
            on_click="ignore",
            icon=":material/download:",
        )
    if isinstance(record.config.get("catalog"), dict):
        st.caption("The catalog is asked for anew: where its service corrected it since, results differ.")


def _configuration(shown: Frame, record: ExperimentRecord) -> None:
    st.subheader("Configuration")
    # To the public it is shown without folders: the hash of what is left would be that of no file.
    hashed = [] if is_public() else [("SHA-256 of the configuration", config_hash(record))]
    listed([*hashed, ("Key of the experiment", record.key)])
    if is_public():
        st.caption("Of paths the last parts are shown.")
    text = config_text(record)
    with st.expander("The configuration, with all defaults written out", icon=":material/settings:"):
        # Of one piece: a box that scrolls could not be reached by keyboard.
        st.code(text, language="yaml", wrap_lines=True)
    st.download_button(
        "Download the configuration",
        text,
        file_name=file_name(f"{shown.name}_config.yml"),
        key="configuration",
        on_click="ignore",
        icon=":material/download:",
    )


def _catalogs(shown: Frame, catalogs: Sequence[CatalogFacts], record: ExperimentRecord) -> None:
    st.subheader("Catalogs and region")
    table: list[dict[str, Any]] = [
        {
            "what": "observed catalog" if each.purpose == "testing" else "input of models",
            "source": each.source if isinstance(each.source, str) else json.dumps(each.source),
            "asked at": each.retrieved_at,
            "snapshot": each.snapshot,
            "events": each.n_events,
            "first event": each.first,
            "last event": each.last,
        }
        for each in catalogs
    ]
    table.append({"what": "region", "source": None, "snapshot": record.inputs.region})
    table += [
        {"what": "own file", "source": name, "snapshot": file.sha256}
        for name, file in record.inputs.own_files.items()
    ]
    show_rows(table, f"{shown.name}_catalogs")


def _forecasts(shown: Frame, record: ExperimentRecord) -> None:
    st.subheader("Forecasts")
    windows = _windows_of(shown, record)
    if not windows:
        st.caption("The run had no such window with results.")
        return
    window = windows[-1]
    st.caption(f"For the window {plain(window_name(window))}; choose another one at the side.")
    found = _past.forecasts(shown.address, record.key, window, shown.models)
    if not found:
        st.info("The run had no forecast for this window.", icon=":material/event_busy:")
        return
    table = forecast_table(found)
    lacking = sum(each.record is None for each in found)
    if lacking:
        st.caption(f"{count_of(lacking, 'forecast')} of them the store has not, or has no more.")
    show_rows(table, f"{shown.name}_{window.id}_forecasts")


def _packages(shown: Frame, environment: EnvironmentRecord | None, run: RunRecord) -> None:
    st.subheader("Environment")
    if environment is None:
        st.caption("Where it ran was not recorded, or the store has it no more.")
        return
    listed(
        [
            ("Python", environment.python),
            ("Platform", environment.platform),
            ("Container", environment.image_digest or "none"),
            ("Packages", str(len(environment.packages))),
        ]
    )
    table = [{"package": name, "version": version} for name, version in environment.packages.items()]
    show_table(table, f"{shown.name}_run_{run.run_no}_packages")


def _document(
    shown: Frame,
    run: RunRecord,
    record: ExperimentRecord,
    environment: EnvironmentRecord | None,
    catalogs: Sequence[CatalogFacts],
) -> None:
    windows = _windows_of(shown, record)
    st.subheader("All of it")
    if len(windows) == _MOST_WINDOWS:
        st.caption(f"With the records of forecasts for the last {count_of(len(windows), 'window')}.")

    def made() -> str:
        forecasts = [
            each for window in windows for each in _past.forecasts(shown.address, record.key, window)
        ]
        told = document(run, record, environment, catalogs, forecasts)
        if is_public():
            del told["experiment"]["config_sha256"]
        return json.dumps(told, indent=1)

    st.download_button(
        "Download as JSON",
        made,
        file_name=file_name(f"{shown.name}_run_{run.run_no}_provenance.json"),
        mime="application/json",
        key="provenance",
        on_click="ignore",
        icon=":material/download:",
    )


def _windows_of(shown: Frame, record: ExperimentRecord) -> list[TimeWindow]:
    """Give the chosen window, or the last ones with results, as far as the run had them."""
    config = _data.config(shown.address, record.key)
    had = set() if config is None else set(config.windows)
    if shown.window is not None:
        return [shown.window] if shown.window in had else []
    return [each.window for each in shown.windows.listed if each.window in had][-_MOST_WINDOWS:]


def facts(shown: Frame, run: RunRecord) -> Facts:
    """Give what a run started from, in words."""
    record = _past.experiment_record(shown.address, run.experiment_key)
    catalogs = _past.catalogs(shown.address, run.experiment_key, run.started_at, run.ended_at)
    return facts_of(record, run, _environment(shown, run), catalogs)


def _differences(shown: Frame, before: RunRecord, after: RunRecord) -> None:
    before, after = sorted((before, after), key=lambda run: run.run_no)
    st.subheader(f"Run {before.run_no} and run {after.run_no}: what differs")
    if before.run_no == after.run_no:
        st.caption("It is the same run.")
        return
    found = differences(facts(shown, before), facts(shown, after))
    if found:
        table = [
            {
                "part": each.part,
                "what": each.what,
                f"run {before.run_no}": each.before,
                f"run {after.run_no}": each.after,
            }
            for each in found
        ]
        show_rows(table, f"{shown.name}_runs_{before.run_no}_{after.run_no}")
    else:
        st.info("They started from the same.", icon=":material/equal:")
    st.page_link(
        "views/revisions.py",
        label="Which results changed between them",
        icon=":material/compare_arrows:",
        query_params=link_to(
            experiment=shown.name, before=f"run {before.run_no}", after=f"run {after.run_no}"
        ),
    )


if __name__ == "__main__":
    show()
