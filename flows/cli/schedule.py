"""``forequake serve`` and ``forequake deploy``: runs on a schedule, here or on workers."""

import os
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple

import typer

from flows._schedules import Timing, timing_of
from flows._server import ApiEndpoint, ensure_api
from flows.cli._report_option import Report, report_parameter
from flows.cli._terminal import (
    ModelNames,
    StoreName,
    TestNames,
    WindowIds,
    note,
    out,
    store_of,
)
from forequake.errors import InputError

if TYPE_CHECKING:
    from flows._deployments import DeploymentDraft, Registered

__all__ = ["register"]

_POOL: Final = "forequake"
_NAME: Final = re.compile(r"[^/%&><\s]([^/%&><\n]*[^/%&><\s])?")
_NAME_RULE: Final = "no / % & < > in it, and no blank at its ends"

_Configs = Annotated[
    list[Path],
    typer.Argument(help="Experiments' files, or the folders of their config.yml.", show_default=False),
]
_Cron = Annotated[
    str | None,
    typer.Option(metavar="EXPR", help="When: minute, hour, day of month, month, day of week ('0 3 * * *')."),
]
_Interval = Annotated[str | None, typer.Option(metavar="DURATION", help="How often: 20s, 10m, 1h30m, 1d.")]
_Timezone = Annotated[
    str | None, typer.Option(metavar="ZONE", help="Of the schedule, as in Europe/Rome; else UTC.")
]
_Name = Annotated[str | None, typer.Option(help="The deployment's name; else the experiment's.")]
_Label = Annotated[str | None, typer.Option(help="A word for each run, kept with it.")]


class _Checked(NamedTuple):
    """An experiment that may be deployed: the deployment's name, its own, and the flow's parameters."""

    name: str
    experiment: str
    parameters: dict[str, Any]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("serve")(serve)
    app.command("deploy")(deploy)


def serve(
    configs: _Configs,
    cron: _Cron = None,
    interval: _Interval = None,
    timezone: _Timezone = None,
    store: StoreName = "default",
    models: ModelNames = [],  # noqa: B006
    tests: TestNames = [],  # noqa: B006
    windows: WindowIds = [],  # noqa: B006
    label: _Label = None,
    name: _Name = None,
    report: Report = None,
) -> None:
    """Run experiments on a schedule, in this process, until Ctrl-C.

    Each tick takes the files as they are then and computes what is new. Without a schedule, runs start by
    hand in Prefect's pages.

    Example: `forequake serve examples/california --interval 10m`
    """
    timing = timing_of(cron, interval, timezone)
    checked = _checked(configs, store, label, name, models, tests, windows, report)
    endpoint = ensure_api(note)
    from flows._deployments import register as register_deployment
    from flows._serving import serve as run_ticks

    served = [register_deployment(draft) for draft in _drafts(checked, timing, None)]
    for each in served:
        _tell(each, endpoint)
    note("Running its ticks here: Ctrl-C ends that and pauses the schedule.")
    run_ticks(served, endpoint.url, note)
    note("Ended.")


