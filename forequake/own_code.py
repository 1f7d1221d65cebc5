"""The code of users' own tests: pinned when an experiment is resolved, kept in the store, part of keys."""

from forequake.config import LoadedExperiment, TestSpec
from forequake.errors import InputError
from forequake.evaluations.own_tests.inputs import OwnTestInputs
from forequake.keys import bytes_digest
from forequake.results import BlobRef, ResolvedInputs
from forequake.windows import TimeWindow

__all__ = ["own_file_contents", "own_inputs", "pin_own_files"]


def pin_own_files(loaded: LoadedExperiment) -> dict[str, BlobRef]:
    """Hash the files of an experiment's own tests, by their paths in its folder.

    Raises
    ------
    InputError
        Where one cannot be read.
    """
    tests = (test.own for test in loaded.config.tests if test.own is not None)
    names = sorted({name for own in tests for name in own.files})
    contents = {name: _read(loaded, name) for name in names}
    return {name: BlobRef(sha256=bytes_digest(data), size=len(data)) for name, data in contents.items()}


def own_file_contents(loaded: LoadedExperiment, inputs: ResolvedInputs) -> list[bytes]:
    """Read the files of an experiment's own tests as they were pinned.

    Raises
    ------
    InputError
        Where one has changed since, or cannot be read.
    """
    contents = []
    for name, pinned in inputs.own_files.items():
        data = _read(loaded, name)
        if bytes_digest(data) != pinned.sha256:
            message = f"{name}, a file of an own test, changed while the run began; run again"
            raise InputError(message)
        contents.append(data)
    return contents


def own_inputs(test: TestSpec, inputs: ResolvedInputs, window: TimeWindow) -> OwnTestInputs | None:
    """Give what of a user's own test decides its result; None for all other tests."""
    if test.own is None:
        return None
    files = {name: inputs.own_files[name].sha256 for name in test.own.files}
    return OwnTestInputs(function=test.own.text, files=files, arguments=test.own.arguments, window=window)


def _read(loaded: LoadedExperiment, name: str) -> bytes:
    try:
        return loaded.locate(name).read_bytes()
    except OSError as error:
        message = f"{name}, a file of an own test, cannot be read ({error.strerror})"
        raise InputError(message) from error
