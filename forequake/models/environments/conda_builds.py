"""Environments of conda, made by mamba, micromamba or conda, whichever is there; unverified so far."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from forequake.errors import EnvironmentFailed
from forequake.models.environments.building import Job, Made, copy_of_source, installed, pip_install
from forequake.models.environments.declared_python import conda_file, declared_python, read_conda_file
from forequake.models.environments.environment_shelf import remove_tree
from forequake.models.environments.interpreters import choose_minor
from forequake.models.environments.recipe import Recipe, is_itself
from forequake.models.environments.tools import Tool

__all__ = ["CondaBuilder"]

#: Older ones know no option for it.
_YES: Final = {"CONDA_ALWAYS_YES": "true", "MAMBA_ALWAYS_YES": "true", "MAMBA_NO_BANNER": "1"}
_SPEC: Final = "environment-of-model.yml"


class CondaBuilder:
    """Makes an environment of conda.

    Parameters
    ----------
    programs
        Names of the programs that can make it, the best first.
    """

    def __init__(self, programs: Sequence[str]) -> None:
        self._programs = tuple(programs)

    def minor(self, recipe: Recipe) -> str:
        """Tell which minor version of Python it will have; conda brings it along.

        Raises
        ------
        EnvironmentFailed
            Where no version fits.
        """
        return choose_minor(declared_python(recipe.folder, conda_first=True))

    def build(self, job: Job) -> Made:
        """Make the environment of ``environment.yml``, or a bare one, and install the source with pip.

        Raises
        ------
        EnvironmentFailed
            Where there is no such program, or it or pip fails.
        """
        program = self._program()
        copy = copy_of_source(job)
        wanted = _wanted(job)
        # Beside the copy's own: paths in it are relative to its folder.
        (copy / _SPEC).write_text(yaml.safe_dump(wanted, sort_keys=False), encoding="utf-8")
        create = ["create", "-y"] if program.name == "micromamba" else ["env", "create"]
        job.tool.run([program, *create, "-p", job.prefix, "-f", copy / _SPEC], cwd=copy, variables=_YES)
        python = job.prefix / "bin" / "python"
        if not python.exists():
            message = f"{program.name} made an environment without Python; {job.tool.what} is not usable"
            raise EnvironmentFailed(message)
        pip_install(job, python, copy)
        remove_tree(copy)
        made = installed(python, job.tool)
        return Made(made.python, _with_others(made, job.prefix), runner=_runner(program, job.prefix))

    def found(self, prefix: Path | None, image_digest: str | None, tool: Tool) -> Made | None:
        """Look what an environment has now; None where it does not run."""
        if prefix is None:
            return None
        try:
            made = installed(prefix / "bin" / "python", tool)
        except EnvironmentFailed:
            return None
        return Made(made.python, _with_others(made, prefix))

    def _program(self) -> Path:
        found = next((path for path in map(shutil.which, self._programs) if path), None)
        if found is None:
            message = f"the environment cannot be built: none of {', '.join(self._programs)} is on PATH"
            raise EnvironmentFailed(message)
        return Path(found)


def _wanted(job: Job) -> dict[str, Any]:
    """Give ``environment.yml`` with Python and pip, and without what names the model itself."""
    file = conda_file(job.recipe.folder)
    try:
        wanted = {"channels": ["conda-forge"]} if file is None else read_conda_file(file)
    except (OSError, ValueError) as error:
        message = f"{job.tool.what} cannot be built: {'' if file is None else file.name}: {error}"
        raise EnvironmentFailed(message) from error
    wanted = {name: value for name, value in wanted.items() if name not in {"name", "prefix"}}
    packages = [one for one in wanted.get("dependencies", []) if not isinstance(one, dict)]
    by_pip = [one for one in wanted.get("dependencies", []) if isinstance(one, dict)]
    names = {str(one).split("::")[-1].split("[")[0].strip() for one in packages}
    bare = {name.replace("=", " ").replace("<", " ").replace(">", " ").split()[0] for name in names if name}
    if "python" not in bare or "python" in names:  # a bare name would take any version
        packages = [one for one in packages if str(one).split("::")[-1].strip() != "python"]
        packages.append(f"python={job.minor}")
    if "pip" not in bare:
        packages.append("pip")
    for one in by_pip:
        listed = [line for line in one.get("pip") or [] if not is_itself(str(line))]
        if listed:
            packages.append({"pip": listed})
    return wanted | {"dependencies": packages}


def _with_others(made: Made, prefix: Path) -> dict[str, str]:
    """Add to the packages of Python those that only conda knows."""
    packages: dict[str, str] = {}
    for file in sorted((prefix / "conda-meta").glob("*.json")):
        try:
            about = json.loads(file.read_text(encoding="utf-8"))
            packages[str(about["name"])] = str(about["version"])
        except (ValueError, KeyError, TypeError) as error:
            message = f"the environment does not tell what is installed in it: {file.name} cannot be read"
            raise EnvironmentFailed(message) from error
    return dict(sorted((packages | made.packages).items()))


def _runner(program: Path, prefix: Path) -> tuple[str, ...]:
    """Give what to put before a command: only what has scripts to activate it needs the program again."""
    scripts = prefix / "etc" / "conda" / "activate.d"
    if not (scripts.is_dir() and any(scripts.iterdir())):
        return ()
    live = ("--no-capture-output",) if program.name == "conda" else ()
    return (str(program), "run", *live, "-p", str(prefix))
