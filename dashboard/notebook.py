"""The dashboard's figures and tables for notebooks and scripts: an experiment's name in, figures out."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from dashboard._theme import theme_of
from dashboard.report.blocks import Block, Picture, Table
from dashboard.report.material import Choice, Material
from dashboard.report.sections import sections_of
from forequake.windows import TimeWindow
from stores import ResultsStore, open_store, resolve_store

__all__ = ["figures", "tables"]


def figures(
    experiment: str,
    store: ResultsStore | str | None = None,
    *,
    window: TimeWindow | str | None = None,
    models: Sequence[str] = (),
    tests: Sequence[str] = (),
    theme: str = "light",
) -> dict[str, go.Figure]:
    """Draw an experiment's results as the dashboard and reports do.

    Parameters
    ----------
    experiment
        Its name in the store.
    store
        The store, or its address; the default is ``FOREQUAKE_STORE`` or the store of this user.
    window
        One window, or its id, such as ``2019-07-06T00:00:00Z_2019-07-07T00:00:00Z``; by default figures count
        all windows, and those of a single window show the latest.
    models, tests
        Only these; by default all.
    theme
        ``light`` or ``dark``.

    Returns
    -------
    dict
        Figures by their names, such as ``overview-1`` and ``consistency-N``, in the order of a report.
        What a figure says in words is its ``layout.meta["alt"]``, how to read it ``layout.meta["caption"]``.

    Raises
    ------
    InputError
        Where the store has no such experiment, or the experiment no such window, model or test.
    StoreError
        Where the store cannot be read.

    Examples
    --------
    >>> shown = figures("ridgecrest", "sqlite:///results.sqlite")  # doctest: +SKIP
    >>> shown["consistency-N"].show()  # doctest: +SKIP
    """
    drawn = {}
    for block in _blocks(experiment, store, window, models, tests):
        if isinstance(block, Picture):
            figure = block.draw(theme_of(theme))
            figure.update_layout(meta={"alt": block.alt, "caption": block.caption})
            drawn[block.name] = figure
    return drawn


def tables(
    experiment: str,
    store: ResultsStore | str | None = None,
    *,
    window: TimeWindow | str | None = None,
    models: Sequence[str] = (),
    tests: Sequence[str] = (),
) -> dict[str, list[dict[str, Any]]]:
    """Give an experiment's results as the tables of a report, by their titles; see `figures`.

    Each is a list of rows that ``pandas.DataFrame`` takes.
    """
    found = [block for block in _blocks(experiment, store, window, models, tests) if isinstance(block, Table)]
    return {table.title: [dict(row) for row in table.rows] for table in found}


def _blocks(
    experiment: str,
    store: ResultsStore | str | None,
    window: TimeWindow | str | None,
    models: Sequence[str],
    tests: Sequence[str],
) -> list[Block]:
    name = window.id if isinstance(window, TimeWindow) else window
    choice = Choice(window=name, models=tuple(models), tests=tuple(tests))
    source = store if isinstance(store, ResultsStore) else open_store(resolve_store(store), read_only=True)
    sections = sections_of(Material(source, experiment, choice))
    return [block for section in sections for block in section.blocks]
