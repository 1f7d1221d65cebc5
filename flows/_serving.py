"""Running the ticks of deployments in this process's children until somebody says stop."""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

import httpx
from prefect.deployments.runner import RunnerDeployment
from prefect.exceptions import PrefectException
from prefect.runner import Runner

from flows._deployments import Registered, pause_own
from flows._prefect_api import trouble_with
from flows._server import ensure_api
from forequake.errors import ServerError
from forequake.quantities import now

__all__ = ["serve"]

#: How often Prefect is asked for runs; runs are fetched before their time, so this delays only those that a
#: person starts in Prefect's pages.
_QUERY_SECONDS: Final = 5.0
#: A server that is started again is back within so many seconds, as a rule.
_PAUSE_SECONDS: Final = 15.0
#: Ticks that give way to another one end within seconds; so many may do so beside those that work.
_SPARE: Final = 2


class _Known(RunnerDeployment):
    """A deployment that is registered already."""

    def __init__(self, registered: Registered) -> None:
        super().__init__(name=registered.draft.name)
        self._registered = registered.id

    async def aapply(self, *args: object, **kwargs: object) -> UUID:
        """Give the deployment's id; there is nothing to apply."""
        return self._registered


def serve(deployments: Sequence[Registered], api_url: str, announce: Callable[[str], None]) -> None:
    """Run the ticks of deployments until SIGTERM or Ctrl-C, which pause them and stop ticks in order.

    A server that fails is waited for; the local one is started again.
    """
    asyncio.run(_serve(deployments, api_url, announce))


async def _serve(deployments: Sequence[Registered], api_url: str, announce: Callable[[str], None]) -> None:
    stop = asyncio.Event()
    watching = asyncio.create_task(_watch(api_url, announce))
    while not stop.is_set():
        try:
            await _until_stopped(deployments, stop, announce)
        except (httpx.HTTPError, PrefectException, RuntimeError, ExceptionGroup) as error:
            first = error.exceptions[0] if isinstance(error, ExceptionGroup) else error
            announce(f"{now():%H:%M:%S} Asking Prefect's server failed ({first}); trying again in 15 s")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _PAUSE_SECONDS)
    watching.cancel()


async def _watch(api_url: str, announce: Callable[[str], None]) -> None:
    """Look after the server: say when it goes and comes, and start the local one again."""
    was_well = True
    while True:
        await asyncio.sleep(_PAUSE_SECONDS)
        trouble = await asyncio.to_thread(trouble_with, api_url)
        if trouble is not None:
            announce(f"{now():%H:%M:%S} Prefect's server does not answer ({trouble})")
            with contextlib.suppress(ServerError):
                await asyncio.to_thread(ensure_api, announce)
        elif not was_well:
            announce(f"{now():%H:%M:%S} Prefect's server answers again")
        was_well = trouble is None


async def _until_stopped(
    deployments: Sequence[Registered], stop: asyncio.Event, announce: Callable[[str], None]
) -> None:
    runner = Runner(
        name="forequake",
        query_seconds=_QUERY_SECONDS,
        limit=len(deployments) + _SPARE,
        pause_on_shutdown=False,
    )
    for deployment in deployments:
        await runner.aadd_deployment(_Known(deployment))
    running = asyncio.create_task(runner.start())
    await asyncio.sleep(0)  # the runner takes SIGTERM for itself when it starts, and would leave in a hurry
    _listen(stop, announce)
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if stop.is_set():
        await asyncio.to_thread(_pause, deployments, announce)
    if stop.is_set() and not running.done():
        await runner.astop()
    with contextlib.suppress(asyncio.CancelledError):
        await running


def _pause(deployments: Sequence[Registered], announce: Callable[[str], None]) -> None:
    """Pause the schedules, but not those that another `serve` or `deploy` has taken over meanwhile."""
    try:
        others = pause_own(deployments)
    except ServerError:
        announce("Prefect's server does not answer, so the schedule cannot be paused.")
        return
    for name in others:
        announce(f"{name} was registered anew by another command, and its schedule goes on there.")


def _listen(stop: asyncio.Event, announce: Callable[[str], None]) -> None:
    loop = asyncio.get_running_loop()

    def told() -> None:
        announce("Stopping: ticks under way finish the result at hand (again to stop at once).")
        stop.set()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, told)
