"""What stands in a cell of the matrix, and what it says when the pointer is over it."""

import html
import re
from typing import Final

from dashboard._sentences import gain_unit, windows_words
from dashboard._words import (
    SIDES,
    count_of,
    equation,
    error_words,
    events,
    is_drawn,
    number,
    quantile,
    quantile_texts,
    short_number,
)
from dashboard.figures.cells import Column, CountedCell, WindowCell
from dashboard.figures.marks import MARKS, Status
from forequake.results import (
    AdjustedQuantile,
    KolmogorovQuantile,
    LowerQuantile,
    PValue,
    Side,
    StudentQuantiles,
    TailQuantiles,
    WilcoxonQuantile,
)
from stores import ResultRow

__all__ = [
    "MANY",
    "below_mark",
    "cut",
    "hover_of_counts",
    "hover_of_window",
    "inside_counted",
    "inside_shaded",
    "remainder",
    "wrapped",
]

#: From so many windows on, a count of them takes a line of its own.
MANY: Final = 100
#: A model's name is broken where it is longer.
_LONG_NAME: Final = 18
#: Behind these it is broken, but not in the middle of a number.
_BREAKS: Final = re.compile(r"[ _,@-]|\.(?![0-9])")


def below_mark(cell: WindowCell) -> str:
    """Give the number that decides, as short as a narrow screen needs it."""
    row = cell.row
    if row is None or cell.status is Status.UNDEFINED:
        return ""
    if row.kind == "score":
        return number(row.statistic)
    drawn = is_drawn(row.test, row.quantiles)
    match row.quantiles:
        case TailQuantiles(delta1=upper, delta2=lower):
            deciding = {Side.UPPER: upper, Side.LOWER: lower}
            return short_number(deciding.get(row.side, min(upper, lower)), drawn=drawn)
        case StudentQuantiles() if row.information_gain is not None:
            return f"{row.information_gain:+.2f}".replace("-", "−")
        case (
            LowerQuantile(q=p)
            | StudentQuantiles(p=p)
            | WilcoxonQuantile(p=p)
            | KolmogorovQuantile(p=p)
            | PValue(p=p)
            | AdjustedQuantile(p_adjusted=p)
        ):
            return short_number(p, drawn=drawn)
        case _:
            return ""


def inside_counted(cell: CountedCell) -> str:
    """Give the counts of a cell without a share: a comparison, scores, or nothing decided yet."""
    if cell.scored and cell.spread is not None:
        mean, least, greatest = (number(value, 3) for value in cell.spread)
        return f"⌀ {mean}<br>{least} to {greatest}<br>of {cell.scored}"
    if cell.scored and cell.total is not None:
        return f"Σ {number(cell.total)}<br>of {cell.scored}"
    if cell.scored:
        return f"{cell.scored} scores"
    if cell.decided:
        better, worse = (cell.counts.get(status, 0) for status in (Status.BETTER, Status.WORSE))
        return f"▲{better} ▼{worse}<br>of {cell.decided}"
    words = {
        Status.UNDEFINED: "undef.",
        Status.FAILED: "<b>!</b>",
        Status.MISSING: "·",
    }
    return next((text for status, text in words.items() if status in cell.counts), "–")


def inside_shaded(cell: CountedCell) -> str:
    """Give the rejections among the verdicts, in two lines where one would not fit into its square."""
    rejected = cell.counts.get(Status.REJECTED, 0)
    return f"{rejected}/{cell.decided}" if cell.decided < MANY else f"{rejected}<br>of {cell.decided}"


def remainder(cell: CountedCell, between: str = "<br>") -> str:
    """Name what is not among the verdicts: undefined, failed and missing windows, apart."""
    words = {Status.UNDEFINED: "undef.", Status.FAILED: "failed", Status.MISSING: "missing"}
    parts = [f"{cell.counts[status]} {word}" for status, word in words.items() if status in cell.counts]
    return between.join(parts) if cell.decided or cell.scored else ""


