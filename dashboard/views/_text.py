"""Text that users chose, made safe for pages; times as people say them."""

import re
from datetime import datetime
from typing import Final

__all__ = ["ago", "clock", "plain"]

_MARKS: Final = re.compile(r"([!-/:-@\[-`{-~])")


def plain(text: str) -> str:
    r"""Escape text for Markdown, so that a model's name is shown as it is.

    Examples
    --------
    >>> plain("ETAS_b*")
    'ETAS\\_b\\*'
    """
    return _MARKS.sub(r"\\\1", text)


def clock(moment: datetime) -> str:
    """Write a time in UTC to the second."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def ago(moment: datetime, reference: datetime) -> str:
    """Say how long before `reference` something was; a date where that is months ago.

    Examples
    --------
    >>> from datetime import UTC
    >>> noon = datetime(2024, 5, 1, 12, tzinfo=UTC)
    >>> ago(datetime(2024, 5, 1, 11, 30, tzinfo=UTC), noon), ago(datetime(2020, 5, 1, tzinfo=UTC), noon)
    ('30 min ago', '2020-05-01')
    """
    seconds = (reference - moment).total_seconds()
    if seconds < 60:
        return "just now"
    if seconds < 3600:
        return f"{seconds // 60:.0f} min ago"
    if seconds < 48 * 3600:
        return f"{seconds // 3600:.0f} h ago"
    if seconds < 60 * 86400:
        return f"{seconds // 86400:.0f} days ago"
    return f"{moment:%Y-%m-%d}"