def deploy(
    configs: _Configs,
    cron: _Cron = None,
    interval: _Interval = None,
    timezone: _Timezone = None,
    work_pool: Annotated[
        str, typer.Option("--work-pool", metavar="POOL", help="Whose workers run it; made where missing.")
    ] = _POOL,
    store: StoreName = "default",
    models: ModelNames = [],  # noqa: B006
    tests: TestNames = [],  # noqa: B006
    windows: WindowIds = [],  # noqa: B006
    label: _Label = None,
    name: _Name = None,
    report: Report = None,
) -> None:
    """Register experiments for the workers of a work pool, on a schedule or to be started by hand.

    Doing it again changes what is registered; a schedule that somebody paused stays paused.

    Example: `forequake deploy examples/california --cron "0 3 * * *" --work-pool forequake`
    """
    timing = timing_of(cron, interval, timezone)
    checked = _checked(configs, store, label, name, models, tests, windows, report)
    if not _NAME.fullmatch(work_pool):
        message = f"--work-pool {work_pool!r} cannot be used: {_NAME_RULE}"
        raise InputError(message)
    endpoint = ensure_api(note)
    from flows._deployments import ensure_process_pool
    from flows._deployments import register as register_deployment

    drafts = _drafts(checked, timing, work_pool)
    if ensure_process_pool(work_pool):
        note(f"Made the work pool {work_pool}.")
    for draft in drafts:
        _tell(register_deployment(draft), endpoint)
    variable = "FOREQUAKE_STORE" if store == "default" else f"FOREQUAKE_STORE_{store.upper()}"
    given = [name for name in (variable, f"{variable}_FILE") if os.environ.get(name)]
    if given:
        note(f"Its ticks use the store that the worker knows as {store!r}: give workers {given[0]}, too.")
    home = os.environ.get("PREFECT_HOME")
    settings = [f"PREFECT_API_URL={endpoint.url}"]
    if endpoint.local and home:
        settings.append(f"PREFECT_HOME={shlex.quote(home)}")
    worker = f"prefect worker start --pool {shlex.quote(work_pool)} --limit 4"
    note(f"A worker runs its ticks: {' '.join(settings)} {worker}")


def _checked(
    configs: list[Path],
    store: str,
    label: str | None,
    name: str | None,
    models: list[str],
    tests: list[str],
    windows: list[str],
    report: Path | None,
) -> list[_Checked]:
    """Check experiments as a run would, before anything is started or registered."""
    from flows._preparation import prepare
    from forequake.plan import Selection

    if name is not None and len(configs) > 1:
        message = "--name names one deployment: give one experiment with it"
        raise InputError(message)
    shown = store_of(store).name
    checked: list[_Checked] = []
    for config in configs:
        _, experiment = prepare(str(config), note)
        Selection(tuple(models), tuple(tests), tuple(windows)).check(experiment)
        wanted = name or experiment.name
        if not _NAME.fullmatch(wanted):
            message = f"a deployment cannot have the name {wanted!r}: {_NAME_RULE}; give another with --name"
            raise InputError(message)
        if wanted in {each.name for each in checked}:
            message = f"two experiments have the name {wanted!r}: give them one by one, each with a --name"
            raise InputError(message)
        parameters = {
            "config": str(config.resolve()),
            "label": label or "",
            "store": _store_parameter(store, shown),
            "models": models,
            "tests": tests,
            "windows": windows,
            "force": False,
            "report": report_parameter(report, experiment.name),
        }
        checked.append(_Checked(wanted, experiment.name, parameters))
    note(f"Store: {shown}")
    return checked


def _store_parameter(store: str, shown: str) -> str:
    """Give the store's name as a tick can use it, which starts in another folder."""
    if not store.startswith("sqlite:///"):
        return store
    query = store.partition("?")[2]
    return shown + (f"?{query}" if query else "")


def _drafts(checked: list[_Checked], timing: Timing | None, pool: str | None) -> "list[DeploymentDraft]":
    from flows._deployments import DeploymentDraft
    from flows.run_experiment import run_experiment

    for each in checked:
        run_experiment.check(each.parameters)
    schedule = None if timing is None else timing.schedule()
    return [DeploymentDraft(each.name, each.experiment, each.parameters, schedule, pool) for each in checked]


def _tell(registered: "Registered", endpoint: ApiEndpoint) -> None:
    page = f"{endpoint.url.removesuffix('/api')}/deployments/deployment/{registered.id}"
    name = registered.draft.name
    if registered.replaced:
        note(f"{name} ran {registered.replaced} until now.")
    if registered.moved_from:
        pool = f"workers of the pool {registered.moved_from}"
        place = "forequake serve" if registered.moved_from == "serve" else pool
        note(f"{name} was run by {place} until now.")
    if registered.paused:
        when = f"paused, as it was (forequake deployments resume {shlex.quote(name)})"
    elif registered.next_tick is None:
        when = f"started by hand (forequake deployments run {shlex.quote(name)})"
    else:
        when = f"next tick {registered.next_tick.astimezone():%Y-%m-%d %H:%M:%S %Z}"
    out.print(f"{name}: {when}; {page}", soft_wrap=True)
