"""Reports: what they hold against the store's own counts, and when a file is replaced."""

import base64
import gzip
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote
from xml.etree import ElementTree

import numpy as np
import pytest

from dashboard._theme import DARK, LIGHT
from dashboard._words import number, quantile
from dashboard.report import Choice, write_report
from dashboard.report.blocks import Picture, Table, Words
from dashboard.report.drawing import browser_program
from dashboard.report.material import Material
from dashboard.report.page import _spec, differences
from dashboard.report.sections import sections_of
from flows.cli import main
from forequake.errors import InputError
from forequake.evaluations.registry import find_test
from forequake.results import Outcome
from stores import ResultQuery, open_store
from stores.testing import fill_store
from tests.conftest import CaliforniaRun

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

B = TypeVar("B", Picture, Table, Words)

pytestmark = pytest.mark.slow  # whole reports, with plotly.js in each


@pytest.fixture(autouse=True)
def no_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no browser draw figures, which takes seconds, but where a test asks for it."""
    monkeypatch.setenv("FOREQUAKE_BROWSER", "")


@pytest.fixture(scope="module")
def weeks(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Fill a store with five windows, of which some units failed; a model's name is full of marks."""
    url = f"sqlite:///{tmp_path_factory.mktemp('report') / 'results.sqlite'}"
    models = ("alpha", "<b>|beta*", "gamma")
    fill_store(open_store(url), models=models, tests=("N", "S", "T"), windows=5, failed=2, experiment="weeks")
    return url


