"""Where a model's program starts: in the model's folder, or in the experiment's, as its command is written.

floatCSEP 0.5.2 runs a command of the environments ``venv`` and ``conda`` in its own current folder, which
mostly is the experiment's, though its guide says the model's. Folders are written for either.
"""

import re
from collections.abc import Collection
from pathlib import PurePosixPath

__all__ = ["place_below_start"]


def place_below_start(command: str, path: str, files: Collection[str]) -> PurePosixPath | None:
    """Tell where the model's folder must lie below the folder in which a command starts.

    Parameters
    ----------
    path
        The model's folder, relative to the experiment's.
    files
        What the model's folder holds: where the words of the command lead to one of these, they start there.

    Returns
    -------
    PurePosixPath or None
        `path` where the command names files by it; None where it starts in the model's folder.
    """
    place = PurePosixPath(path)
    if place.is_absolute() or not place.parts or ".." in place.parts:
        return None
    own = re.escape(str(place))
    below = rf"(?<![\w./~$}}-])(?:\./)*({own}/[^\s'\"|&;<>()$`*?]*)"
    entered = rf"\bcd\s+(?:\./)*({own})(?![^\s;&|])"
    words = [PurePosixPath(word) for way in (below, entered) for word in re.findall(way, command)]
    held = {PurePosixPath(name) for name in files}
    held |= {parent for name in held for parent in name.parents}
    return place if words and not any(word in held for word in words) else None
