"""What is done with each thing that can be wrong with a forecast: a test for each finding and refusal."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from forequake.errors import ForecastError
from forequake.forecasts import (
    ForecastScope,
    ForecastTable,
    GriddedRates,
    fit_to_experiment,
    rate_findings,
    scope_findings,
)
from forequake.regions import Region
from forequake.results import QualityFinding
from forequake.windows import TimeWindow

REGION = Region("three", np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), 1.0)
MAGNITUDES = np.array([6.0, 7.0])
RATES = np.array([[0.5, 0.05], [0.25, 0.025], [0.125, 0.0125]])
TABLE = ForecastTable(Path("model.dat"), REGION.corners, MAGNITUDES, RATES)


def _record(table: ForecastTable) -> tuple[list[list[float]], list[tuple[str, str, int | None]]]:
    fitted = fit_to_experiment(table, REGION, MAGNITUDES, "record")
    assert np.isfinite(fitted.rates).all()
    assert (fitted.rates >= 0).all()
    return fitted.rates.tolist(), [(f.code, f.severity, f.count) for f in fitted.findings]


def _refused(table: ForecastTable, words: str, policy: str = "refuse") -> None:
    with pytest.raises(ForecastError, match=words) as error:
        fit_to_experiment(table, REGION, MAGNITUDES, "refuse" if policy == "refuse" else "record")
    assert str(error.value).startswith("model.dat: ")


def _with(cell: int, place: int, value: float) -> ForecastTable:
    rates = RATES.copy()
    rates[cell, place] = value
    return replace(TABLE, rates=rates)


def test_a_forecast_without_fault_is_taken_as_it_is() -> None:
    for policy in ("refuse", "record"):
        fitted = fit_to_experiment(TABLE, REGION, MAGNITUDES, "refuse" if policy == "refuse" else "record")
        assert fitted.rates.tolist() == RATES.tolist()
        assert fitted.findings == ()


@pytest.mark.parametrize("order", [[2, 0, 1], [1, 0, 2]])
def test_cells_may_stand_in_any_order(order: list[int]) -> None:
    table = replace(TABLE, corners=REGION.corners[order], rates=RATES[order])
    assert _record(table) == (RATES.tolist(), [])


def test_a_whole_turn_makes_no_other_cell() -> None:
    corners = REGION.corners + np.array([360.0, 360.0, 0.0, 0.0])
    assert _record(replace(TABLE, corners=corners)) == (RATES.tolist(), [])


def test_zero_rates_are_noted() -> None:
    rates, findings = _record(_with(1, 1, 0.0))
    assert rates[1] == [0.25, 0]
    assert findings == [("zero_rates", "note", 1)]


def test_a_forecast_of_nothing_is_taken_with_a_warning() -> None:
    fitted = fit_to_experiment(replace(TABLE, rates=np.zeros((3, 2))), REGION, MAGNITUDES)
    assert [finding.code for finding in fitted.findings] == ["zero_rates", "no_events"]


@pytest.mark.parametrize(
    ("value", "code", "words"),
    [
        (-0.25, "negative_rates", "1 rates are negative, first -0.25 in the cell at 1, 0 for magnitude 6"),
        (np.nan, "missing_values", "1 rates are not numbers, first nan in the cell at 1, 0 for magnitude 6"),
    ],
)
def test_rates_that_cannot_be_become_zero_on_record(value: float, code: str, words: str) -> None:
    table = _with(1, 0, value)
    _refused(table, f"{words}; with `forecast_quality: record` they are taken as zero")
    rates, findings = _record(table)
    assert rates == [[0.5, 0.05], [0, 0.025], [0.125, 0.0125]]
    assert findings == [(code, "warning", 1), ("zero_rates", "note", 1)]


@pytest.mark.parametrize("policy", ["refuse", "record"])
def test_what_no_policy_takes(policy: str) -> None:
    _refused(_with(1, 0, np.inf), "1 rates are infinite, first inf", policy)
    _refused(_with(1, 0, 1e308), r"the rates add up to 1e\+308 events", policy)
    twice = [0, 1, 2, 1]
    repeated = replace(TABLE, corners=REGION.corners[twice], rates=RATES[twice])
    _refused(repeated, "the cell at 1, 0 is given more than once for magnitude 6", policy)
    _refused(replace(TABLE, corners=TABLE.corners + 5), "3 cells are not cells of the region three", policy)
    _refused(replace(TABLE, corners=TABLE.corners * 0.5), "first the one from 0, 0 to 0.5, 0.5", policy)
    _refused(replace(TABLE, corners=TABLE.corners * np.nan), "12 corners of cells are not finite", policy)
    _refused(replace(TABLE, magnitudes=np.array([6.0, 6.5])), "2 bins from 6 to 6.5 instead of 2", policy)
    _refused(replace(TABLE, magnitudes=np.array([8.0, 9.0])), "2 bins from 8 to 9 instead of 2", policy)
    _refused(replace(TABLE, magnitudes=np.array([4.0, 5.0])), "2 bins from 4 to 5 instead of 2", policy)
    wide = replace(TABLE, magnitudes=np.array([5.9, 6.9]))
    _refused(wide, "2 bins from 5.9 to 6.9 instead of 2", policy)


def test_missing_cells_get_zero_on_record() -> None:
    table = replace(TABLE, corners=REGION.corners[:2], rates=RATES[:2])
    _refused(table, "1 of the region's 3 cells have no rate, first the one at 0, 1 for magnitude 6")
    rates, findings = _record(table)
    assert rates == [[0.5, 0.05], [0.25, 0.025], [0, 0]]
    assert findings == [("missing_cells", "warning", 1), ("zero_rates", "note", 2)]


def test_a_rate_that_is_not_given_is_missing() -> None:
    given = np.ones((3, 2), dtype=bool)
    given[2, 1] = False
    table = replace(TABLE, given=given)
    _refused(table, "first the one at 0, 1 for magnitude 7")
    assert _record(table)[1][0] == ("missing_cells", "warning", 1)


def test_a_cell_in_two_halves_is_whole() -> None:
    corners = REGION.corners[[0, 1, 2, 2]]
    rates = np.array([[0.5, 0.05], [0.25, 0.025], [0.125, 0], [0, 0.0125]])
    given = np.array([[True, True], [True, True], [True, False], [False, True]])
    assert _record(replace(TABLE, corners=corners, rates=rates, given=given)) == (RATES.tolist(), [])


def test_cells_outside_are_left_out_on_record() -> None:
    corners = np.vstack([REGION.corners, [[7.0, 8.0, 0.0, 1.0]]])
    table = replace(TABLE, corners=corners, rates=np.vstack([RATES, [[2.0, 1.0]]]))
    _refused(
        table, "1 cells are not cells of the region three .* from 7, 0 to 8, 1; is the forecast made for"
    )
    rates, findings = _record(table)
    assert rates == RATES.tolist()
    assert findings == [("outside_cells", "warning", 1)]
    [finding] = fit_to_experiment(table, REGION, MAGNITUDES, "record").findings
    assert finding.message.endswith("they are left out, with 3 events")


def test_missing_top_magnitudes_are_zero_under_both_policies() -> None:
    table = replace(TABLE, magnitudes=MAGNITUDES[:1], rates=RATES[:, :1])
    fitted = fit_to_experiment(table, REGION, MAGNITUDES)
    assert fitted.rates.tolist() == [[0.5, 0], [0.25, 0], [0.125, 0]]
    assert [(f.code, f.count) for f in fitted.findings] == [("missing_top_magnitudes", 1)]


def test_missing_low_magnitudes_are_zero_on_record() -> None:
    table = replace(TABLE, magnitudes=MAGNITUDES[1:], rates=RATES[:, 1:])
    _refused(table, "no rates for magnitudes from 6 up to 7")
    rates, findings = _record(table)
    assert rates == [[0, 0.05], [0, 0.025], [0, 0.0125]]
    assert findings == [("missing_low_magnitudes", "warning", 1)]


def test_magnitudes_above_the_last_edge_belong_to_the_open_bin_on_record() -> None:
    table = replace(TABLE, magnitudes=np.array([6.0, 7.0, 8.0, 9.0]), rates=np.hstack([RATES, RATES]))
    _refused(table, "rates for magnitudes above the experiment's last edge 7")
    rates, findings = _record(table)
    assert np.array(rates) == pytest.approx(np.array([[0.5, 0.6], [0.25, 0.3], [0.125, 0.15]]), rel=1e-15)
    assert findings == [("extra_top_magnitudes", "warning", 2)]


def test_magnitudes_below_the_first_edge_are_left_out_on_record() -> None:
    table = replace(TABLE, magnitudes=np.array([5.0, 6.0, 7.0]), rates=np.hstack([RATES[:, :1], RATES]))
    _refused(table, "rates for magnitudes from 5, below the experiment's 6")
    assert _record(table) == (RATES.tolist(), [("extra_low_magnitudes", "warning", 1)])


def test_doubts_of_a_reader_pass_on_record_only() -> None:
    doubt = QualityFinding(code="unknown_columns", severity="warning", message="a column is odd", count=1)
    _refused(replace(TABLE, doubts=(doubt,)), "a column is odd")
    assert _record(replace(TABLE, doubts=(doubt,))) == (RATES.tolist(), [("unknown_columns", "warning", 1)])


def test_the_middles_of_bins_meet_the_lower_edges() -> None:
    middles = replace(TABLE, magnitudes=np.array([6.5, 7.5]), bin_width=1.0)
    assert _record(middles) == (RATES.tolist(), [])
    as_edges = replace(TABLE, bin_width=1.0)
    assert _record(as_edges) == (RATES.tolist(), [("middles_as_edges", "warning", None)])
    _refused(replace(TABLE, magnitudes=np.array([6.25, 7.25]), bin_width=1.0), "magnitude bins are not the")


# --- what a file says that it is for

SCOPE = ForecastScope(datetime(2010, 1, 1, tzinfo=UTC), datetime(2015, 1, 1, tzinfo=UTC), (0.0, 30.0))
YEAR = TimeWindow(start=datetime(2012, 1, 1, tzinfo=UTC), end=datetime(2013, 1, 1, tzinfo=UTC))


def test_a_file_that_says_what_the_experiment_does() -> None:
    assert scope_findings(SCOPE, window=YEAR, unit_years=5, depth_km=(0, 30)) == ()
    assert scope_findings(ForecastScope(), window=YEAR, unit_years=5, depth_km=(0, 30)) == ()
    assert fit_to_experiment(replace(TABLE, scope=SCOPE), REGION, MAGNITUDES).scope == SCOPE
    assert GriddedRates(RATES).scope == ForecastScope()


def test_a_window_that_the_file_does_not_speak_of() -> None:
    later = TimeWindow(start=datetime(2014, 7, 1, tzinfo=UTC), end=datetime(2015, 7, 1, tzinfo=UTC))
    [finding] = scope_findings(SCOPE, window=later)
    assert (finding.code, finding.severity) == ("other_window", "warning")
    backwards = replace(SCOPE, valid_to=SCOPE.valid_from)
    assert [finding.code for finding in scope_findings(backwards, window=YEAR)] == ["other_window"]


def test_rates_of_five_years_taken_for_one() -> None:
    [finding] = scope_findings(SCOPE, window=YEAR, unit_years=1)
    assert (finding.code, finding.severity) == ("other_unit", "warning")
    assert "5 years, and its rates are taken for 1 years; is `forecast_unit` right?" in finding.message


def test_depths_that_differ_are_noted() -> None:
    [finding] = scope_findings(SCOPE, depth_km=(-2, 6000))
    assert (finding.code, finding.severity) == ("other_depths", "note")


@pytest.mark.parametrize(
    ("total", "years", "lowest", "unlikely"),
    [
        (21.1, 1.0, 4.95, False),  # Helmstetter's California
        (1600.0, 1.0, 5.0, False),  # the Earth
        (57.3, 1 / 365.25, 3.95, False),  # a day of an aftershock sequence
        (1e5, 1.0, 4.95, True),
        (1e-7, 1.0, 4.95, True),
        (0.0, 1.0, 4.95, False),  # another finding says so
    ],
)
def test_units_of_time_that_look_wrong(total: float, years: float, lowest: float, unlikely: bool) -> None:
    assert [finding.code for finding in rate_findings(total, years, lowest)] == ["unlikely_total"] * unlikely


def test_the_page_has_every_finding() -> None:
    folder = Path(__file__).parents[2]
    sources = sorted((folder / "forequake" / "forecasts").glob("[!c]*.py"))
    sources += sorted((folder / "forequake" / "forecasts" / "readers").glob("*.py"))
    given = re.compile(r'(?:code=|warn\(\s*|note\(\s*|doubt\(\s*|_warning\()"(\w+)"')
    codes = {code for source in sources for code in given.findall(source.read_text(encoding="utf-8"))}
    codes |= {"negative_rates", "missing_values"}  # named in a table of their own
    page = (folder / "docs" / "forecasts.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(\w+)`.*\|.*\|.*\|$", page, re.MULTILINE)) - codes == {
        "dat",
        "csv",
        "quadtree",
        "xml",
        "hdf5",
        "gear1",
    }
    assert codes <= set(re.findall(r"`(\w+)`", page))
