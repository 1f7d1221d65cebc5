"""Where and by whom something was computed: packages, code version, and the process that holds the work."""

import os
import platform
import re
import socket
import subprocess
from collections.abc import Sequence
from functools import cache
from importlib.metadata import distributions
from pathlib import Path
from typing import Final

from forequake.keys import KeyInputs
from forequake.results import EnvironmentRecord

__all__ = ["git_state", "owner_is_dead", "process_owner", "process_start", "record_environment"]

#: A `git status` on a slow network disk; longer than that, the commit is not worth the wait.
_GIT_SECONDS: Final = 20.0
#: What stands in an owner for something that this system does not tell.
_UNKNOWN: Final = "unknown"


class _EnvironmentInputs(KeyInputs):
    what = "environment"

    python: str
    platform: str
    packages: dict[str, str]
    image_digest: str | None


@cache
def record_environment() -> EnvironmentRecord:
    """Describe this process's Python, platform and installed packages.

    Returns
    -------
    EnvironmentRecord
        Always the same one within a process: packages that are installed later are not in use either.
    """
    inputs = _EnvironmentInputs(
        python=platform.python_version(),
        platform=platform.platform(),
        packages=_installed_packages(),
        image_digest=None,
    )
    return EnvironmentRecord(key=inputs.key, canon=inputs.canon, **inputs.model_dump())


def _installed_packages() -> dict[str, str]:
    found: dict[str, str] = {}
    for distribution in distributions():
        name = distribution.metadata["Name"]
        if name:  # a folder that an interrupted installation left behind has none
            # The first one on the path is the one that an import finds.
            found.setdefault(re.sub(r"[-_.]+", "-", name).lower(), distribution.version)
    return dict(sorted(found.items()))


def git_state(folder: Path) -> tuple[str | None, bool | None]:
    """Tell which commit a folder is at.

    Returns
    -------
    commit : str or None
        The full hash; None where there is no git, no repository or no commit yet.
    dirty : bool or None
        Whether the repository has changes or new files that the commit lacks; None where that is not known.
    """
    commit = _git(folder, ["rev-parse", "--verify", "HEAD"])
    if commit is None:
        return None, None
    changes = _git(folder, ["status", "--porcelain"])
    return commit, None if changes is None else bool(changes)


def _git(folder: Path, arguments: Sequence[str]) -> str | None:
    # Inside a hook git names the repository of the hook through GIT_DIR; here the folder decides.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    # A status is only a look: it takes no lock and starts no program that the repository's config names.
    command = ["git", "--no-optional-locks", "-c", "core.fsmonitor=false", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_GIT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def process_owner() -> str:
    """Name this process so that another one can tell later whether it still lives.

    Returns
    -------
    str
        ``host/boot/pid/start``: host name, boot of the system (with the number of the process namespace,
        since containers share a boot but not their process numbers), process number, and the clock ticks
        from the boot to the start of the process, which tell it from a later one with the same number.
    """
    return "/".join((_host(), _boot(), str(os.getpid()), process_start(os.getpid()) or _UNKNOWN))


def owner_is_dead(owner: str) -> bool:
    """Tell whether the process of an owner is provably gone.

    Returns
    -------
    bool
        True only where the owner ran on this host under this boot and no such process exists now. False
        where it lives, and where that cannot be known from here.

    Examples
    --------
    >>> owner_is_dead(process_owner())
    False
    >>> owner_is_dead("another-host/another-boot/1/1")
    False
    """
    parts = owner.split("/")
    if len(parts) != 4 or not parts[2].isdecimal() or _UNKNOWN in parts:
        return False
    host, boot, number, start = parts
    if (host, boot) != (_host(), _boot()):
        return False
    return process_start(int(number)) != start


def process_start(number: int) -> str | None:
    """Tell when a process began, in clock ticks from the boot; None where no such process lives.

    A process that has ended but whose parent has not asked for its exit code counts as gone.
    """
    try:
        text = Path(f"/proc/{number}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field is the program's name in parentheses, which may itself hold spaces and parentheses.
    fields = text[text.rindex(")") + 1 :].split()
    state, start = fields[0], fields[19]
    return None if state in {"Z", "X", "x"} else start


def _host() -> str:
    return socket.gethostname().replace("/", "-") or _UNKNOWN


@cache
def _boot() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        namespace = Path("/proc/self/ns/pid").stat().st_ino
    except OSError:  # not Linux
        return _UNKNOWN
    return f"{boot}-{namespace}"
