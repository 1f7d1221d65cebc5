"""How a forecast stands in time to the window that it speaks of."""

from datetime import datetime

from forequake.results import ProspectiveStatus
from forequake.windows import TimeWindow

__all__ = ["prospective_status"]


def prospective_status(
    window: TimeWindow, *, sealed: datetime, retrieved: datetime, fixed: datetime, known_until: datetime
) -> ProspectiveStatus:
    """Tell whether a forecast was made before its window began.

    ``prospective``: code and parameters were fixed, the catalog was retrieved and the forecast was sealed,
    all before. ``late``: only the seal came after it, yet before the window's end. ``pseudo_prospective``:
    made afterwards, by code that was fixed before, from data of before. ``retrospective``: the code was
    fixed, or the data end, after the window began.

    Parameters
    ----------
    sealed
        When the forecast's hash was taken.
    retrieved
        When the input catalog was retrieved.
    fixed
        When code and parameters were fixed.
    known_until
        The end of what the input catalog may contain.
    """
    begin = window.start
    if known_until > begin or fixed >= begin:
        return ProspectiveStatus.RETROSPECTIVE
    if max(sealed, retrieved) < begin:
        return ProspectiveStatus.PROSPECTIVE
    if retrieved < begin and sealed < window.end:
        return ProspectiveStatus.LATE
    return ProspectiveStatus.PSEUDO_PROSPECTIVE
