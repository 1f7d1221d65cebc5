"""Files that pages offer: what pandas reads of them is what the pages say, and nothing in them is run."""

import io
import re
from typing import Any

import pandas as pd
import pytest

from dashboard._theme import DARK
from dashboard.launch import APP
from dashboard.views._files import as_csv, as_page, as_parquet
from forequake.results import Outcome
from stores import ResultQuery, open_store
from stores.testing import fill_store
from tests.dashboard.conftest import PageOpener
from tests.dashboard.offered import Offers
from tests.dashboard.reading import figures

VIEWS = sorted(file.stem for file in (APP.parent / "views").glob("*.py") if not file.stem.startswith("_"))
#: Views that draw nothing of an experiment without forecasts and events, or of its only run.
WITHOUT_FIGURES = {"catalog", "map", "provenance", "revisions"}


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Fill a store with an experiment whose names are odd."""
    url = f"sqlite:///{tmp_path_factory.mktemp('odd') / 'results.sqlite'}"
    fill_store(
        open_store(url),
        models=("=1+1", "-b", "c|d e"),
        tests=("N", "S", "T", "ROC"),
        windows=6,
        failed=1,
        experiment="Etna: spring/2024 \N{LATIN SMALL LETTER E WITH ACUTE}?",
    )
    return url


@pytest.mark.slow
@pytest.mark.parametrize("view", VIEWS)
def test_each_view_offers_its_rows_and_figures(
    view: str, page: PageOpener, odd: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    offers = Offers(monkeypatch)
    (row, *_) = open_store(odd).latest(ResultQuery(experiment=_name(odd), tests=("S",))).rows
    query = {"slot": row.label.slot} if view == "result" else {"experiment": _name(odd)}
    app = page(odd, view, **query)
    names = list(offers.made)
    assert all(re.fullmatch(r"\w[\w.@+-]*", name) for name in names), names
    endings = {name.rsplit(".", 1)[1] for name in names}
    if view not in WITHOUT_FIGURES:
        assert "html" in endings
        drawn = offers.of(next(name for name in names if name.endswith(".html"))).decode()
        assert drawn.count("plotly.js v") == 1
        assert not re.search(r'<(script|link|img)[^>]* (src|href)="?http', drawn)
        assert figures(app)
    if view == "result":
        assert "json" in endings
        return
    if not names:
        assert view in WITHOUT_FIGURES - {"provenance"}
        return
    assert {"csv", "parquet"} <= endings
    for name in (name for name in names if name.endswith(".parquet")):
        rows = pd.read_parquet(io.BytesIO(offers.of(name)))
        text = offers.of(name.replace(".parquet", ".csv"))
        read = pd.read_csv(io.BytesIO(text), keep_default_na=False, na_values=[""])
        assert list(read) == list(rows)
        assert len(read) == len(rows) > 0
        for column in rows:
            if pd.api.types.is_numeric_dtype(rows[column]):
                assert pd.api.types.is_numeric_dtype(read[column]), (name, column)
                pd.testing.assert_series_equal(
                    read[column].astype(float), rows[column].astype(float), rtol=1e-12
                )
        cells = [cell for line in text.decode().splitlines() for cell in line.split(",")]
        assert not [cell for cell in cells if cell.startswith(("=", "@", "+", "-b"))]


def _name(url: str) -> str:
    (summary,) = open_store(url).experiments()
    return summary.name


@pytest.mark.slow
def test_the_file_of_the_overview_has_the_stores_counts(
    page: PageOpener, odd: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    offers = Offers(monkeypatch)
    page(odd, experiment=_name(odd))
    (name,) = [name for name in offers.made if name.endswith(".parquet")]
    rows = pd.read_parquet(io.BytesIO(offers.of(name))).set_index(["model", "test"])
    for cell in open_store(odd).overview(_name(odd)).cells:
        row = rows.loc[(cell.model, cell.test)]
        assert row["rejected"] == cell.outcomes.get(Outcome.REJECTED, 0)
        assert row["undefined"] == cell.outcomes.get(Outcome.UNDEFINED, 0)


def test_a_column_of_numbers_and_words_is_one_of_words() -> None:
    rows: list[dict[str, Any]] = [
        {"a": 1.5, "b": None, "=c": "=1+1"},
        {"a": "< 1/n", "b": float("-inf"), "=c": "-"},
    ]
    read = pd.read_parquet(io.BytesIO(as_parquet(rows, ["a", "b", "=c"])))
    assert read["a"].tolist() == ["1.5", "< 1/n"]
    assert read["=c"].tolist() == ["=1+1", "-"]  # no spreadsheet runs what is in Parquet
    assert as_csv(rows, ["b", "=c"]) == b"b,'=c\n,'=1+1\n-inf,'-\n"
    assert pd.read_csv(io.BytesIO(as_csv(rows, ["b"])), skip_blank_lines=False)["b"].tolist()[1] == float(
        "-inf"
    )


def test_a_figure_drawn_for_the_dark_is_dark_in_its_file() -> None:
    import plotly.graph_objects as go

    page = as_page(go.Figure(go.Scatter(x=[1], y=[2])), "<b>", DARK).decode()
    assert f'"paper_bgcolor":"{DARK.background}"' in page
    assert "<title>&lt;b&gt;</title>" in page
