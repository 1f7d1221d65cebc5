"""YAML read into plain data that still knows where each key stands."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import yaml

from forequake.errors import Problem

__all__ = ["Document", "KeyPath", "dotted", "read_yaml", "shown_path"]

#: Keys and list positions from the root of a document.
KeyPath = tuple[str | int, ...]

_TAG: Final = "tag:yaml.org,2002:"
_MERGE: Final = _TAG + "merge"
#: Lists, and what Python writes for its own kind of list, which floatCSEP's files hold.
_LISTS: Final = (_TAG + "seq", _TAG + "python/tuple")
#: Aliases can make a short file endless; a real experiment has a few thousand nodes.
_MOST_NODES: Final = 200_000
#: YAML also reads 010 as eight, 1_0 as ten and 1:30 as ninety; nobody who writes an experiment means that.
_PLAIN_NUMBER: Final = re.compile(
    r"[-+]?(0|[1-9][0-9]*|[0-9]*\.[0-9]*([eE][-+][0-9]+)?|\.(inf|nan))", re.IGNORECASE
)


@dataclass(frozen=True)
class Document:
    """The plain data of one file, and where everything in it stands.

    Attributes
    ----------
    prefix
        The key under which the data belong in the experiment: ``models`` for a models file, else empty.
    data
        Mappings, lists, text, numbers, booleans, dates and None; None also where nothing could be read.
    lines
        Line of every key and list item, from 1 on.
    texts
        Scalars as the file has them.
    """

    file: Path
    prefix: str = ""
    data: object = None
    lines: Mapping[KeyPath, int] = field(default_factory=dict)
    texts: Mapping[KeyPath, str] = field(default_factory=dict)


def read_yaml(file: Path, prefix: str = "") -> tuple[Document, list[Problem]]:
    """Read a YAML file into plain data; nothing in it is run, whatever its tags say.

    Returns
    -------
    Document
        With what could be read.
    list of Problem
        What is wrong with the file as YAML: unreadable, not UTF-8, bad syntax, empty, a key given twice,
        tags beyond plain data.
    """

    def only(message: str, line: int | None = None) -> tuple[Document, list[Problem]]:
        problem = Problem(message, file=shown_path(file), line=line, key=prefix or None)
        return Document(file=file, prefix=prefix), [problem]

    try:
        text = file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        return only(f"the file cannot be read ({error.strerror})")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        return only("the file is not text in UTF-8; save it in that encoding", line)
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        if node is None:
            return only("the file is empty")
        converter = _Converter(file, prefix)
        data = converter.convert(node, ())
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        return only(f"the character U+{ord(text[error.position]):04X} is not allowed in YAML", line)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = ", ".join(part for part in (error.context, error.problem) if part)
        return only(f"this is not YAML: {what}", None if mark is None else mark.line + 1)
    except RecursionError:
        return only("the file is nested too deeply")
    document = Document(file=file, prefix=prefix, data=data, lines=converter.lines, texts=converter.texts)
    return document, converter.problems


def dotted(path: KeyPath, prefix: str = "") -> str:
    """Name a key as people do: ``models.Model A.path``, ``time_windows[0][1]``.

    The position in a list of named items is left out, since the name follows it.
    """
    name = prefix
    for position, key in enumerate(path, 1):
        if isinstance(key, str):
            name += f".{key}" if name else key
        elif position == len(path) or not isinstance(path[position], str):
            name += f"[{key}]"
    return name


def shown_path(file: Path) -> Path:
    """Give a path relative to the current folder where that is shorter."""
    absolute = file.absolute()
    relative = Path(os.path.relpath(absolute))
    return relative if len(str(relative)) < len(str(absolute)) else absolute


class _Converter:
    """Turns composed nodes into plain data, and notes where they stood."""

    def __init__(self, file: Path, prefix: str) -> None:
        self.lines: dict[KeyPath, int] = {}
        self.texts: dict[KeyPath, str] = {}
        self.problems: list[Problem] = []
        self._file = file
        self._prefix = prefix
        self._loader = yaml.SafeLoader("")
        self._open: set[int] = set()
        self._nodes = 0

    def convert(self, node: yaml.Node, path: KeyPath) -> object:
        """Give the plain data of a node."""
        self.lines.setdefault(path, _line(node))
        self._nodes += 1
        if self._nodes == _MOST_NODES:
            self._note("the file holds too much (aliases that refer to aliases?)", node, path)
        if self._nodes >= _MOST_NODES:
            return None
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        if id(node) in self._open:
            self._note("this alias refers to itself", node, path)
            return None
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.SequenceNode) and node.tag in _LISTS:
                return [self.convert(item, (*path, number)) for number, item in enumerate(node.value)]
            if isinstance(node, yaml.MappingNode) and node.tag == _TAG + "map":
                return {
                    key: self.convert(value, (*path, key)) for key, value in self._entries(node, path).items()
                }
        finally:
            self._open.discard(id(node))
        self._refuse_tag(node, path)
        return None

    def _scalar(self, node: yaml.ScalarNode, path: KeyPath) -> object:
        text = self._text(node, path)
        self.texts[path] = text
        kind = node.tag.removeprefix(_TAG)
        if kind in ("int", "float") and not _PLAIN_NUMBER.fullmatch(text):
            return text
        try:
            match kind:
                case "str":
                    return text
                case "null":
                    return None
                case "bool":
                    return self._loader.construct_yaml_bool(node)
                case "int":
                    return self._loader.construct_yaml_int(node)
                case "float":
                    return self._loader.construct_yaml_float(node)
                case "timestamp":
                    return self._loader.construct_yaml_timestamp(node)
        except (ValueError, KeyError, AttributeError, OverflowError):
            # Such as the date 2010-13-45, or the tag !!int before a word: whoever needs a date or a number
            # there says what it should be.
            return text
        self._refuse_tag(node, path)
        return None

    def _entries(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, yaml.Node]:
        """List a mapping's values by key: its own, then those that a merge key adds."""
        own: dict[str, yaml.Node] = {}
        merged: dict[str, yaml.Node] = {}
        lines: dict[str, int] = {}
        for key, value in node.value:
            if key.tag == _MERGE:
                for name, added in self._merged(value, path).items():
                    merged.setdefault(name, added)
                continue
            written = self._key(key, path)
            if written in own:
                self._note(f"given twice; the first is in line {lines[written]}", key, (*path, written))
                continue
            own[written] = value
            lines[written] = _line(key)
        self.lines.update({(*path, name): line for name, line in lines.items()})
        return {**merged, **own}

    def _merged(self, value: yaml.Node, path: KeyPath) -> dict[str, yaml.Node]:
        sources = value.value if isinstance(value, yaml.SequenceNode) else [value]
        entries: dict[str, yaml.Node] = {}
        for source in sources:
            if not isinstance(source, yaml.MappingNode) or id(source) in self._open:
                self._note("the merge key << takes other mappings only", value, (*path, "<<"))
                continue
            self._open.add(id(source))
            for key, added in self._entries(source, path).items():
                entries.setdefault(key, added)
            self._open.discard(id(source))
        return entries

    def _key(self, key: yaml.Node, path: KeyPath) -> str:
        """Give a key as it is written, also where YAML would read a number, a date or a truth value."""
        if isinstance(key, yaml.ScalarNode) and key.tag.startswith(_TAG):
            return self._text(key, path)
        self._note("a key must be plain text", key, path)
        return ""

    def _text(self, node: yaml.ScalarNode, path: KeyPath) -> str:
        text = str(node.value)
        try:
            text.encode()
        except UnicodeEncodeError as error:  # "\ud800" is half a character, which no file can hold
            self._note(f"the character U+{ord(text[error.start]):04X} is not allowed here", node, path)
            return text.encode(errors="replace").decode()
        return text

    def _refuse_tag(self, node: yaml.Node, path: KeyPath) -> None:
        tag = node.tag.replace(_TAG, "!!")
        self._note(f"the tag {tag} is not allowed: an experiment's file is plain data", node, path)

    def _note(self, message: str, node: yaml.Node, path: KeyPath) -> None:
        name = dotted(path, self._prefix) or None
        self.problems.append(Problem(message, file=shown_path(self._file), line=_line(node), key=name))


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
