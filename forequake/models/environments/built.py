"""An environment that is there, and what is known of it."""

import platform
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from forequake.config.model_specs import Build
from forequake.environment import record_environment
from forequake.keys import KeyInputs
from forequake.models.environments.commands import Invocation, WrappedCommand, wrapped_command
from forequake.models.holds import Hold
from forequake.quantities import Sha256

__all__ = ["BuildSource", "BuiltEnvironment", "EnvironmentInputs", "Say", "running_environment"]

#: Takes a line for people.
Say = Callable[[str], None]


class BuildSource(Protocol):
    """What an environment needs of a fetched source."""

    @property
    def folder(self) -> Path:
        """Where the files are; they are only read."""

    @property
    def tree(self) -> Sha256:
        """The hash of the files."""


class EnvironmentInputs(KeyInputs):
    """All that is declared of an environment; no path and no machine is part of it."""

    what = "model_environment"

    build: str
    #: Of Python; None where a Dockerfile decides.
    minor: str | None
    #: Hashes of the files that say what is installed, by their names.
    files: Mapping[str, Sha256]
    #: None where nothing of the source is installed.
    tree: Sha256 | None
    #: Of the running environment.
    packages: Mapping[str, str] | None


@dataclass(frozen=True)
class BuiltEnvironment:
    """An environment in which a model can run.

    Attributes
    ----------
    key
        Of what was declared (`environment_key`), not of what was found installed.
    build
        None: the environment that forequake runs in.
    python
        The version in full; None where an image has no Python.
    packages
        Versions by name, as the environment itself tells them.
    image_digest
        Of an image of Docker.
    prefix
        The folder whose ``bin`` has the environment's programs; None of an image.
    runner
        Put before a command where an environment of conda has scripts to activate it.
    client
        Variables of the program `docker` itself.
    seconds
        What the build took; None where the environment was there.
    use
        Keeps the environment from being taken away as long as this object lives.
    """

    key: Sha256
    build: Build | None
    python: str | None
    packages: Mapping[str, str]
    image_digest: str | None = None
    prefix: Path | None = None
    runner: tuple[str, ...] = ()
    client: Mapping[str, str] = field(default_factory=dict)
    seconds: float | None = None
    use: Hold | None = field(default=None, compare=False, repr=False)

    def command(self, invocation: Invocation) -> WrappedCommand:
        """Say what to execute so that a command runs in this environment."""
        if self.image_digest is not None:
            return wrapped_command(invocation, image=self.image_digest, client=self.client)
        return wrapped_command(
            invocation, prefix=self.prefix, is_conda=_is_conda(self.build), runner=self.runner
        )


def running_environment() -> BuiltEnvironment:
    """Give the environment that forequake itself runs in; it is never built and never changed."""
    found = record_environment()
    inputs = EnvironmentInputs(
        build="none",
        minor=f"{sys.version_info[0]}.{sys.version_info[1]}",
        files={},
        tree=None,
        packages=found.packages,
    )
    return BuiltEnvironment(
        key=inputs.key,
        build=None,
        python=platform.python_version(),
        packages=found.packages,
        prefix=Path(sys.prefix),
    )


def _is_conda(build: Build | None) -> bool:
    return build in {"conda", "micromamba"}
