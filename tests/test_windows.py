"""Windows and the schedules that tile a span with them."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from forequake.errors import InputError
from forequake.schedules import HORIZON_UNITS, Growth, Horizon, tile
from forequake.windows import (
    TimeWindow,
    alone_on_their_dates,
    decimal_year,
    forecast_file_names,
    overlap,
)

_MOMENTS = st.datetimes(
    datetime(1900, 1, 1),  # noqa: DTZ001
    datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
_SPANS = (
    st.tuples(_MOMENTS, _MOMENTS).map(sorted).filter(lambda span: span[1] - span[0] > timedelta(seconds=1))
)
_HORIZONS = st.builds(Horizon, count=st.integers(1, 100), unit=st.sampled_from(HORIZON_UNITS))


def _utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


@settings(deadline=None)
@given(span=_SPANS, intervals=st.integers(1, 300))
def test_equal_parts_tile_the_span_exactly(span: list[datetime], intervals: int) -> None:
    schedule = tile(span[0], span[1], intervals=intervals)

    windows = schedule.windows
    assert len(windows) == intervals
    assert (windows[0].start, windows[-1].end) == (span[0], span[1])
    assert all(before.end == after.start for before, after in pairwise(windows))
    lengths = [window.end - window.start for window in windows]
    assert max(lengths) - min(lengths) <= timedelta(microseconds=1)
    assert schedule.left_over is None


@settings(deadline=None)
@given(start=_MOMENTS, horizon=_HORIZONS, number=st.integers(1, 40), rest=st.integers(0, 59_999_999))
def test_horizons_tile_the_span_and_name_what_is_left_over(
    start: datetime, horizon: Horizon, number: int, rest: int
) -> None:
    last = horizon.after(start, number)
    end = last + timedelta(microseconds=rest)  # less than a minute, the shortest horizon

    schedule = tile(start, end, horizon=horizon)

    windows = schedule.windows
    assert len(windows) == number
    assert (windows[0].start, windows[-1].end) == (start, last)
    assert all(before.end == after.start for before, after in pairwise(windows))
    assert schedule.left_over == (TimeWindow(start=last, end=end) if rest else None)


@settings(deadline=None)
@given(start=_MOMENTS, horizon=_HORIZONS, number=st.integers(1, 40))
def test_windows_that_grow_have_the_same_ends(start: datetime, horizon: Horizon, number: int) -> None:
    steps = tile(start, intervals=number, horizon=horizon).windows
    grown = tile(start, intervals=number, horizon=horizon, growth="cumulative").windows

    assert [window.end for window in grown] == [window.end for window in steps]
    assert {window.start for window in grown} == {start}


@settings(deadline=None)
@given(start=_MOMENTS, horizon=_HORIZONS, number=st.integers(2, 40))
def test_each_moment_lies_in_one_window_and_each_window_has_its_own_id(
    start: datetime, horizon: Horizon, number: int
) -> None:
    windows = tile(start, intervals=number, horizon=horizon).windows

    for window in windows:
        assert [other.start for other in windows if window.start in other] == [window.start]
        assert window.end not in window
    assert len({window.id for window in windows}) == number
    assert [TimeWindow.from_id(window.id) for window in windows] == list(windows)


def test_windows_of_six_hours_are_distinct() -> None:
    windows = tile(_utc(2012, 5, 20), _utc(2012, 5, 22), horizon=Horizon.parse("6 hours")).windows

    assert [window.id for window in windows][:2] == [
        "2012-05-20T00:00:00Z_2012-05-20T06:00:00Z",
        "2012-05-20T06:00:00Z_2012-05-20T12:00:00Z",
    ]
    assert len(windows) == 8


def test_months_count_from_the_start_and_end_with_the_month() -> None:
    windows = tile(_utc(2019, 12, 31, 6), intervals=4, horizon=Horizon.parse("1 month")).windows

    assert [window.end for window in windows] == [
        _utc(2020, 1, 31, 6),
        _utc(2020, 2, 29, 6),
        _utc(2020, 3, 31, 6),
        _utc(2020, 4, 30, 6),
    ]


def test_years_from_a_leap_day() -> None:
    windows = tile(_utc(2020, 2, 29), intervals=4, horizon=Horizon.parse("1 years")).windows

    assert [window.end for window in windows] == [
        _utc(2021, 2, 28),
        _utc(2022, 2, 28),
        _utc(2023, 2, 28),
        _utc(2024, 2, 29),
    ]


def test_ten_parts_of_ten_years_are_floatcseps() -> None:
    # pandas.date_range("2010-01-01", "2020-01-01", periods=11), by which floatCSEP cuts: 365.2 days each
    windows = tile(_utc(2010, 1, 1), _utc(2020, 1, 1), intervals=10).windows

    assert [window.start for window in windows][:3] == [
        _utc(2010, 1, 1),
        _utc(2011, 1, 1, 4, 48),
        _utc(2012, 1, 1, 9, 36),
    ]


@pytest.mark.parametrize(
    ("text", "horizon"),
    [
        ("2 years", Horizon(2, "year")),
        ("1-weeks", Horizon(1, "week")),
        ("6 Months", Horizon(6, "month")),
        ("10days", Horizon(10, "day")),
        (" 12  hours ", Horizon(12, "hour")),
        ("1 minute", Horizon(1, "minute")),
    ],
)
def test_horizons_in_words(text: str, horizon: Horizon) -> None:
    assert Horizon.parse(text) == horizon


@pytest.mark.parametrize(
    "text", ["", "years", "0 years", "-1 years", "1.5 years", "2", "1 year 2 months", "1 s"]
)
def test_what_is_no_horizon(text: str) -> None:
    with pytest.raises(InputError):
        Horizon.parse(text)


def test_a_schedule_that_says_too_little_or_too_much() -> None:
    start, year = _utc(2010, 1, 1), Horizon(1, "year")
    with pytest.raises(InputError, match="both intervals and horizon"):
        tile(start, horizon=year)
    with pytest.raises(InputError, match="cannot all three"):
        tile(start, _utc(2012, 1, 1), intervals=2, horizon=year)
    with pytest.raises(InputError, match="not before"):
        tile(start, start)
    with pytest.raises(InputError, match="longer than"):
        tile(start, _utc(2010, 12, 31), horizon=year)
    with pytest.raises(InputError, match="cannot lie between"):
        tile(start, start + timedelta(microseconds=2), intervals=3)


@pytest.mark.parametrize("end", [_utc(2019, 7, 6), _utc(2019, 7, 5)])
def test_a_window_must_start_before_it_ends(end: datetime) -> None:
    with pytest.raises(ValidationError, match="must start before it ends"):
        TimeWindow(start=_utc(2019, 7, 6), end=end)


def test_a_window_without_a_zone_is_refused_and_another_zone_is_converted() -> None:
    with pytest.raises(ValidationError, match="timezone"):
        TimeWindow(start=datetime(2019, 7, 6), end=_utc(2019, 7, 7))  # noqa: DTZ001
    rome = timezone(timedelta(hours=2))
    window = TimeWindow(start=datetime(2019, 7, 6, tzinfo=rome), end=_utc(2019, 7, 6))
    assert window.id == "2019-07-05T22:00:00Z_2019-07-06T00:00:00Z"


@settings(deadline=None)
@given(moment=_MOMENTS)
def test_decimal_years_are_pycseps(moment: datetime) -> None:
    from csep.utils.time_utils import decimal_year as theirs

    assert decimal_year(moment) == theirs(moment)


def test_a_week_over_new_year_is_measured_by_both_years() -> None:
    # Five days of 365 and two of 366, by hand.
    window = TimeWindow(start=_utc(2019, 12, 27), end=_utc(2020, 1, 3))

    assert window.years == pytest.approx(5 / 365 + 2 / 366, abs=1e-12)


@settings(deadline=None, max_examples=40)
@given(
    begin=_MOMENTS,
    horizon=_HORIZONS,
    offset=_HORIZONS,
    number=st.integers(1, 30),
    extra=st.timedeltas(timedelta(), timedelta(days=90)),
    growth=st.sampled_from(["incremental", "cumulative"]),
)
def test_windows_an_offset_apart_lie_in_the_span(
    begin: datetime, horizon: Horizon, offset: Horizon, number: int, extra: timedelta, growth: Growth
) -> None:
    end = horizon.after(offset.after(begin, number - 1), 1) + extra
    assume((end - begin) / (offset.after(begin, 1) - begin) < 300)

    schedule = tile(begin, end, horizon=horizon, offset=offset, growth=growth)

    windows = schedule.windows
    assert offset == horizon or horizon.after(offset.after(begin, len(windows)), 1) > end
    for position, window in enumerate(windows):
        start = offset.after(begin, position)
        assert window.start == (begin if growth == "cumulative" else start)
        assert window.end == horizon.after(start, 1) or offset == horizon
    covered = max(window.end for window in windows)
    assert schedule.left_over == (None if covered == end else TimeWindow(start=covered, end=end))


@pytest.mark.parametrize(
    ("offset", "starts", "gap"),
    [
        ("1 days", [1, 2, 3], None),
        ("7 days", [1], None),
        ("8 days", [1], None),
    ],
)
def test_weeks_of_january(offset: str, starts: list[int], gap: None) -> None:
    schedule = tile(
        _utc(2020, 1, 1), _utc(2020, 1, 10), horizon=Horizon.parse("7 days"), offset=Horizon.parse(offset)
    )

    assert [window.start.day for window in schedule.windows] == starts
    assert schedule.gap is gap


def test_windows_further_apart_than_they_are_long_leave_a_gap_which_is_named() -> None:
    schedule = tile(
        _utc(2020, 1, 1), intervals=3, horizon=Horizon.parse("1 day"), offset=Horizon.parse("2 days")
    )

    assert [window.start.day for window in schedule.windows] == [1, 3, 5]
    assert schedule.gap == TimeWindow(start=_utc(2020, 1, 2), end=_utc(2020, 1, 3))
    assert not overlap(schedule.windows)


def test_an_offset_of_one_horizon_is_none() -> None:
    begin, month = _utc(2020, 1, 31), Horizon.parse("1 month")

    assert tile(begin, intervals=3, horizon=month, offset=month) == tile(begin, intervals=3, horizon=month)


def test_windows_overlap_where_they_share_time() -> None:
    days = [TimeWindow(start=_utc(2020, 1, day), end=_utc(2020, 1, day + 1)) for day in (1, 2, 5)]

    assert not overlap(days)
    assert not overlap(reversed(days))
    assert overlap([*days, TimeWindow(start=_utc(2020, 1, 1), end=_utc(2020, 1, 6))])
    assert not overlap([])


def test_whole_days_are_found_by_their_dates_as_floatcsep_writes_them() -> None:
    window = TimeWindow(start=_utc(2016, 11, 14), end=_utc(2016, 11, 15))

    # timewindow2str of floatCSEP 0.5.2 gives date().isoformat() of both ends, with an underscore between.
    assert forecast_file_names(window)[-1] == "2016-11-14_2016-11-15"


def test_windows_within_a_day_share_no_name() -> None:
    windows = tile(_utc(2020, 1, 1), _utc(2020, 1, 3), horizon=Horizon.parse("6 hours")).windows

    alone = alone_on_their_dates(windows)
    names = [forecast_file_names(window, alone=window.id in alone) for window in windows]

    assert names[1][:2] == (
        "2020-01-01T06:00:00_2020-01-01T12:00:00",
        "2020-01-01T06-00-00_2020-01-01T12-00-00",
    )
    assert len({name for of_window in names for name in of_window}) == sum(map(len, names))


def test_a_window_within_a_day_has_the_name_of_its_date_where_no_other_one_has_it() -> None:
    window = TimeWindow(start=_utc(1992, 6, 28, 11, 57), end=_utc(1992, 7, 5, 11, 57))

    assert alone_on_their_dates([window]) == {window.id}
    assert forecast_file_names(window, alone=True)[-1] == "1992-06-28_1992-07-05"
    assert "1992-06-28_1992-07-05" not in forecast_file_names(window)
