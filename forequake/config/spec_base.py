"""What the definitions of all models share."""

from typing import Annotated, Final, Literal

from pydantic import Field

from forequake.windows import TimeWindow, forecast_file_names

__all__ = ["Days", "ForecastType", "window_file_names"]

#: A length of time in days.
Days = Annotated[float, Field(gt=0, allow_inf_nan=False)]
#: ``gridded``: rates in cells and magnitude bins; ``catalog``: synthetic catalogs.
ForecastType = Literal["gridded", "catalog"]

#: Endings that files of a format may have beside its own name.
_SAME_FORMAT: Final = {
    "hdf5": ("h5",),
    "h5": ("hdf5",),
    "quadtree": ("csv",),
    "qtree": ("csv",),
    "gear1": ("dat",),
    "ucerf3": ("bin",),
}


def window_file_names(
    prefixes: tuple[str, ...], format: str, window: TimeWindow, alone: bool
) -> tuple[str, ...]:
    """List the names that the file of a window's forecast may have, the best first.

    Parameters
    ----------
    prefixes
        With which it may begin, blanks also as underscores.
    format
        Its ending; formats that have several are read under each.
    alone
        As of `forequake.windows.forecast_file_names`.
    """
    spellings = dict.fromkeys(
        spelling for prefix in prefixes for spelling in (prefix, prefix.replace(" ", "_"))
    )
    endings = dict.fromkeys((format, *_SAME_FORMAT.get(format, ())))
    names = forecast_file_names(window, alone=alone)
    return tuple(f"{prefix}_{name}.{ending}" for prefix in spellings for name in names for ending in endings)
