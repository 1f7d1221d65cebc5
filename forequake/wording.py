"""Numbers in sentences."""

__all__ = ["count_of"]


def count_of(number: int, what: str) -> str:
    """Say how many of something there are.

    Examples
    --------
    >>> count_of(1, "window"), count_of(7, "window")
    ('1 window', '7 windows')
    """
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
