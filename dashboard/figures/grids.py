"""The results of one test as arrays of models by windows, of which pictures over many windows are made."""

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from dashboard._words import is_drawn, quantile, window_name
from dashboard.figures.cells import ENDED_BADLY
from dashboard.figures.marks import Status
from dashboard.figures.series import deciding_values
from forequake.results import Side, UnitRecord
from forequake.windows import TimeWindow, overlap
from stores import ResultColumns
from stores.columns import OUTCOMES

__all__ = ["STATUSES", "Grid", "grid_of"]

Array = NDArray[np.float64]

#: What `Grid.status` counts.
STATUSES: Final = tuple(Status)
_MISSING: Final = STATUSES.index(Status.MISSING)
#: Their places, by the codes of outcomes.
_OF_OUTCOME: Final = np.array([STATUSES.index(Status(outcome.value)) for outcome in OUTCOMES], dtype=np.int8)


@dataclass(frozen=True, eq=False)
class Grid:
    """One test of several models in all windows.

    Attributes
    ----------
    test, registered, reference
        As the experiment calls it and as forequake does; the reference that it compares with.
    kind, side, alpha
        Of its results.
    drawn
        Whether its quantiles are counted from simulated catalogs.
    windows
        In order of time.
    events : array of int64, shape (windows,)
        Number of target events.
    status : array of int8, shape (models, windows)
        Places in `STATUSES`.
    value : array of float64, shape (models, windows)
        The quantile that decides, the information gain of a comparison, or the score; here as below NaN where
        there is none.
    upper, lower : array of float64, shape (models, windows)
        delta1 and delta2; `lower` has the q of tests that have no other.
    expected : array of float64, shape (models, windows)
        Expected number of events.
    """

    test: str
    registered: str
    reference: str | None
    kind: str
    side: Side
    alpha: float
    drawn: bool
    models: tuple[str, ...]
    windows: tuple[TimeWindow, ...]
    events: NDArray[np.int64]
    status: NDArray[np.int8]
    value: Array
    upper: Array
    lower: Array
    expected: Array

    @property
    def names(self) -> list[str]:
        """The windows as they are written."""
        return [window_name(window) for window in self.windows]

    @property
    def overlap(self) -> bool:
        """Whether windows share time."""
        return overlap(self.windows)

    @property
    def counts_events(self) -> bool:
        """Whether the statistic is the number of events, so that its quantiles take few values."""
        return self.kind == "consistency" and self.side is Side.TWO_SIDED

    def of(self, status: Status) -> NDArray[np.bool_]:
        """Tell where there is a status; shape (models, windows)."""
        found: NDArray[np.bool_] = self.status == STATUSES.index(status)
        return found

    @property
    def decided(self) -> NDArray[np.bool_]:
        """Tell where a consistency test has a verdict; shape (models, windows)."""
        return self.of(Status.PASSED) | self.of(Status.REJECTED)

    def only(self, models: Collection[str]) -> "Grid | None":
        """Leave some of the models; None where none is left."""
        kept = [place for place, model in enumerate(self.models) if model in models]
        if not kept:
            return None
        return replace(
            self,
            models=tuple(self.models[place] for place in kept),
            status=self.status[kept],
            value=self.value[kept],
            upper=self.upper[kept],
            lower=self.lower[kept],
            expected=self.expected[kept],
        )

    def with_units(self, units: Iterable[UnitRecord]) -> Self:
        """Mark computations that are under way or ended badly, where there is no result."""
        across = {window: place for place, window in enumerate(self.windows)}
        status = self.status.copy()
        for unit in units:
            label = unit.label
            if label.test != self.test or label.model not in self.models or label.window not in across:
                continue
            if self.reference in (None, label.reference):
                place = self.models.index(label.model), across[label.window]
                if status[place] == _MISSING:
                    state = Status.FAILED if unit.state in ENDED_BADLY else Status.RUNNING
                    status[place] = STATUSES.index(state)
        return replace(self, status=status)

    def quantile_text(self, value: float) -> str:
        """Write a quantile, never as 0."""
        if math.isnan(value):
            return ""
        if value >= 0.001:  # as `quantile` writes it, for very many of them
            return f"{value:.3g}"
        return quantile(value, "n" if self.drawn else None)


def grid_of(
    columns: ResultColumns,
    models: Sequence[str],
    windows: Collection[TimeWindow] = (),
) -> Grid | None:
    """Put the results of one test, against one reference at most, into arrays.

    Parameters
    ----------
    models
        Those to show, in their order; a model without any result is left out, and so is the reference itself.
    windows
        Further ones, in which results are missing.

    Returns
    -------
    Grid or None
        None where no result is of any of the models.
    """
    found = columns.where(np.isin(columns.model, [columns.code_of("models", model) for model in models]))
    if not len(found):
        return None
    shown = tuple(model for model in models if model in found.models)
    spans = sorted({*found.windows, *windows}, key=lambda span: (span.start, span.end))
    first = found.forms[found.form[0]]
    kinds = found.quantile_kind[found.quantile_kind >= 0]
    shape = (len(shown), len(spans))
    grid = Grid(
        test=found.test,
        registered=first.test,
        reference=found.label(0).reference,
        kind=first.kind,
        side=first.side,
        alpha=first.alpha,
        drawn=is_drawn(first.test, found.quantile_kinds[kinds[0]] if len(kinds) else None),
        models=shown,
        windows=tuple(spans),
        events=np.zeros(len(spans), dtype=np.int64),
        status=np.full(shape, _MISSING, dtype=np.int8),
        value=np.full(shape, np.nan),
        upper=np.full(shape, np.nan),
        lower=np.full(shape, np.nan),
        expected=np.full(shape, np.nan),
    )
    _fill(grid, found)
    return grid


def _fill(grid: Grid, found: ResultColumns) -> None:
    across = {window: place for place, window in enumerate(grid.windows)}
    column = np.array([across[window] for window in found.windows])[found.window]
    row = np.array([grid.models.index(model) for model in found.models])[found.model]
    grid.status[row, column] = _OF_OUTCOME[found.outcome]
    grid.value[row, column] = deciding_values(found)
    lower = found.number("delta2")
    grid.upper[row, column] = found.number("delta1")
    grid.lower[row, column] = np.where(np.isnan(lower), found.number("q"), lower)
    grid.expected[row, column] = found.n_forecast
    grid.events[column] = found.n_observed
