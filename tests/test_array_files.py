"""NumPy's files are read by several threads at once."""

import gc
import io
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from forequake.array_files import map_array, read_array, read_arrays


class _Garbage:
    """Ends in the garbage collector, in Python, where another thread may run."""

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        for _ in range(50):
            pass


def test_threads_that_read_while_garbage_is_collected_do_not_meet() -> None:
    buffer = io.BytesIO()
    np.save(buffer, np.arange(3.0))
    content = buffer.getvalue()
    end = time.monotonic() + 1.0

    def read() -> None:
        while time.monotonic() < end:
            [_Garbage() for _ in range(5)]
            assert read_array(io.BytesIO(content))[2] == 2.0

    before = gc.get_threshold()
    gc.set_threshold(50)
    try:
        with ThreadPoolExecutor(8) as pool:
            for done in [pool.submit(read) for _ in range(8)]:
                done.result()
    finally:
        gc.set_threshold(*before)


def test_files_are_read_and_mapped(tmp_path: Path) -> None:
    for array in (np.arange(6.0).reshape(2, 3), np.zeros((0, 3))):
        np.save(tmp_path / "a.npy", array)
        for found in (map_array(tmp_path / "a.npy"), read_array(tmp_path / "a.npy")):
            np.testing.assert_array_equal(found, array)
            assert found.shape == array.shape
    np.savez(tmp_path / "b.npz", first=np.arange(2), second=np.ones(1))
    assert {name: array.tolist() for name, array in read_arrays(tmp_path / "b.npz").items()} == {
        "first": [0, 1],
        "second": [1.0],
    }


@pytest.mark.parametrize("content", [b"", b"no array"])
def test_what_is_no_array_is_refused(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "a.npy"
    file.write_bytes(content)
    for read in (read_array, map_array):
        with pytest.raises((ValueError, EOFError)):
            read(file)
