"""What came of a call of a model's function: a forecast in the form that is stored, or why there is none."""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forequake.errors import ModelFailed
from forequake.forecasts.catalog_based.compact import CompactWriter, Header
from forequake.models.runs._function_runner import EVENT_ROW
from forequake.models.runs.function_folder import SOURCE
from forequake.models.runs.request import ModelRequest
from forequake.models.runs.variables import Secrets
from forequake.models.runs.verification import find_output
from forequake.processes import ProgramEnding

__all__ = ["answer_of", "frames_at_the_end"]

#: Events that are looked at together.
_CHUNK: Final = 1 << 19
#: More than any forecast has.
_MOST_CATALOGS: Final = 10_000_000
#: So much of the end of what a function printed goes into the message of its failure.
_MOST_PRINTED: Final = 300
#: A longer verdict is none of ours.
_MOST_VERDICT: Final = 1 << 20
_MOST_FRAMES: Final = 6
#: What is said of things that are not there, since only those of the source and the environment are.
_HINTS: Final = {
    "ModuleNotFoundError": "; what it imports must lie in the folder that `path` names, or be installed in "
    "an environment of its own (`build`)",
    "FileNotFoundError": "; a file that it needs must lie in the folder that `path` names",
}
_MOST_LETTERS: Final = 1000
_PROGRESS: Final = re.compile(r'\s*\{.*"progress"')
_FRAME: Final = re.compile(r'  File "(?P<file>.*)", line (?P<line>\d+) in (?P<name>.*)')


def answer_of(folder: Path, request: ModelRequest, ending: ProgramEnding) -> Path:
    """Give the file with what a function gave.

    Parameters
    ----------
    folder
        As `forequake.models.runs.function_folder.fill_for_function` filled it.
    ending
        Of a process that exited.

    Returns
    -------
    Path
        Rates in ``.npy`` form, or simulated catalogs in their compact form. Its numbers are not checked yet.

    Raises
    ------
    ModelFailed
        Where the function gave no forecast; with the lines of the model's files that an error went through.
    """
    secrets = Secrets({name: request.variables[name] for name in request.secret})
    verdict = secrets.out_of_all(_verdict(folder / "forecasts" / "verdict.json"))
    if ending.code != 0 or verdict.get("stage") != "answer":
        raise _failure(verdict, request, ending)
    most = request.limits.output_mb
    if request.expected.forecast_type == "gridded":
        return find_output(folder, ("forecasts/rates.npy",), most)
    events = find_output(folder, ("forecasts/catalogs.bin",), most)
    number = verdict.get("n_catalogs")
    compact = folder.parent / "catalogs"
    if (
        not isinstance(number, int)
        or not 0 < number <= _MOST_CATALOGS
        or not _make_compact(events, number, compact)
    ):
        message = f"{request.function} wrote something else where its catalogs go"
        raise ModelFailed(message, cause="unreadable_output")
    return compact


def frames_at_the_end(folder: Path) -> list[str]:
    """Give the lines of a model's files in which its process was when it was ended, the last one last."""
    try:
        with (folder / "forecasts" / "where.txt").open(encoding="utf-8", errors="replace") as file:
            told = file.read(_MOST_VERDICT)
    except OSError:
        return []
    source, frames = folder / SOURCE, []
    for line in told.partition("(most recent call first):\n")[2].splitlines():
        frame = _FRAME.fullmatch(line)
        if frame is None:
            break
        place = Path(frame["file"])
        if place.is_relative_to(source):
            where = f"{place.relative_to(source)}:{frame['line']}, in {frame['name']}"
            frames.append(where + _text(place, int(frame["line"])))
    return frames[:_MOST_FRAMES][::-1]


def _text(file: Path, number: int) -> str:
    with suppress(OSError, IndexError):
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
        return f": {lines[number - 1].strip()}"
    return ""


def _verdict(file: Path) -> dict[str, Any]:
    """Read how the call ended; nothing where the process ended without a word."""
    try:
        if file.is_symlink() or not file.is_file() or file.stat().st_size > _MOST_VERDICT:
            return {}
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _failure(verdict: dict[str, Any], request: ModelRequest, ending: ProgramEnding) -> ModelFailed:
    words, cause = _words(verdict, ending)
    lines = [f"{request.function} {words}", *(f"  {line}" for line in _texts(verdict.get("trace")))]
    printed = _printed(ending.output)
    if printed:
        lines.append(f"  It printed at the end: {printed}")
    # Halves of characters, which no store takes, become question marks.
    message = "\n".join(lines).encode(errors="replace").decode()
    return ModelFailed(message, cause=cause, output=ending.output)


def _printed(output: str) -> str:
    """Give the last whole lines that were printed, without those that tell of progress."""
    lines = [line for line in output.strip().splitlines() if not _PROGRESS.match(line)]
    text = "\n".join(lines)
    if len(text) <= _MOST_PRINTED:
        return text
    end = text[-_MOST_PRINTED:]
    return end.partition("\n")[2] or end


def _words(verdict: dict[str, Any], ending: ProgramEnding) -> tuple[str, str]:
    """Say what went wrong, and by which word of `forequake.models.runs.CAUSES`."""
    error = str(verdict.get("error", ""))[:_MOST_LETTERS]
    hint = next((words for kind, words in _HINTS.items() if error.startswith(kind)), "")
    match verdict.get("stage"):
        case "numpy":
            return (
                f"was not called: its environment has no NumPy ({error}); name numpy in requirements.txt",
                "cannot_start",
            )
        case "import":
            cause = "memory" if verdict.get("memory") is True else "exit_code"
            return f"was not called: its file cannot be imported: {error}{hint}", cause
        case "call":
            number = verdict.get("n_catalogs")
            after = f" after {number} catalogs" if number else ""
            return f"raised {error}{after}{hint}", "memory" if verdict.get("memory") is True else "exit_code"
        case "unfit":
            cause = "wrong_region" if verdict.get("cause") == "wrong_region" else "unreadable_output"
            return error, cause
        case "exit":
            code = str(verdict.get("code"))[:_MOST_PRINTED]
        case _:
            code = str(ending.code)
    cause = "no_output" if code == "0" else "exit_code"
    return f"ended its process with the exit code {code} in place of an answer", cause


def _texts(found: object) -> list[str]:
    return [str(one)[:_MOST_PRINTED] for one in found][:_MOST_FRAMES] if isinstance(found, list) else []


def _make_compact(events: Path, number: int, target: Path) -> bool:
    """Write simulated catalogs in their compact form; tell whether they were ones."""
    sizes = np.zeros(number, dtype=np.int64)
    last = 0
    with CompactWriter(target.parent) as writer:
        for rows in _pieces(events):
            catalogs = rows["catalog"]
            if catalogs[0] < last or catalogs[-1] >= number or (np.diff(catalogs) < 0).any():
                return False
            last = int(catalogs[-1])
            sizes += np.bincount(catalogs, minlength=number)
            writer.add(*(rows[name] for name in EVENT_ROW.names[1:]))  # type: ignore[index]
        if int(sizes.sum()) != events.stat().st_size // EVENT_ROW.itemsize - 1:
            return False
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
        header = Header(
            n_catalogs=number,
            n_events=int(offsets[-1]),
            n_listed=number,
            first_id=0,
            last_id=number - 1,
            shift=0,
        )
        writer.finish(target, header, offsets)
    return True


def _pieces(file: Path) -> Iterator[NDArray[Any]]:
    with file.open("rb") as opened:
        opened.seek(EVENT_ROW.itemsize)
        while len(rows := np.fromfile(opened, dtype=EVENT_ROW, count=_CHUNK)):
            yield rows
