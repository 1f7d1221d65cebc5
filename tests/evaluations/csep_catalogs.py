"""Catalog-based forecasts as pyCSEP's objects; nothing untyped is decided here.

Import it inside functions: pyCSEP costs more than a second.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from csep.core.catalogs import CSEPCatalog
from csep.core.forecasts import CatalogForecast as CsepForecast
from numpy.typing import NDArray

from forequake.forecasts.catalog_based import CatalogForecast, CountedEvents
from forequake.windows import TimeWindow

__all__ = ["csep_catalogs", "csep_forecast", "csep_milliseconds"]


def csep_milliseconds(time_us: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give times as pyCSEP counts them: whole milliseconds since 1970, cut off towards 1970.

    pyCSEP goes through seconds as a float (``csep.utils.time_utils.datetime_to_utc_epoch``), which makes some
    of its times a millisecond less than they are; so do these.
    """
    return np.trunc(1000.0 * (time_us / 1e6)).astype(np.int64)


def csep_catalogs(forecast: CatalogForecast, counted: CountedEvents, region: Any) -> Iterator[CSEPCatalog]:
    """Give every catalog of a forecast, the empty ones too, with the events that count.

    Parameters
    ----------
    region
        pyCSEP's region with its magnitudes, or what stands for one.
    """
    order = np.argsort(counted.catalog, kind="stable")
    ends = np.cumsum(counted.per_catalog())
    for number, end in enumerate(ends):
        begin = int(ends[number - 1]) if number else 0
        chosen = counted.event[order[begin:end]]
        rows = np.zeros(len(chosen), dtype=CSEPCatalog.dtype)
        rows["origin_time"] = csep_milliseconds(forecast.time_us[chosen])
        rows["longitude"] = forecast.longitude[chosen]
        rows["latitude"] = forecast.latitude[chosen]
        rows["depth"] = forecast.depth_km[chosen]
        rows["magnitude"] = forecast.magnitude[chosen]
        yield CSEPCatalog(data=rows, region=region, catalog_id=number, compute_stats=False)


def csep_forecast(
    forecast: CatalogForecast, counted: CountedEvents, region: Any, window: TimeWindow
) -> CsepForecast:
    """Give a forecast for pyCSEP's tests; its catalogs are made anew each time that they are gone through.

    Parameters
    ----------
    region
        pyCSEP's region with its magnitudes, or what stands for one. pyCSEP writes into it.
    """

    def catalogs(**_: object) -> Iterator[CSEPCatalog]:
        return csep_catalogs(forecast, counted, region)

    return CsepForecast(
        loader=catalogs,
        store=False,
        region=region,
        n_cat=len(forecast),
        start_time=window.start,
        end_time=window.end,
        name="forecast",
    )
