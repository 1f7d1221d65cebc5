"""The contract of stores as they stood: whatever came since, all rows read one by one are the same."""

import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import pytest

from forequake.quantities import now
from forequake.results import EvaluationRecord, Outcome
from forequake.windows import TimeWindow
from stores import _answers, _columns
from stores._codec import to_us
from stores._past import PastStore
from stores._read_only import ReadOnlyStore
from stores._rows import Group, coverage_of, overview_of
from stores.base import ResultsStore
from stores.exchange import Binding, Coverage, Overview, Page, ResultQuery, ResultRow, RunRef
from stores.testing._contract_base import ContractBase, begin, ref
from stores.testing._contract_columns import same_as_rows
from stores.testing.samples import FIRST_WINDOW, sample_label, sample_result, sample_window

__all__ = ["PastContract"]

_DAY = timedelta(days=1)
#: Weeks, windows that grow from one start, and one over all.
_WINDOWS = (
    *(sample_window(number) for number in range(6)),
    *(TimeWindow(start=FIRST_WINDOW, end=FIRST_WINDOW + days * _DAY) for days in (1, 2, 3)),
    TimeWindow(start=FIRST_WINDOW, end=sample_window(5).end),
)
_MODELS = ("alpha", "beta", "γ-model")
#: By the experiment's names of tests, what may be their values: forequake's name of the test and an outcome.
_VALUES: dict[str, tuple[tuple[str, Outcome | None], ...]] = {
    "N": (("N", Outcome.PASSED), ("N", Outcome.REJECTED), ("N", Outcome.UNDEFINED)),
    "S": (("S", Outcome.PASSED), ("S", Outcome.REJECTED), ("L", Outcome.PASSED)),
    "T": (("T", Outcome.BETTER), ("T", Outcome.WORSE), ("T", Outcome.UNDEFINED)),
    "IG": (("IG", None), ("IG", Outcome.UNDEFINED)),
}
_STARTS = (None, sample_window(2).start, sample_window(9).start)


class _Counting(ReadOnlyStore):
    """Counts the pages and rows of former results that are read."""

    def __init__(self, store: ResultsStore) -> None:
        super().__init__(store)
        self.pages = self.rows = 0

    def latest(self, query: ResultQuery) -> Page[ResultRow]:
        page = super().latest(query)
        self.pages += 1
        self.rows += len(page.rows)
        return page


def _later() -> datetime:
    """Give a time that lies between all that is done before and after."""
    time.sleep(0.002)
    moment = now()
    time.sleep(0.002)
    return moment


def _all_rows(store: ResultsStore, query: ResultQuery) -> Iterator[ResultRow]:
    while True:
        page = store.latest(query)
        yield from page.rows
        if page.cursor is None:
            return
        query = query.model_copy(update={"cursor": page.cursor})


def _overview(rows: Sequence[ResultRow], token: int) -> Overview:
    counts = Counter(_place(row) for row in rows)
    groups = [
        Group(*place, count, max(to_us(row.computed_at) for row in rows if _place(row) == place))
        for place, count in counts.items()
    ]
    return overview_of("sample", token, groups, len({row.label.window for row in rows}))


def _place(row: ResultRow) -> tuple[str, str, str | None, str]:
    return row.label.test, row.label.model, row.label.reference, row.outcome.value


def _coverage(rows: Sequence[ResultRow]) -> Coverage:
    return coverage_of(
        (row.label.model, to_us(row.label.window.start), to_us(row.label.window.end), 1) for row in rows
    )


def _compare(store: ResultsStore, moment: datetime) -> None:
    """Compare all answers about a time with those of rows that are read one by one."""
    past = PastStore(store, moment)
    rows = list(_all_rows(store, ResultQuery(experiment="sample", as_of=moment, limit=1000)))
    assert past.overview("sample") == _overview(rows, store.overview("sample").token)
    for start in _STARTS:
        since = [row for row in rows if start is None or row.label.window.start >= start]
        assert past.coverage("sample", start) == _coverage(since)
        for test in (*_VALUES, "unknown"):
            columns = past.columns("sample", test, start)
            expected = [row for row in since if row.label.test == test]
            expected.sort(key=lambda row: (*_span(row), row.label.model, row.label.reference or ""))
            if expected:
                same_as_rows(columns, expected)
            else:
                assert columns is None


def _span(row: ResultRow) -> tuple[datetime, datetime]:
    return row.label.window.start, row.label.window.end


