import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from forequake.catalogs import (
    CompletenessSpec,
    CompletenessStep,
    Mainshock,
    completeness,
    incomplete_part,
)
from forequake.windows import TimeWindow

RIDGECREST = Mainshock(time=datetime(2019, 7, 6, 3, 19, 53, tzinfo=UTC), magnitude=7.1)
LAW = CompletenessSpec(mainshocks=(RIDGECREST,))
WEEK = TimeWindow(start=datetime(2019, 7, 6, tzinfo=UTC), end=datetime(2019, 7, 13, tzinfo=UTC))


def _at(*moment: int) -> datetime:
    return datetime(*moment, tzinfo=UTC)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(("magnitude", "hours"), [(3.5, 1.5143), (3.0, 7.0288), (2.5, 32.6245)])
def test_after_ridgecrest_the_law_gives_the_published_hours(magnitude: float, hours: float) -> None:
    # t = 10 ** ((7.1 - 4.5 - m) / 0.75) days: 04:51, 10:22 and 32.6 hours later
    (span,) = incomplete_part(LAW, WEEK, magnitude).spans
    assert span.start == RIDGECREST.time
    assert (span.end - span.start) / timedelta(hours=1) == pytest.approx(hours, abs=1e-4)
    assert incomplete_part(LAW, WEEK, magnitude).fraction == pytest.approx(hours / 168, abs=1e-6)
    assert completeness(LAW, [span.end])[0] == pytest.approx(magnitude, abs=1e-9)


def test_steps_hold_from_their_start_on() -> None:
    spec = CompletenessSpec(
        steps=(
            CompletenessStep(start=_at(1990, 1, 1), magnitude=4.0),
            CompletenessStep(start=_at(2000, 1, 1), magnitude=3.0),
        ),
        floor=2.0,
    )
    moments = [_at(1980, 1, 1), _at(1990, 1, 1), _at(1999, 12, 31), _at(2000, 1, 1)]
    assert completeness(spec, moments).tolist() == [math.inf, 4.0, 4.0, 3.0]
    window = TimeWindow(start=_at(1980, 1, 1), end=_at(2010, 1, 1))
    assert [span.end for span in incomplete_part(spec, window, 3.5).spans] == [_at(2000, 1, 1)]
    assert [span.end for span in incomplete_part(spec, window, 4.0).spans] == [_at(1990, 1, 1)]
    assert incomplete_part(spec, window, 2.5).fraction == 1.0
    assert incomplete_part(spec, TimeWindow(start=_at(2000, 1, 1), end=_at(2001, 1, 1)), 3.0).spans == ()


def test_a_first_step_without_a_start_holds_since_ever_and_a_floor_always() -> None:
    spec = CompletenessSpec(steps=(CompletenessStep(start=None, magnitude=3.0),), floor=3.5)
    assert completeness(spec, [_at(1, 1, 1), _at(2020, 1, 1)]).tolist() == [3.5, 3.5]
    assert incomplete_part(spec, WEEK, 3.4).spans == (WEEK,)
    assert incomplete_part(spec, WEEK, 3.5).spans == ()


def test_without_any_limit_all_is_complete_before_the_mainshock() -> None:
    assert completeness(LAW, [_at(2019, 7, 6)]).tolist() == [-math.inf]
    assert completeness(LAW, [RIDGECREST.time]).tolist() == [math.inf]
    assert incomplete_part(LAW, TimeWindow(start=_at(2019, 7, 1), end=RIDGECREST.time), -5).spans == ()


def test_overlapping_spans_are_one() -> None:
    second = Mainshock(time=RIDGECREST.time + timedelta(hours=1), magnitude=7.0)
    third = Mainshock(time=RIDGECREST.time + timedelta(days=3), magnitude=6.5)
    part = incomplete_part(CompletenessSpec(mainshocks=(RIDGECREST, second, third)), WEEK, 3.5)
    assert [span.start for span in part.spans] == [RIDGECREST.time, third.time]
    assert part.spans[0].end > RIDGECREST.time + timedelta(hours=2)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"steps": [{"start": "2000-01-01T00:00:00Z", "magnitude": 3}, {"start": None, "magnitude": 3}]},
        {"steps": [{"start": "2000-01-01T00:00:00Z", "magnitude": 3}] * 2},
    ],
)
def test_a_spec_says_something_and_in_order(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        CompletenessSpec.model_validate(wrong)


@settings(max_examples=60, deadline=None)
@given(
    days=st.lists(st.floats(-5, 12), max_size=3),
    magnitudes=st.lists(st.floats(4, 8), min_size=3, max_size=3),
    steps=st.lists(st.tuples(st.floats(-5, 12), st.floats(2, 5)), max_size=3),
    floor=st.none() | st.floats(0, 4),
    magnitude=st.floats(1, 5),
)
def test_the_spans_are_where_the_magnitude_of_completeness_is_greater(
    days: list[float],
    magnitudes: list[float],
    steps: list[tuple[float, float]],
    floor: float | None,
    magnitude: float,
) -> None:
    def day(number: float) -> datetime:
        return WEEK.start + timedelta(days=number)

    shocks = [Mainshock(time=day(d), magnitude=m) for d, m in zip(days, magnitudes, strict=False)]
    table = {day(d): m for d, m in steps}
    spec = CompletenessSpec(
        steps=tuple(CompletenessStep(start=start, magnitude=table[start]) for start in sorted(table)),
        mainshocks=tuple(shocks),
        floor=floor if floor is not None or shocks or table else 0.0,
    )
    part = incomplete_part(spec, WEEK, magnitude)
    moments = [WEEK.start + (WEEK.end - WEEK.start) * fraction for fraction in np.linspace(0, 0.999, 50)]
    inside = [any(moment in span for span in part.spans) for moment in moments]
    greater = completeness(spec, moments)
    near = np.abs(greater - magnitude) < 1e-6  # the last microsecond may round either way
    assert ((greater > magnitude) == inside)[~near].all()
    assert 0 <= part.fraction <= 1
