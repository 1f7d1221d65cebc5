"""The events that a model may know: all before its window, and none after."""

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np

from forequake.catalogs import Events
from forequake.errors import ModelFailed
from forequake.windows import TimeWindow

__all__ = ["check_before", "csep_csv"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_HEADING: Final = ("lon", "lat", "mag", "time_string", "depth", "catalog_id", "event_id")


def check_before(events: Events, window: TimeWindow, until: datetime | None = None) -> None:
    """Make sure that all events lie before a window.

    Parameters
    ----------
    until
        They must lie before this moment already; None: before the window's start.

    Raises
    ------
    ModelFailed
        With the cause ``look_ahead`` and the first event that does not.
    """
    moment = window.start if until is None else min(until, window.start)
    start = (moment - _EPOCH) // timedelta(microseconds=1)
    ahead = np.flatnonzero(events.time_us >= start)
    if ahead.size:
        first = ahead[0]
        message = (
            f"{ahead.size} of {len(events)} events of the input catalog are not before the window: first "
            f"{events.event_id[first]!s} at {np.datetime64(int(events.time_us[first]), 'us')}Z; a model may "
            "not see what it forecasts"
        )
        raise ModelFailed(message, cause="look_ahead")


def csep_csv(events: Events) -> str:
    """Write events in CSEP's text form, as ``CSEPCatalog.write_ascii`` does and floatCSEP's models read.

    Times have microseconds; a depth that is missing is ``nan``.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_HEADING)
    times = np.datetime_as_string(events.time_us.astype("datetime64[us]"))
    columns = (events.longitude, events.latitude, events.magnitude, times, events.depth_km)
    none = [""] * len(events)
    writer.writerows(
        zip(*(column.tolist() for column in columns), none, events.event_id.tolist(), strict=True)
    )
    return text.getvalue()
