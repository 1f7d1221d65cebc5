"""What a user should know about simulated catalogs, by themselves and beside an experiment."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forequake.forecasts._judge import Judge
from forequake.forecasts.catalog_based.counts import CountedEvents, LeftOut
from forequake.forecasts.catalog_based.forecast import CatalogForecast
from forequake.forecasts.policy import QualityPolicy
from forequake.regions import Region
from forequake.results import QualityFinding
from forequake.windows import TimeWindow

__all__ = ["FittedCatalogs", "fit_catalogs", "reading_findings"]

#: More events in a catalog's mean than any window of a real forecast has: another unit, or another window.
_MANY_EVENTS: Final = 1e5
#: So many events would fill their window to the end, even those of an aftershock sequence.
_ENOUGH_TO_FILL: Final = 1000
_EMPTY_SHARE: Final = 0.5
#: Odd constants that make of an event's bits a number by which equal catalogs are found.
_MIXERS: Final = tuple(np.uint64(odd) for odd in (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9))
_LIMITS: Final = {"longitude": (-180.0, 360.0), "latitude": (-90.0, 90.0), "magnitude": (-10.0, 12.0)}


@dataclass(frozen=True, eq=False)
class FittedCatalogs:
    """The events that count for one window of an experiment, and what a reader of its results should know."""

    counted: CountedEvents
    findings: tuple[QualityFinding, ...]


def fit_catalogs(
    forecast: CatalogForecast,
    *,
    region: Region,
    magnitudes: NDArray[np.float64],
    window: TimeWindow,
    depth_km: tuple[float, float] | None = None,
    policy: QualityPolicy = "refuse",
) -> FittedCatalogs:
    """Count a forecast's events for one window of an experiment, and tell what does not fit.

    Events outside the window, the region, the depths or the magnitudes are left out, with a finding: a model
    may simulate more than is tested. floatCSEP leaves out those outside the region only.

    Parameters
    ----------
    magnitudes : array of float64, shape (bins,)
        Lower edges of the experiment's magnitude bins.
    policy
        ``refuse``: a forecast all of whose events lie elsewhere is an error. ``record``: it counts as one
        of empty catalogs, with a warning.

    Raises
    ------
    ForecastError
        Where the policy refuses it.
    """
    counted = forecast.within(region=region, magnitudes=magnitudes, window=window, depth_km=depth_km)
    judge = Judge(Path(forecast.source), policy, list(forecast.findings))
    lowest = float(magnitudes[0])
    _judge_place(judge, forecast, counted.left_out, region, lowest, window)
    _judge_left_out(judge, forecast.n_events, counted.left_out, region, lowest)
    _judge_amount(judge, forecast, counted, window)
    return FittedCatalogs(counted, tuple(judge.findings))


def reading_findings(
    forecast: CatalogForecast, n_said: int | None, policy: QualityPolicy
) -> tuple[QualityFinding, ...]:
    """Tell what the catalogs themselves give reason to say.

    Parameters
    ----------
    n_said
        The number of catalogs as the model's definition has it, None where it says nothing.

    Raises
    ------
    ForecastError
        Where the policy refuses them: values that no event has, more catalogs than the definition says.
    """
    judge = Judge(Path(forecast.source), policy)
    _judge_numbering(judge, forecast, n_said)
    _judge_values(judge, forecast)
    twins = _equal_catalogs(forecast)
    if twins:
        message = (
            f"{twins} catalogs have the same events as another one: were they simulated with the same seed?"
        )
        judge.warn("repeated_catalogs", message, twins)
    return tuple(judge.findings)


def _judge_numbering(judge: Judge, forecast: CatalogForecast, n_said: int | None) -> None:
    header = forecast.header
    unlisted = header.n_catalogs - header.n_listed
    empty = forecast.n_empty
    if n_said is not None and header.n_catalogs > n_said:
        problem = (
            f"the file has catalogs up to number {header.last_id}, the model says that there are {n_said}"
        )
        judge.doubt("more_catalogs", problem, "all of the file count", header.n_catalogs - n_said)
    if empty:
        message = f"{empty} of {header.n_catalogs} catalogs have no event"
        if unlisted:
            message += f", of which {unlisted} are left out of the file"
        tell = judge.warn if empty > _EMPTY_SHARE * header.n_catalogs else judge.note
        tell("empty_catalogs", message, empty)
    if header.shift:
        judge.note("numbers_from_one", f"the file numbers its {header.last_id} catalogs from 1 on")
    elif header.first_id > 0:
        message = (
            f"the first catalog of the file is number {header.first_id}; those before it count as empty, as "
            "pyCSEP has it. Where the file counts from 1, the model's n_sims tells"
        )
        judge.warn("first_catalogs_left_out", message, header.first_id)
    after = header.n_catalogs - (header.last_id - header.shift) - 1
    if n_said is not None and after:
        message = f"{after} catalogs after the last of the file are empty, since there are {n_said}"
        judge.note("last_catalogs_left_out", message, after)
    if n_said is None and unlisted:
        message = (
            "the file leaves out empty catalogs, so those after its last one are unknown and do not count; "
            "say in the model how many there are (n_sims)"
        )
        judge.warn("number_of_catalogs_unsaid", message)


def _judge_values(judge: Judge, forecast: CatalogForecast) -> None:
    """Look at every event once."""
    bad = no_depth = unsorted = repeated = 0
    first_bad = ""
    for where, catalogs in forecast.chunks():
        columns = {name: getattr(forecast, name)[where] for name in _LIMITS}
        strange = np.zeros(len(catalogs), np.bool_)
        for name, (least, most) in _LIMITS.items():
            strange |= ~((columns[name] >= least) & (columns[name] <= most))
        if strange.any() and not bad:
            place = int(np.argmax(strange))
            values = ", ".join(f"{name} {column[place]:g}" for name, column in columns.items())
            first_bad = f"catalog {int(catalogs[place]) + forecast.header.shift}: {values}"
        bad += int(strange.sum())
        no_depth += int(np.isnan(forecast.depth_km[where]).sum())
        steps = np.diff(forecast.time_us[where])
        same = np.diff(catalogs) == 0
        unsorted += int((same & (steps < 0)).sum())
        equal = same & (steps == 0)
        for column in columns.values():
            equal &= np.diff(column) == 0
        repeated += int(equal.sum())
    if bad:
        problem = f"{bad} events have a value that is missing or that no event has, first in {first_bad}"
        judge.doubt("impossible_values", problem, "they do not count", bad)
    if no_depth:
        judge.note("missing_depths", f"{no_depth} events have no depth", no_depth)
    if unsorted:
        judge.note("unsorted_times", f"{unsorted} events are earlier than the one before them", unsorted)
    if repeated:
        message = f"{repeated} events are the same as the one before them, in the same catalog"
        judge.warn("repeated_events", message, repeated)


def _equal_catalogs(forecast: CatalogForecast) -> int:
    """Count the catalogs, beyond the first of each kind, whose events are those of another one."""
    sums = np.zeros(len(forecast), dtype=np.uint64)
    for where, catalogs in forecast.chunks():
        mixed = forecast.time_us[where].view(np.uint64) * _MIXERS[0]
        for column, mixer in zip((forecast.longitude, forecast.latitude), _MIXERS[1:], strict=True):
            mixed ^= np.ascontiguousarray(column[where]).view(np.uint64) * mixer
        mixed *= mixed | np.uint64(1)
        starts = np.flatnonzero(np.diff(catalogs, prepend=-1))
        sums[catalogs[starts]] += np.add.reduceat(mixed, starts)
    filled = sums[np.diff(forecast.offsets) > 0]
    return len(filled) - len(np.unique(filled))


def _judge_place(
    judge: Judge,
    forecast: CatalogForecast,
    left: LeftOut,
    region: Region,
    lowest: float,
    window: TimeWindow,
) -> None:
    """Doubt a forecast all of whose events lie elsewhere: it is made for something else."""
    number = forecast.n_events
    if not number:
        return
    rule = "its catalogs count as empty"
    if left.before + left.after == number:
        first, last = (np.datetime64(time, "us") for time in _extent(forecast))
        problem = f"none of its {number} events, from {first}Z to {last}Z, lies in the window {window.id}"
        judge.doubt("other_window", problem, rule, number)
    if left.outside == number:
        judge.doubt(
            "other_region", f"none of its {number} events lies in the region {region.name}", rule, number
        )
    if left.below == number:
        problem = f"none of its {number} events has the least magnitude, {lowest:g}"
        judge.doubt("other_magnitudes", problem, rule, number)


def _judge_left_out(judge: Judge, n_events: int, left: LeftOut, region: Region, lowest: float) -> None:
    for code, count, where in (
        ("before_window", left.before, "are before the window"),
        ("after_window", left.after, "are after the window"),
        ("below_magnitude", left.below, f"are below magnitude {lowest:g}"),
        ("other_depth", left.other_depth, "lie in other depths, or have none"),
        ("outside_region", left.outside, f"lie outside the region {region.name}"),
    ):
        if count:
            judge.note(code, f"{count} of {n_events} events {where}; they do not count", count)


def _judge_amount(
    judge: Judge, forecast: CatalogForecast, counted: CountedEvents, window: TimeWindow
) -> None:
    mean = len(counted) / counted.n_catalogs
    if mean > _MANY_EVENTS:
        message = f"{mean:g} events in the window and in each catalog: is the forecast in other units?"
        judge.warn("many_events", message)
    if len(counted) >= _ENOUGH_TO_FILL:
        latest = np.datetime64(int(forecast.time_us[counted.event].max()), "us")
        start, end = (
            np.datetime64(moment.replace(tzinfo=None), "us") for moment in (window.start, window.end)
        )
        if latest < start + (end - start) // 2:
            message = (
                f"no event lies after {latest}Z, in the first half of the window: is it for a shorter one?"
            )
            judge.warn("window_not_filled", message)


def _extent(forecast: CatalogForecast) -> tuple[int, int]:
    """Give the times of the first and the last event of all catalogs, in microseconds since 1970."""
    pieces = [forecast.time_us[where] for where, _ in forecast.chunks()]
    return min(int(piece.min()) for piece in pieces), max(int(piece.max()) for piece in pieces)
