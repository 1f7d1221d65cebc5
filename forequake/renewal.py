"""What a run fetches and builds anew although it is there, once: asked for by name, or by the model's file.

Everything goes by moments, not by memory: a source that was asked and an environment that was built since the
run began are new, whichever window, worker or repetition of a task comes next.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from forequake.config import FolderModel, LoadedExperiment, ProgramSpec
from forequake.errors import InputError, unknown
from forequake.models.demands import Demand

__all__ = ["Renewal"]

#: What a schedule's run is satisfied with.
_FRESH: Final = timedelta(days=1)


@dataclass(frozen=True)
class Renewal:
    """Which models a run fetches and builds anew.

    Attributes
    ----------
    began
        When the run of the experiment began.
    scheduled
        A schedule began it: then what is younger than a day counts as new.
    stage, build
        Names of the models that were asked for, besides those whose own keys say so.
    """

    began: datetime
    scheduled: bool = False
    stage: frozenset[str] = frozenset()
    build: frozenset[str] = frozenset()

    def source(self, model: FolderModel) -> Demand | None:
        """Say how new a model's source must be; None where any will do."""
        return self._demand(model.name in self.stage, by_file=model.force_stage)

    def environment(self, model: FolderModel) -> Demand | None:
        """Say how new a model's environment must be; None where any will do."""
        by_file = isinstance(model.program, ProgramSpec) and model.program.force_build
        return self._demand(model.name in self.build, by_file=by_file)

    def _demand(self, by_name: bool, *, by_file: bool) -> Demand | None:
        if not by_name and not by_file:
            return None
        return Demand(self.began - _FRESH if self.scheduled else self.began, strict=by_name)

    def check(self, loaded: LoadedExperiment) -> None:
        """Refuse names of models that have nothing to fetch, or nothing to build.

        Raises
        ------
        InputError
            With the name, and those that are allowed.
        """
        folders = [model for model in loaded.config.models if isinstance(model, FolderModel)]
        programs = [model for model in folders if isinstance(model.program, ProgramSpec)]
        fetched = [
            model.name
            for model in programs
            if model.source is not None and not (loaded.folder / model.path).is_dir()
        ]
        _check(loaded, "--force-stage", "whose source is fetched", self.stage, fetched)
        _check(loaded, "--force-build", "with a command", self.build, [model.name for model in programs])


def _check(
    loaded: LoadedExperiment, option: str, what: str, chosen: Iterable[str], allowed: list[str]
) -> None:
    for name in sorted(set(chosen) - set(allowed)):
        message = f"{loaded.config.name}: {option} takes a model {what}: {unknown('model', name, allowed)}"
        raise InputError(message)
