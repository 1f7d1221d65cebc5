"""What a report is made from: one experiment of a store, or a part of it, read within bounds and once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from pydantic import ValidationError

from dashboard._experiment import (
    MOST_IN_COLUMNS,
    ScoreSummary,
    Windows,
    axes,
    count_windows,
    is_dependent,
    over_windows_of,
    pairs_since,
    registered_name,
    rows_of,
    summary_of,
    windows_of,
)
from dashboard._forecast_sums import ForecastSums, seen_in, sums_of
from dashboard.figures.cells import Column, CountedMatrix, Span, WindowMatrix, window_matrix
from dashboard.figures.events import SeenEvents
from dashboard.figures.grids import Grid, grid_of
from dashboard.figures.pixels import Pixels, pixels_of
from forequake.config import ExperimentConfig
from forequake.errors import CorruptRecord, ForecastError, InputError, NotFound, unknown
from forequake.evaluations.registry import TESTS, TestDefinition
from forequake.experiments import Experiment
from forequake.quantities import Sha256, now
from forequake.results import (
    EnvironmentRecord,
    EvaluationRecord,
    ExperimentRecord,
    RunRecord,
    UnitRecord,
    UnitState,
)
from forequake.windows import TimeWindow
from stores import (
    ExperimentSummary,
    Overview,
    OverviewCell,
    ResultColumns,
    ResultQuery,
    ResultRow,
    ResultsStore,
)

__all__ = ["Choice", "Material"]


@dataclass(frozen=True)
class Choice:
    """The part of an experiment that a report shows; nothing named means all.

    Attributes
    ----------
    window
        The id of one window.
    against
        Another experiment, to compare with; else it is the same one before its latest run.
    """

    window: str | None = None
    models: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    against: str | None = None


class Material:
    """An experiment of a store, read for one report.

    Parameters
    ----------
    choice
        The part of it to show.

    Raises
    ------
    InputError
        Where the store has no such experiment, or the experiment not what `choice` names.

    Attributes
    ----------
    read_at
        When it was read.
    """

    def __init__(self, store: ResultsStore, experiment: str, choice: Choice | None = None) -> None:
        self.store = store
        self.choice = Choice() if choice is None else choice
        self.read_at: datetime = now()
        summaries = {summary.name: summary for summary in store.experiments()}
        for name in (experiment, self.choice.against):
            if name is not None and name not in summaries:
                raise InputError(unknown("experiment", name, list(summaries)))
        self.summary: ExperimentSummary = summaries[experiment]
        self.counted: Overview = store.overview(experiment)
        self.all_models, self.all_columns = axes(self.counted, self.config, self._registered)
        self._read: dict[str, ResultColumns | None] = {}
        self._sums: dict[tuple[str, TimeWindow], ForecastSums | None] = {}
        self._grids: dict[Column, Grid | None] = {}
        self._check()

    def _check(self) -> None:
        known = {
            "model": (self.choice.models, tuple(self.all_models)),
            "test": (self.choice.tests, tuple(dict.fromkeys(column.test for column in self.all_columns))),
        }
        for what, (asked, names) in known.items():
            for name in asked:
                if name not in names:
                    raise InputError(unknown(what, name, names))
        ids = [summary.window.id for summary in self.windows.listed]
        if self.choice.window is not None and self.choice.window not in ids:
            raise InputError(unknown("window with results", self.choice.window, ids))

    # --- what it is of -------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The experiment's name."""
        return self.summary.name

    @cached_property
    def record(self) -> ExperimentRecord:
        """The experiment as its latest run resolved it."""
        return self.store.get(ExperimentRecord, self.summary.record_key)

    @cached_property
    def config(self) -> ExperimentConfig | None:
        """Its configuration; None where it is not one that this forequake understands."""
        try:
            return ExperimentConfig.model_validate(self.record.config)
        except ValidationError:
            return None

    @cached_property
    def experiment(self) -> Experiment:
        """The resolved experiment, with its region and observed catalog.

        Raises
        ------
        NotFound
            Where the store lacks one of them.
        """
        return Experiment.from_store(self.store, self.summary.record_key)

    @cached_property
    def runs(self) -> tuple[RunRecord, ...]:
        """The last runs, latest first."""
        return tuple(self.store.runs(self.name, 10))

    @cached_property
    def environment(self) -> EnvironmentRecord | None:
        """Where the latest run computed; None where that was not kept."""
        if not self.runs or self.runs[0].environment is None:
            return None
        try:
            return self.store.get(EnvironmentRecord, self.runs[0].environment)
        except NotFound:
            return None

    @cached_property
    def units(self) -> tuple[UnitRecord, ...]:
        """Computations that are under way or ended badly."""
        return tuple(self.store.units(self.name))

    @property
    def bad_units(self) -> tuple[UnitRecord, ...]:
        """Those that ended badly, of what is shown."""
        return tuple(unit for unit in self.units if unit.state is not UnitState.RUNNING and self._shows(unit))

    def _shows(self, unit: UnitRecord) -> bool:
        label, window = unit.label, self.window
        tests = {column.test for column in self.columns}
        return (
            label.model in self.models and label.test in tests and (window is None or label.window == window)
        )

    # --- what is shown -------------------------------------------------------------------------------------

    @property
    def models(self) -> tuple[str, ...]:
        """The models to show, in the experiment's order."""
        return tuple(name for name in self.all_models if not self.choice.models or name in self.choice.models)

    @property
    def columns(self) -> tuple[Column, ...]:
        """The tests to show, with their references."""
        chosen = self.choice.tests
        return tuple(column for column in self.all_columns if not chosen or column.test in chosen)

    @property
    def window(self) -> TimeWindow | None:
        """The one window to show; None for all."""
        if self.choice.window is None:
            return self.windows.listed[0].window if len(self.windows.listed) == 1 else None
        return TimeWindow.from_id(self.choice.window)

    @property
    def one_window(self) -> TimeWindow | None:
        """The window for figures of a single one: the chosen one, else the latest."""
        if self.window is not None or not self.windows.listed:
            return self.window
        return self.windows.listed[-1].window

    @cached_property
    def windows(self) -> Windows:
        """The windows that have results."""
        spans = {row.label.window for row, _ in self.over_windows}
        return windows_of(self.counted, self._spanning, spans, self._columns)

    @property
    def dependent(self) -> bool:
        """Whether windows share time, so that their results depend on one another."""
        return is_dependent(self.windows, self.config)

    def events_in(self, window: TimeWindow) -> int | None:
        """Give the number of target events in a window."""
        return next((one.n_observed for one in self.windows.listed if one.window == window), None)

    # --- results -------------------------------------------------------------------------------------------

    @cached_property
    def over_windows(self) -> tuple[tuple[ResultRow, Span], ...]:
        """The results over all windows, and what they are made from."""
        if not self._spanning:
            return ()
        read = [self._columns(test) for test in self._spanning]
        return over_windows_of(self.store, [each for each in read if each is not None])

    def matrix_of(self, window: TimeWindow, columns: Sequence[Column]) -> WindowMatrix:
        """Put the results of a window into a matrix."""
        units = [unit for unit in self.units if unit.label.window == window]
        return window_matrix(self.models, columns, self.rows_in(window), units)

    def matrix_over_windows(self, columns: Sequence[Column]) -> WindowMatrix:
        """Put the results over all windows into a matrix."""
        tests = {column.test for column in columns}
        units = [unit for unit in self.units if unit.label.test in tests]
        rows = [row for row, _ in self.over_windows]
        return window_matrix(
            self.models, columns, rows, units, {row.key: span for row, span in self.over_windows}
        )

    def counts(self, columns: Sequence[Column]) -> CountedMatrix:
        """Count the results over all windows."""
        return count_windows(
            self.models,
            columns,
            self.counted,
            self.windows,
            self.config,
            self._scores,
            units=self.units,
            opponents=len(self.all_models) - 1,
        )

    def rows_in(self, window: TimeWindow) -> tuple[ResultRow, ...]:
        """Read the results of one window."""
        query = ResultQuery(experiment=self.name, window=window)
        return tuple(rows_of(self.store, query))

    def rows_of(self, column: Column) -> tuple[ResultRow, ...]:
        """Read whole rows of one test of each model, of the latest windows that fit into what is read."""
        references = () if column.reference is None else (column.reference,)
        since = pairs_since(self.windows.listed, len(self.all_models))
        query = ResultQuery(
            experiment=self.name, tests=(column.test,), references=references, start_from=since
        )
        return tuple(rows_of(self.store, query))

    def columns_of(self, column: Column) -> ResultColumns | None:
        """Read the results of one test in the windows that fit into what is read, the latest ones."""
        others = len(self.all_models) - 1 if column.against_all else 1
        since = pairs_since(self.windows.listed, len(self.all_models) * others, MOST_IN_COLUMNS)
        found = self._columns(column.test)
        if found is not None and since is not None:
            found = found.since(since)
        if found is not None and column.reference is not None:
            found = found.where(found.reference == found.code_of("references", column.reference))
        return found

    def grid(self, column: Column) -> Grid | None:
        """Put the results of one test of all models into arrays; None where there is none."""
        if column not in self._grids:
            columns = self.columns_of(column)
            found = None
            if columns is not None and len(columns):
                first = columns.windows[0].start
                due = [one.window for one in self.windows.listed if one.window.start >= first]
                found = grid_of(columns, self.all_models, due)
            self._grids[column] = None if found is None else found.with_units(self.units)
        return self._grids[column]

    def expected_of(self, model: str) -> dict[TimeWindow, float]:
        """Give a model's expected number of events by windows, as the test says that it has in most."""
        cells = [cell for cell in self.counted.cells if cell.model == model]
        if not cells:
            return {}
        cell = max(cells, key=lambda each: each.n_windows)
        columns = self._columns(cell.test)
        if columns is None:
            return {}
        found = columns.of(model, cell.reference)
        return dict(zip(found.windows, found.n_forecast.tolist(), strict=True))

    # --- inputs --------------------------------------------------------------------------------------------

    @cached_property
    def has_inputs(self) -> bool:
        """Whether the store still has the region and the observed catalog."""
        if self.config is None:
            return False
        try:
            return self.experiment.config is not None
        except (NotFound, CorruptRecord, InputError):
            return False

    @cached_property
    def pixels(self) -> Pixels:
        """The region as a map."""
        return pixels_of(self.experiment.region)

    def seen(self, window: TimeWindow) -> SeenEvents:
        """Give all events of the catalog in a window and on the map."""
        return seen_in(self.experiment, window, self.pixels)

    def sums(self, model: str, window: TimeWindow) -> ForecastSums | None:
        """Sum up a forecast; None where the store does not have it."""
        if (model, window) not in self._sums:
            try:
                sums = sums_of(self.store, self.experiment, self.pixels, model, window)
            except (NotFound, ForecastError):
                sums = None
            self._sums[model, window] = sums
        return self._sums[model, window]

    # --- one by one ----------------------------------------------------------------------------------------

    def _columns(self, test: str) -> ResultColumns | None:
        """Read the results of one test of all models in all windows."""
        if test not in self._read:
            self._read[test] = self.store.columns(self.name, test)
        return self._read[test]

    def _scores(self, cell: OverviewCell) -> ScoreSummary:
        columns = self._columns(cell.test)
        return ScoreSummary() if columns is None else summary_of(columns.of(cell.model, cell.reference))

    def _registered(self, test: str) -> str | None:
        return registered_name(self.store, self.counted, test)

    @property
    def _spanning(self) -> tuple[str, ...]:
        return tuple(sorted({column.test for column in self.all_columns if column.scope == "windows"}))

    def definition(self, test: str) -> TestDefinition | None:
        """Give what is known of a test, by the experiment's name; None where forequake knows it no more."""
        specs = () if self.config is None else self.config.tests
        name = next((spec.test for spec in specs if spec.name == test), None) or self._registered(test)
        return TESTS.get(name or "")

    def records(self, keys: Sequence[Sha256]) -> dict[Sha256, EvaluationRecord]:
        """Read whole results, with their distributions."""
        return self.store.get_many(EvaluationRecord, keys)
