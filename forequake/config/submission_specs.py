"""What a model is whose forecasts others hand in."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from forequake.config.spec_base import Days, ForecastType, window_file_names
from forequake.windows import TimeWindow

__all__ = ["LatePolicy", "SubmissionModel", "SubmissionStore"]

#: What becomes of a submission that came after its window began, where none came before: it is taken with a
#: mark, or not at all.
LatePolicy = Literal["mark", "refuse"]


class _Spec(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SubmissionStore(_Spec):
    """Another store whose sealed forecasts are taken over, with the time at which they were sealed there.

    Attributes
    ----------
    name
        Of the store, or its address without a password.
    experiment, model
        Whose forecasts they are there; the windows are those of this experiment.
    """

    name: str
    experiment: str
    model: str


class SubmissionModel(_Spec):
    """A model whose forecasts others hand in, a file for each window: in a folder, or in another store.

    Attributes
    ----------
    path
        The folder that others fill with files ``prefix_window.format``, relative to the experiment's folder
        unless it is absolute; None where `store` is given.
    store
        Where the forecasts are taken from instead.
    late
        What becomes of one that comes after its window began.
    prefix, format, forecast_type, forecast_unit, n_catalogs, metadata
        As of `FolderModel`.
    """

    kind: Literal["submission"] = "submission"
    name: str
    path: str | None = None
    store: SubmissionStore | None = None
    late: LatePolicy = "mark"
    prefix: str
    format: str = "csv"
    forecast_type: ForecastType = "catalog"
    forecast_unit: Days | None = None
    n_catalogs: int | None = Field(default=None, gt=0)
    metadata: dict[str, JsonValue] = {}

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.path is None) == (self.store is None):
            message = "submissions come either into a folder (path) or from another store"
            raise ValueError(message)
        return self

    def file_names(self, window: TimeWindow, *, alone: bool = False) -> tuple[str, ...]:
        """List the names that the file of a window may have, the best first.

        Parameters
        ----------
        alone
            As of `forequake.windows.forecast_file_names`.
        """
        return window_file_names((self.prefix,), self.format, window, alone)
