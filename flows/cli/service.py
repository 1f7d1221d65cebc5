"""``forequake dashboard`` and ``forequake server``: the programs that stay up beside the runs."""

import errno
import os
import signal
import socket
import subprocess
import time
import webbrowser
from typing import Annotated, Final

import httpx
import typer

from flows._server import ensure_api, server_status, stop_server
from flows._server_state import ServerFiles
from flows.cli._terminal import JsonFlag, StoreName, note, out, print_json, store_of
from forequake.errors import ForequakeError, InputError

__all__ = ["register"]

#: Streamlit needs about a second; a busy machine some more.
_PATIENCE_SECONDS: Final = 60.0
_LOOPBACK: Final = "127.0.0.1"
#: Means every address of this machine, so the server can be asked at this one, too.
_ANY: Final = ("", "0.0.0.0")  # noqa: S104  # compared with, not listened at

server = typer.Typer(help="The local Prefect server that runs talk to.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("dashboard")(dashboard)
    app.add_typer(server, name="server")


def dashboard(
    store: StoreName = "default",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on this machine.")] = 8501,
    host: Annotated[
        str,
        typer.Option(help="Address to listen at. 0.0.0.0 shows the results to everybody in the network."),
    ] = _LOOPBACK,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open a browser.")] = False,
    public: Annotated[
        bool,
        typer.Option(
            "--public", help="Leave out experiments under embargo, addresses, paths, logs and errors' words."
        ),
    ] = False,
) -> None:
    """Open the dashboard on a store, until Ctrl-C.

    Example: `forequake dashboard --port 8600 --no-browser`
    """
    from dashboard.launch import PUBLIC_VARIABLE, command

    target = store_of(store)
    _refuse_taken(host, port)
    for number in (signal.SIGINT, signal.SIGTERM):  # either ends the dashboard's server, too
        signal.signal(number, signal.default_int_handler)
    url = f"http://{_LOOPBACK if host in _ANY else host}:{port}"
    process = subprocess.Popen(
        command(port, host),
        env=_variables(store) | ({PUBLIC_VARIABLE: "1"} if public else {}),
        stdout=subprocess.DEVNULL,  # Streamlit's greeting; its complaints come on the other stream
    )
    try:
        _await_health(process, url)
        note(f"Store: {target.name}")
        out.print(f"Dashboard: {url}   (Ctrl-C ends it)")
        if not no_browser:
            webbrowser.open(url)
        process.wait()
    except KeyboardInterrupt:
        note("Dashboard closed.")
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(timeout=10)


def _variables(store: str) -> dict[str, str]:
    """Give the variables of the dashboard's server, which looks at what is its default store."""
    from dashboard.launch import environment
    from stores import resolve_store

    address = resolve_store(store)
    known = _prefect() | os.environ
    if store == "default" and "FOREQUAKE_STORE_FILE" in os.environ:
        return known  # the server reads the file itself, and no variable holds a password
    others = {name: value for name, value in known.items() if name != "FOREQUAKE_STORE_FILE"}
    return others | environment(address)


def _prefect() -> dict[str, str]:
    """Tell where the local Prefect server is, or was last, for links to its pages; nobody is asked."""
    state = ServerFiles.of_user().read()
    return {} if state is None else {"PREFECT_API_URL": state.url}


def _refuse_taken(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno not in {errno.EADDRINUSE, errno.EACCES}:
                message = (
                    f"--host {host} is no address of this machine ({error.strerror or error}): give "
                    f"{_LOOPBACK} for this machine only, or 0.0.0.0 for all that can reach it"
                )
                raise InputError(message) from error
            message = f"port {port} is in use; name another with --port, such as --port {port + 1}"
            raise InputError(message) from error


def _await_health(process: subprocess.Popen[bytes], url: str) -> None:
    """Wait until the dashboard's server answers.

    Raises
    ------
    ForequakeError
        Where its process ends, or does not answer within a minute.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    with httpx.Client(trust_env=False) as client:
        while time.monotonic() < deadline:
            if process.poll() is not None:
                message = f"the dashboard ended at once with exit code {process.returncode}"
                raise ForequakeError(message)
            try:
                if client.get(f"{url}/_stcore/health", timeout=1).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)
    message = f"the dashboard did not answer at {url} within {_PATIENCE_SECONDS:g} s"
    raise ForequakeError(message)


@server.command("start")
def start() -> None:
    """Start the local Prefect server where it does not run, and leave it running.

    Example: `forequake server start`
    """
    endpoint = ensure_api(note)
    out.print(f"Prefect answers at {endpoint.url}")


@server.command("status")
def status(as_json: JsonFlag = False) -> None:
    """Tell whether the local Prefect server runs, and where.

    Example: `forequake server status`
    """
    state = server_status()
    if as_json:
        print_json({"running": state.running, "url": state.url, "pid": state.pid, "home": str(state.home)})
    elif state.running:
        out.print(f"Running at {state.url} (process {state.pid}); its data: {state.home}")
    else:
        out.print("Not running: the next forequake run starts it, and so does forequake server start.")


@server.command("stop")
def stop() -> None:
    """Stop the local Prefect server, once it has recorded what the runs told it.

    Example: `forequake server stop`
    """
    out.print("Stopped." if stop_server() else "It was not running.")
