"""``forequake deployments``: what is registered, how it stands, and what to do about it at night."""

import shlex
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from flows._server import ensure_api
from flows.cli._terminal import JsonFlag, note, out, print_json
from forequake.quantities import now

if TYPE_CHECKING:
    from prefect.client.schemas.objects import FlowRun

    from flows._deployments import DeploymentStatus

__all__ = ["register"]

#: A tick that nobody has taken so long after its time says that nobody is there.
_PATIENCE: Final = timedelta(seconds=60)

deployments = typer.Typer(help="Experiments that are registered with Prefect.", no_args_is_help=True)

_Name = Annotated[str, typer.Argument(help="The deployment's name.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(deployments, name="deployments")


@deployments.command("list")
def list_deployments(as_json: JsonFlag = False) -> None:
    """List what is registered: schedule, where it runs, its last run and the next one.

    Example: `forequake deployments list`
    """
    ensure_api(note)
    from flows._deployments import deployments as all_deployments

    found = all_deployments()
    if as_json:
        print_json([_plain(each) for each in found])
        return
    if not found:
        out.print(
            "None yet: forequake serve CONFIG --interval 10m, or forequake deploy CONFIG --interval 10m"
        )
        return
    for each in found:
        place = "forequake serve" if each.place == "serve" else f"work pool {each.place}"
        out.print(f"{each.name}: {each.schedule}{', paused' if each.paused else ''}; {place}", soft_wrap=True)
        if each.last is not None:
            out.print(f"  last  {_moment(each.last.start_time)}  {_outcome(each.last)}", soft_wrap=True)
        due = None if each.next is None or each.paused else each.next.expected_start_time
        if due is not None:
            out.print(f"  next  {_moment(due)}{_overdue(each, due)}", soft_wrap=True)


@deployments.command("pause")
def pause(name: _Name) -> None:
    """Let a schedule make no more ticks; those under way go on.

    Example: `forequake deployments pause california`
    """
    found = _find(name)
    from flows._deployments import prefect_client

    with prefect_client() as client:
        client.pause_deployment(found.id)
    out.print(f"{name} is paused: forequake deployments resume {shlex.quote(name)}", soft_wrap=True)


@deployments.command("resume")
def resume(name: _Name) -> None:
    """Let a schedule that was paused go on.

    Example: `forequake deployments resume california`
    """
    found = _find(name)
    from flows._deployments import prefect_client

    with prefect_client() as client:
        client.resume_deployment(found.id)
        for schedule in client.read_deployment_schedules(found.id):
            client.update_deployment_schedule(found.id, schedule.id, active=True)
    out.print(f"{name} goes on: {found.schedule}")


@deployments.command("run")
def run(name: _Name) -> None:
    """Start a tick now, where the deployment's ticks run.

    Example: `forequake deployments run california`
    """
    endpoint = ensure_api(note)
    found = _find(name)
    from flows._deployments import prefect_client

    with prefect_client() as client:
        started = client.create_flow_run_from_deployment(found.id)
    page = f"{endpoint.url.removesuffix('/api')}/runs/flow-run/{started.id}"
    out.print(f"{name} starts as soon as {_runner(found)} takes it: {page}", soft_wrap=True)


@deployments.command("remove")
def remove(name: _Name) -> None:
    """Take a deployment out of Prefect, with its schedule; its results and runs stay.

    Example: `forequake deployments remove california`
    """
    found = _find(name)
    from flows._deployments import prefect_client

    with prefect_client() as client:
        client.delete_deployment(found.id)
    out.print(f"{name} is removed; its results and its runs stay.")


def _find(name: str) -> "DeploymentStatus":
    ensure_api(note)
    from flows._deployments import deployment_of

    return deployment_of(name)


def _overdue(found: "DeploymentStatus", due: datetime) -> str:
    return f", overdue: {_runner(found)} has not taken it" if now() - due > _PATIENCE else ""


def _runner(found: "DeploymentStatus") -> str:
    return "its forequake serve" if found.place == "serve" else f"a worker of the pool {found.place}"


def _moment(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"


def _outcome(run: "FlowRun | None") -> str:
    if run is None or run.state is None:
        return ""
    message = (run.state.message or "").strip().partition("\n")[0]
    return f"{run.state.name}: {message}" if message else str(run.state.name)


def _plain(each: "DeploymentStatus") -> dict[str, Any]:
    return {
        "name": each.name,
        "config": each.config,
        "store": each.store,
        "schedule": each.schedule,
        "paused": each.paused,
        "runs_in": each.place,
        "next": None if each.next is None else _stamp(each.next.expected_start_time),
        "last": None if each.last is None else _plain_run(each.last),
    }


def _stamp(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _plain_run(run: "FlowRun") -> dict[str, Any]:
    return {
        "flow_run_id": str(run.id),
        "started": _stamp(run.start_time),
        "state": None if run.state is None else run.state.name,
        "message": None if run.state is None else run.state.message,
    }
