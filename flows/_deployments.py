"""Deployments of `run-experiment` in Prefect: making them, finding them, and how they stand."""

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import DeploymentScheduleCreate, DeploymentUpdate, WorkPoolCreate
from prefect.client.schemas.filters import (
    FlowFilter,
    FlowFilterName,
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.sorting import FlowRunSort
from prefect.deployments.runner import DeploymentApplyError, RunnerDeployment
from prefect.exceptions import ObjectNotFound, PrefectException
from prefect.schedules import Schedule
from prefect.types.entrypoint import EntrypointType

from flows._schedules import schedule_text
from flows.run_experiment import run_experiment
from forequake.errors import InputError, ServerError, unknown

__all__ = [
    "DeploymentDraft",
    "DeploymentStatus",
    "Registered",
    "deployment_of",
    "deployments",
    "ensure_process_pool",
    "pause_own",
    "prefect_client",
    "register",
]

#: A module, not a file: workers import the forequake that they have, wherever it is installed.
_ENTRYPOINT: Final = "flows.run_experiment.run_experiment"
_PROCESS: Final = "process"
_REGISTERED_BY: Final = f"{socket.gethostname()} {uuid4().hex[:8]}"


@dataclass(frozen=True)
class DeploymentDraft:
    """A deployment as it is asked for.

    Attributes
    ----------
    parameters
        Of `run_experiment`.
    work_pool
        None where the process that registers it runs its ticks, too.
    """

    name: str
    experiment: str
    parameters: dict[str, Any]
    schedule: Schedule | None
    work_pool: str | None = None


@dataclass(frozen=True)
class Registered:
    """A deployment as Prefect has it now.

    Attributes
    ----------
    apply_again
        What a runner calls to know it.
    paused
        Whether somebody paused it before, which deploying again leaves as it is.
    replaced
        The experiment file that a deployment of the same name ran until now, where it was another one.
    moved_from
        Where its ticks ran until now, where that was another place: a work pool, or ``serve``.
    next_tick
        When it runs next, in UTC; None without a schedule or while paused.
    """

    id: UUID
    draft: DeploymentDraft
    paused: bool
    replaced: str | None
    moved_from: str | None
    next_tick: datetime | None


@dataclass(frozen=True)
class DeploymentStatus:
    """How a deployment stands.

    Attributes
    ----------
    place
        The work pool, or ``serve``.
    last, next
        The run that started last, and the one that is due next.
    """

    id: UUID
    name: str
    config: str
    store: str
    schedule: str
    paused: bool
    place: str
    last: FlowRun | None = field(default=None)
    next: FlowRun | None = field(default=None)


@contextmanager
def prefect_client() -> Iterator[SyncPrefectClient]:
    """Talk to Prefect's server, and say in one sentence where it fails.

    Raises
    ------
    ServerError
        Where it cannot be reached or refuses.
    """
    try:
        with get_client(sync_client=True) as client:
            yield client
    except (httpx.HTTPError, PrefectException, DeploymentApplyError) as error:
        message = f"Prefect's server refused or failed: {error}"
        raise ServerError(message) from error


def register(draft: DeploymentDraft) -> Registered:
    """Make a deployment, or change the one of this name into what is asked for.

    A served one runs from then on; one of a work pool that somebody paused stays paused.
    """
    with prefect_client() as client:
        before = _read(client, draft.name)
        # Prefect's pages pause either a schedule or the whole deployment.
        was_paused = before is not None and (
            before.paused or bool(before.schedules and not any(each.active for each in before.schedules))
        )
        paused = was_paused and draft.work_pool is not None
        if before is not None:
            for each in before.schedules:  # one with another slug would stay beside the new one
                client.delete_deployment_schedule(before.id, each.id)
        identity = _prefect_deployment(draft, paused=paused).apply()
        if not isinstance(identity, UUID):
            raise TypeError
        # Without this a misspelled parameter is found only when the run begins.
        schema = client.read_deployment(identity).parameter_openapi_schema or {}
        client.update_deployment(
            identity, DeploymentUpdate(parameter_openapi_schema={**schema, "additionalProperties": False})
        )
        # Prefect's scheduler looks once in a while; the next tick is to be known now.
        client.request(
            "POST",
            "/deployments/{id}/schedule",
            path_params={"id": str(identity)},
            json={"min_runs": 3, "max_runs": 3},
        )
        upcoming = _next(client, identity)
    config = draft.parameters["config"]
    old = None if before is None else before.parameters.get("config")
    place = None if before is None or before.work_pool_name == draft.work_pool else _place(before)
    return Registered(
        id=identity,
        draft=draft,
        paused=paused,
        replaced=old if old != config else None,
        moved_from=place,
        next_tick=None if upcoming is None else upcoming.expected_start_time,
    )


def _prefect_deployment(draft: DeploymentDraft, *, paused: bool) -> RunnerDeployment:
    deployment = RunnerDeployment.from_flow(
        run_experiment,
        name=draft.name,
        schedules=[] if draft.schedule is None else [DeploymentScheduleCreate.from_schedule(draft.schedule)],
        parameters=draft.parameters,
        tags=["forequake", draft.experiment],
        description=_description(draft),
        paused=paused,
        enforce_parameter_schema=True,
        entrypoint_type=EntrypointType.MODULE_PATH,
        # Who registered it last: at its end a process pauses what nobody has taken over since.
        version=_REGISTERED_BY,
    )
    deployment.entrypoint = _ENTRYPOINT
    # Said in so many words, since a deployment of this name may have had another place until now.
    deployment.work_pool_name = draft.work_pool
    deployment.work_queue_name = None
    return deployment


def _description(draft: DeploymentDraft) -> str:
    place = "`forequake serve`" if draft.work_pool is None else f"workers of the pool `{draft.work_pool}`"
    return (
        f"Runs the experiment **{draft.experiment}** ({draft.parameters['config']}) by {place}. Each tick "
        "takes the files as they are then and computes what is new. *Skipped*: another tick was at it. "
        "*Superseded*: it was late and a newer one was due. *NothingNew*: all results were stored."
    )


def pause_own(registered: Sequence[Registered]) -> list[str]:
    """Pause the deployments that this process registered last; give the names of the others.

    Raises
    ------
    ServerError
        Where Prefect's server does not do it.
    """
    others = []
    with prefect_client() as client:
        for each in registered:
            found = _read(client, each.draft.name)
            if found is None or found.version != _REGISTERED_BY:
                others.append(each.draft.name)
            else:
                client.pause_deployment(each.id)
    return others


def _place(found: DeploymentResponse) -> str:
    return found.work_pool_name or "serve"


def deployments() -> list[DeploymentStatus]:
    """List all deployments of experiments, by name."""
    with prefect_client() as client:
        found = client.read_deployments(
            flow_filter=FlowFilter(name=FlowFilterName(any_=[run_experiment.name])), limit=200
        )
        return sorted((_status(client, each) for each in found), key=lambda each: each.name)


def deployment_of(name: str) -> DeploymentStatus:
    """Give the deployment with this name.

    Raises
    ------
    InputError
        Where there is none, with the nearest name and all that there are.
    """
    with prefect_client() as client:
        found = _read(client, name)
        if found is not None:
            return _status(client, found)
    message = unknown("deployment", name, [each.name for each in deployments()])
    raise InputError(message)


def ensure_process_pool(name: str) -> bool:
    """Make a work pool for processes where there is none of this name; tell whether it was made.

    Raises
    ------
    InputError
        Where there is one of another type.
    """
    with prefect_client() as client:
        try:
            pool = client.read_work_pool(name)
        except ObjectNotFound:
            from prefect.workers.process import ProcessWorker

            template = ProcessWorker.get_default_base_job_template()
            client.create_work_pool(
                WorkPoolCreate(
                    name=name,
                    type=_PROCESS,
                    description="Ticks of forequake's experiments, each a process of a worker",
                    base_job_template=template,
                )
            )
            return True
    if pool.type != _PROCESS:
        message = (
            f"the work pool {name!r} is of the type {pool.type!r}, and forequake deploys to pools of the "
            f"type {_PROCESS!r}: name another one with --work-pool; it is made where it is missing"
        )
        raise InputError(message)
    return False


def _read(client: SyncPrefectClient, name: str) -> DeploymentResponse | None:
    try:
        return client.read_deployment_by_name(f"{run_experiment.name}/{name}")
    except ObjectNotFound:
        return None


def _status(client: SyncPrefectClient, found: DeploymentResponse) -> DeploymentStatus:
    active = [schedule_text(each.schedule) for each in found.schedules if each.active]
    idle = [schedule_text(each.schedule) for each in found.schedules if not each.active]
    return DeploymentStatus(
        id=found.id,
        name=found.name,
        config=str(found.parameters.get("config", "")),
        store=str(found.parameters.get("store", "default")),
        schedule=", ".join(active or idle) or "by hand",
        paused=found.paused or bool(idle and not active),
        place=_place(found),
        last=_last(client, found.id),
        next=_next(client, found.id),
    )


def _last(client: SyncPrefectClient, identity: UUID) -> FlowRun | None:
    over = [each for each in StateType if each not in {StateType.SCHEDULED, StateType.PENDING}]
    found = _runs(client, identity, over, FlowRunSort.START_TIME_DESC)
    return found[0] if found else None


def _next(client: SyncPrefectClient, identity: UUID) -> FlowRun | None:
    found = _runs(client, identity, [StateType.SCHEDULED], FlowRunSort.EXPECTED_START_TIME_ASC)
    return found[0] if found else None


def _runs(
    client: SyncPrefectClient, identity: UUID, states: Sequence[StateType], sort: FlowRunSort
) -> list[FlowRun]:
    wanted = FlowRunFilter(
        deployment_id=FlowRunFilterDeploymentId(any_=[identity]),
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=list(states))),
    )
    return client.read_flow_runs(flow_run_filter=wanted, sort=sort, limit=1)
