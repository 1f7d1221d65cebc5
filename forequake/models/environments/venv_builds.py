"""Environments of Python's own module `venv`, filled by pip."""

from pathlib import Path

from forequake.errors import EnvironmentFailed
from forequake.models.environments.building import Job, Made, copy_of_source, installed, pip_install
from forequake.models.environments.declared_python import declared_python
from forequake.models.environments.environment_shelf import remove_tree
from forequake.models.environments.interpreters import Interpreter, choose_interpreter
from forequake.models.environments.recipe import Recipe
from forequake.models.environments.tools import Tool

__all__ = ["VenvBuilder"]


class VenvBuilder:
    """Makes a venv with the nearest interpreter that fits."""

    def minor(self, recipe: Recipe) -> str:
        """Tell which minor version of Python it will have.

        Raises
        ------
        EnvironmentFailed
            Where no interpreter on this machine fits.
        """
        return _interpreter(recipe).minor

    def build(self, job: Job) -> Made:
        """Make the environment: floatCSEP's, but that the source is installed and not linked.

        Where nothing is to be installed there is no pip either, which takes most of the time.

        Raises
        ------
        EnvironmentFailed
            Where venv or pip fails.
        """
        python = _interpreter(job.recipe).program
        needs_pip = job.recipe.is_package or job.recipe.requirements is not None
        options = [] if needs_pip else ["--without-pip"]
        job.tool.run([python, "-I", "-m", "venv", *options, job.prefix], cwd=job.folder)
        if needs_pip:
            copy = copy_of_source(job)
            pip_install(job, job.prefix / "bin" / "python", copy)
            remove_tree(copy)
        return installed(job.prefix / "bin" / "python", job.tool)

    def found(self, prefix: Path | None, image_digest: str | None, tool: Tool) -> Made | None:
        """Look what an environment has now; None where it does not run, such as after its Python has gone."""
        if prefix is None:
            return None
        try:
            return installed(prefix / "bin" / "python", tool)
        except EnvironmentFailed:
            return None


def _interpreter(recipe: Recipe) -> Interpreter:
    return choose_interpreter(declared_python(recipe.folder))
