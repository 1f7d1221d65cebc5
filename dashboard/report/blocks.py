"""What a report consists of, whatever its form: sections of words, figures and tables."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeVar

import plotly.graph_objects as go

from dashboard._theme import Theme
from dashboard.figures.marks import Status

__all__ = ["Block", "Legend", "Picture", "Section", "Table", "Words", "evenly"]

T = TypeVar("T")


@dataclass(frozen=True)
class Words:
    """A paragraph, without any markup."""

    text: str


@dataclass(frozen=True)
class Legend:
    """The marks that the figures below have; `html` is the same for a page."""

    statuses: tuple[Status, ...]
    html: Callable[[Theme], str]


@dataclass(frozen=True)
class Picture:
    """A figure.

    Attributes
    ----------
    name
        Of its file; unique in a report.
    draw
        Draws it in a theme's colours. Both drawings have the same traces.
    alt
        What it shows, for those who do not see it.
    caption
        How to read it.
    least_width
        In pixels; below it letters run into each other.
    title
        A heading for it among others of its section.
    """

    name: str
    draw: Callable[[Theme], go.Figure]
    alt: str
    caption: str
    least_width: int = 0
    title: str = ""


@dataclass(frozen=True)
class Table:
    """Rows by the names of their columns.

    Attributes
    ----------
    title
        What it lists.
    folded
        Whether a page shows it only when it is asked for: where it repeats a figure.
    """

    title: str
    rows: Sequence[Mapping[str, Any]]
    folded: bool = True


Block = Words | Legend | Picture | Table


def evenly(names: Sequence[T], most: int) -> list[Sequence[T]]:
    """Break a list into as few parts of about one length as hold at most so many each.

    Pictures with a row for each model are drawn in parts that fit a page.

    Examples
    --------
    >>> evenly("abcde", 3)
    ['abc', 'de']
    """
    count = math.ceil(len(names) / most)
    ends = [math.ceil(len(names) * step / count) for step in range(count + 1)]
    return [names[start:end] for start, end in pairwise(ends)]


@dataclass(frozen=True)
class Section:
    """A part of a report under a heading of its own; one without blocks says nothing."""

    title: str
    blocks: tuple[Block, ...]
