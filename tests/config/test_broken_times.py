"""Mistakes in dates, horizons and windows: one each, found alone, in its line, under its key."""

from collections.abc import Callable

import pytest

END = "  end_date: 2020-1-1T00:00:00\n"
TIME = "  start_date: 2010-1-1T00:00:00\n" + END

#: What is replaced, by what, the key and the line that are blamed, what is said, and what is suggested.
BROKEN: dict[str, tuple[str, ...]] = {
    "no time at all": ("time_config:\n" + TIME, "", "time_config.start_date", "", "required"),
    "no start": (
        "  start_date: 2010-1-1T00:00:00\n",
        "",
        "time_config.start_date",
        "time_config:",
        "required",
    ),
    "no end": (END, "", "time_config.end_date", "time_config:", "give end_date, or both"),
    "no such month": (
        "start_date: 2010-1-1T00:00:00",
        "start_date: 2010-13-45",
        "time_config.start_date",
        "start_date: 2010-13-45",
        "no such date",
    ),
    "date in words": (
        "start_date: 2010-1-1T00:00:00",
        "start_date: 1 January 2010",
        "time_config.start_date",
        "start_date: 1 January 2010",
        "such as 2020-01-31",
    ),
    "year alone": (
        "end_date: 2020-1-1T00:00:00",
        "end_date: 2020",
        "time_config.end_date",
        "end_date: 2020",
        "such as 2020-01-31",
    ),
    "start after end": (
        "start_date: 2010-1-1T00:00:00",
        "start_date: 2021-1-1",
        "time_config.start_date",
        "start_date: 2021-1-1",
        "must start before it ends",
    ),
    "start at end": (
        "start_date: 2010-1-1T00:00:00",
        "start_date: 2020-01-01T00:00:00Z",
        "time_config.start_date",
        "start_date: 2020-01-01T00:00:00Z",
        "must start before it ends",
    ),
    "horizon a number": (END, END + "  horizon: 2\n", "time_config.horizon", "horizon: 2", "'2 years'"),
    "horizon negative": (
        END,
        END + "  horizon: -1 years\n",
        "time_config.horizon",
        "horizon: -1 years",
        "whole number",
    ),
    "horizon a fraction": (
        END,
        END + "  horizon: 1.5 years\n",
        "time_config.horizon",
        "horizon: 1.5 years",
        "whole number",
    ),
    "horizon of an unknown unit": (
        END,
        END + "  horizon: 2 yeers\n",
        "time_config.horizon",
        "horizon: 2 yeers",
        "did you mean 'years'",
    ),
    "horizon longer than the span": (
        END,
        END + "  horizon: 11 years\n",
        "time_config.horizon",
        "horizon: 11 years",
        "is longer than",
    ),
    "too many windows": (
        END,
        END + "  horizon: 1 minutes\n",
        "time_config.horizon",
        "horizon: 1 minutes",
        "is the unit right",
    ),
    "horizon past the calendar": (
        END,
        "  horizon: 9000 years\n  intervals: 2\n",
        "time_config.horizon",
        "horizon: 9000 years",
        "beyond the year 9999",
    ),
    "end, intervals and horizon": (
        END,
        END + "  horizon: 1 years\n  intervals: 3\n",
        "time_config.horizon",
        "horizon: 1 years",
        "cannot all three",
    ),
    "no intervals": (
        END,
        END + "  intervals: 0\n",
        "time_config.intervals",
        "intervals: 0",
        "greater than 0",
    ),
    "growth unknown": (
        END,
        END + "  growth: cummulative\n",
        "time_config.growth",
        "growth: cummulative",
        "expected",
        "cumulative",
    ),
    "class unknown": (
        END,
        END + "  exp_class: tii\n",
        "time_config.exp_class",
        "exp_class: tii",
        "no such class",
        "ti",
    ),
    "offset without a horizon": (
        END,
        END + "  offset: 1-days\n",
        "time_config.offset",
        "offset: 1-days",
        "needs a horizon",
    ),
    "offset of an unknown unit": (
        END,
        END + "  horizon: 7 days\n  offset: 1 dayz\n",
        "time_config.offset",
        "offset: 1 dayz",
        "did you mean 'days'",
    ),
    "offset under both names": (
        END,
        END + "  horizon: 7 days\n  offset: 1 days\n  timeoffset: 1 days\n",
        "time_config.timeoffset",
        "timeoffset: 1 days",
        "another name of offset",
    ),
    "too many overlapping windows": (
        END,
        END + "  horizon: 1 days\n  offset: 1 minutes\n",
        "time_config.horizon",
        "horizon: 1 days",
        "is the unit right",
    ),
    "start given twice": (
        "name: small",
        "name: small\nstart_date: 2010-01-01",
        "start_date",
        "start_date: 2010-01-01",
        "given here and in time_config (line 4)",
    ),
    "window backwards": (
        TIME,
        "  time_windows:\n  - [2010-01-01, 2011-01-01]\n  - [2012-01-01, 2011-01-01]\n",
        "time_config.time_windows[1]",
        "- [2012-01-01, 2011-01-01]",
        "is not before its end",
    ),
    "window without an end": (
        TIME,
        "  time_windows:\n  - [2010-01-01]\n",
        "time_config.time_windows[0]",
        "- [2010-01-01]",
        "a pair [start, end]",
    ),
    "window with a bad date": (
        TIME,
        "  time_windows:\n  - [2010-01-01, never]\n",
        "time_config.time_windows[0][1]",
        "- [2010-01-01, never]",
        "expected a date",
    ),
    "window twice": (
        TIME,
        "  time_windows:\n  - [2010-01-01, 2011-01-01]\n  - [2010-1-1, 2011-1-1]\n",
        "time_config.time_windows[1]",
        "- [2010-1-1, 2011-1-1]",
        "listed twice",
    ),
    "no windows listed": (
        TIME,
        "  time_windows: []\n",
        "time_config.time_windows",
        "time_windows: []",
        "must not be empty",
    ),
    "windows under both names": (
        TIME,
        "  time_windows: [[2010-01-01, 2011-01-01]]\n  timewindows: [[2010-01-01, 2012-01-01]]\n",
        "time_config.timewindows",
        "timewindows: [[2010-01-01, 2012-01-01]]",
        "another name of time_windows",
    ),
    "windows beside another end": (
        TIME,
        "  time_windows: [[2010-01-01, 2011-01-01]]\n  end_date: 2010-07-01\n",
        "time_config.end_date",
        "end_date: 2010-07-01",
        "go from 2010-01-01T00:00:00Z to 2011-01-01T00:00:00Z",
    ),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_one_mistake_makes_one_problem_in_its_place(
    broken: tuple[str, ...], told_alone: Callable[..., None]
) -> None:
    told_alone(*broken)
