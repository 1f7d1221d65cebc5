"""A folder in which each environment is kept once, by its key: whole, or not there.

::

    PLATFORM/KEY/lock         held while the environment is built
    PLATFORM/KEY/programs/    of programs that build or look (`forequake.processes.ProgramRun`)
    PLATFORM/KEY/ready.json   names the whole one and says what is in it; written last, at one blow
    PLATFORM/KEY/x1a2b3c4d/   an environment; where ready.json does not name it, what an ended build left

The programs of an environment know the path they were installed to, so none is moved when it is whole: what
is replaced at one blow is the file that names it. The folder may be deleted when nothing runs.
"""

import contextlib
import os
import secrets
import shutil
import stat
import sysconfig
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from platformdirs import user_cache_path
from pydantic import BaseModel, ConfigDict, ValidationError

from forequake.errors import EnvironmentFailed
from forequake.models.holds import Hold, hold, taken
from forequake.models.locks import locked
from forequake.processes import end_orphans
from forequake.quantities import Sha256, UtcDatetime

__all__ = ["EnvironmentPlace", "Ready", "environment_place", "remove_tree"]

#: Enough of a key for a folder's name: paths of programs must stay short. The whole one is checked.
_NAME: Final = 16
_READY: Final = "ready.json"


class Ready(BaseModel):
    """A whole environment, as its builder left it.

    Attributes
    ----------
    folder
        Beside the file; None of an image.
    python, packages, image_digest, runner
        As of `forequake.models.environments.BuiltEnvironment`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: Sha256
    made_at: UtcDatetime
    folder: str | None
    python: str | None
    packages: dict[str, str]
    image_digest: str | None = None
    runner: tuple[str, ...] = ()


def environment_place(key: Sha256, shelf: Path | None = None) -> "EnvironmentPlace":
    """Give the place of an environment on a shelf.

    Parameters
    ----------
    shelf
        By default in the user's cache folder.

    Raises
    ------
    EnvironmentFailed
        Where the folder cannot be made.
    """
    root = user_cache_path("forequake") / "models" / "environments" if shelf is None else shelf
    folder = root / sysconfig.get_platform() / key[:_NAME]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"no environment can be built in {root}: {error.strerror or error}"
        raise EnvironmentFailed(message) from error
    return EnvironmentPlace(key, folder)


class EnvironmentPlace:
    """Where the environment of one key is, or will be."""

    def __init__(self, key: Sha256, folder: Path) -> None:
        self.key = key
        self.folder = folder

    @property
    def programs(self) -> Path:
        """Where the programs that build have their folders."""
        return self.folder / "programs"

    def ready(self) -> Ready | None:
        """Give the environment that is there; None where none is, or the word of it is damaged."""
        try:
            ready = Ready.model_validate_json((self.folder / _READY).read_bytes())
        except (OSError, ValidationError):
            return None
        if ready.key != self.key or (ready.folder is not None and not (self.folder / ready.folder).is_dir()):
            return None
        return ready

    def prefix(self, ready: Ready) -> Path | None:
        """Give the folder whose ``bin`` has the programs; None of an image."""
        return None if ready.folder is None else self.folder / ready.folder / "env"

    def use(self, ready: Ready) -> Hold | None:
        """Keep an environment from being taken away; None where it has gone."""
        use = hold(self.folder if ready.folder is None else self.folder / ready.folder)
        with contextlib.suppress(OSError):
            os.utime(self.folder / _READY)  # so that one can tell what has not been used for long
        return use

    @contextmanager
    def alone(
        self, on_wait: Callable[[], None], patience: float, stop: threading.Event | None
    ) -> Iterator[None]:
        """Keep other processes from building it meanwhile.

        Raises
        ------
        EnvironmentFailed
            Where another process builds it for too long.
        Interrupted
            Where `stop` is set meanwhile.
        """
        try:
            with locked(self.folder / "lock", patience=patience, on_wait=on_wait, stop=stop):
                yield
        except TimeoutError as error:
            message = f"the environment cannot be built: {error}"
            raise EnvironmentFailed(message) from error

    @contextmanager
    def new_folder(self) -> Iterator[Path]:
        """Give an empty folder to build in, which stays only where all goes well; only when `alone`."""
        self._sweep()
        folder = self.folder / f"x{secrets.token_hex(4)}"
        folder.mkdir()
        folder.chmod(0o755)
        try:
            yield folder
            _show(folder)
        except BaseException:
            remove_tree(folder)
            raise

    def settle(self, ready: Ready) -> None:
        """Name the environment that is there from now on; only when `alone`."""
        handle, name = tempfile.mkstemp(dir=self.folder, prefix="ready-")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(ready.model_dump_json(indent=1))
            file.flush()
            os.fsync(handle)
        Path(name).chmod(0o644)
        Path(name).replace(self.folder / _READY)

    def _sweep(self) -> None:
        """Remove what builds left that were ended, and what was replaced and is in use no more."""
        end_orphans(self.programs)
        ready = self.ready()
        kept = {self.programs.name, None if ready is None else ready.folder}
        for path in self.folder.iterdir():
            if path.is_dir() and path.name not in kept:
                with taken(path) as free:
                    if free:
                        remove_tree(path)
            elif path.name.startswith("ready-"):
                path.unlink()


def _show(folder: Path) -> None:
    """Let others read what was made, whatever the file modes of this user: models run as another one."""
    for path, _, files in os.walk(folder):
        for place in (Path(path), *(Path(path, name) for name in files)):
            mode = place.lstat().st_mode
            wanted = mode | stat.S_IRGRP | stat.S_IROTH
            if mode & stat.S_IXUSR:
                wanted |= stat.S_IXGRP | stat.S_IXOTH
            if wanted != mode and not stat.S_ISLNK(mode):
                place.chmod(stat.S_IMODE(wanted))


def remove_tree(folder: Path) -> None:
    """Remove a folder of ours, also where parts of it are read-only; what stays goes with the next build."""
    for path, _, _ in os.walk(folder):
        with contextlib.suppress(OSError):
            Path(path).chmod(stat.S_IRWXU)
    shutil.rmtree(folder, ignore_errors=True)
