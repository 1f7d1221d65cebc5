"""Running the programs that build environments: pip, conda, Docker."""

import os
import re
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path
from typing import Final

from forequake.errors import EnvironmentFailed, EnvironmentUnavailable, EvaluationError
from forequake.processes import ProgramEnding, ProgramLimits, ProgramRun

__all__ = ["Tool", "masked", "tool_variables"]

#: What the programs may know of our environment: where things are, how to reach the network, how to compile.
_KEPT: Final = re.compile(
    r"PATH|HOME|USER|LOGNAME|LANG|LC_\w+|TMPDIR|TZ|XDG_\w+|LD_LIBRARY_PATH|DYLD_LIBRARY_PATH"
    r"|(https?|all|no)_proxy|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|NETRC|SSH_AUTH_SOCK"
    r"|CC|CXX|FC|CFLAGS|CXXFLAGS|FFLAGS|LDFLAGS|CPPFLAGS|PKG_CONFIG_PATH|MAKEFLAGS|SDKROOT"
    r"|PIP_\w+|CONDA_PKGS_DIRS|CONDA_CHANNEL\w*|CONDA_OVERRIDE_\w+|CONDARC|MAMBA_ROOT_PREFIX|MAMBARC"
    r"|DOCKER_\w+|BUILDKIT_\w+",
    re.IGNORECASE,
)
#: These would have pip install to another place.
_NEVER: Final = frozenset({"PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PIP_PYTHON", "PIP_EDITABLE"})
#: What programs print when the network, or a service on it, does not answer.
_NETWORK: Final = re.compile(
    r"NewConnectionError|ConnectTimeout|ReadTimeout|ConnectionReset|Connection(Broken| broken| aborted)"
    r"|ConnectionError|ProxyError|name resolution|Name or service not known|nodename nor servname"
    r"|Could not resolve host|Network is unreachable|No route to host|Connection (refused|timed out)"
    r"|CondaHTTPError|CONNECTION FAILED|Download error|Timeout was reached|Could not connect to server"
    r"|no such host|i/o timeout|TLS handshake timeout|dial tcp|toomanyrequests|net/http: request canceled"
    r"|Cannot connect to the Docker daemon"
    r"|\b(HTTP error|HTTP|status code|Server Error:?|response status:?) ?(429|5\d\d)\b",
    re.IGNORECASE,
)
_USER: Final = re.compile(r"(?P<scheme>\b[a-z][a-z0-9+.-]*://)[^/\s\"'<>]*@", re.IGNORECASE)
_PARAMETER: Final = re.compile(
    r"(?P<name>[?&][\w-]*(token|key|password|passwd|secret|signature|sig|auth)[\w-]*=)[^&\s\"'<>]+",
    re.IGNORECASE,
)
_CONDA_TOKEN: Final = re.compile(r"/t/[^/\s]+/")
#: This many lines of the output go into a message.
_TAIL_LINES: Final = 15
#: Builders compile, with as many processes as they like: only time is limited.
_LIMITS: Final = ProgramLimits(memory_mb=1 << 24, disk_mb=1 << 24, processes=4096, grace_seconds=5.0)


def masked(text: str) -> str:
    """Take user names, passwords and tokens out of all addresses in a text.

    Examples
    --------
    >>> masked("Looking in indexes: https://me:word@packages.example.org/simple?token=abc")
    'Looking in indexes: https://***@packages.example.org/simple?token=***'
    """
    text = _USER.sub(r"\g<scheme>***@", text)
    return _CONDA_TOKEN.sub("/t/***/", _PARAMETER.sub(r"\g<name>***", text))


def tool_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Give what of our environment variables the programs may know: nothing of our stores and services."""
    return {
        name: value
        for name, value in environment.items()
        if _KEPT.fullmatch(name) and name.upper() not in _NEVER
    }


@dataclass(frozen=True)
class Tool:
    """How the programs of one build are run.

    Attributes
    ----------
    what
        What is built, for messages: ``the environment (venv, Python 3.11)``.
    folder
        Where each of them gets a folder of its own, which goes with it.
    ends
        Moment of `time.monotonic` at which the whole build must be done.
    stop
        Where it is set, a program is ended.
    """

    what: str
    folder: Path
    ends: float
    stop: threading.Event | None = None

    def run(
        self, argv: Sequence[str | Path], *, cwd: Path, variables: Mapping[str, str] | None = None
    ) -> str:
        """Run a program to its end; what it started ends with it, and with this process.

        Parameters
        ----------
        variables
            Besides those of `tool_variables`.

        Returns
        -------
        str
            The end of what it printed, on both of its outputs.

        Raises
        ------
        EnvironmentFailed
            Where it fails, takes too long, or cannot be started.
        Interrupted
            Where `stop` was set meanwhile.
        """
        shown = _shown([*map(str, argv)])
        try:
            with ProgramRun(self.folder, another_user=False, stop=self.stop) as run:
                ending = run.run(
                    [*map(str, argv)],
                    cwd,
                    tool_variables(os.environ) | dict(variables or {}),
                    replace(_LIMITS, seconds=max(0.0, self.ends - time.monotonic())),
                    isolate=False,
                )
        except (EvaluationError, OSError) as error:
            message = f"{self.what} cannot be built: {error}"
            raise EnvironmentFailed(message) from error
        text = masked(ending.output)
        if ending.kind == "exited" and ending.code == 0:
            return text
        raise self._failure(shown, ending, text)

    def _failure(self, shown: str, ending: ProgramEnding, text: str) -> EnvironmentFailed:
        how = {
            "exited": f"ended with exit code {ending.code}",
            "signal": f"was ended by {ending.detail}",
            "timeout": "did not end in time",
            "cannot_start": f"cannot be started: {ending.detail}",
        }.get(ending.kind, f"was ended: {ending.kind} {ending.detail}".rstrip())
        lines = [line.rstrip() for line in text.splitlines() if line.strip()]
        told = "".join(f"\n    {line}" for line in lines[-_TAIL_LINES:])
        said = f". The end of what it printed:{told}" if told else ""
        if _NETWORK.search(text):
            return EnvironmentUnavailable(f"{self.what} cannot be built now: {shown} {how}{said}", text)
        return EnvironmentFailed(f"{self.what} cannot be built: {shown} {how}{said}", text)


def _shown(argv: list[str]) -> str:
    """Give the words of a command that say what it does: ``pip install``, ``docker build``."""
    words = argv[argv.index("-m") + 1 :] if "-m" in argv else [Path(argv[0]).name, *argv[1:]]
    return " ".join(takewhile(lambda word: not word.startswith("-") and "/" not in word, words))
