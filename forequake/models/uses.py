"""Notes of what the models of experiments need: from which source they run, and in which environment.

One small file for each model of an experiment says what its next run takes from the shelves. A note is
written again when that changes; where it is lost, only `forequake.clearing` knows less.
"""

import contextlib
import os
import tempfile
from pathlib import Path
from typing import Final

from platformdirs import user_cache_path
from pydantic import BaseModel, ConfigDict, ValidationError

from forequake.keys import bytes_digest
from forequake.quantities import Sha256

__all__ = ["ModelUse", "note_use", "noted_uses"]

#: A model whose note is so much older than others of its experiment is in it no more.
_OUTDATED_SECONDS: Final = 30 * 86400.0
_MOST_FORMER: Final = 100


class ModelUse(BaseModel):
    """What a model of an experiment needs.

    Attributes
    ----------
    experiment, folder
        Its name, and where its files are.
    model, origin
        The model's name, and where its source comes from; never a password.
    trees
        Hashes of the source, and of its folder ``input`` where there is one.
    environment
        The key of what it runs in; None of forecasts that are files.
    former
        Hashes and keys of what it needed before, the latest ones: it says what they were for.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    experiment: str
    folder: str
    model: str
    origin: str
    trees: tuple[Sha256, ...]
    environment: Sha256 | None = None
    former: tuple[Sha256, ...] = ()

    @property
    def needed(self) -> tuple[Sha256, ...]:
        """The hashes of the trees, and the key of the environment."""
        return self.trees if self.environment is None else (*self.trees, self.environment)


def note_use(use: ModelUse, shelf: Path | None = None) -> None:
    """Note what a model needs from now on, in place of what it needed before.

    Parameters
    ----------
    shelf
        By default in the user's cache folder.
    """
    folder = _shelf() if shelf is None else shelf
    name = bytes_digest("\n".join((use.folder, use.experiment, use.model)).encode())
    file = folder / f"{name}.json"
    # Who cannot note it can run all the same.
    with contextlib.suppress(OSError):
        former: dict[Sha256, None] = {}
        with contextlib.suppress(FileNotFoundError, ValidationError):
            before = ModelUse.model_validate_json(file.read_bytes())
            if before.model_copy(update={"former": ()}) == use:
                os.utime(file)
                return
            former = dict.fromkeys(key for key in (*before.former, *before.needed) if key not in use.needed)
        text = use.model_copy(update={"former": tuple(former)[-_MOST_FORMER:]}).model_dump_json(indent=1)
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder, prefix=f"{file.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as opened:
                opened.write(text)
            Path(name).replace(file)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


def noted_uses(shelf: Path | None = None) -> dict[Path, ModelUse]:
    """Give the notes that hold, by their files.

    Left out are those that cannot be read, and those of models that their experiment has no more: it was
    resolved long after they were written last.
    """
    found: dict[Path, tuple[float, ModelUse]] = {}
    latest: dict[tuple[str, str], float] = {}
    for file in sorted((_shelf() if shelf is None else shelf).glob("*.json")):
        with contextlib.suppress(OSError, ValidationError):
            noted = file.stat().st_mtime
            use = ModelUse.model_validate_json(file.read_bytes())
            found[file] = noted, use
            of_which = use.experiment, use.folder
            latest[of_which] = max(noted, latest.get(of_which, noted))
    return {
        file: use
        for file, (noted, use) in found.items()
        if latest[use.experiment, use.folder] - noted < _OUTDATED_SECONDS
    }


def _shelf() -> Path:
    return user_cache_path("forequake") / "models" / "uses"