class _History:
    """A random history: later and earlier runs publish what is new, what changed, and what did not."""

    def __init__(self, store: ResultsStore, seed: int) -> None:
        self._draw = random.Random(seed)  # noqa: S311 - a history, no secret
        self._store = store
        self._results = {
            test: [_result(number, *value) for number, value in enumerate(values)]
            for test, values in _VALUES.items()
        }
        store.put([result for results in self._results.values() for result in results])
        self._runs: list[RunRef] = []
        self._said: dict[tuple[int, str], str] = {}

    def go_on(self) -> None:
        """Let a run publish: mostly a new one, sometimes one of before that is late."""
        if len(self._runs) < 2 or self._draw.random() < 0.7:
            self._runs.append(ref(begin(self._store)))
        run = self._runs[-1] if self._draw.random() < 0.6 else self._draw.choice(self._runs)
        windows = self._draw.sample(_WINDOWS, self._draw.choice((1, 2, 5, len(_WINDOWS))))
        models = self._draw.sample(_MODELS, self._draw.randint(1, 3))
        tests = self._draw.sample(list(_VALUES), self._draw.choice((1, 2, len(_VALUES))))
        bindings = [
            self._binding(run, test, model, window)
            for window in windows
            for test in tests
            for model in models
        ]
        self._store.publish(run, bindings)

    def _binding(self, run: RunRef, test: str, model: str, window: TimeWindow) -> Binding:
        reference = _MODELS[_MODELS.index(model) - 1] if test == "T" else None
        label = sample_label(test, model, window, reference=reference)
        key = self._draw.choice(self._results[test]).key
        return Binding(label=label, key=self._said.setdefault((run.run_no, label.slot), key))


def _result(number: int, test: str, outcome: Outcome | None) -> EvaluationRecord:
    computed_at = now() + number * timedelta(hours=1)
    return sample_result(number, test=test, outcome=outcome, computed_at=computed_at)


class PastContract(ContractBase):
    """`PastStore`, which makes its answers of columns and of `latest` as of a time."""

    def test_what_stood_is_what_rows_one_by_one_say(
        self, store: ResultsStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        history = _History(store, seed=1)
        moments = [_later()]
        for _ in range(8):
            history.go_on()
            moments.append(_later())
        for moment in moments:
            _compare(store, moment)
        monkeypatch.setattr(_answers, "MANY", 10)
        monkeypatch.setattr(_columns, "PIECE", 7)
        assert store.summarise("sample")
        _compare(store, moments[5])

    def test_an_earlier_run_that_is_late_changes_nothing_that_stood(self, store: ResultsStore) -> None:
        first, second, third = (ref(begin(store)) for _ in range(3))
        values = [sample_result(number) for number in range(3)]
        store.put(values)

        def publish(run: RunRef, number: int, *windows: int) -> datetime:
            key = values[number].key
            store.publish(run, [Binding(label=sample_label(window=window), key=key) for window in windows])
            return _later()

        moments = [
            publish(second, 0, 0, 1),
            publish(third, 0, 0),  # vouches only
            publish(first, 1, 0, 1, 2),  # is outdated, but for one window
            publish(second, 2, 2),
        ]
        for moment in moments:
            _compare(store, moment)
        late = PastStore(store, moments[2]).columns("sample", "N")
        assert late is not None
        assert late.n_observed.tolist() == [values[number].n_observed for number in (0, 0, 1)]

    def test_only_what_changed_since_is_looked_up(self, store: ResultsStore) -> None:
        results = {(number, test): sample_result(number, test=test) for number in (0, 1) for test in "NSL"}
        store.put(list(results.values()))

        def publish(number: int, windows: Sequence[int], models: Sequence[str], tests: str) -> None:
            bindings = [
                Binding(label=sample_label(test, model, window), key=results[number, test].key)
                for window in windows
                for model in models
                for test in tests
            ]
            store.publish(ref(begin(store)), bindings)

        publish(0, range(20), _MODELS, "NSL")
        moment = _later()
        publish(0, range(20, 25), _MODELS, "NSL")  # new windows
        publish(0, range(20), ["another"], "NSL")  # a new model
        publish(1, (3, 11), ["beta"], "N")  # two new values
        counting = _Counting(store)
        past = PastStore(counting, moment)
        assert sum(cell.n_windows for cell in past.overview("sample").cells) == 180
        assert (counting.rows <= 20, counting.pages <= 8) == (True, True)
        counting.pages = counting.rows = 0
        assert len(past.columns("sample", "S") or ()) == 60
        assert (counting.rows, counting.pages) == (0, 2)
        _compare(store, moment)
