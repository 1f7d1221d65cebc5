"""A report in Markdown: sentences and tables, with figures as files beside it where they could be drawn."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from dashboard.report.blocks import Block, Legend, Picture, Section, Table, Words
from dashboard.report.texts import cell_text, is_number, shown_columns

__all__ = ["markdown_of"]

#: What Markdown or HTML would take as a mark; letters, digits and ordinary points stay as they are.
_MARKS: Final = re.compile(r"([\\`*_\[\]<>|#~&])")


def markdown_of(
    title: str, sections: Sequence[Section], made: str, drawn: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Give the report line by line.

    Parameters
    ----------
    made
        By what it was made, and when.
    drawn
        By the names of figures, the files that they are in, as links from the report.
    """
    drawn = {} if drawn is None else drawn
    yield f"# {_plain(title)}\n\n"
    for section in sections:
        yield f"## {_plain(section.title)}\n\n"
        for block in section.blocks:
            yield from _block(block, drawn)
    figures = any(isinstance(block, Picture) for section in sections for block in section.blocks)
    if figures and not drawn:
        yield "No browser (Chromium) was there to draw the figures: they are in this report's HTML form.\n\n"
    yield f"*{_plain(made)}*\n"


def _block(block: Block, drawn: Mapping[str, str]) -> Iterator[str]:
    match block:
        case Words(text):
            yield f"{_plain(text)}\n\n"
        case Legend():
            pass  # figures in files have none to stand beside; tables give outcomes in words
        case Picture(name=name, alt=alt, caption=caption, title=picture_title) if name in drawn:
            if picture_title:
                yield f"### {_plain(picture_title)}\n\n"
            yield f"![{_plain(alt)}](<{drawn[name]}>)\n\n{_plain(caption)}\n\n"
        case Picture():
            pass
        case Table(title=title, rows=rows):
            columns = shown_columns(rows)
            if not columns:
                return
            yield f"**{_plain(title)}**\n\n"
            yield f"| {' | '.join(_plain(column) for column in columns)} |\n"
            numbers = [
                all(is_number(row.get(column)) or row.get(column) is None for row in rows)
                for column in columns
            ]
            yield f"|{'|'.join('---:' if number else '---' for number in numbers)}|\n"
            for row in rows:
                yield f"| {' | '.join(_plain(cell_text(row.get(column))) for column in columns)} |\n"
            yield "\n"


def _plain(text: str) -> str:
    return _MARKS.sub(r"\\\1", text).replace("\n", " ")
