"""An environment for a model: the one that is there, or a new one."""

import os
import platform
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from forequake.config.model_specs import Build
from forequake.errors import EnvironmentFailed
from forequake.models.environments.building import Builder, Job, Made
from forequake.models.environments.built import (
    BuildSource,
    BuiltEnvironment,
    EnvironmentInputs,
    Say,
    running_environment,
)
from forequake.models.environments.conda_builds import CondaBuilder
from forequake.models.environments.declared_python import declared_python
from forequake.models.environments.docker_builds import DockerBuilder
from forequake.models.environments.environment_shelf import (
    EnvironmentPlace,
    Ready,
    environment_place,
)
from forequake.models.environments.recipe import Recipe
from forequake.models.environments.tools import Tool, tool_variables
from forequake.models.environments.venv_builds import VenvBuilder
from forequake.models.holds import Hold
from forequake.quantities import Sha256

__all__ = ["BUILD_SECONDS", "environment_key", "prepare_environment"]

#: A build that takes longer is ended.
BUILD_SECONDS: Final = 3600.0
#: Of an environment that is there.
_LOOK_SECONDS: Final = 120.0
_BUILDERS: Final[Mapping[Build, Builder]] = {
    "venv": VenvBuilder(),
    "conda": CondaBuilder(["mamba", "micromamba", "conda"]),
    "micromamba": CondaBuilder(["micromamba", "mamba", "conda"]),
    "docker": DockerBuilder(),
}


def environment_key(build: Build | None, source: BuildSource) -> Sha256:
    """Give the key of a model's environment, without building it.

    Parameters
    ----------
    build
        None is the environment that forequake runs in: its key is that of its Python's minor version and of
        the versions of all its packages.

    Returns
    -------
    Sha256
        Of the kind of build, the files that say what is installed (``requirements.txt``, locks,
        ``environment.yml``; of images the Dockerfile), the source and the minor version of Python.

    Raises
    ------
    EnvironmentFailed
        Where the files cannot be read, no Python fits, or there is no Dockerfile.
    """
    if build is None:
        return running_environment().key
    recipe = Recipe(source.folder)
    return _key(build, recipe, source.tree, _BUILDERS[build].minor(recipe))


def prepare_environment(
    build: Build | None,
    source: BuildSource,
    *,
    force: bool | datetime = False,
    shelf: Path | None = None,
    seconds: float = BUILD_SECONDS,
    stop: threading.Event | None = None,
    say: Say,
) -> BuiltEnvironment:
    """Give an environment for a model; it is built where it is not there.

    Of several processes that ask for the same one, one builds and the others wait. A build that fails or is
    killed leaves nothing that counts, and never harms the environment that was there before.

    Parameters
    ----------
    build, source
        As of `environment_key`; the source is only read.
    force
        It is built anew also where it is there, unless another process did so since it was asked for here;
        with a moment, unless it was built since then.
    shelf
        The folder with the environments, by default in the user's cache folder.
    seconds, stop, say
        For the whole build; where it is set, the build is ended; told what takes long.

    Raises
    ------
    EnvironmentFailed
        Where it cannot be built: the message has the end of what the builder printed, without passwords.
        `EnvironmentUnavailable` where the network or a service on it does not answer.
    Interrupted
        Where `stop` was set meanwhile.
    """
    if build is None:
        return _running(source, say)
    recipe, builder = Recipe(source.folder), _BUILDERS[build]
    minor = builder.minor(recipe)
    place = environment_place(_key(build, recipe, source.tree, minor), shelf)
    what = f"the environment ({build}{'' if minor is None else f', Python {minor}'})"
    since = datetime.now(UTC) if force is True else force or datetime.min.replace(tzinfo=UTC)
    there = place.ready()
    if there is not None and there.made_at > since and (use := _usable(there, place, builder, what, say)):
        return _built(build, place, there, use)
    with place.alone(lambda: say(f"another process builds {what}; waiting for it"), seconds, stop):
        ready = place.ready()
        meanwhile = ready is not None and ready != there and ready.made_at > since
        if ready is not None and meanwhile and (use := _usable(ready, place, builder, what, say)):
            return _built(build, place, ready, use)
        began = time.monotonic()
        tool = Tool(what, place.programs, began + seconds, stop)
        say(f"building {what}")
        if build != "docker" and not recipe.pins(conda=build != "venv"):
            say("nothing pins what it installs: on another day it may install other versions")
        with place.new_folder() as folder:
            made = builder.build(Job(recipe, source.tree, place.key, folder, minor, tool, bool(force), say))
            ready = _ready(place, folder, made)
            place.settle(ready)
        return _built(build, place, ready, place.use(ready), time.monotonic() - began)


def _running(source: BuildSource, say: Say) -> BuiltEnvironment:
    """Give the running environment, with a word where the model asks for another Python."""
    with suppress(EnvironmentFailed):
        wanted = declared_python(source.folder)
        if wanted is not None and not wanted.fits(sys.version_info[:3]):
            ours = platform.python_version()
            say(f"the model asks for {wanted}, and runs in Python {ours}; with `build` it gets its own")
    return running_environment()


def _key(build: Build, recipe: Recipe, tree: Sha256, minor: str | None) -> Sha256:
    return EnvironmentInputs(
        # Which of the programs made an environment of conda says nothing about what it is.
        build="conda" if build == "micromamba" else build,
        minor=minor,
        files=recipe.files(docker=build == "docker"),
        tree=tree,
        packages=None,
    ).key


def _usable(ready: Ready, place: EnvironmentPlace, builder: Builder, what: str, say: Say) -> Hold | None:
    """Keep an environment from being taken away, where it still is what was built."""
    use = place.use(ready)
    if use is None:
        return None
    tool = Tool(what, place.programs, time.monotonic() + _LOOK_SECONDS)
    now = builder.found(place.prefix(ready), ready.image_digest, tool)
    if now is None:
        say(f"{what} does not run any more; it is built again")
        return None
    if ready.folder is not None and (now.python, now.packages) != (ready.python, ready.packages):
        say(f"{what} was changed after it was built; it is built again")
        return None
    return use


def _ready(place: EnvironmentPlace, folder: Path, made: Made) -> Ready:
    return Ready(
        key=place.key,
        made_at=datetime.now(UTC),
        folder=folder.name if made.image_digest is None else None,
        python=made.python,
        packages=made.packages,
        image_digest=made.image_digest,
        runner=made.runner,
    )


def _built(
    build: Build, place: EnvironmentPlace, ready: Ready, use: Hold | None, seconds: float | None = None
) -> BuiltEnvironment:
    return BuiltEnvironment(
        key=place.key,
        build=build,
        python=ready.python,
        packages=ready.packages,
        image_digest=ready.image_digest,
        prefix=place.prefix(ready),
        runner=ready.runner,
        client={} if ready.image_digest is None else tool_variables(os.environ),
        seconds=seconds,
        use=use,
    )
