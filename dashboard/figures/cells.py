"""The overview matrix as data: models in rows, tests in columns, for one window or counted over all."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from dashboard._words import letters as letters_of
from dashboard.figures.marks import Status
from forequake.errors import InputError
from forequake.evaluations.registry import TESTS, find_test
from forequake.results import Outcome, UnitRecord, UnitState
from stores import Overview, OverviewCell, ResultRow

__all__ = [
    "Column",
    "CountedCell",
    "CountedMatrix",
    "WindowCell",
    "WindowMatrix",
    "binomial_limit",
    "columns_of",
    "counted_matrix",
    "window_matrix",
]

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
    """

    test: str
    reference: str | None
    letters: str

    @property
    def name(self) -> str:
        """The experiment's name of the test, and the reference where there is one."""
        return self.test if self.reference is None else f"{self.test} vs {self.reference}"


@dataclass(frozen=True)
class WindowCell:
    """A test of a model in one window: its result, or why there is none."""

    model: str
    column: Column
    status: Status
    row: ResultRow | None = None
    unit: UnitRecord | None = None


@dataclass(frozen=True)
class WindowMatrix:
    """Cells of one window, row by row."""

    models: tuple[str, ...]
    columns: tuple[Column, ...]
    cells: tuple[WindowCell, ...]


@dataclass(frozen=True)
class CountedCell:
    """A test of a model, counted over windows.

    Attributes
    ----------
    counts
        Number of windows by status, ``failed`` and ``missing`` among them.
    limit
        The largest number of rejections that chance gives a true forecast in 95 % of cases; None where it
        has no meaning (a comparison, or windows that overlap).
    total
        Sum of the scores of the windows; None for other tests, and where scores do not add up.
    """

    model: str
    column: Column
    counts: Mapping[Status, int] = field(default_factory=dict)
    limit: int | None = None
    total: float | None = None

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
        if self.column.reference is not None or not self.decided:
            return None
        return self.counts.get(Status.REJECTED, 0) / self.decided

    @property
    def beyond_chance(self) -> bool:
        """Whether more windows are rejected than the limit."""
        return self.limit is not None and self.counts.get(Status.REJECTED, 0) > self.limit


@dataclass(frozen=True)
class CountedMatrix:
    """Cells over all windows, row by row."""

    models: tuple[str, ...]
    columns: tuple[Column, ...]
    cells: tuple[CountedCell, ...]


_ENDED_BADLY = frozenset(
    {
        UnitState.FAILED,
        UnitState.TIMED_OUT,
        UnitState.KILLED,
        UnitState.CRASHED,
        UnitState.UPSTREAM_FAILED,
    }
)


def binomial_limit(windows: int, alpha: float) -> int:
    """Give the largest number of rejections that chance alone explains, at 95 %.

    Parameters
    ----------
    windows
        Number of independent windows with a verdict.
    alpha
        Probability of rejecting a true forecast in one of them.

    Returns
    -------
    int
        The least k with P(X <= k) >= 0.95 for X binomial(windows, alpha).

    Examples
    --------
    >>> binomial_limit(100, 0.05), binomial_limit(1, 0.05)
    (9, 0)
    """
    from scipy.special import bdtr

    return next(k for k in range(windows + 1) if k == windows or bdtr(k, windows, alpha) >= 0.95)


def columns_of(places: Iterable[tuple[str, str | None]], registered: Mapping[str, str]) -> tuple[Column, ...]:
    """Put tests into the order of columns: N, M, S, L, CL, further consistency tests, comparisons.

    Parameters
    ----------
    places
        Pairs of test and reference, in any order and with repetitions.
    registered
        From the experiment's name of a test to forequake's, as far as it is known.
    """
    unique = sorted(set(places), key=lambda place: (place[0], place[1] or ""))
    known = {test: _registered(test, registered) for test, _ in unique}
    letters = {test: letters_of(name) or test for test, name in known.items()}
    repeated = [short for short in letters.values() if list(letters.values()).count(short) > 1]
    columns = [
        Column(test, reference, test if letters[test] in repeated else letters[test])
        for test, reference in unique
    ]
    registry = {name: place for place, name in enumerate(TESTS)}

    def position(column: Column) -> tuple[str, int, int, str]:
        short = letters[column.test]
        return (
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
) -> WindowMatrix:
    """Put the results of one window into their cells.

    Parameters
    ----------
    rows, units
        Of this window; what is not of the models and columns is left out. A unit counts only where there
        is no result.
    """
    results = {(row.label.model, row.label.test, row.label.reference): row for row in rows}
    troubles = {(unit.label.model, unit.label.test, unit.label.reference): unit for unit in units}
    cells = []
    for model in models:
        for column in columns:
            place = (model, column.test, column.reference)
            row, unit = results.get(place), troubles.get(place)
            if row is not None:
                cells.append(WindowCell(model, column, Status(row.outcome.value), row=row))
            else:
                cells.append(WindowCell(model, column, _without_result(model, column, unit), unit=unit))
    return WindowMatrix(tuple(models), tuple(columns), tuple(cells))


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
) -> CountedMatrix:
    """Count an experiment's results over all windows.

    Parameters
    ----------
    expected
        Number of windows that the experiment has.
    alphas
        Level of each test, by the experiment's name.
    independent
        Whether the windows do not overlap; else no limit of chance is given.
    totals
        Sums of scores, by model, test and reference.
    """
    found = {(cell.model, cell.test, cell.reference): cell for cell in overview.cells}
    bad: dict[tuple[str, str, str | None], int] = {}
    for unit in units:
        if unit.state in _ENDED_BADLY:
            place = (unit.label.model, unit.label.test, unit.label.reference)
            bad[place] = bad.get(place, 0) + 1
    cells = []
    for model in models:
        for column in columns:
            place = (model, column.test, column.reference)
            counts = _counts(
                found.get(place), 0 if model == column.reference else expected, bad.get(place, 0)
            )
            cell = CountedCell(model, column, counts, total=(totals or {}).get(place))
            if independent and column.reference is None and column.test in alphas and cell.decided:
                limit = binomial_limit(cell.decided, alphas[column.test])
                cell = CountedCell(model, column, counts, limit)
            cells.append(cell)
    return CountedMatrix(tuple(models), tuple(columns), tuple(cells))


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
        return Status.FAILED if unit.state in _ENDED_BADLY else Status.RUNNING
    return Status.ITSELF if model == column.reference else Status.MISSING
