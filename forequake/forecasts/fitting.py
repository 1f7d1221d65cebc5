"""Laying a forecast on an experiment's cells and magnitude bins, with what is wrong with it.

What is done with each finding; "as given" means that no rate changes, and "refused" that there is no result:

======================== ======== =========================== =============================================
code                     severity policy ``refuse``           policy ``record``
======================== ======== =========================== =============================================
zero_rates               note     as given                    as given
no_events                warning  as given                    as given: all rates are zero
negative_rates           warning  refused                     they become zero
missing_values           warning  refused                     NaN becomes zero
(infinite rates)                  refused                     refused: no number can stand for them
(more than 1e12 events)           refused                     refused
missing_cells            warning  refused                     the region's cells without a rate get zero
(repeated cells)                  refused                     refused: which of two rates counts is unknown
outside_cells            warning  refused                     left out, and their sum is told
(no cell inside)                  refused                     refused: made for another region
missing_top_magnitudes   warning  zero                        zero: the forecast's last bin is open
missing_low_magnitudes   warning  refused                     zero
extra_top_magnitudes     warning  refused                     added to the experiment's open last bin
extra_low_magnitudes     warning  refused                     left out
(other magnitude edges)           refused                     refused: the bins mean something else
unknown_columns          warning  refused                     not used
flagged_rows             warning  as given                    as given: flags and masks are never applied
closed_last_bin          note     as given                    as given
middles_as_edges         warning  as given                    as given: ForecastML's middles are the edges
======================== ======== =========================== =============================================
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from forequake.forecasts._judge import Judge
from forequake.forecasts._layout import BinLayout, lay_bins
from forequake.forecasts.gridded import ForecastTable, GriddedRates
from forequake.forecasts.policy import QualityPolicy
from forequake.regions import SAME_CELL_DEGREES, Region

__all__ = ["FIT_VERSION", "fit_to_experiment"]

#: Changes with the numbers that the same table gives; it counts in forecasts' keys, and where they are kept.
FIT_VERSION: Final = 1

#: More events than any forecast means: beyond it, sums and logarithms of rates lose their meaning too.
_MOST_EVENTS: Final = 1e12
_TURN: Final = 360.0


def fit_to_experiment(
    table: ForecastTable, region: Region, magnitudes: NDArray[np.float64], policy: QualityPolicy = "refuse"
) -> GriddedRates:
    """Lay a forecast on an experiment's cells and bins, whatever the order of its cells.

    Cells and bins are compared with a tolerance. The table above says what is done with all that can be
    wrong; whatever changes or fills in a rate is among the findings, with its count.

    Parameters
    ----------
    magnitudes : array of float64, shape (bins,)
        Lower edges of the experiment's magnitude bins; the last one is open.
    policy
        ``refuse``: what changes a result is an error. ``record``: it is taken by the rule of the table.

    Returns
    -------
    GriddedRates
        Rates that are finite and not negative, in the order of the region's cells.

    Raises
    ------
    ForecastError
        Where the policy, or every policy, refuses the forecast; the message names the first place.
    """
    judge = Judge(table.path, policy, list(table.findings))
    if not table.rates.size:
        judge.refuse("the file has no rates")
    for doubt in table.doubts:
        judge.doubt(doubt.code, doubt.message, "they are not used", doubt.count)
    sound = _sound_rates(judge, table)
    layout = lay_bins(judge, table, magnitudes)
    rates, given = layout.lay(sound), None if table.given is None else layout.lay(table.given)
    if given is not None or not _same_cells(table.corners, region):
        rates = _placed(judge, table, rates, given, region, layout, magnitudes)
    _tell_of_zeros(judge, rates[:, layout.covered])
    return GriddedRates(np.ascontiguousarray(rates), findings=tuple(judge.findings), scope=table.scope)


def _sound_rates(judge: Judge, table: ForecastTable) -> NDArray[np.float64]:
    """Give rates that are finite and not negative."""
    rates = table.rates
    with np.errstate(over="ignore", invalid="ignore"):
        total = rates.sum()
    if np.isfinite(total) and rates.min() >= 0:  # the usual case, without an array of answers
        pass
    elif np.isinf(rates).any():
        judge.refuse(_first(table, np.isinf(rates), "rates are infinite"))
    else:
        for bad, code, words in (
            (np.isnan(rates), "missing_values", "rates are not numbers"),
            (rates < 0, "negative_rates", "rates are negative"),
        ):
            if bad.any():
                problem = _first(table, bad, words)
                judge.doubt(code, problem, "they are taken as zero", int(bad.sum()))
                rates = np.where(bad, 0.0, rates)
        with np.errstate(over="ignore"):
            total = rates.sum()
    if not total < _MOST_EVENTS:
        judge.refuse(f"the rates add up to {total:g} events; that is no forecast of earthquakes")
    return rates


def _first(table: ForecastTable, bad: NDArray[np.bool_], words: str) -> str:
    cell, place = np.argwhere(bad)[0]
    west, _, south, _ = table.corners[cell]
    return (
        f"{int(bad.sum())} {words}, first {table.rates[cell, place]} in the cell at {west:g}, {south:g} "
        f"for magnitude {table.magnitudes[place]:g}"
    )


def _same_cells(corners: NDArray[np.float64], region: Region) -> bool:
    """Tell whether the cells are the region's in its own order, as they mostly are."""
    return len(corners) == len(region) and bool((np.abs(corners - region.corners) < SAME_CELL_DEGREES).all())


