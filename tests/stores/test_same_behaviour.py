"""Two kinds of store, driven with the same random operations, must give the same answers and errors.

Compared is every answer, with what a store chooses itself made equal: the ids of runs, times by the pauses of
the test between which they fall, and the store's name in messages.

Fifty histories of some seventy operations are tried, or with FOREQUAKE_STATEFUL_MINUTES as many as the time
allows (`pytest -s` prints how many of which operations were run).
"""

import hashlib
import io
import os
import re
import shutil
import sqlite3
import time
import uuid
from bisect import bisect
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import permutations, product
from pathlib import Path
from typing import Any, ClassVar, Final

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from pydantic import BaseModel
from pymongo import MongoClient
from pymongo.database import Database

from forequake import errors
from forequake.errors import StoreError
from forequake.quantities import Sha256, now
from forequake.results import (
    BlobRef,
    ComparisonRecord,
    ConsistencyRecord,
    DistributionRecord,
    EnvironmentRecord,
    EvaluationRecord,
    ExperimentRecord,
    ForecastRecord,
    Label,
    Outcome,
    Record,
    RegionRecord,
    RunChange,
    RunCounts,
    RunRecord,
    RunState,
    ScoreRecord,
    UnitEnd,
    UnitError,
    UnitRecord,
    UnitState,
)
from forequake.windows import TimeWindow
from stores import (
    Binding,
    Block,
    BoundResult,
    Claim,
    ResultQuery,
    ResultsStore,
    RunRef,
    open_store,
)
from stores.testing import (
    sample_distribution,
    sample_environment,
    sample_experiment,
    sample_forecast,
    sample_label,
    sample_region,
    sample_result,
    sample_run,
    sample_window,
)
from stores.testing.mongod import database_url

_MINUTES: Final = float(os.environ.get("FOREQUAKE_STATEFUL_MINUTES", "0"))
_EXAMPLES: Final = 50
_STEPS: Final = 50
_THEN: Final = datetime(2024, 5, 6, 7, 8, 9, 123457, tzinfo=UTC)
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?\+00:00")
_HOUR: Final = timedelta(hours=1)

# --- a small world -----------------------------------------------------------------------------------------

_EXPERIMENTS: Final = ("alpha", "größe")
# Names whose order differs between bytes, UTF-16 and alphabets, and marks that mean something to a database.
_MODELS: Final = ("B", "a", "ä", "a.b $c", "\uffee", "\U0001f30b")
_TESTS: Final = ("N", "L", "T", "LL")
_DAY: Final = sample_window(0).start
_WINDOWS: Final = (
    sample_window(0),
    sample_window(1),
    TimeWindow(start=_DAY, end=_DAY + timedelta(days=1)),
    TimeWindow(start=datetime(1906, 4, 18, 5, 12, 0, 1, tzinfo=UTC), end=_DAY),
)
_BLOBS: Final = (b"", b"rates", b"origins" * 1000)
_OWNERS: Final = ("one", "two")
_BAD: Final = (UnitState.FAILED, UnitState.TIMED_OUT, UnitState.CRASHED, UnitState.UPSTREAM_FAILED)

labels = st.builds(
    Label,
    experiment=st.sampled_from(_EXPERIMENTS),
    test=st.sampled_from(_TESTS),
    model=st.sampled_from(_MODELS),
    reference=st.sampled_from([None, "a", "B"]),
    window=st.sampled_from(_WINDOWS),
)
#: Few places, so that something happens in them.
_PLACES: Final = (
    sample_label("N", "a", experiment="alpha"),
    sample_label("N", "a", 1, experiment="alpha"),
    sample_label("T", "ä", experiment="alpha", reference="a"),
    sample_label("N", "a", experiment="größe"),
)
places = st.sampled_from(_PLACES)
#: Which of three runs says in which order which of two results.
_STORIES: Final = [
    tuple(zip(order, said, strict=True))
    for order in permutations(range(3))
    for said in product((0, 1), repeat=3)
]
numbers = st.integers(0, 3)
blocks = st.builds(
    lambda name, units: Block(id=name, units=tuple(units)),
    st.sampled_from(["block 0", "block 1", "block/2"]),
    st.lists(places | labels, max_size=3, unique=True),
)
ends = st.builds(
    UnitEnd,
    label=places | labels,
    state=st.sampled_from([UnitState.SUCCEEDED, *_BAD]),
    error=st.none() | st.just(UnitError(kind="EvaluationError", message="keine Zahl")),
)
leases = st.sampled_from([timedelta(0), timedelta(0), _HOUR])


