"""How a report writes what stands in tables."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from dashboard._words import number

__all__ = ["cell_text", "is_number", "shown_columns"]


def shown_columns(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Give the columns in which any row has something, in their order; counts that are all 0 are nothing."""
    names = dict.fromkeys(name for row in rows for name in row)
    return [name for name in names if any(_says(row.get(name)) for row in rows)]


def _says(value: Any) -> bool:
    return value not in (None, "") and not (value == 0 and isinstance(value, int))


def is_number(value: Any) -> bool:
    """Tell whether a value stands as a number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def cell_text(value: Any) -> str:
    """Write a value of a table; nothing for None.

    Examples
    --------
    >>> cell_text(-34.86965), cell_text(None), cell_text(12), cell_text(float("-inf")), cell_text("alpha")
    ('−34.87', '', '12', '−∞', 'alpha')
    """
    if value is None:
        return ""
    if isinstance(value, float):
        return number(value)
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S} UTC"
    return str(value)
