"""Running the programs that build environments: pip, conda, Docker."""

import contextlib
import os
import re
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Final

from forequake.errors import EnvironmentFailed, EnvironmentUnavailable

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
#: Of the output this much of its end is kept, and this many lines of it go into a message.
_TAIL_BYTES: Final = 16_384
_TAIL_LINES: Final = 15
_GRACE_SECONDS: Final = 5.0
_LOOK_SECONDS: Final = 0.2


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
    ends
        Moment of `time.monotonic` at which the whole build must be done.
    """

    what: str
    ends: float

    def run(
        self, argv: Sequence[str | Path], *, cwd: Path, variables: Mapping[str, str] | None = None
    ) -> str:
        """Run a program to its end.

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
        """
        shown = _shown([*map(str, argv)])
        try:
            process = subprocess.Popen(
                list(map(str, argv)),
                cwd=cwd,
                env=tool_variables(os.environ) | dict(variables or {}),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                umask=0o022,
            )
        except OSError as error:
            message = f"{self.what} cannot be built: {shown} cannot be started: {error.strerror or error}"
            raise EnvironmentFailed(message) from error
        try:
            output, in_time = self._read(process)
        finally:
            _end(process)
        text = masked(output.decode("utf-8", errors="replace"))
        if in_time and process.returncode == 0:
            return text
        how = f"ended with exit code {process.returncode}" if in_time else "did not end in time"
        raise self._failure(shown, how, text)

    def _failure(self, shown: str, how: str, text: str) -> EnvironmentFailed:
        lines = [line.rstrip() for line in text.splitlines() if line.strip()]
        told = "".join(f"\n    {line}" for line in lines[-_TAIL_LINES:])
        said = f". The end of what it printed:{told}" if told else ", without a word"
        if _NETWORK.search(text):
            return EnvironmentUnavailable(f"{self.what} cannot be built now: {shown} {how}{said}", text)
        return EnvironmentFailed(f"{self.what} cannot be built: {shown} {how}{said}", text)

    def _read(self, process: "subprocess.Popen[bytes]") -> tuple[bytes, bool]:
        """Read to the end of the output, or of the time; tell which it was."""
        output = b""
        assert process.stdout is not None  # noqa: S101  # it was asked for
        with process.stdout, selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while True:
                if selector.select(_LOOK_SECONDS):
                    data = os.read(process.stdout.fileno(), 1 << 16)
                    if not data:
                        break
                    output = (output + data)[-_TAIL_BYTES:]
                elif process.poll() is not None:
                    break  # something that it left behind holds the pipe
                if time.monotonic() > self.ends:
                    return output, False
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, self.ends - time.monotonic()))
        return output, process.returncode is not None


def _shown(argv: list[str]) -> str:
    """Give the words of a command that say what it does: ``pip install``, ``docker build``."""
    words = argv[argv.index("-m") + 1 :] if "-m" in argv else [Path(argv[0]).name, *argv[1:]]
    return " ".join(takewhile(lambda word: not word.startswith("-") and "/" not in word, words))


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a program, first gently, and all that is left of what it started."""
    if process.poll() is None:
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_SECONDS)
    with contextlib.suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
