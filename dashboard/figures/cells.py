"""The overview matrix as data: models in rows, tests in columns, for one window or counted over all."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from dashboard._words import letters as letters_of
from dashboard.figures.chance import binomial_limit
from dashboard.figures.marks import Status
from forequake.errors import InputError
from forequake.evaluations.registry import TESTS, find_test
from forequake.quantities import Sha256
from forequake.results import Outcome, UnitRecord, UnitState
from stores import Overview, OverviewCell, ResultRow

__all__ = [
    "ENDED_BADLY",
    "Column",
    "CountedCell",
    "CountedMatrix",
    "Span",
    "WindowCell",
    "WindowMatrix",
    "columns_of",
    "counted_matrix",
    "window_matrix",
]

#: From so small a probability of chance on a cell is ringed.
_BEYOND: Final = 0.05
#: The order of consistency tests in the field's papers; others follow as the registry has them.
_ORDER = ("N", "M", "S", "L", "CL")


@dataclass(frozen=True)
class Column:
    """A test, against one reference where it compares.

    Attributes
    ----------
    test
        As the experiment calls it.
    letters
        As seismologists call it; the experiment's name where forequake knows no other.
    scope
        Whether it has a result in each window, or one over all windows.
    against_all
        Whether it compares a model with all others, which one cell counts.
    """

    test: str
    reference: str | None
    letters: str
    scope: Literal["window", "windows"] = "window"
    against_all: bool = False

    @property
    def name(self) -> str:
        """The experiment's name of the test, and the reference where there is one."""
        return self.test if self.reference is None else f"{self.test} vs {self.reference}"


@dataclass(frozen=True)
class Span:
    """What a result over windows is made from: so many windows, and the ids of those that it lacks."""

    n_windows: int
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class WindowCell:
    """A test of a model in one window, or over all windows: its result, or why there is none."""

    model: str
    column: Column
    status: Status
    row: ResultRow | None = None
    unit: UnitRecord | None = None
    span: Span | None = None


@dataclass(frozen=True)
class CountedCell:
    """A test of a model, counted over windows, or over the other models.

    Attributes
    ----------
    counts
        Number of windows by status, ``failed`` and ``missing`` among them; of a test against all others the
        number of comparisons.
    limit
        The largest number of rejections that chance gives a true forecast in 95 % of cases; None where it
        has no meaning (a comparison, or windows that overlap).
    total
        Sum of the scores of the windows; None for other tests, and where scores do not add up.
    spread
        Mean, least and greatest score of the windows, where scores are not of a kind that adds up.
    alpha
        Level of the test in single windows, where there is a limit.
    p_adjusted
        With what probability chance gives so many rejections or more, corrected for the number of cells; None
        where it is not corrected.
    """

    model: str
    column: Column
    counts: Mapping[Status, int] = field(default_factory=dict)
    limit: int | None = None
    total: float | None = None
    spread: tuple[float, float, float] | None = None
    alpha: float | None = None
    p_adjusted: float | None = None

    @property
    def scored(self) -> int:
        """Number of windows with a score."""
        return self.counts.get(Status.SCORE_ONLY, 0)

    @property
    def decided(self) -> int:
        """Number of windows with a verdict."""
        return sum(
            self.counts.get(status, 0)
            for status in (
                Status.PASSED,
                Status.REJECTED,
                Status.BETTER,
                Status.WORSE,
                Status.NO_DIFFERENCE,
            )
        )

    @property
    def share(self) -> float | None:
        """Share of rejections among the verdicts of a consistency test; None without any."""
        if self.column.reference is not None or self.column.against_all or not self.decided:
            return None
        return self.counts.get(Status.REJECTED, 0) / self.decided

    @property
    def beyond_chance(self) -> bool:
        """Whether more windows are rejected than chance explains: than the limit, or by the corrected p."""
        if self.p_adjusted is not None:
            return self.p_adjusted < _BEYOND
        return self.limit is not None and self.counts.get(Status.REJECTED, 0) > self.limit


