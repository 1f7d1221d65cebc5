"""What the builds of all kinds share: the job, the copy of the source, pip, and the look at what is there."""

import json
import os
import re
import shutil
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from forequake.errors import EnvironmentFailed
from forequake.models.environments.recipe import Recipe
from forequake.models.environments.tools import Tool
from forequake.quantities import Sha256

__all__ = [
    "INSTALLED_QUESTION",
    "Builder",
    "Job",
    "Made",
    "copy_of_source",
    "installed",
    "packages_from_answer",
    "pip_install",
]

#: Asked of an environment's own Python, of whatever version: what it is and what it has.
INSTALLED_QUESTION: Final = """
import json, platform
try:
    from importlib.metadata import distributions
    found = [(one.metadata["Name"], one.version) for one in distributions()]
except ImportError:
    import glob, os, sys
    kept = [path for place in sys.path for path in glob.glob(os.path.join(place, "*.dist-info"))]
    found = [os.path.basename(path)[: -len(".dist-info")].rsplit("-", 1) for path in kept]
print(json.dumps([platform.python_version(), [pair for pair in found if pair[0]]]))
"""
_PIP: Final = ("-m", "pip", "install", "--no-input", "--disable-pip-version-check")


@dataclass(frozen=True)
class Job:
    """One build.

    Attributes
    ----------
    recipe, tree
        Of the source, which is only read, and its hash.
    folder
        Private and empty; ``env`` in it becomes the environment.
    minor
        Of Python; None where a Dockerfile decides.
    force
        Nothing that the builder has kept of earlier builds may be used.
    """

    recipe: Recipe
    tree: Sha256
    key: Sha256
    folder: Path
    minor: str | None
    tool: Tool
    force: bool
    say: Callable[[str], None]

    @property
    def prefix(self) -> Path:
        """Where the environment is to be."""
        return self.folder / "env"


@dataclass(frozen=True)
class Made:
    """What a build has made.

    Attributes
    ----------
    python, packages, image_digest, runner
        As of `forequake.models.environments.BuiltEnvironment`.
    """

    python: str | None
    packages: dict[str, str] = field(default_factory=dict)
    image_digest: str | None = None
    runner: tuple[str, ...] = ()


class Builder(Protocol):
    """One kind of environment."""

    def minor(self, recipe: Recipe) -> str | None:
        """Tell which minor version of Python it will have; None where that is not ours to say.

        Raises
        ------
        EnvironmentFailed
            Where none fits.
        """

    def build(self, job: Job) -> Made:
        """Make the environment.

        Raises
        ------
        EnvironmentFailed
            Where that fails; nothing of it counts then.
        """

    def found(self, prefix: Path | None, image_digest: str | None, tool: Tool) -> Made | None:
        """Look what an environment that was made earlier has now; None where it is gone or does not run."""


def copy_of_source(job: Job) -> Path:
    """Copy a source to where builders may write: many write beside it, and it must not change."""
    copy = job.folder / "source"
    shutil.copytree(job.recipe.folder, copy, symlinks=True)
    for path, _, files in os.walk(copy):
        for place in (Path(path), *(Path(path, name) for name in files)):
            if not place.is_symlink():
                place.chmod(place.stat().st_mode | stat.S_IWUSR)
    return copy


def pip_install(job: Job, python: Path, copy: Path) -> None:
    """Install what a source needs and, where it is a package, the source itself.

    Raises
    ------
    EnvironmentFailed
        Where pip fails.
    """
    recipe, steps = job.recipe, list[list[str | Path]]()
    requirements, itself = recipe.requirements, ["."] if recipe.is_package else []
    if requirements is not None:
        (copy / requirements.name).write_text("\n".join([*requirements.lines, ""]), encoding="utf-8")
        steps.append(["-r", requirements.name])
        if itself and requirements.has_hashes:
            steps.append(["--no-deps", *itself])  # a folder has no hash
        else:
            steps[0] += itself
    elif itself:
        constraints = job.folder / "constraints.txt"
        constraints.write_text("\n".join([*recipe.constraints, ""]), encoding="utf-8")
        steps.append(["-c", constraints, *itself] if recipe.constraints else [*itself])
    # A version that is made of the history of a repository: the copy has none.
    name = re.sub(r"[^A-Za-z0-9]+", "_", recipe.name or "").upper()
    version = {f"SETUPTOOLS_SCM_PRETEND_VERSION_FOR_{name}": f"0+source.{job.tree[:12]}"} if name else {}
    for step in steps:
        # Isolated: the source may have files with the names of modules that pip imports.
        job.tool.run([python, "-I", *_PIP, *step], cwd=copy, variables=version)


def installed(python: Path, tool: Tool) -> Made:
    """Ask an environment's Python what is there.

    Raises
    ------
    EnvironmentFailed
        Where it does not answer.
    """
    answer = tool.run([python, "-I", "-c", INSTALLED_QUESTION], cwd=python.parent)
    return packages_from_answer(answer)


def packages_from_answer(answer: str) -> Made:
    """Read the answer to `INSTALLED_QUESTION`.

    Raises
    ------
    EnvironmentFailed
        Where it is none.
    """
    try:
        python, pairs = json.loads(answer.strip().splitlines()[-1])
    except (ValueError, IndexError) as error:
        message = "the environment does not tell what is installed in it"
        raise EnvironmentFailed(message, answer) from error
    packages: dict[str, str] = {}
    for name, version in pairs:
        packages.setdefault(str(name).lower().replace("_", "-").replace(".", "-"), str(version))
    return Made(str(python), dict(sorted(packages.items())))
