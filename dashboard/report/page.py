"""A report as one HTML page that asks no other host for anything."""

import gzip
import html
import json
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import plotly.graph_objects as go

from dashboard._theme import DARK, LIGHT, Theme, template
from dashboard._words import count_of
from dashboard.report.blocks import Block, Legend, Picture, Section, Table, Words
from dashboard.report.texts import cell_text, is_number, shown_columns

__all__ = ["drawing_page", "page_of"]

_ASSETS: Final = Path(__file__).parent.parent / "assets"
_HASH: Final = re.compile(r"[0-9a-f]{16,}")
#: The page may run its own scripts and nothing else; a picture that is saved is a blob of its own.
_POLICY: Final = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"
)
#: A table of more columns is printed on a page across.
_UPRIGHT: Final = 9
#: Longer data of a figure are compressed.
_PLAIN: Final = 50_000
#: Width of a figure that stands in a file of its own, in pixels.
_DRAWN_WIDTH: Final = 800


def page_of(title: str, sections: Sequence[Section], made: str) -> Iterator[str]:
    """Give the page in pieces, since its script alone has five megabytes.

    Parameters
    ----------
    made
        By what it was made, and when.
    """
    from plotly.offline import get_plotlyjs

    anchors = [f"s{number}" for number in range(1, len(sections) + 1)]
    yield (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f'<meta name="generator" content="forequake">'
        f"<title>{html.escape(title)}</title><style>{(_ASSETS / 'report.css').read_text()}</style></head>\n"
        '<body><a class="skip" href="#s1">Skip to the report</a>'
        f'<header><h1>{html.escape(title)}</h1><nav aria-label="Sections"><ul>'
    )
    for anchor, section in zip(anchors, sections, strict=True):
        yield f'<li><a href="#{anchor}">{html.escape(section.title)}</a></li>'
    yield "</ul></nav></header>\n<main>\n"
    for anchor, section in zip(anchors, sections, strict=True):
        yield f'<section aria-labelledby="{anchor}"><h2 id="{anchor}">{html.escape(section.title)}</h2>\n'
        for block in section.blocks:
            yield _block(block)
        yield "</section>\n"
    yield f"</main>\n<footer><p>{html.escape(made)}</p></footer>\n"
    if any(isinstance(block, Picture) for section in sections for block in section.blocks):
        yield f"<script>{get_plotlyjs()}</script>\n"
        yield f"<script>{(_ASSETS / 'report.js').read_text()}</script>\n"
    yield "</body></html>\n"


def drawing_page(pictures: Sequence[Picture]) -> Iterator[str]:
    """Give a page that draws pictures and leaves each as text, in elements ``f0``, ``f1`` and so on."""
    from plotly.offline import get_plotlyjs

    yield '<!doctype html><html><head><meta charset="utf-8"></head><body>'
    yield f"<script>{get_plotlyjs()}</script><script>const figures = [];</script>"
    for picture in pictures:
        spec = _spec(picture.draw(LIGHT), LIGHT)
        width = max(_DRAWN_WIDTH, picture.least_width)
        spec["layout"] |= {"width": width, "height": spec["layout"].get("height", 450)}
        text = json.dumps(spec, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
        yield f"<script>figures.push({text});</script>\n"
    yield f"<script>{(_ASSETS / 'drawing.js').read_text()}</script></body></html>\n"


def _block(block: Block) -> str:
    match block:
        case Words(text):
            return f"<p>{html.escape(text)}</p>\n"
        case Legend(html=drawn):
            themed = "".join(
                f'<div class="{name}-only"{hidden}>{drawn(theme)}</div>'
                for name, theme, hidden in (("light", LIGHT, ""), ("dark", DARK, ""))
            )
            return f'<div class="legend">{themed}</div>\n'
        case Picture():
            return _picture(block)
        case Table():
            return _table(block)


def _picture(picture: Picture) -> str:
    light, dark = (_spec(picture.draw(theme), theme) for theme in (LIGHT, DARK))
    spec = {
        "name": picture.name,
        "least": picture.least_width,
        "figure": light,
        "dark": list(differences(light, dark)),
    }
    text, kind = json.dumps(spec, ensure_ascii=False, separators=(",", ":")), "application/json"
    if len(text) > _PLAIN:  # a tenth of the size; no clock, so that the same results give the same page
        text, kind = b64encode(gzip.compress(text.encode(), mtime=0)).decode(), "application/gzip"
    text = text.replace("<", "\\u003c")
    height = light["layout"].get("height", 450)
    scrolls = (
        ' tabindex="0" role="region" aria-label="Figure, scrolls sideways"'
        if picture.least_width > 700
        else ""
    )
    heading = f"<h3>{html.escape(picture.title)}</h3>" if picture.title else ""
    return (
        f'<figure>{heading}<div class="scroll"{scrolls}><div class="plot" style="min-height:{height}px">'
        f'<div class="drawing" role="group" aria-label="{html.escape(picture.alt)}"></div>'
        f'<script type="{kind}">{text}</script></div></div>'
        f"<figcaption>{html.escape(picture.caption)}</figcaption></figure>\n"
    )


def _spec(figure: go.Figure, theme: Theme) -> dict[str, Any]:
    """Give a figure's data and layout, with the colours that the dashboard's pages give it."""
    # Set in what is written, not in a copy of the figure, whose thousands of parts plotly would check again.
    spec: dict[str, Any] = json.loads(figure.to_json())
    spec["layout"]["template"] = template(theme)
    return spec


def differences(one: Any, other: Any, path: tuple[str | int, ...] = ()) -> Iterator[list[Any]]:
    """Give where one drawing has another value than the other, as path and the other's value.

    Examples
    --------
    >>> list(differences({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}))
    [[['a', 1, 'b'], 3]]
    """
    if isinstance(one, Mapping) and isinstance(other, Mapping) and one.keys() == other.keys():
        for name in one:
            yield from differences(one[name], other[name], (*path, name))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for place, (ours, theirs) in enumerate(zip(one, other, strict=True)):
            yield from differences(ours, theirs, (*path, place))
    elif one != other:
        yield [list(path), other]


def _table(table: Table) -> str:
    columns = shown_columns(table.rows)
    if not columns:
        return ""
    heads = "".join(_head(column, table.rows) for column in columns)
    rows = "".join(
        f"<tr>{''.join(_cell(row.get(column)) for column in columns)}</tr>\n" for row in table.rows
    )
    title = html.escape(table.title)
    drawn = (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{title}"><table>'
        f"<caption>{'' if table.folded else title}</caption><thead><tr>{heads}</tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )
    if not table.folded:
        return drawn + "\n"
    summary = f"{title}, {count_of(len(table.rows), 'row')}"
    wide = ' class="wide"' if len(columns) > _UPRIGHT else ""
    return f"<details{wide}><summary>{summary}</summary>{drawn}</details>\n"


def _head(column: str, rows: Sequence[Mapping[str, Any]]) -> str:
    numbers = any(is_number(row.get(column)) for row in rows)
    kind = ' class="number"' if numbers else ""
    return f'<th scope="col"{kind}>{html.escape(column)}</th>'


def _cell(value: Any) -> str:
    text = cell_text(value)
    kind = ' class="number"' if is_number(value) else ' class="hash"' if _HASH.search(text) else ""
    return f"<td{kind}>{html.escape(text)}</td>"