def _placed(
    judge: Judge,
    table: ForecastTable,
    rates: NDArray[np.float64],
    given: NDArray[np.bool_] | None,
    region: Region,
    layout: BinLayout,
    magnitudes: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Put the rows of a forecast at the region's cells, whatever their order."""
    cells = _cells(judge, table, region)
    inside = cells >= 0
    filled = np.zeros((len(region), layout.n_experiment), dtype=np.intp)
    placed = np.zeros(filled.shape)
    numbers = cells[inside]
    if given is None:
        given = np.zeros(rates.shape, dtype=bool)
        given[:, layout.covered] = True
    if len(numbers) == len(np.unique(numbers)):
        placed[numbers] = rates[inside]
        filled[numbers] = given[inside]
    else:
        np.add.at(placed, numbers, rates[inside])
        np.add.at(filled, numbers, given[inside])
    if (filled > 1).any():
        cell, place = np.argwhere(filled > 1)[0]
        judge.refuse(
            f"the cell at {_corner(region, cell)} is given more than once for magnitude {magnitudes[place]:g}"
        )
    missing = filled[:, layout.covered] == 0
    if missing.any():
        cell, place = np.argwhere(missing)[0]
        count = int(missing.any(axis=1).sum())
        problem = (
            f"{count} of the region's {len(region)} cells have no rate, first the one at "
            f"{_corner(region, cell)} for magnitude {magnitudes[place + layout.experiment]:g}; the file is "
            f"cut short or made for another region than {region.name}"
        )
        judge.doubt("missing_cells", problem, "rates that are not there are taken as zero", count)
    return placed


def _cells(judge: Judge, table: ForecastTable, region: Region) -> NDArray[np.intp]:
    """Find the region's cell of each row, by its middle; its corners must agree too. -1 is outside."""
    corners = table.corners
    if not np.isfinite(corners).all():
        judge.refuse(f"{int((~np.isfinite(corners)).sum())} corners of cells are not finite")
    west, east, south, north = corners.T
    cells = region.cells_of((west + east) / 2, (south + north) / 2)
    apart = corners - region.corners[cells]
    apart[:, :2] -= _TURN * np.round(apart[:, :2] / _TURN)
    outside = (cells < 0) | (np.abs(apart) > SAME_CELL_DEGREES).any(axis=1)
    if outside.any():
        row = int(np.argmax(outside))
        count = len(np.unique(corners[outside], axis=0))
        left_out = table.rates[outside]
        problem = (
            f"{count} cells are not cells of the region {region.name} ({len(region)} cells), first the one "
            f"from {west[row]:g}, {south[row]:g} to {east[row]:g}, {north[row]:g}"
        )
        if outside.all():
            judge.refuse(f"{problem}; the forecast is made for another region")
        rule = f"they are left out, with {np.nansum(np.maximum(left_out, 0)):g} events"
        judge.doubt("outside_cells", f"{problem}; is the forecast made for another region?", rule, count)
        cells = np.where(outside, -1, cells)
    return cells


def _tell_of_zeros(judge: Judge, rates: NDArray[np.float64]) -> None:
    zeros = rates.size - int(np.count_nonzero(rates))
    if zeros:
        message = f"{zeros} of {rates.size} rates are zero: an event there refutes the forecast"
        judge.note("zero_rates", message, zeros)
    if zeros == rates.size:
        judge.warn("no_events", "all rates are zero: the forecast expects no event at all")


def _corner(region: Region, cell: int) -> str:
    west, _, south, _ = region.corners[cell]
    return f"{west:g}, {south:g}"
