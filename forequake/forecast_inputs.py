"""What decides a forecast of a window: the keys of gridded and of catalog-based forecasts."""

from typing import Annotated

from forequake.forecasts.catalog_based import COUNTING_VERSION
from forequake.forecasts.policy import QualityPolicy
from forequake.keys import ADDED_LATER, KeyInputs
from forequake.quantities import Sha256
from forequake.windows import TimeWindow

__all__ = ["CatalogForecastInputs", "ForecastInputs"]


class ForecastInputs(KeyInputs):
    """What decides a gridded forecast of a window: its content, how it is read and fitted, grid and scale."""

    what = "forecast"

    content: Sha256
    reader: str
    region: Sha256
    magnitudes: tuple[float, ...]
    scale: float
    policy: Annotated[QualityPolicy, ADDED_LATER] = "refuse"
    fit: Annotated[int, ADDED_LATER] = 1


class CatalogForecastInputs(KeyInputs):
    """What decides the events that count of a catalog-based forecast.

    Attributes
    ----------
    n_catalogs
        As the model says it; None where the file alone tells.
    counting
        Version of the rules by which events count.
    """

    what = "catalog_forecast"

    content: Sha256
    reader: str
    n_catalogs: int | None
    region: Sha256
    magnitudes: tuple[float, ...]
    depth_km: tuple[float, float] | None
    window: TimeWindow
    policy: QualityPolicy
    counting: int = COUNTING_VERSION
