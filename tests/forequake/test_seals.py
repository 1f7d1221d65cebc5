"""Which of all that came for a window counts."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest

from forequake.quantities import Sha256
from forequake.results import (
    BlobRef,
    ForecastSource,
    ProspectiveStatus,
    Record,
    SealOrigin,
    SealRecord,
    seal_key,
)
from forequake.seal_marks import late_words, words_of_window
from forequake.seals import Sealed, Verdict, counting, judge, read_seals
from forequake.windows import TimeWindow

R = TypeVar("R", bound=Record)

START = datetime(2026, 1, 1, tzinfo=UTC)
WINDOW = TimeWindow(start=START, end=START + timedelta(days=1))
BEFORE, LATER = -timedelta(hours=1), timedelta(hours=1)


def seal(
    number: int,
    after: timedelta,
    *,
    fault: str | None = None,
    origin: SealOrigin = "folder",
    window: TimeWindow = WINDOW,
) -> SealRecord:
    content = f"{number:064x}"
    usable = fault is None and origin != "withdrawal"
    return SealRecord.at(
        "live",
        "theirs",
        window,
        number,
        origin=origin,
        name=f"theirs_{number}.csv",
        content=content,
        source=ForecastSource(content=content, reader="csv/1") if usable else None,
        file=BlobRef(sha256=content, size=1) if usable else None,
        fault=fault,
        arrived_at=window.start + after,
        sealed_at=window.start + after,
        prospective=ProspectiveStatus.PROSPECTIVE if after < timedelta() else ProspectiveStatus.LATE,
    )


@pytest.mark.parametrize(
    ("seals", "verdicts"),
    [
        ([seal(1, BEFORE)], "taken"),
        ([seal(1, 2 * BEFORE), seal(2, BEFORE)], "replaced taken"),
        ([seal(1, BEFORE), seal(2, LATER)], "taken refused"),
        ([seal(1, 2 * BEFORE), seal(2, BEFORE, fault="it is cut short")], "taken refused"),
        ([seal(1, BEFORE, fault="it is cut short"), seal(2, LATER)], "refused late"),
        ([seal(1, LATER), seal(2, 2 * LATER)], "late refused"),
        ([seal(1, timedelta())], "late"),  # at the start is not before it
        ([seal(1, BEFORE), seal(2, LATER, origin="withdrawal")], "replaced"),
        (
            [seal(1, BEFORE), seal(2, LATER, origin="withdrawal"), seal(3, 2 * LATER, origin="program")],
            "replaced late",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_last_in_time_counts_and_without_one_the_first_late_one(
    seals: list[SealRecord], verdicts: str
) -> None:
    found = judge(seals, "mark")
    assert " ".join(each.verdict for each in found) == verdicts
    assert all(each.reason for each in found if each.verdict in (Verdict.REFUSED, Verdict.REPLACED))


def test_late_ones_are_refused_where_the_model_says_so() -> None:
    late = [seal(1, LATER)]
    assert counting(late, "mark") == late[0]
    assert counting(late, "refuse") is None
    assert judge(late, "refuse")[0].reason == "it came after the window began (late: refuse)"
    assert counting([seal(1, BEFORE), seal(2, LATER)], "refuse") == seal(1, BEFORE)


class _Store:
    """Records in memory, and how many questions were asked."""

    def __init__(self, *seals: SealRecord) -> None:
        self.records = {each.key: each for each in seals}
        self.questions = 0

    def get_many(self, kind: type[R], keys: Collection[Sha256]) -> dict[Sha256, R]:
        self.questions += 1
        found = [self.records[key] for key in keys if key in self.records]
        return {record.key: record for record in found if isinstance(record, kind)}


def test_all_that_came_is_read_with_few_questions() -> None:
    windows = [
        TimeWindow(start=START + timedelta(days=day), end=START + timedelta(days=day + 1)) for day in range(9)
    ]
    many = [seal(number, BEFORE, window=windows[3]) for number in range(1, 21)]
    store = _Store(*many, seal(1, BEFORE, window=windows[5]), seal(2, BEFORE, window=windows[5]))
    found = read_seals(store, "live", "theirs", windows)
    assert {window: [each.number for each in seals] for window, seals in found.items()} == {
        windows[3].id: list(range(1, 21)),
        windows[5].id: [1, 2],
    }
    assert store.questions == 5  # 1, 2, 4, 8 and 16 numbers
    assert read_seals(store, "another", "theirs", windows) == {}


def test_words_name_what_is_not_prospective() -> None:
    late, prospective = ProspectiveStatus.LATE, ProspectiveStatus.PROSPECTIVE
    statuses = {("theirs", WINDOW.id): late, ("others", WINDOW.id): prospective, ("theirs", "another"): late}
    assert words_of_window(statuses, WINDOW) == "the forecast of theirs is late"
    assert words_of_window(statuses, WINDOW, ("others", None)) is None
    assert late_words(statuses) == ["forecasts of theirs: late in 2 windows"]
    assert late_words(statuses, ["others"]) == []


def test_a_key_is_that_of_the_place_and_the_number() -> None:
    assert seal(3, BEFORE).key == seal_key("live", "theirs", WINDOW, 3)
    assert len({seal_key("live", "theirs", WINDOW, number) for number in (1, 2)}) == 2


def test_a_run_finds_what_counts_by_model_and_window() -> None:
    sealed = Sealed({"theirs": {WINDOW.id: seal(1, LATER)}}, {"others": {WINDOW.id: "it is cut short"}})
    assert sealed.sources("theirs") == {WINDOW.id: seal(1, LATER).source}
    assert sealed.status("theirs", WINDOW) is ProspectiveStatus.LATE
    assert sealed.reason("others", WINDOW) == "it is cut short"
    assert sealed.find("others", WINDOW) is None
    assert sealed.sources("nobody") == {}
