"""The program git, run without a shell, without prompts, and without anybody's configuration."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from forequake.errors import SourceError

__all__ = ["Git", "GitRefused", "GitUnwell"]

#: Kept of our environment: the way to the program, to the network and to keys of ssh.
_KEPT: Final = (
    "PATH",
    "SSH_AUTH_SOCK",
    "SSL_CERT_DIR",
    "CURL_CA_BUNDLE",
    *(
        name
        for word in ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
        for name in (word, word.upper())
    ),
)
_SETTINGS: Final = (
    "core.hooksPath=" + os.devnull,
    "core.fsmonitor=false",
    "credential.helper=",
    "gc.auto=0",
    "maintenance.auto=false",
    "submodule.recurse=false",
    # A server that sends less than 1000 bytes a second for a minute is not waited for.
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=60",
)
#: What git says where asking again does not help.
_REFUSALS: Final = (
    "authentication failed",
    "could not read username",
    "could not read password",
    "terminal prompts disabled",
    "permission denied",
    "host key verification failed",
    "not found",
    "does not appear to be a git repository",
    "not a git repository",
    "returned error: 401",
    "returned error: 403",
    "returned error: 404",
    "dubious ownership",
    "certificate",
    "not allowed",
    "unable to find remote helper",
    "no such file or directory",
    "protocol error: bad line length",
)
_SAID: Final = 400


class GitRefused(Exception):
    """Git says something that trying again does not change."""


class GitUnwell(Exception):
    """Git failed in a way that may be over soon."""


class Git:
    """The program git in one repository of ours.

    Parameters
    ----------
    repository
        A folder that is made, without files of a working tree.
    ends
        The moment of `time.monotonic` at which whatever runs is ended.
    clean
        Takes out of git's words what is not for people.
    """

    def __init__(self, repository: Path, ends: float, clean: Callable[[str], str]) -> None:
        program = shutil.which("git")
        if program is None:
            message = "a model comes from a git repository, and the program git is not there; install it"
            raise SourceError(message)
        self._program = program
        self._repository = repository
        self._ends = ends
        self._clean = clean
        repository.mkdir()
        self.run("init", "--quiet", "--bare", "--template=", ".")

    def run(self, *words: str) -> bytes:
        """Run git and give what it prints.

        Raises
        ------
        GitRefused, GitUnwell
            With its words.
        """
        with tempfile.TemporaryFile() as out:
            self.run_into(out.fileno(), *words)
            out.seek(0)
            return out.read()

    def run_into(self, output: int, *words: str, given: bytes = b"") -> None:
        """Run git and let it write into a file.

        Parameters
        ----------
        output
            The file's number.
        given
            What git reads.

        Raises
        ------
        GitRefused, GitUnwell
            With its words.
        """
        settings = [part for setting in _SETTINGS for part in ("-c", setting)]
        with tempfile.TemporaryFile() as errors, tempfile.TemporaryFile() as source:
            source.write(given)
            source.seek(0)
            process = subprocess.Popen(
                [self._program, *settings, *words],
                cwd=self._repository,
                env=self._environment(),
                stdin=source,
                stdout=output,
                stderr=errors,
                start_new_session=True,  # without a terminal to ask at, and to be ended with all it started
            )
            try:
                code = process.wait(max(self._ends - time.monotonic(), 0.001))
            except subprocess.TimeoutExpired:
                message = "it did not end in time"
                raise GitUnwell(message) from None
            finally:
                if process.poll() is None:
                    with contextlib.suppress(ProcessLookupError):
                        os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
            errors.seek(0)
            said = self._words(errors.read().decode("utf-8", "replace"))
        if code != 0:
            known = any(sign in said.lower() for sign in _REFUSALS)
            raise (GitRefused if known else GitUnwell)(said or f"it ended with {code}")

    def _words(self, text: str) -> str:
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        faults = [line for line in lines if line.startswith(("fatal:", "error:", "remote:"))] or lines
        words = self._clean("; ".join(dict.fromkeys(faults)))
        return words if len(words) <= _SAID else words[:_SAID] + " ..."

    def _environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        authorities = os.environ.get("GIT_SSL_CAINFO") or os.environ.get("SSL_CERT_FILE")
        if authorities:
            kept["GIT_SSL_CAINFO"] = authorities
        return kept | {
            "HOME": str(self._repository),  # no .netrc
            "LC_ALL": "C",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_SYSTEM": os.devnull,
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ALLOW_PROTOCOL": "https:http:ssh:file",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_SSH_COMMAND": "ssh -o BatchMode=yes -o ConnectTimeout=20 -o ServerAliveInterval=15",
            "GIT_DIR": str(self._repository),
        }