def hover_of_window(cell: WindowCell) -> str:
    """Say all about a cell of one window."""
    lines = [_title(cell.model, cell.column)]
    if cell.span is not None:
        lines.append(f"over {windows_words(cell.span.n_windows, cell.span.missing)}")
    if cell.row is not None:
        lines += _of_row(cell.row)
    elif cell.unit is not None:
        lines.append(f"{cell.unit.state.value.replace('_', ' ')}, attempt {cell.unit.attempts}")
        if cell.unit.error is not None:
            lines.append(html.escape(cut(error_words(cell.unit.error), 120)))
    elif cell.status is Status.ITSELF:
        lines.append("The model is the reference: nothing to compare.")
    else:
        lines.append("Not computed yet.")
    return "<br>".join(lines)


def hover_of_counts(cell: CountedCell) -> str:
    """Say all about a cell over all windows."""
    lines = [_title(cell.model, cell.column)]
    what = "comparison" if cell.column.against_all else "window"
    lines += [
        f"{MARKS[status].label}: {count_of(cell.counts[status], what)}"
        for status in MARKS
        if status in cell.counts
    ]
    if cell.total is not None:
        lines.append(f"sum of the scores: {number(cell.total, 6)} nats")
    if cell.spread is not None:
        mean, least, greatest = (number(value) for value in cell.spread)
        lines.append(f"mean {mean}, from {least} to {greatest}")
    if cell.column.against_all:
        lines.append("Each pair is in the matrix of models below.")
    if cell.limit is not None:
        lines.append(f"chance rejects up to {cell.limit} of {cell.decided} in 95 % of cases")
    if cell.p_adjusted is not None:
        lines.append(f"chance gives so many with {equation('p', quantile(cell.p_adjusted))} (Holm)")
    if not cell.counts:
        lines.append("nothing to compare" if cell.model == cell.column.reference else "not computed yet")
    return "<br>".join(lines)


def wrapped(model: str, most: int = _LONG_NAME) -> str:
    """Escape a model's name and break a long one, so that it leaves room for the cells.

    Examples
    --------
    >>> wrapped("etas@kernel.d=0.5,b=1.05")
    'etas@kernel.d=0.5,<br>b=1.05'
    """
    if len(model) <= most:
        return html.escape(model)
    ends = [found.end() for found in _BREAKS.finditer(model, most // 3, most + 1)]
    end = ends[-1] if ends else most
    return f"{html.escape(model[:end])}<br>{html.escape(cut(model[end:], most))}"


def cut(text: str, most: int) -> str:
    """Cut a text that is longer than `most` letters, and show that it was cut."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _title(model: str, column: Column) -> str:
    against = "" if column.reference is None else f" against {html.escape(column.reference)}"
    if column.against_all:
        against = " against all other models"
    return f"<b>{html.escape(column.test)} of {html.escape(model)}</b>{against}"


def _of_row(row: ResultRow) -> list[str]:
    mark = MARKS[Status(row.outcome.value)]
    scored = row.kind == "score"
    lines = [mark.label if scored else f"{mark.label} at {row.alpha:g} ({SIDES[row.side]})"]
    if row.reason:
        lines.append(html.escape(cut(row.reason, 120)))
    texts = quantile_texts(row.quantiles, "n" if is_drawn(row.test, row.quantiles) else None)
    lines += [html.escape(equation(name, text)) for name, text in texts.items()]
    if row.information_gain is not None:
        gain = f"{number(row.information_gain)} nats per {gain_unit(row.test)}"
        lines.append(f"information gain {gain}")
    if row.statistic is not None and row.kind != "comparison":
        lines.append(f"{'score' if scored else 'statistic'} {number(row.statistic, 6)}")
    lines.append(f"{events(row.n_observed)}, {number(row.n_forecast)} expected")
    lines.append(f"<i>Click for {'its numbers' if scored else 'the distribution'}</i>")
    return lines
