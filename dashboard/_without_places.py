"""Text without what tells of the machine that wrote it: folders, and users and passwords in addresses.

A path keeps its last part, since the name of a file says what it holds; where it lies says nothing to others.
"""

import re
from typing import Any, Final
from urllib.parse import urlsplit

__all__ = ["last_part", "without_places"]

#: Keys whose values are paths, or words among which paths are, also relative ones.
_PATHS: Final = frozenset(
    {
        "args_file",
        "arguments",
        "catalog",
        "command",
        "file",
        "files",
        "function",
        "input_catalog",
        "origin",
        "path",
        "source",
        "url",
    }
)
#: Words of people, in which a stroke is seldom one between folders.
_PROSE: Final = "metadata"
_ADDRESS: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s'\"<>,;]+")
_IN_NAMES: Final = r"[^\s'\"<>|,;:=()\[\]{}/\\]"
#: Folders of a path from the root of a disk, a home, a share, or the present folder.
_ABSOLUTE: Final = re.compile(
    rf"(?<![\w/\\.~:-])(?:(?:~[\w-]*|\.{{1,2}}|[A-Za-z]:)[/\\]+(?:{_IN_NAMES}+[/\\]+)*|[/\\]+(?:{_IN_NAMES}+[/\\]+)+)"
)
#: The same at the beginning of a text that is a path and nothing else, which may have blanks in it.
_WHOLE: Final = re.compile(r"(?:[/~]|\.{1,2}[/\\]|[A-Za-z]:[\\/]|\\\\)[^\n]*[/\\]")
_FOLDERS: Final = re.compile(rf"(?<![^\s'\"=,;:(\[])(?:{_IN_NAMES}+[/\\]+)+")
#: A repository as ssh names it.
_SSH: Final = re.compile(r"[\w.-]+@[\w.-]+:[^\s]*")


def last_part(text: str) -> str:
    """Give the last part of a path; of an address all but its user and password.

    Examples
    --------
    >>> last_part("data/a folder/catalog.csv"), last_part("models/etas/"), last_part("csep:catalog")
    ('catalog.csv', 'etas', 'csep:catalog')
    >>> last_part("https://me:secret@example.org/a/b.git"), last_part("git@host:group/model.git")
    ('https://example.org/a/b.git', 'model.git')
    """
    if "://" in text:
        return _without_user(text)
    return re.split(r"[/\\]", text.rstrip("/\\"))[-1]


def _without_user(address: str) -> str:
    scheme = address.split("://", 1)[0].lower()
    try:
        parts = urlsplit(address)
    except ValueError:
        return f"{scheme}://"
    if scheme == "file":
        return parts.path.rstrip("/").rsplit("/", 1)[-1]
    return parts._replace(netloc=parts.netloc.rsplit("@", 1)[-1]).geturl()


def without_places(value: Any, *, paths: bool = False, prose: bool = False) -> Any:
    """Leave of all paths in a value of JSON, and in its texts, the last part.

    Parameters
    ----------
    paths
        Whether texts are paths or have such among their words; then relative ones are taken for paths, too.
    prose
        Whether texts are those of people, whatever their keys.

    Examples
    --------
    >>> without_places({"path": "data/a.csv", "name": "M/N", "metadata": {"note": "in /srv/x/y.csv or z"}})
    {'path': 'a.csv', 'name': 'M/N', 'metadata': {'note': 'in y.csv or z'}}
    >>> without_places("run --log=/var/log/x.txt input/args.txt", paths=True)
    'run --log=x.txt args.txt'
    """
    match value:
        case str():
            return _without_folders(value, paths=paths)
        case dict():
            return {name: _without(name, part, paths=paths, prose=prose) for name, part in value.items()}
        case list():
            return [without_places(part, paths=paths, prose=prose) for part in value]
    return value


def _without(name: str, part: Any, *, paths: bool, prose: bool) -> Any:
    """Leave paths out of the value of a key; values of variables of the environment are nobody's business."""
    if name == "variables" and not prose:
        return {}
    prose = prose or name == _PROSE
    return without_places(part, paths=not prose and (paths or name in _PATHS), prose=prose)


def _without_folders(text: str, *, paths: bool) -> str:
    if "://" not in text and (_WHOLE.match(text) or (paths and not re.search(r"[\s=]", text))):
        return last_part(text) or text
    kept: list[str] = []

    def keep(found: re.Match[str]) -> str:
        kept.append(_without_user(found[0]))
        return f"\0{len(kept) - 1}\0"

    text = _ADDRESS.sub(keep, text)
    if paths:
        text = _FOLDERS.sub("", _SSH.sub(lambda found: last_part(found[0]), text))
    text = _ABSOLUTE.sub("", text)
    return re.sub("\0(\\d+)\0", lambda found: kept[int(found[1])], text)