def _some_result(number: int, test: str, variant: str) -> EvaluationRecord:
    """Give a result; all variants of a number and test have one key."""
    match variant:
        case "undefined":
            return sample_result(number, test=test, outcome=Outcome.UNDEFINED)
        case "rejected":
            outcome = Outcome.WORSE if test == "T" else Outcome.REJECTED
            return sample_result(number, test=test, outcome=outcome)
        case "again":
            return sample_result(number, test=test, computed_at=_THEN)
        case "close":
            result = sample_result(number, test=test)
            return result.model_copy(update={"n_forecast": result.n_forecast * (1 + 1e-12)})
        case "infinite":
            return sample_result(number, test=test).model_copy(update={"statistic": float("-inf")})
        case "other kind":
            result = sample_result(number, test=test)
            other = sample_result(number, test="N" if test == "T" else "T")
            changed = {"key": result.key, "canon": result.canon}
            return other.model_copy(update=changed)
    return sample_result(number, test=test)


results = st.builds(
    _some_result,
    numbers,
    st.sampled_from(_TESTS),
    st.sampled_from(["", "", "", "undefined", "rejected", "again", "close", "infinite", "other kind"]),
)
keys = st.builds(lambda number, test: sample_result(number, test=test).key, numbers, st.sampled_from(_TESTS))