@dataclass(frozen=True)
class WindowMatrix:
    """Cells of one window, or over all windows, row by row.

    Attributes
    ----------
    batches
        Cells of tests against all other models, counted.
    """

    models: tuple[str, ...]
    columns: tuple[Column, ...]
    cells: tuple[WindowCell, ...]
    batches: tuple[CountedCell, ...] = ()


@dataclass(frozen=True)
class CountedMatrix:
    """Cells over all windows, row by row."""

    models: tuple[str, ...]
    columns: tuple[Column, ...]
    cells: tuple[CountedCell, ...]


#: States of units that ended, and have no result.
ENDED_BADLY = frozenset(
    {
        UnitState.FAILED,
        UnitState.TIMED_OUT,
        UnitState.KILLED,
        UnitState.CRASHED,
        UnitState.UPSTREAM_FAILED,
    }
)


def columns_of(places: Iterable[tuple[str, str | None]], registered: Mapping[str, str]) -> tuple[Column, ...]:
    """Put tests into the order of columns: N, M, S, L, CL, further consistency tests, comparisons.

    Tests over all windows come last. A test that compares all models with each other has one column.

    Parameters
    ----------
    places
        Pairs of test and reference, in any order and with repetitions.
    registered
        From the experiment's name of a test to forequake's, as far as it is known.
    """
    found = set(places)
    known = {test: _registered(test, registered) for test, _ in found}
    all_pairs = {test for test, name in known.items() if name in TESTS and TESTS[name].against_all}
    spanning = {test for test, name in known.items() if name in TESTS and TESTS[name].scope == "windows"}
    found = {(test, None if test in all_pairs else reference) for test, reference in found}
    unique = sorted(found, key=lambda place: (place[0], place[1] or ""))
    letters = {test: letters_of(name) or test for test, name in known.items()}
    repeated = [short for short in letters.values() if list(letters.values()).count(short) > 1]
    columns = [
        Column(
            test,
            reference,
            test if letters[test] in repeated else letters[test],
            scope="windows" if test in spanning else "window",
            against_all=test in all_pairs,
        )
        for test, reference in unique
    ]
    registry = {name: place for place, name in enumerate(TESTS)}

    def position(column: Column) -> tuple[bool, str, int, int, str]:
        short = letters[column.test]
        return (
            column.scope == "windows",
            column.reference or "",
            _ORDER.index(short) if short in _ORDER else len(_ORDER),
            registry.get(known[column.test], len(registry)),
            column.test,
        )

    return tuple(sorted(columns, key=position))


def window_matrix(
    models: Sequence[str],
    columns: Sequence[Column],
    rows: Iterable[ResultRow],
    units: Iterable[UnitRecord] = (),
    spans: Mapping[Sha256, Span] | None = None,
) -> WindowMatrix:
    """Put the results of one window, or those over all windows, into their cells.

    Parameters
    ----------
    rows, units
        Of this window; what is not of the models and columns is left out. A unit counts only where there
        is no result.
    spans
        What results over windows are made from, by their keys.
    """
    results = {(row.label.model, row.label.test, row.label.reference): row for row in rows}
    troubles = {(unit.label.model, unit.label.test, unit.label.reference): unit for unit in units}
    cells, batches = [], []
    for model in models:
        for column in columns:
            if column.against_all:
                batches.append(_against_others(model, column, results.values(), troubles.values()))
                continue
            place = (model, column.test, column.reference)
            row, unit = results.get(place), troubles.get(place)
            status = _without_result(model, column, unit) if row is None else Status(row.outcome.value)
            span = None if row is None else (spans or {}).get(row.key)
            cells.append(
                WindowCell(model, column, status, row=row, unit=unit if row is None else None, span=span)
            )
    return WindowMatrix(tuple(models), tuple(columns), tuple(cells), tuple(batches))


def _against_others(
    model: str, column: Column, rows: Iterable[ResultRow], units: Iterable[UnitRecord]
) -> CountedCell:
    """Count the comparisons of a model with all others in one window."""
    found = [row.outcome for row in rows if (row.label.model, row.label.test) == (model, column.test)]
    counts = {Status(outcome.value): found.count(outcome) for outcome in set(found)}
    bad = sum(
        (unit.label.model, unit.label.test) == (model, column.test) and unit.state in ENDED_BADLY
        for unit in units
    )
    return CountedCell(model, column, counts | ({Status.FAILED: bad} if bad else {}))


