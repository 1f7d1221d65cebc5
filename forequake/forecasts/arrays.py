"""Arrays that were expensive to make, kept in the user's cache folder and mapped into memory when read.

An entry is a folder named by the key of all that decides its arrays, with a ``.npy`` file for each and
``about.json`` beside them. It appears whole, by renaming, so that readers never meet a part of one. The cache
may be deleted at any time; one that is damaged, full or not writable costs time, never a result.
"""

import contextlib
import hashlib
import json
import math
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray
from platformdirs import user_cache_path

from forequake.array_files import map_array
from forequake.quantities import Sha256

__all__ = ["ArrayCache", "KeptArrays"]

#: Global forecasts of 0.1 degrees take 1.6 GB each; a year of daily regional ones 1 GB.
_MOST_BYTES: Final = 8 << 30
#: One entry may take this part of the whole.
_LARGEST_SHARE: Final = 0.5
#: A folder that some process began and left is removed after so many seconds.
_ABANDONED: Final = 3600.0
#: Looking at all entries takes milliseconds to seconds: it is done again after so many seconds, or when full.
_BETWEEN_LOOKS: Final = 60.0
#: Where entries must go, so much of the whole is made free at once.
_FREED_SHARE: Final = 1 / 16
#: What an entry takes beside its arrays.
_BESIDE_BYTES: Final = 1024
_ABOUT: Final = "about.json"


@dataclass(frozen=True, eq=False)
class KeptArrays:
    """An entry of the cache.

    Attributes
    ----------
    arrays
        By name; read-only, mapped from files.
    about
        What was kept beside them: JSON.
    """

    arrays: dict[str, NDArray[Any]]
    about: Any


class ArrayCache:
    """A bounded cache of arrays on disk; the entries that were used longest ago make place.

    Parameters
    ----------
    folder
        The user's cache folder by default.
    most_bytes
        Size of all entries together.
    """

    #: Entries whose bytes this process has compared with their digests.
    _verified: ClassVar[set[tuple[str, int]]] = set()
    #: When this process last looked at all entries of a folder, and their bytes with what it added since.
    _looked: ClassVar[dict[Path, tuple[float, int]]] = {}

    def __init__(self, folder: Path | None = None, most_bytes: int = _MOST_BYTES) -> None:
        self.folder = user_cache_path("forequake") / "arrays" if folder is None else folder
        self.most_bytes = most_bytes

    def get(self, key: Sha256) -> KeptArrays | None:
        """Give an entry, or None where there is none that is whole; a damaged one is removed.

        Its bytes are compared with their digests once in each process.
        """
        entry = self.folder / key
        try:
            about, digests = _read_about(entry)
            mark = (str(entry), (entry / _ABOUT).stat().st_ino)
            if mark not in self._verified:
                _verify(entry, digests)
            arrays = {name: map_array(entry / f"{name}.npy") for name in digests}
        except (OSError, ValueError, KeyError, TypeError, EOFError):
            if entry.is_dir():
                self._remove(entry)
            return None
        self._verified.add(mark)
        with contextlib.suppress(OSError):  # a cache that may only be read is of use too
            os.utime(entry / _ABOUT)
        return KeptArrays(arrays, about)

    def keep(self, key: Sha256, arrays: Mapping[str, NDArray[Any]], about: object) -> None:
        """Keep arrays, unless they are too large or the folder cannot take them.

        Parameters
        ----------
        arrays
            By names that can be names of files; no arrays of objects.
        about
            Anything that JSON can hold.
        """
        size = sum(array.nbytes for array in arrays.values())
        if size > self.most_bytes * _LARGEST_SHARE:
            return
        new: Path | None = None
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._make_place(size)
            new = Path(tempfile.mkdtemp(prefix=".new-", dir=self.folder))
            _write(new, arrays, about)
            new.rename(self.folder / key)
        except OSError:  # full, not writable, or another process was first
            if new is not None:
                shutil.rmtree(new, ignore_errors=True)

    def _make_place(self, size: int) -> None:
        """Look whether all entries fit, now and then: other processes may exceed the bound for a minute."""
        looked, total = self._looked.get(self.folder, (-math.inf, 0))
        if total + size > self.most_bytes or time.monotonic() - looked > _BETWEEN_LOOKS:
            looked, total = time.monotonic(), self._tidy(size)
        self._looked[self.folder] = looked, total + size + _BESIDE_BYTES

    def _tidy(self, size: int) -> int:
        """Remove what other processes abandoned, and the entries used longest ago where `size` bytes lack.

        Returns
        -------
        int
            Bytes of the entries that stay.
        """
        entries: list[tuple[float, int, Path]] = []
        for entry in self.folder.iterdir():
            with contextlib.suppress(OSError):
                if entry.name.startswith("."):
                    if time.time() - entry.stat().st_mtime > _ABANDONED:
                        shutil.rmtree(entry, ignore_errors=True)
                    continue
                about = entry / _ABOUT
                used = about.stat().st_mtime if about.exists() else 0.0
                entries.append((used, sum(file.stat().st_size for file in entry.iterdir()), entry))
        total = sum(bytes_ for _, bytes_, _ in entries)
        if total + size > self.most_bytes:
            for _, bytes_, entry in sorted(entries):
                if total + size <= self.most_bytes * (1 - _FREED_SHARE):
                    break
                self._remove(entry)
                total -= bytes_
        return total

    def _remove(self, entry: Path) -> None:
        """Take an entry away at once, so that nobody meets a part of it; maps of it stay readable."""
        with contextlib.suppress(OSError):
            doomed = Path(tempfile.mkdtemp(prefix=".old-", dir=self.folder))
            entry.rename(doomed / entry.name)
            shutil.rmtree(doomed, ignore_errors=True)


def _write(folder: Path, arrays: Mapping[str, NDArray[Any]], about: object) -> None:
    digests = {}
    for name, array in arrays.items():
        file = folder / f"{name}.npy"
        np.save(file, array, allow_pickle=False)
        digests[name] = _digest(file)
    said = json.dumps([about, digests], sort_keys=True, allow_nan=False)
    with (folder / _ABOUT).open("w", encoding="utf-8") as text:
        json.dump({"said": said, "sha256": hashlib.sha256(said.encode()).hexdigest()}, text)


def _read_about(entry: Path) -> tuple[Any, dict[str, str]]:
    stored = json.loads((entry / _ABOUT).read_text(encoding="utf-8"))
    if hashlib.sha256(stored["said"].encode()).hexdigest() != stored["sha256"]:
        message = f"{entry}: the description is damaged"
        raise ValueError(message)
    about, digests = json.loads(stored["said"])
    return about, digests


def _verify(entry: Path, digests: Mapping[str, str]) -> None:
    for name, digest in digests.items():
        if _digest(entry / f"{name}.npy") != digest:
            message = f"{entry}: {name} is damaged"
            raise ValueError(message)


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
