"""What a forecast's file says that it is for, compared with what an experiment uses it for."""

from typing import Final

from forequake.forecasts.gridded import ForecastScope
from forequake.results import QualityFinding
from forequake.windows import TimeWindow, decimal_year

__all__ = ["rate_findings", "scope_findings"]

#: Lengths of time are one where they differ by less: 365 days and a year of 366.
_SAME_LENGTH: Final = 0.01
_SAME_DEPTH_KM: Final = 1e-3
#: Earth's earthquakes a year above magnitude m are 10^(8.2 - m): 1,600 of magnitude 5, 16 of magnitude 7.
_EARTH_ABOVE_ZERO: Final = 8.2
#: Sequences in a small region exceed the whole Earth's average for days, yet not tenfold.
_MOST_EARTHS: Final = 10.0
#: A quiet cell of 0.1 degrees has some 1e-8 of Earth's earthquakes.
_LEAST_EARTHS: Final = 1e-9


def scope_findings(
    scope: ForecastScope,
    *,
    window: TimeWindow | None = None,
    unit_years: float | None = None,
    depth_km: tuple[float, float] | None = None,
) -> tuple[QualityFinding, ...]:
    """Tell where a file speaks of another time, length of time or depth than the experiment.

    All of it is told and nothing refused: such words in files are often left over from another use.

    Parameters
    ----------
    window
        The one that the forecast is used for.
    unit_years
        Years that the experiment takes the rates to stand for.
    depth_km
        The experiment's depths, top and bottom.
    """
    findings: list[QualityFinding] = []
    if scope.valid_from is not None and scope.valid_to is not None:
        said = f"from {scope.valid_from:%Y-%m-%d %H:%M:%S} to {scope.valid_to:%Y-%m-%d %H:%M:%S}"
        if scope.valid_to <= scope.valid_from:
            findings.append(
                _warning("other_window", f"the file says that it is valid {said}, which is no span")
            )
            return tuple(findings)
        if window is not None and not scope.valid_from <= window.start < window.end <= scope.valid_to:
            message = f"the file says that it is valid {said}; it is used for {window.id}"
            findings.append(_warning("other_window", message))
        years = decimal_year(scope.valid_to) - decimal_year(scope.valid_from)
        if unit_years is not None and abs(years - unit_years) > _SAME_LENGTH * max(years, unit_years):
            message = (
                f"the file says that it is valid {said}, {years:.4g} years, and its rates are taken for "
                f"{unit_years:.4g} years; is `forecast_unit` right?"
            )
            findings.append(_warning("other_unit", message))
    if scope.depth_km is not None and depth_km is not None:
        # A top of 0 means the surface, as in catalogs: an experiment that begins above it says the same.
        surface = scope.depth_km[0] == 0 and depth_km[0] <= 0
        differ = max(abs(own - theirs) for own, theirs in zip(scope.depth_km, depth_km, strict=True))
        if surface:
            differ = abs(scope.depth_km[1] - depth_km[1])
        if differ > _SAME_DEPTH_KM:
            message = (
                f"the file speaks of depths from {scope.depth_km[0]:g} to {scope.depth_km[1]:g} km, the "
                f"experiment of {depth_km[0]:g} to {depth_km[1]:g} km"
            )
            findings.append(QualityFinding(code="other_depths", severity="note", message=message))
    return tuple(findings)


def rate_findings(total: float, unit_years: float, lowest_magnitude: float) -> tuple[QualityFinding, ...]:
    """Tell where a forecast expects so many or so few events that its unit of time is probably wrong.

    The measure is the whole Earth's rate by Gutenberg and Richter with b = 1.

    Parameters
    ----------
    total
        Expected number of events of all cells and bins, in `unit_years` years.
    lowest_magnitude
        The lowest edge of the magnitude bins.
    """
    a_year = total / unit_years
    earth = 10.0 ** (_EARTH_ABOVE_ZERO - lowest_magnitude)
    if total == 0 or _LEAST_EARTHS * earth <= a_year <= _MOST_EARTHS * earth:
        return ()
    message = (
        f"the forecast expects {a_year:.3g} events a year above magnitude {lowest_magnitude:g}, where "
        f"the whole Earth has about {earth:.2g}; do its rates stand for {unit_years:.4g} years?"
    )
    return (_warning("unlikely_total", message),)


def _warning(code: str, message: str) -> QualityFinding:
    return QualityFinding(code=code, severity="warning", message=message)