def counted_matrix(
    models: Sequence[str],
    columns: Sequence[Column],
    overview: Overview,
    *,
    expected: int,
    alphas: Mapping[str, float],
    independent: bool,
    units: Collection[UnitRecord] = (),
    totals: Mapping[tuple[str, str, str | None], float | None] | None = None,
    spreads: Mapping[tuple[str, str, str | None], tuple[float, float, float] | None] | None = None,
    opponents: int = 0,
) -> CountedMatrix:
    """Count an experiment's results over all windows; columns of tests over windows are left out.

    Parameters
    ----------
    expected
        Number of windows that the experiment has.
    alphas
        Level of each test, by the experiment's name.
    independent
        Whether the windows do not overlap; else no limit of chance is given.
    totals, spreads
        Sums of scores, or mean, least and greatest one, by model, test and reference.
    opponents
        Number of models with which a test against all others compares each of them.
    """
    columns = [column for column in columns if column.scope == "window"]
    all_pairs = {column.test for column in columns if column.against_all}
    found = {(cell.model, cell.test, cell.reference): cell for cell in _pooled(overview.cells, all_pairs)}
    bad: dict[tuple[str, str, str | None], int] = {}
    for unit in units:
        if unit.state in ENDED_BADLY:
            reference = None if unit.label.test in all_pairs else unit.label.reference
            place = (unit.label.model, unit.label.test, reference)
            bad[place] = bad.get(place, 0) + 1
    cells = []
    for model in models:
        for column in columns:
            place = (model, column.test, column.reference)
            due = 0 if model == column.reference else expected * (opponents if column.against_all else 1)
            counts = _counts(found.get(place), due, bad.get(place, 0))
            cell = CountedCell(
                model, column, counts, total=(totals or {}).get(place), spread=(spreads or {}).get(place)
            )
            if independent and cell.share is not None and column.test in alphas:
                alpha = alphas[column.test]
                limit = binomial_limit(cell.decided, alpha)
                cell = CountedCell(model, column, counts, limit, alpha=alpha)
            cells.append(cell)
    return CountedMatrix(tuple(models), tuple(columns), tuple(cells))


def _pooled(cells: Iterable[OverviewCell], all_pairs: Collection[str]) -> list[OverviewCell]:
    """Add up the comparisons of each model with all others."""
    pooled: dict[tuple[str, str], OverviewCell] = {}
    others = []
    for cell in cells:
        if cell.test not in all_pairs:
            others.append(cell)
            continue
        known = pooled.get((cell.model, cell.test))
        outcomes = {} if known is None else known.outcomes
        update = {
            "reference": None,
            "outcomes": {
                outcome: outcomes.get(outcome, 0) + cell.outcomes.get(outcome, 0)
                for outcome in {*outcomes, *cell.outcomes}
            },
            "n_windows": cell.n_windows + (0 if known is None else known.n_windows),
        }
        pooled[cell.model, cell.test] = cell.model_copy(update=update)
    return [*others, *pooled.values()]


def _counts(cell: OverviewCell | None, expected: int, bad: int) -> dict[Status, int]:
    outcomes: Mapping[Outcome, int] = {} if cell is None else cell.outcomes
    counts = {Status(outcome.value): count for outcome, count in outcomes.items() if count}
    absent = max(expected - (0 if cell is None else cell.n_windows), 0)
    failed = min(bad, absent)
    return counts | {
        status: count
        for status, count in ((Status.FAILED, failed), (Status.MISSING, absent - failed))
        if count
    }


def _registered(test: str, registered: Mapping[str, str]) -> str:
    if test in registered:
        return registered[test]
    try:
        return find_test(test).name
    except InputError:
        return test


def _without_result(model: str, column: Column, unit: UnitRecord | None) -> Status:
    if unit is not None:
        return Status.FAILED if unit.state in ENDED_BADLY else Status.RUNNING
    return Status.ITSELF if model == column.reference else Status.MISSING