@pytest.fixture(scope="module")
def page(weeks: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("page") / "weeks.html"
    assert write_report(open_store(weeks), "weeks", path) == path.stat().st_size
    return path.read_text()


def _specs(page: str) -> list[dict[str, Any]]:
    found = re.findall(r'<script type="application/(json|gzip)">(.*?)</script>', page, re.DOTALL)
    return [
        json.loads(text if kind == "json" else gzip.decompress(base64.b64decode(text)))
        for kind, text in found
    ]


def test_a_page_has_one_plotly_and_asks_no_host(page: str) -> None:
    head, body = page.split("<body>")
    assert body.count("plotly.js v") == 1
    assert "default-src 'none'" in head
    own = body[: body.index("plotly.js v")]
    assert not re.search(r'(src|href)="(?!#|data:)', own)


def test_names_are_text_and_never_markup(page: str) -> None:
    shown = page[: page.index("plotly.js v")]
    assert "<b>|beta" not in shown
    assert "&lt;b&gt;|beta*" in shown


def test_the_matrix_counts_what_the_store_counts(page: str, weeks: str) -> None:
    spec = next(spec for spec in _specs(page) if spec["name"] == "overview-1")
    shown: dict[tuple[str, ...], str] = {}
    for trace in spec["figure"]["data"]:
        if trace.get("name") == "rejected":
            shown |= {
                tuple(place): text for place, text in zip(trace["customdata"], trace["text"], strict=True)
            }
    for cell in open_store(weeks).overview("weeks").cells:
        if cell.reference is None:
            rejected = cell.outcomes.get(Outcome.REJECTED, 0)
            decided = rejected + cell.outcomes.get(Outcome.PASSED, 0)
            assert shown[cell.model, cell.test, ""] == f"{rejected}/{decided}"


def test_rejections_at_the_end_are_the_stores_counts(page: str, weeks: str) -> None:
    said = re.findall(r'aria-label="Share of rejections up to each window; at the end ([^"]*)"', page)[0]
    for cell in open_store(weeks).overview("weeks").cells:
        if cell.test == "N" and cell.model in ("alpha", "gamma"):
            rejected = cell.outcomes.get(Outcome.REJECTED, 0)
            decided = rejected + cell.outcomes.get(Outcome.PASSED, 0)
            assert f"{cell.model} {rejected} of {decided}" in said


def _blocks(of: Material, kind: type[B]) -> list[B]:
    return [block for section in sections_of(of) for block in section.blocks if isinstance(block, kind)]


def test_all_numbers_of_a_window_are_those_of_forequake_results(
    weeks: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    window = Material(open_store(weeks), "weeks").windows.listed[2].window
    of = Material(open_store(weeks), "weeks", Choice(window=window.id))
    (table,) = [block for block in _blocks(of, Table) if block.title == "Results of this window"]
    monkeypatch.setattr("sys.argv", ["forequake", "results", "weeks", "--format", "json", "--store", weeks])
    with pytest.raises(SystemExit):
        main()
    told = {
        (one["model"], one["test"]): one
        for one in json.loads(capsys.readouterr().out)
        if one["window"] == window.id
    }
    rows = {(row["model"], row["test"]): row for row in table.rows if row["expected"] is not None}
    assert told.keys() == rows.keys()
    assert len(told) > 3
    for place, one in told.items():
        row = rows[place]
        assert [row[name] for name in ("reference", "events", "expected", "reason")] == [
            one[name] for name in ("reference", "n_observed", "n_forecast", "reason")
        ]
        assert row["statistic"] == (None if one["statistic"] is None else float(one["statistic"]))
        for name, value in one["quantiles"].items():
            assert row[name] in (value, quantile(value), quantile(value, "n"))


def test_maps_are_of_the_forecasts_that_were_tested(california: CaliforniaRun) -> None:
    store = open_store(california.store_url)
    of = Material(store, "california")
    pictures = {block.name: block for block in _blocks(of, Picture)}
    for row in store.latest(ResultQuery(experiment="california", tests=("N",))).rows:
        alt = pictures[f"map-{row.label.model}"].alt
        assert f"{number(row.n_forecast)} events expected, {row.n_observed} came" in alt
    row = next(
        row
        for row in store.latest(ResultQuery(experiment="california", tests=("T",))).rows
        if row.label.model == "aftershock"
    )
    assert f"mean is {number(row.information_gain)} nats per event" in pictures["gain-aftershock"].caption
    drawn = pictures["comparison-T-mainshock"].draw(LIGHT)
    assert any(row.information_gain in (trace.x or ()) for trace in drawn.data)
    assert f"of which {row.n_observed} count" in pictures["magnitudes-over-time"].caption


def test_numbers_over_windows_alarms_and_changes_are_the_stores(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'results.sqlite'}"
    store = open_store(url)
    models = tuple(f"m{place:02d}" for place in range(15))
    fill_store(store, models=models, tests=("N", "ROC"), windows=4, experiment="weeks")
    fill_store(store, models=models[:3], tests=("N",), windows=4, experiment="others", seed=9)
    of = Material(store, "weeks", Choice(against="others"))
    pictures = {block.name: block for block in _blocks(of, Picture)}
    tables = {block.title: block for block in _blocks(of, Table)}
    column = next(column for column in of.columns if column.test == "N")
    grid = of.grid(column)
    assert grid is not None
    for row, expected in zip(tables["Parts of the score"].rows, grid.expected, strict=True):
        scores = expected - grid.events * np.log(expected)
        assert row["mean score"] == pytest.approx(scores.mean())
        parts = row["miscalibration"] - row["discrimination"] + row["uncertainty"]
        assert parts == pytest.approx(row["mean score"])
    # Matrices and small pictures of 15 models are broken into parts that fit a page.
    assert {"overview-1", "overview-2", "mean-reliability-1", "mean-reliability-2"} <= pictures.keys()
    shown = [
        name
        for name in ("overview-1", "overview-2")
        for name in pictures[name].draw(LIGHT).layout.yaxis.ticktext
    ]
    assert shown == list(models)
    areas = tables["ROC: areas in this window"].rows
    roc = next(one for one in of.columns if one.test == "ROC")
    defined = [row for row in of.rows_of(roc) if row.statistic is not None]
    window = max(row.label.window.start for row in defined)
    told = {
        row["model"]: row[find_test("ROC").measure]
        for row in areas
        if row[find_test("ROC").measure] is not None
    }
    assert told == {row.label.model: row.statistic for row in defined if row.label.window.start == window}
    said = next(block.text for block in _blocks(of, Words) if block.text.startswith("Before: others"))
    former, latter = (
        {
            (row.label.model, row.label.window): row
            for row in store.latest(ResultQuery(experiment=name, tests=("N",))).rows
        }
        for name in ("others", "weeks")
    )
    changed = sum(former[place].outcome is not latter[place].outcome for place in former)
    assert f"{changed} other outcome" in said or not changed
    assert len(tables["Changed outcomes"].rows) == changed


def test_each_figure_says_in_words_what_it_shows_and_how_to_read_it(page: str) -> None:
    figures = re.findall(r"<figure>.*?</figure>", page, re.DOTALL)
    assert len(figures) >= 3
    for figure in figures:
        assert re.search(r'role="group" aria-label="[^"]{20,}"', figure)
        assert re.search(r"<figcaption>[^<]{30,}</figcaption>", figure)


def test_the_dark_drawing_is_the_light_one_with_its_differences(weeks: str) -> None:
    for picture in _blocks(Material(open_store(weeks), "weeks"), Picture):
        light, dark = (_spec(picture.draw(theme), theme) for theme in (LIGHT, DARK))
        changes = list(differences(light, dark))
        assert 0 < len(changes) < 300
        for path, value in changes:
            at: Any = light
            for step in path[:-1]:
                at = at[step]
            at[path[-1]] = value
        assert light == dark


def test_what_is_missing_and_how_outcomes_are_decided_is_said(page: str) -> None:
    text = re.sub(r"<[^>]+>", "", page[: page.index("plotly.js v")])
    assert "2 computations ended badly" in text
    assert "rejected when delta1 = P(X &gt;= N) or delta2 = P(X &lt;= N) is below alpha/2" in text
    assert "Windows with results5 of " in text


def test_a_part_of_an_experiment_is_of_that_part_alone(weeks: str, tmp_path: Path) -> None:
    store = open_store(weeks)
    window = Material(store, "weeks").windows.listed[2].window
    path = tmp_path / "part.md"
    write_report(store, "weeks", path, choice=Choice(window.id, ("gamma",), ("N",)))
    said = path.read_text()
    assert "Shown are 1 of 3 models and 1 of 3 tests." in said
    assert "| gamma | N |" in said
    assert "| alpha | N |" not in said
    row = next(row for row in Material(store, "weeks").rows_in(window) if row.label.model == "gamma")
    assert f", {row.n_observed or 'no'} event" in said


def test_markdown_has_the_same_tables_and_says_where_figures_are(weeks: str, tmp_path: Path) -> None:
    path = tmp_path / "weeks.md"
    write_report(open_store(weeks), "weeks", path)
    said = path.read_text()
    assert said.startswith("<!-- forequake report -->\n\n# weeks: results\n")
    assert r"| \<b\>\|beta\* | N |" in said
    assert "they are in this report's HTML form" in said
    lines = [line for line in said.splitlines() if line.startswith("|")]
    assert len({line.replace(r"\|", "").count("|") for line in lines}) > 1
    assert all(line.endswith("|") for line in lines)


def _await(true: Callable[[], object]) -> None:
    """Wait for a page; its policy forbids what Playwright waits with."""
    until = time.monotonic() + 20
    while not true():
        assert time.monotonic() < until
        time.sleep(0.1)


@pytest.mark.browser
def test_a_browser_draws_it_in_both_themes_and_asks_no_host(
    page: str, tmp_path: Path, browser: "BrowserContext"
) -> None:
    path = tmp_path / "weeks.html"
    path.write_text(page)
    said: list[str] = []
    asked: list[str] = []
    tab = browser.pages[0]
    tab.on("console", lambda message: said.append(message.text))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.on("request", lambda request: asked.append(request.url))
    tab.emulate_media(color_scheme="dark")
    tab.goto(path.as_uri())
    tab.wait_for_selector("html[data-drawn]")
    drawn = tab.locator(".drawing .main-svg").count()
    assert tab.locator(".plot").count() == len(_specs(page)) <= drawn
    background = "getComputedStyle(document.querySelector('.drawing .main-svg')).backgroundColor"
    assert tab.evaluate(background) == "rgb(18, 22, 28)"
    tab.emulate_media(color_scheme="light")
    _await(lambda: tab.evaluate(background) == "rgb(255, 255, 255)")
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    _await(lambda: tab.evaluate("!document.querySelector('details:not([open])')"))
    widest = (
        "Math.max(...[...document.querySelectorAll('.plot')].map((p) => p.getBoundingClientRect().width))"
    )
    tab.set_viewport_size({"width": 680, "height": 900})
    _await(lambda: tab.evaluate(widest) <= 681)
    assert not said
    assert [url for url in asked if not url.startswith(("data:", "blob:", path.as_uri()))] == []


@pytest.mark.browser
def test_markdown_has_its_figures_beside_it(
    weeks: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FOREQUAKE_BROWSER")
    if browser_program() is None:
        pytest.skip("there is no Chromium to draw with")
    path, store, choice = tmp_path / "a week.md", open_store(weeks), Choice(tests=("N",))
    write_report(store, "weeks", path, choice=choice)
    links = re.findall(r"!\[.*?\]\(<(.*?)>\)", path.read_text())
    assert "a%20week_files/consistency-N.svg" in links
    assert sorted(path.parent / unquote(link) for link in links) == sorted(tmp_path.glob("*/*"))
    drawn = (tmp_path / "a week_files" / "consistency-N.svg").read_text()
    assert "gamma" in "".join(ElementTree.fromstring(drawn).itertext())  # made just now
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a week.md", "a week_files"]
    mine = tmp_path / "a week_files" / "mine.txt"
    mine.write_text("mine")
    with pytest.raises(InputError, match="more than figures"):
        write_report(store, "weeks", path, choice=choice)
    assert mine.read_text() == "mine"


def test_a_browser_that_fails_leaves_words(
    weeks: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOREQUAKE_BROWSER", "/bin/false")
    write_report(open_store(weeks), "weeks", tmp_path / "weeks.md", choice=Choice(tests=("N",)))
    assert "HTML form" in (tmp_path / "weeks.md").read_text()
    assert [file.name for file in tmp_path.iterdir()] == ["weeks.md"]


@pytest.mark.parametrize(
    ("choice", "word"),
    [
        (Choice(models=("gama",)), "gamma"),
        (Choice(tests=("M",)), "'M'"),
        (Choice(window="2020"), "2020"),
        (Choice(against="week"), "weeks"),
    ],
)
def test_a_part_that_is_not_there_is_named(weeks: str, tmp_path: Path, choice: Choice, word: str) -> None:
    with pytest.raises(InputError, match=word):
        write_report(open_store(weeks), "weeks", tmp_path / "x.html", choice=choice)
    assert not list(tmp_path.iterdir())


def test_only_a_report_of_the_same_kind_is_replaced(weeks: str, tmp_path: Path) -> None:
    store, path = open_store(weeks), tmp_path / "notes.md"
    path.write_text("# My notes\n")
    with pytest.raises(InputError, match="no report"):
        write_report(store, "weeks", path)
    assert path.read_text() == "# My notes\n"
    write_report(store, "weeks", path, force=True)
    write_report(store, "weeks", path)  # its own
    assert [file.name for file in tmp_path.iterdir()] == ["notes.md"]


def test_a_report_that_cannot_be_finished_leaves_the_former_one(
    weeks: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "weeks.md"
    write_report(open_store(weeks), "weeks", path)
    before = path.read_text()

    def broken(*_: object, **__: object) -> Any:
        yield "half"
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("dashboard.report.write.markdown_of", broken)
    with pytest.raises(InputError, match="No space left"):
        write_report(open_store(weeks), "weeks", path)
    assert path.read_text() == before
    assert [file.name for file in tmp_path.iterdir()] == ["weeks.md"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("weeks", "-o", "weeks.html"), 0, "weeks.html: "),
        (("weeks",), 0, "weeks.html: "),
        (("week",), 2, "weeks"),
        (("weeks", "-o", "weeks.pdf"), 2, ".html or .md"),
        (("weeks", "-o", "weeks.md", "--format", "html"), 2, "format html"),
        (("weeks", "-o", "nowhere/weeks.md"), 2, "nowhere"),
    ],
)
def test_the_command_ends_with_its_exit_code(
    weeks: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    code: int,
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["forequake", "report", *words, "--store", weeks])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == code
    printed = capsys.readouterr()
    assert said in printed.out.replace("\n", "") + printed.err.replace("\n", "")
