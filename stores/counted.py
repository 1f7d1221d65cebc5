"""The part of the interface of a results store that tells of all results of an experiment at once."""

from abc import ABC, abstractmethod
from datetime import datetime

from stores.columns import ResultColumns
from stores.exchange import Coverage, ExperimentSummary, Overview

__all__ = ["CountedResults"]


class CountedResults(ABC):
    """Counts of an experiment's latest results, and columns of them."""

    @abstractmethod
    def overview(self, experiment: str) -> Overview:
        """Count an experiment's latest results by test, model and outcome.

        Raises
        ------
        NotFound
            Where the store has no such experiment.
        """

    @abstractmethod
    def coverage(self, experiment: str, start_from: datetime | None = None) -> Coverage:
        """Count an experiment's latest results by model and window, in windows that start at `start_from` on.

        An unknown experiment has none.
        """

    @abstractmethod
    def columns(self, experiment: str, test: str, start_from: datetime | None = None) -> ResultColumns | None:
        """Read the latest results of one test of all models, in windows that start at `start_from` on.

        Parameters
        ----------
        test
            As the experiment calls it.

        Returns
        -------
        ResultColumns or None
            None where there are no such results, as of an unknown experiment.

        Raises
        ------
        CorruptRecord
            Where a latest row cannot be read.
        """

    @abstractmethod
    def experiments(self) -> list[ExperimentSummary]:
        """List all experiments that ever began a run, by name."""

    @abstractmethod
    def summarise(self, experiment: str) -> bool:
        """Keep what `overview`, `coverage`, `columns` and `experiments` tell of a large experiment.

        They tell the same without it, and take longer. What is kept is read until a result changes; to be
        called when results have been published or adopted, by who may write. Several may do it at once, and
        one that dies leaves nothing that is wrong. Of an experiment with less than 10,000 results, and where
        everything is kept already, nothing is done.

        Returns
        -------
        bool
            Whether anything was counted.

        Raises
        ------
        NotFound
            Where the store has no such experiment.
        CorruptRecord
            Where a latest row cannot be read.
        """