def _some_other(kind: str, number: int, blob: int) -> Record:
    """Give a record of another kind; a blob that was not put may be named."""
    ref = _blob_ref(_BLOBS[blob])
    match kind:
        case "environment":
            return sample_environment(number)
        case "region":
            return sample_region(ref, number)
        case "forecast":
            return sample_forecast(ref, number)
        case "distribution":
            return sample_distribution(sample_result(number, test="L"))
        case "other distribution":
            record = sample_distribution(sample_result(number, test="L"))
            return record.model_copy(update={"values": (*record.values[:-1], 7.0)})
        case "bad config":
            config = {"name": "alpha", "depth": float("inf")}
            return sample_experiment("alpha", number).model_copy(update={"config": config})
    return sample_experiment(_EXPERIMENTS[number % 2], number // 2)


def _blob_ref(content: bytes) -> BlobRef:
    return BlobRef(sha256=hashlib.sha256(content).hexdigest(), size=len(content))


others = st.builds(
    _some_other,
    st.sampled_from(
        [
            "environment",
            "region",
            "forecast",
            "distribution",
            "other distribution",
            "experiment",
            "bad config",
        ]
    ),
    numbers,
    st.integers(0, len(_BLOBS) - 1),
)
kinds = st.sampled_from(
    [
        EvaluationRecord,
        ConsistencyRecord,
        ComparisonRecord,
        ScoreRecord,
        DistributionRecord,
        EnvironmentRecord,
        ExperimentRecord,
        RegionRecord,
        ForecastRecord,
        Record,
    ]
)

# --- the two stores ----------------------------------------------------------------------------------------


class Side:
    """One of the two stores, what it chose itself, and how to empty it."""

    def __init__(self, store: ResultsStore, empty: Callable[[], None]) -> None:
        self.store = store
        self.empty = empty
        self.forget()

    def forget(self) -> None:
        self.runs: list[RunRecord] = []
        self.claims: list[Claim] = []
        self.cursors: list[tuple[ResultQuery, str]] = []
        self.tokens: dict[str, int] = {}

    def answer(self, operation: Callable[["Side"], object], pauses: Sequence[datetime]) -> object:
        """Give what an operation gives or raises, with what this store chose itself made comparable."""
        try:
            given = operation(self)
        except (StoreError, ValueError, TypeError) as error:
            return type(error).__name__, self._plain(_TIME.sub("TIME", str(error)), pauses)
        return self._plain(given, pauses)

    def _plain(self, value: object, pauses: Sequence[datetime]) -> object:
        match value:
            case BaseModel():
                return type(value).__name__, {
                    name: self._plain(field, pauses) for name, field in value.__dict__.items()
                }
            case datetime():
                return f"after pause {bisect(pauses, value)}" if value >= pauses[0] else value
            case dict():
                return {key: self._plain(item, pauses) for key, item in value.items()}
            case frozenset() | set():
                return sorted(str(self._plain(item, pauses)) for item in value)
            case list() | tuple():
                return [self._plain(item, pauses) for item in value]
            case str():
                text = value.replace(self.store.name, "STORE")
                for run in self.runs:
                    text = text.replace(run.id, f"run {run.run_no} of {run.experiment}")
                return text
        return value


class SameBehaviour(RuleBasedStateMachine):
    """Every rule does the same to both stores and compares what they answer."""

    sides: ClassVar[tuple[Side, Side]]
    done: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        for side in self.sides:
            side.empty()
            side.forget()
        self.pauses: list[datetime] = []
        self._pause()
        self.both("put", lambda side: side.store.put([sample_experiment(name) for name in _EXPERIMENTS]))
        first = [sample_result(number, test=test) for number in range(2) for test in _TESTS]
        self.both("put", lambda side: side.store.put(first))
        for experiment in ("alpha", "alpha", "alpha", "größe"):
            self._begin(experiment, 0)

    def both(self, name: str, operation: Callable[[Side], object]) -> None:
        """Do something to both stores and compare what they answer."""
        one, other = (side.answer(operation, self.pauses) for side in self.sides)
        match one:
            case str() as error, str() if error[0].isupper() and hasattr(errors, error):
                self.done[f"{name}: {error}"] += 1
            case _:
                self.done[name] += 1
        assert one == other, f"{name}:\n{one}\n{other}"

    def _pause(self) -> None:
        """Let the clocks of both stores pass a moment that lies between all that they do before and after."""
        time.sleep(0.002)
        self.pauses.append(now())
        time.sleep(0.002)

    @rule()
    def pause(self) -> None:
        self._pause()

    # --- records and blobs ---

    @rule(records=st.lists(results | results | others, max_size=4))
    def put(self, records: list[Record]) -> None:
        self.both("put", lambda side: side.store.put(records))

    @rule(records=st.lists(results, min_size=1, max_size=4))
    def put_results(self, records: list[EvaluationRecord]) -> None:
        self.both("put", lambda side: side.store.put(records))

    @rule(kind=kinds, key=keys, other=others, wanted=st.lists(keys, max_size=5))
    def get(self, kind: type[Record], key: Sha256, other: Record, wanted: list[Sha256]) -> None:
        self.both("get", lambda side: [side.store.get(kind, key)])
        self.both("get", lambda side: [side.store.get(type(other), other.key)])
        self.both("existing", lambda side: side.store.existing(kind, [*wanted, other.key]))
        self.both("get_many", lambda side: side.store.get_many(kind, [*wanted, other.key]))

    @rule(kind=kinds, after=st.none() | keys, limit=st.sampled_from([1, 2, 5, 1000]))
    def scan(self, kind: type[Record], after: Sha256 | None, limit: int) -> None:
        self.both("scan", lambda side: side.store.scan(kind, after, limit))

    @rule(content=st.sampled_from(_BLOBS))
    def put_blob(self, content: bytes) -> None:
        self.both("put_blob", lambda side: side.store.put_blob(io.BytesIO(content)))

    @rule(content=st.sampled_from((*_BLOBS, b"never put")))
    def open_blob(self, content: bytes) -> None:
        def read(side: Side) -> bytes:
            with side.store.open_blob(_blob_ref(content).sha256) as stream:
                return stream.read()

        self.both("open_blob", read)

    @rule(older_than=st.sampled_from([timedelta(0), _HOUR]), dry_run=st.booleans())
    def sweep(self, older_than: timedelta, dry_run: bool) -> None:
        self._pause()

        def sweep(side: Side) -> object:
            report = side.store.sweep(older_than, dry_run=dry_run)
            return report.removed, report.dry_run  # how many bytes depends on how they are packed

        self.both("sweep", sweep)

    @rule(repair=st.booleans())
    def check(self, repair: bool) -> None:
        self.both(
            "check",
            lambda side: Counter(
                (finding.code, finding.severity, finding.repaired)
                for finding in side.store.check(repair=repair)
            ),
        )

    # --- runs ---

    @rule(experiment=st.sampled_from(_EXPERIMENTS), number=st.integers(0, 1))
    def begin_run(self, experiment: str, number: int) -> None:
        self._begin(experiment, number)

    def _begin(self, experiment: str, number: int) -> None:
        time.sleep(0.002)  # runs are listed by when they started, which two stores see alike only then

        def begin(side: Side) -> object:
            run = side.store.begin_run(sample_run(sample_experiment(experiment, number)))
            side.runs.append(run)
            return run

        self.both("begin_run", begin)

    @rule(
        which=st.integers(0, 99),
        expect=st.sampled_from([RunState.RUNNING, RunState.RUNNING, *RunState]),
        change=st.builds(
            RunChange,
            state=st.none() | st.sampled_from(RunState),
            counts=st.none() | st.builds(RunCounts, computed=st.integers(0, 9)),
            notes=st.none() | st.just("größer"),
            tags=st.none() | st.just(("x",)),
        ),
    )
    def update_run(self, which: int, expect: RunState, change: RunChange) -> None:
        self.both("update_run", lambda side: side.store.update_run(_ref(side, which), change, expect=expect))

    @rule(experiment=st.none() | st.sampled_from((*_EXPERIMENTS, "none")), limit=st.sampled_from([1, 3, 50]))
    def runs(self, experiment: str | None, limit: int) -> None:
        self.both("runs", lambda side: side.store.runs(experiment, limit))

    @rule(experiment=st.sampled_from(_EXPERIMENTS), run_no=st.integers(1, 9))
    def an_unknown_run(self, experiment: str, run_no: int) -> None:
        ref = RunRef(id="nobody", experiment=experiment, run_no=run_no)
        self.both("update_run", lambda side: side.store.update_run(ref, RunChange(), expect=RunState.RUNNING))
        binding = Binding(label=sample_label(experiment=experiment), key=sample_result().key)
        self.both("publish", lambda side: side.store.publish(ref, [binding]))

    # --- results in their places ---

    @rule(which=st.integers(0, 99), pairs=st.lists(st.tuples(places | labels, keys), min_size=1, max_size=3))
    def publish(self, which: int, pairs: list[tuple[Label, Sha256]]) -> None:
        experiment = self.sides[0].runs[which % len(self.sides[0].runs)].experiment
        bindings = [
            Binding(label=label.model_copy(update={"experiment": experiment}), key=key)
            for label, key in pairs
        ]
        self._publish(which, bindings)

    @rule(which=st.integers(0, 99), place=places, key=keys, result=results)
    def publish_one(self, which: int, place: Label, key: Sha256, result: EvaluationRecord) -> None:
        self.both("put", lambda side: side.store.put([result]))
        experiment = self.sides[0].runs[which % len(self.sides[0].runs)].experiment
        label = place.model_copy(update={"experiment": experiment})
        self._publish(which, [Binding(label=label, key=result.key)])

    @rule(which=st.integers(0, 99), label=labels, key=keys)
    def publish_anything(self, which: int, label: Label, key: Sha256) -> None:
        self._publish(which, [Binding(label=label, key=key)])

    @rule(label=st.sampled_from(_PLACES[:3]), story=st.sampled_from(_STORIES))
    def publish_in_turn(self, label: Label, story: Sequence[tuple[int, int]]) -> None:
        """Let three new runs of one experiment have their say in one place, in any order."""
        self.both(
            "put",
            lambda side: side.store.put(
                [sample_experiment(label.experiment), sample_result(0), sample_result(1)]
            ),
        )
        for _ in range(3):
            self._begin(label.experiment, 0)
        for which, number in story:
            self._publish(which - 3, [Binding(label=label, key=sample_result(number).key)])
        self.both("history", lambda side: side.store.history(label.slot))

    def _publish(self, which: int, bindings: list[Binding]) -> None:
        if len(bindings) == 1:
            self.both("publish", lambda side: side.store.publish(_ref(side, which), bindings))
            return
        # A batch may be cut where it meets a conflict, and each store cuts it in its own place.
        conflicts = []

        def publish(side: Side) -> object:
            answer = side.answer(lambda side: side.store.publish(_ref(side, which), bindings), self.pauses)
            conflicts.append(isinstance(answer, tuple) and answer[0] == "Conflict")
            return answer

        self.both("publish", publish)
        if any(conflicts):
            for binding in bindings:
                self._publish_again(which, binding)

    def _publish_again(self, which: int, binding: Binding) -> None:
        for side in self.sides:
            side.answer(lambda side: side.store.publish(_ref(side, which), [binding]), self.pauses)

    @rule(
        query=st.builds(
            ResultQuery,
            experiment=st.sampled_from((*_EXPERIMENTS, "none")),
            tests=st.lists(st.sampled_from(_TESTS), max_size=2).map(tuple),
            models=st.lists(st.sampled_from(_MODELS), max_size=3).map(tuple),
            references=st.lists(st.sampled_from(["a", "B"]), max_size=1).map(tuple),
            outcomes=st.lists(st.sampled_from(Outcome), max_size=2).map(tuple),
            start_from=st.none() | st.sampled_from([window.start for window in _WINDOWS]),
            start_before=st.none() | st.sampled_from([window.end for window in _WINDOWS]),
            limit=st.sampled_from([1, 2, 1000]),
        ),
        moment=st.none() | st.integers(0, 99),
        wrong=st.sampled_from(["", "nonsense", "WzEsICIiLCAiIl0="]),
    )
    def latest(self, query: ResultQuery, moment: int | None, wrong: str) -> None:
        as_of = None if moment is None else self.pauses[moment % len(self.pauses)]
        query = query.model_copy(update={"as_of": as_of})

        def pages(side: Side) -> object:
            found = []
            asked = query
            for _ in range(20):
                page = side.store.latest(asked)
                found.append((page.rows, page.cursor is None))
                if page.cursor is None:
                    break
                asked = asked.model_copy(update={"cursor": page.cursor})
            return found

        self.both("latest", pages)
        nowhere = query.model_copy(update={"cursor": wrong})
        self.both("latest", lambda side: side.store.latest(nowhere))

    @rule(states=st.lists(st.sampled_from([UnitState.RUNNING, *_BAD]), max_size=2), label=labels)
    def look(self, states: list[UnitState], label: Label) -> None:
        """Read what a page of the dashboard shows, and more."""

        def moved(side: Side, name: str, token: int) -> bool:
            before = side.tokens.get(name)
            side.tokens[name] = token
            return before != token

        def overview(side: Side, name: str) -> object:
            found = side.store.overview(name)
            return found.model_copy(update={"token": 0}), moved(side, name, found.token)

        names = (*_EXPERIMENTS, "none")
        for name in names:
            self.both("overview", partial(overview, name=name))
        self.both("coverage", lambda side: [side.store.coverage(name) for name in names])
        self.both("units", lambda side: [side.store.units(name, states) for name in names])
        self.both(
            "experiments",
            lambda side: [summary.model_copy(update={"token": 0}) for summary in side.store.experiments()],
        )
        self.both("history", lambda side: [side.store.history(place.slot) for place in (*_PLACES, label)])

    # --- work ---

    @rule(wanted=st.lists(blocks, min_size=1, max_size=2), owner=st.sampled_from(_OWNERS), ttl=leases)
    def claim(self, wanted: list[Block], owner: str, ttl: timedelta) -> None:
        def claim(side: Side) -> object:
            claims = side.store.claim(wanted, owner, ttl)
            side.claims += claims
            return [(claim.block, claim.owner, claim.token) for claim in claims]

        self.both("claim", claim)

    @rule(owner=st.sampled_from(_OWNERS), ttl=leases)
    def renew(self, owner: str, ttl: timedelta) -> None:
        self.both("renew", lambda side: side.store.renew(owner, ttl))

    @rule(owner=st.sampled_from(_OWNERS))
    def release(self, owner: str) -> None:
        self.both("release", lambda side: side.store.release(owner))

    @precondition(lambda self: self.sides[0].claims)
    @rule(which=st.integers(0, 99), ends=st.lists(ends, max_size=3, unique_by=lambda end: end.label))
    def finish(self, which: int, ends: list[UnitEnd]) -> None:
        self.both("finish", lambda side: side.store.finish(side.claims[which % len(side.claims)], ends))

    @rule(
        wanted=blocks,
        owner=st.sampled_from(_OWNERS),
        ttl=leases,
        states=st.lists(st.sampled_from([UnitState.SUCCEEDED, *_BAD]), max_size=3),
    )
    def claim_and_finish(self, wanted: Block, owner: str, ttl: timedelta, states: list[UnitState]) -> None:
        self.claim([wanted], owner, ttl)
        self.both("units", lambda side: [side.store.units(name) for name in _EXPERIMENTS])
        if self.sides[0].claims:
            ends = [
                UnitEnd(label=label, state=state) for label, state in zip(wanted.units, states, strict=False)
            ]
            self.both("finish", lambda side: side.store.finish(side.claims[-1], ends))

    # --- copying ---

    @rule(
        after=st.none() | st.tuples(places.map(lambda label: label.slot), st.integers(0, 3)),
        limit=st.sampled_from([1, 3, 1000]),
    )
    def bindings(self, after: tuple[Sha256, int] | None, limit: int) -> None:
        self.both("bindings", lambda side: side.store.bindings(after, limit))

    @rule(
        runs=st.lists(st.tuples(st.sampled_from(_EXPERIMENTS), st.integers(1, 6), numbers), max_size=2),
        bound=st.lists(st.tuples(places, keys, st.integers(1, 6), st.integers(0, 1)), max_size=3),
        units=st.lists(
            st.tuples(places | labels, st.sampled_from([*_BAD, UnitState.SUCCEEDED, UnitState.RUNNING])),
            max_size=2,
            unique_by=lambda unit: unit[0],
        ),
    )
    def adopt(
        self,
        runs: list[tuple[str, int, int]],
        bound: list[tuple[Label, Sha256, int, int]],
        units: list[tuple[Label, UnitState]],
    ) -> None:
        adopted_runs = [_adopted_run(*run) for run in runs]
        bindings = [
            BoundResult(
                label=label,
                key=key,
                run_no=run_no,
                bound_at=_THEN + run_no * _HOUR + late * timedelta(days=1),
            )
            for label, key, run_no, late in bound
        ]
        records = [
            UnitRecord(label=label, state=state, attempts=2, owner="elsewhere", changed_at=_THEN)
            for label, state in units
        ]
        self.both("adopt", lambda side: side.store.adopt(runs=adopted_runs, bindings=bindings, units=records))

    @rule(which=st.integers(0, 99), place=places, key=keys, notes=st.text(max_size=3))
    def adopt_of_own(self, which: int, place: Label, key: Sha256, notes: str) -> None:
        """Adopt a run that began here, and a binding of it."""

        def adopt(side: Side) -> object:
            run = side.runs[which % len(side.runs)].model_copy(update={"notes": notes})
            label = place.model_copy(update={"experiment": run.experiment})
            bound = BoundResult(label=label, key=key, run_no=run.run_no, bound_at=_THEN)
            side.store.adopt(runs=[run], bindings=[bound])
            return None

        self.both("adopt", adopt)

    def teardown(self) -> None:
        everything = ResultQuery(experiment="alpha")
        self.both("units", lambda side: [side.store.units(name) for name in _EXPERIMENTS])
        self.both("bindings", lambda side: side.store.bindings())
        self.both("runs", lambda side: side.store.runs(None, 100))
        self.both("latest", lambda side: side.store.latest(everything))
        self.both("check", lambda side: [(found.code, found.severity) for found in side.store.check()])


def _ref(side: Side, which: int) -> RunRef:
    run = side.runs[which % len(side.runs)]
    return RunRef(id=run.id, experiment=run.experiment, run_no=run.run_no)


def _adopted_run(experiment: str, run_no: int, variant: int) -> RunRecord:
    place = _EXPERIMENTS.index(experiment)
    started = _THEN + run_no * _HOUR + place * timedelta(minutes=1)
    names = [f"{experiment}-{run_no}", f"{experiment}-{run_no}", f"{experiment}-{run_no}", "shared"]
    return RunRecord(
        **dict(sample_run(sample_experiment(experiment, variant % 2))),
        id=names[variant],
        run_no=run_no,
        state=RunState.COMPLETED,
        started_at=started,
        heartbeat_at=started,
        ended_at=started,
    )


def _sqlite(path: Path) -> Side:
    store = open_store(f"sqlite:///{path}")

    def empty() -> None:
        with closing(sqlite3.connect(path)) as db, db:
            tables = [name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
            for table in tables:
                if table != "meta":
                    db.execute(f"DELETE FROM {table}")
        shutil.rmtree(f"{path}.blobs", ignore_errors=True)

    return Side(store, empty)


def _empty(database: Database[dict[str, Any]]) -> None:
    for name in database.list_collection_names():
        if name != "meta":
            database[name].delete_many({})


def _compare(one: Side, other: Side) -> None:
    class Machine(SameBehaviour):
        sides = (one, other)
        done: ClassVar[Counter[str]] = Counter()

    chosen = settings(
        max_examples=_EXAMPLES,
        stateful_step_count=_STEPS,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    until = time.monotonic() + 60 * _MINUTES
    try:
        run_state_machine_as_test(Machine, settings=chosen)
        while time.monotonic() < until:
            run_state_machine_as_test(Machine, settings=chosen)
    finally:
        one.store.close()
        other.store.close()
        print(f"{Machine.done.total()} operations: {dict(Machine.done.most_common())}")  # noqa: T201 - for `pytest -s`


@pytest.mark.contract
@pytest.mark.mongo
@pytest.mark.timeout(0 if _MINUTES else 300)
def test_sqlite_and_mongodb_behave_the_same(tmp_path: Path, mongo_standalone: str) -> None:
    url = database_url(mongo_standalone, f"same{uuid.uuid4().hex[:8]}")
    with MongoClient[dict[str, Any]](url) as client:
        database = client.get_default_database()
        try:
            _compare(_sqlite(tmp_path / "one.sqlite"), Side(open_store(url), partial(_empty, database)))
        finally:
            client.drop_database(database)
