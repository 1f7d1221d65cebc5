"""Images of Docker, made from a model's Dockerfile; unverified with a real engine so far."""

import os
from pathlib import Path
from typing import Final

from forequake.errors import EnvironmentFailed, EnvironmentUnavailable
from forequake.models.environments.building import (
    INSTALLED_QUESTION,
    Job,
    Made,
    copy_of_source,
    packages_from_answer,
)
from forequake.models.environments.environment_shelf import remove_tree
from forequake.models.environments.recipe import Recipe
from forequake.models.environments.tools import Tool

__all__ = ["KEY_LABEL", "DockerBuilder"]

#: Label of the images, with the environment's key.
KEY_LABEL: Final = "forequake.environment"
#: Enough of a key for a tag.
_TAG: Final = 16
_PLAIN: Final = {"BUILDKIT_PROGRESS": "plain", "DOCKER_CLI_HINTS": "false"}


class DockerBuilder:
    """Makes an image of Docker; what is in it and which Python it has is the Dockerfile's."""

    def minor(self, recipe: Recipe) -> None:
        """Make sure that there is a Dockerfile.

        Raises
        ------
        EnvironmentFailed
            Where there is none.
        """
        if not (recipe.folder / "Dockerfile").is_file():
            message = "the image cannot be built: the model has no Dockerfile"
            raise EnvironmentFailed(message)

    def build(self, job: Job) -> Made:
        """Make the image, with the arguments ``USER_UID`` and ``USER_GID`` as floatCSEP gives them.

        Raises
        ------
        EnvironmentFailed
            Where it fails.
        """
        copy, answer = copy_of_source(job), job.folder / "image"
        for name in ("input", "forecasts"):  # no part of a source, but a Dockerfile may copy them
            (copy / name).mkdir(exist_ok=True)
        tag = f"forequake/model:{job.key[:_TAG]}"
        options = ["--iidfile", str(answer), "--tag", tag, "--label", f"{KEY_LABEL}={job.key}"]
        options += ["--no-cache", "--pull"] if job.force else []
        if os.getuid() != 0:  # a Dockerfile cannot make a second root; it has a user of its own then
            options += ["--build-arg", f"USER_UID={os.getuid()}", "--build-arg", f"USER_GID={os.getgid()}"]
        job.tool.run(["docker", "build", *options, copy], cwd=job.folder, variables=_PLAIN)
        try:
            digest = answer.read_text(encoding="ascii").strip()
        except (OSError, ValueError) as error:
            message = f"{job.tool.what} is not known: docker build did not tell the digest of the image"
            raise EnvironmentFailed(message) from error
        remove_tree(copy)
        return _asked(digest, job.folder, job.tool)

    def found(self, prefix: Path | None, image_digest: str | None, tool: Tool) -> Made | None:
        """Look whether an image is still there: what is in it cannot change."""
        if image_digest is None:
            return None
        inspect = ["docker", "image", "inspect", "--format", "{{.Id}}", image_digest]
        try:
            digest = tool.run(inspect, cwd=Path("/")).strip().rpartition("\n")[2]
        except EnvironmentUnavailable:
            raise
        except EnvironmentFailed:
            return None
        return Made(None, image_digest=digest) if digest == image_digest else None


def _asked(digest: str, folder: Path, tool: Tool) -> Made:
    """Ask an image what it has; images without Python do not answer."""
    for python in ("python3", "python"):
        run = ["docker", "run", "--rm", "--network", "none", "--entrypoint", python, digest]
        try:
            made = packages_from_answer(tool.run([*run, "-I", "-c", INSTALLED_QUESTION], cwd=folder))
        except EnvironmentUnavailable:
            raise
        except EnvironmentFailed:
            continue
        return Made(made.python, made.packages, image_digest=digest)
    return Made(None, image_digest=digest)
