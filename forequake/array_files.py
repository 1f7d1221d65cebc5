"""Reading NumPy's files from several threads at once.

NumPy reads the head of such a file as a Python literal, and Python before 3.11.8 cannot make two of them at a
time: where the garbage collector lets another thread run in between, one fails with a ``SystemError`` (fixed
in https://github.com/python/cpython/issues/106905). In a run of 25,000 forecasts it happens once.
"""

import threading
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["map_array", "read_array", "read_arrays"]

#: Held while a head is read; the thread that holds it may collect garbage whose end reads another one.
_READING: Final = threading.RLock()


def read_array(file: BinaryIO | Path) -> NDArray[Any]:
    """Read the array of an ``.npy`` file; no array of objects.

    Raises
    ------
    ValueError, EOFError
        Where it is no such file.
    """
    with _READING:
        array: NDArray[Any] = np.load(file, allow_pickle=False)
    return array


def read_arrays(file: BinaryIO | Path) -> dict[str, NDArray[Any]]:
    """Read all arrays of an ``.npz`` file, by their names; no arrays of objects.

    Raises
    ------
    ValueError, EOFError, zipfile.BadZipFile
        Where it is no such file.
    """
    with _READING, np.load(file, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def map_array(file: Path) -> NDArray[Any]:
    """Map the array of an ``.npy`` file into memory, for reading; one without elements is read.

    Raises
    ------
    ValueError, EOFError
        Where it is no such file.
    """
    try:
        with _READING:
            return np.asarray(np.load(file, mmap_mode="r", allow_pickle=False))
    except ValueError:  # an array without elements cannot be mapped
        return read_array(file)
