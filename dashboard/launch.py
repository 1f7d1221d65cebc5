"""How to start the dashboard's server, from any folder; light, since the command line imports it."""

import sys
from pathlib import Path

__all__ = ["APP", "PUBLIC_VARIABLE", "command", "environment"]

#: Set to 1 where the dashboard is for the public.
PUBLIC_VARIABLE = "FOREQUAKE_DASHBOARD_PUBLIC"

#: The script that Streamlit loads. Its settings and colours lie beside it, in ``.streamlit/config.toml``.
APP = Path(__file__).with_name("app.py")


def command(port: int, host: str = "127.0.0.1") -> list[str]:
    """Give the command that starts the server.

    Parameters
    ----------
    port
        From 1 to 65535; it must be free.
    host
        The address at which it listens; by default nobody but this machine can reach it.
    """
    # -P keeps the present folder off the import path: a file dashboard.py there would hide this package.
    start = [sys.executable, "-P", "-m", "streamlit", "run", str(APP)]
    settings = {
        "server.address": host,
        "server.port": str(port),
        "server.headless": "true",
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": "false",
    }
    return start + [part for name, value in settings.items() for part in (f"--{name}", value)]


def environment(store_url: str) -> dict[str, str]:
    """Give the variables that tell the server which store to show.

    Parameters
    ----------
    store_url
        Its address, such as ``stores.resolve_store`` gives it; it may hold a password.
    """
    return {"FOREQUAKE_STORE": store_url}
