"""Compact files in the user's cache folder. It may be deleted at any time: it costs time, never a result."""

import contextlib
import os
import shutil
import tempfile
import time
import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Final

from platformdirs import user_cache_path

from forequake.errors import ForecastError
from forequake.forecasts.catalog_based.compact import written_whole
from forequake.forecasts.catalog_based.forecast import CatalogForecast
from forequake.quantities import Sha256

__all__ = ["CompactCache", "catalogs_from_file"]

#: 10,000 catalogs of 1,000 events take 400 MB.
_MOST_BYTES: Final = 8 << 30
_ENDING: Final = ".catalogs"
#: A file that some process began and left is removed after so many seconds.
_ABANDONED: Final = 3600.0
_BUFFER_BYTES: Final = 1 << 20


class _OwnFolder:
    """A temporary folder that goes with the last object that holds it."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="forequake-"))
        weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)


class CompactCache:
    """A bounded folder of compact files; those that were used longest ago make place.

    Parameters
    ----------
    folder
        The user's cache folder by default.
    most_bytes
        Size of all files together.
    """

    def __init__(self, folder: Path | None = None, most_bytes: int = _MOST_BYTES) -> None:
        self.folder = user_cache_path("forequake") / "catalogs" if folder is None else folder
        self.most_bytes = most_bytes

    def get(self, name: str) -> CatalogForecast | None:
        """Map a file, or give None where there is none that is whole."""
        file = self._file(name)
        try:
            forecast = CatalogForecast.from_compact(file)
        except ForecastError:
            return None
        with contextlib.suppress(OSError):  # a cache that may only be read is of use too
            os.utime(file)
        return forecast

    def make(self, name: str, write: Callable[[Path], None]) -> CatalogForecast:
        """Let a file be written, and map it; where the folder cannot take it, in a temporary one.

        Raises
        ------
        ForecastError
            What `write` raises, and where no folder takes the file.
        """
        with contextlib.suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            write(self._file(name))
            self._make_place(name)
            return self._mapped(name)
        try:
            folder = _OwnFolder()
            write(folder.path / (name + _ENDING))
        except OSError as error:
            message = f"neither {self.folder} nor a temporary folder takes simulated catalogs ({error})"
            raise ForecastError(message) from error
        return replace(CatalogForecast.from_compact(folder.path / (name + _ENDING)), lifetime=folder)

    def _mapped(self, name: str) -> CatalogForecast:
        try:
            return CatalogForecast.from_compact(self._file(name))
        except ForecastError:
            self._file(name).unlink(missing_ok=True)  # so that the next one who asks gets a new one
            raise

    def _file(self, name: str) -> Path:
        return self.folder / (name + _ENDING)

    def _make_place(self, name: str) -> None:
        """Remove the files that were used longest ago, and what other processes abandoned."""
        found: list[tuple[float, int, Path]] = []
        for file in self.folder.iterdir():
            with contextlib.suppress(OSError):
                about = file.stat()
                if file.suffix == _ENDING:
                    found.append((about.st_mtime, about.st_size, file))
                elif _ENDING in file.name and time.time() - about.st_mtime > _ABANDONED:
                    file.unlink()
        total = sum(size for _, size, _ in found)
        for _, size, file in sorted(found):
            if total > self.most_bytes and file != self._file(name):
                with contextlib.suppress(OSError):
                    file.unlink()
                    total -= size


def catalogs_from_file(file: BinaryIO, sha256: Sha256, folder: Path | None = None) -> CatalogForecast:
    """Map the compact form that comes from elsewhere, such as a store's blob; it is copied in pieces.

    Parameters
    ----------
    sha256
        Of its content; a copy that is there already is not written again.
    folder
        Where the copy is kept; by default the user's cache folder.

    Raises
    ------
    ForecastError
        Where it is not the compact form.
    """

    def copy(target: Path) -> None:
        if file.seekable():  # another folder may have taken a part of it
            file.seek(0)
        with written_whole(target) as made:
            shutil.copyfileobj(file, made, _BUFFER_BYTES)

    cache = CompactCache(folder)
    return cache.get(sha256) or cache.make(sha256, copy)
