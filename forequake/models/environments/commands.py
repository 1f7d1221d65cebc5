"""How a command runs in an environment: its arguments, its variables, and what ends it."""

import csv
import io
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final

__all__ = [
    "RUN_LABEL",
    "RUN_PLACE",
    "SOURCE_PLACE",
    "Invocation",
    "WrappedCommand",
    "wrapped_command",
]

#: Label of a container, by which one finds those of a run whose process died.
RUN_LABEL: Final = "forequake.run"
#: Where a container sees the run's private folder and the model's source.
RUN_PLACE: Final = PurePosixPath("/forequake/run")
SOURCE_PLACE: Final = PurePosixPath("/forequake/source")
#: Folders of the run that images made for floatCSEP expect at these places.
_FLOATCSEP_PLACES: Final = {"input": "/app/input", "forecasts": "/app/forecasts"}
#: These tell of another environment, or of the machine outside of a container.
_OF_OTHERS: Final = frozenset(
    {"PYTHONHOME", "PYTHONPATH", "PYTHONEXECUTABLE", "__PYVENV_LAUNCHER__", "VIRTUAL_ENV"}
)
_OF_THE_MACHINE: Final = frozenset(
    {"PATH", "HOME", "TMPDIR", "TMP", "TEMP", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SHELL", "USER"}
)


@dataclass(frozen=True)
class Invocation:
    """A command that is to run.

    Attributes
    ----------
    argv
        Program and arguments, with paths of this machine. Empty runs what an image runs by itself.
    variables, secret
        The environment variables that the command may see, and the names of those whose values must not stand
        among the words of a command, which everybody on the machine may read.
    folder
        The run's private folder, the only one that a container may write. Its folders ``input`` and
        ``forecasts`` are there before a container starts.
    source
        The model's source, for reading alone.
    run_id
        Names a container, so letters, digits, ``_``, ``.`` and ``-`` only.
    user
        User and group id in a container; None leaves it to the image.
    memory_mb, processes
        Limits of a container.
    imports
        A folder from which Python imports first, outside of containers.
    """

    argv: tuple[str, ...]
    variables: Mapping[str, str]
    folder: Path
    source: Path
    run_id: str
    user: tuple[int, int] | None = None
    memory_mb: int | None = None
    processes: int | None = None
    imports: Path | None = None
    secret: frozenset[str] = frozenset()


@dataclass(frozen=True)
class WrappedCommand:
    """What to execute on this machine.

    Attributes
    ----------
    argv, variables
        Of the process; its program is found on the PATH of `variables`.
    stop, stop_variables
        A command that ends what the process started elsewhere, to be executed besides a signal, and its
        variables; None where the process and its descendants are all there is.
    is_contained
        The command has its own user, limits and no network; the process itself is only a client, which needs
        our own user and sockets.
    """

    argv: tuple[str, ...]
    variables: Mapping[str, str] = field(default_factory=dict)
    stop: tuple[str, ...] | None = None
    stop_variables: Mapping[str, str] = field(default_factory=dict)
    is_contained: bool = False


def wrapped_command(
    invocation: Invocation,
    *,
    prefix: Path | None = None,
    is_conda: bool = False,
    runner: tuple[str, ...] = (),
    image: str | None = None,
    client: Mapping[str, str] | None = None,
) -> WrappedCommand:
    """Say what to execute so that a command runs in an environment; nothing is looked at or started.

    Parameters
    ----------
    prefix, is_conda, runner, image, client
        As of `forequake.models.environments.BuiltEnvironment`.

    Raises
    ------
    ValueError
        Where there is neither a prefix nor an image, or no command where an image is not there to know one.
    """
    if image is not None:
        return _in_container(invocation, image, client or {})
    if prefix is None or not invocation.argv:
        message = "a command and the folder of its environment are needed where no image is"
        raise ValueError(message)
    variables = {
        name: value
        for name, value in invocation.variables.items()
        if name not in _OF_OTHERS and not name.startswith("CONDA_")
    }
    if invocation.imports is not None:
        variables["PYTHONPATH"] = str(invocation.imports)
    path = variables.get("PATH", "")
    variables["PATH"] = f"{prefix / 'bin'}:{path}" if path else str(prefix / "bin")
    if is_conda:
        variables |= {"CONDA_PREFIX": str(prefix), "CONDA_DEFAULT_ENV": str(prefix)}
    elif prefix != Path(sys.base_prefix):
        variables["VIRTUAL_ENV"] = str(prefix)
    return WrappedCommand((*runner, *invocation.argv), variables)


def _in_container(invocation: Invocation, image: str, client: Mapping[str, str]) -> WrappedCommand:
    name = f"forequake-{invocation.run_id}"
    options = ["--rm", "--init", "--name", name, "--label", f"{RUN_LABEL}={invocation.run_id}"]
    options += ["--network", "none", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]
    if invocation.user is not None:
        options += ["--user", "{}:{}".format(*invocation.user)]
    if invocation.memory_mb is not None:
        memory = f"{invocation.memory_mb}m"
        options += ["--memory", memory, "--memory-swap", memory]
    if invocation.processes is not None:
        options += ["--pids-limit", str(invocation.processes)]
    options += ["--mount", _mount(invocation.folder, RUN_PLACE)]
    options += ["--mount", _mount(invocation.source, SOURCE_PLACE, for_reading=True)]
    for inner, place in _FLOATCSEP_PLACES.items():
        options += ["--mount", _mount(invocation.folder / inner, PurePosixPath(place))]
    kept = {
        key: value
        for key, value in invocation.variables.items()
        if key not in _OF_OTHERS | _OF_THE_MACHINE and not key.startswith(("CONDA_", "DOCKER_"))
    }
    for key, value in sorted((kept | {"HOME": "/tmp", "TMPDIR": "/tmp"}).items()):  # noqa: S108  # the container's
        options += ["--env", key if key in invocation.secret else f"{key}={value}"]
    argv = tuple(_inside(word, invocation) for word in invocation.argv)
    return WrappedCommand(
        ("docker", "run", *options, image, *argv),
        dict(client) | {key: value for key, value in kept.items() if key in invocation.secret},
        stop=("docker", "kill", name),
        stop_variables=dict(client),
        is_contained=True,
    )


def _inside(word: str, invocation: Invocation) -> str:
    """Give a path of this machine as a container sees it; other words stay."""
    for folder, place in ((invocation.folder, RUN_PLACE), (invocation.source, SOURCE_PLACE)):
        path = Path(word)
        if path.is_absolute() and path.is_relative_to(folder):
            return str(place / path.relative_to(folder))
    return word


def _mount(folder: Path, place: PurePosixPath, *, for_reading: bool = False) -> str:
    """Write a mount, which unlike ``-v`` fails where the folder is not there."""
    fields = ["type=bind", f"source={folder}", f"target={place}", *(["readonly"] if for_reading else [])]
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(fields)  # Docker reads it so: a path may have a comma
    return line.getvalue()
