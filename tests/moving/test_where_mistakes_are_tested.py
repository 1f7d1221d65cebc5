"""Where the other mistakes of floatCSEP 0.5.2 in reading an experiment have their tests."""

import ast
import re
from pathlib import Path
from typing import Final

import pytest

from forequake.evaluations.registry import TESTS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "floatcsep.md").read_text(encoding="utf-8")
_CONFIG: Final = "tests/config/test_broken_like_floatcsep.py::"
_TIMES: Final = "tests/config/test_broken_times.py::"
_REFUSED = f"{_CONFIG}test_it_is_refused_with_a_word"
_TAKEN = f"{_CONFIG}test_it_is_taken_for_what_it_says"
_WINDOWS = "tests/test_windows.py::"
_SILENCE = "tests/evaluations/test_when_tests_say_nothing.py::"
#: What floatCSEP does, and the tests of what happens here instead.
TESTED_ELSEWHERE: dict[str, tuple[str, ...]] = {
    "a model learns from events after its window": (
        "tests/catalogs/test_load.py::"
        "test_an_input_catalog_without_a_start_begins_ten_years_before_the_first_window",
        "tests/catalogs/queries/test_loading_by_query.py::"
        "test_an_input_catalog_is_asked_for_from_long_before_the_first_window",
    ),
    "all windows of a program get the last one's past; its guide names another folder than it runs in": (
        "tests/moving/test_floatcsep_folders.py::"
        "test_a_command_that_is_written_from_the_experiments_folder_starts_there",
        "tests/moving/test_floatcsep_folders.py::test_a_line_for_a_shell_is_run_by_one",
    ),
    "horizons begin with the calendar year, month or week": (
        f"{_TAKEN}[horizon from June on]",
        f"{_WINDOWS}test_months_count_from_the_start_and_end_with_the_month",
    ),
    "the part that is shorter than a horizon is lost without a word": (
        f"{_TAKEN}[trailing part]",
        f"{_WINDOWS}test_horizons_tile_the_span_and_name_what_is_left_over",
    ),
    "a time-dependent month gives no window": (f"{_TAKEN}[a month in a td experiment]",),
    "windows within a day share one name, edges lose their time of day": (
        f"{_TAKEN}[horizon of hours]",
        f"{_WINDOWS}test_windows_of_six_hours_are_distinct",
        f"{_WINDOWS}test_windows_within_a_day_share_no_name",
        f"{_WINDOWS}test_ten_parts_of_ten_years_are_floatcseps",
    ),
    "results of a second model or test of the same name replace the first ones": (
        f"{_REFUSED}[repeated model]",
        f"{_REFUSED}[repeated test]",
    ),
    "a window ends before it starts": (
        f"{_REFUSED}[start after end]",
        f"{_TIMES}test_one_mistake_makes_one_problem_in_its_place[window backwards]",
    ),
    "tests have a verdict on no events": (
        f"{_SILENCE}test_an_empty_window_says_nothing",
        f"{_SILENCE}test_an_empty_window_is_data_for_n_and_l",
    ),
    "tests that nothing runs are accepted": (
        f"{_REFUSED}[calibration of nothing]",
        f"{_REFUSED}[unknown test]",
        f"{_REFUSED}[binomial test of no use]",
        f"{_REFUSED}[user function]",
    ),
    "a failing task is a line in a log": (
        "tests/flows/test_runs.py::test_one_broken_model_stops_no_other",
        "tests/flows/test_time_dependent.py::test_a_forecast_that_is_not_there_holds_up_no_other",
    ),
    "misspelt keys are ignored": tuple(
        f"{_REFUSED}[{case}]" for case in ("typo at the top", "typo in a model", "typo in a test's key")
    ),
    "models, tests or the region may be missing": tuple(
        f"{_REFUSED}[{case}]" for case in ("no models", "no tests", "no region")
    ),
    "horizons that are numbers, growth and offset are ignored": (
        f"{_REFUSED}[horizon as an integer]",
        f"{_REFUSED}[horizon as a float]",
        f"{_TAKEN}[growth in a td experiment]",
        f"{_TAKEN}[offset as documented]",
    ),
    "what is missing ends in a traceback": tuple(
        f"{_REFUSED}[{case}]"
        for case in (
            "no catalog",
            "no time_config",
            "no start_date",
            "no mag_bin",
            "no path of a model",
            "wrong catalog",
            "wrong model path",
            "wrong models.yml",
            "unknown region",
            "bad date",
            "negative horizon",
            "horizon of 1.5 years",
            "bad growth",
            "T-test without a reference",
            "T-test with an unknown reference",
            "catalog test on a gridded forecast",
            "td class with a file",
            "model name with a slash",
            "mag_min above mag_max",
        )
    ),
    "pictures stop the run": tuple(
        f"{_TAKEN}[{case}]"
        for case in (
            "no plot_func",
            "unknown plot_func",
            "plot_func as a list",
            "basemap of the catalog",
            "timestamp",
        )
    ),
    "a file that is no experiment ends in a traceback": tuple(
        f"{_CONFIG}test_a_file_that_is_none_is_refused[{case}]" for case in ("invalid YAML", "empty file")
    ),
    "a configuration may run any command": (
        f"{_CONFIG}test_a_file_that_is_none_is_refused[a command in a tag]",
    ),
    "the tasks at a time cannot be set at the top": (f"{_TAKEN}[concurrent_tasks]",),
    "a catalog of one event stops the pictures": (f"{_SILENCE}test_one_event_has_no_t_but_a_gain",),
    "a catalog that was asked for is asked for again, and not kept": (
        "tests/flows/test_queried_catalogs.py::test_each_run_keeps_what_the_service_gave",
    ),
}


@pytest.mark.parametrize("ids", TESTED_ELSEWHERE.values(), ids=TESTED_ELSEWHERE)
def test_what_is_tested_elsewhere_is_there(ids: tuple[str, ...]) -> None:
    for test in ids:
        path, name, case = re.fullmatch(r"([^:]+)::(\w+)(?:\[(.+)\])?", test).groups()  # type: ignore[union-attr]
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}

        assert name in functions, test
        assert case is None or case in texts, test


def test_the_page_leads_somewhere_and_knows_the_tests() -> None:
    links = [link.partition("#") for link in re.findall(r"\]\(([^)]+)\)", PAGE)]
    places = {title.lower().replace(" ", "-") for title in re.findall(r"^#+ (.+)$", PAGE, re.MULTILINE)}

    assert [file for file, _, _ in links if file and not (ROOT / "docs" / file).is_file()] == []
    assert [place for file, _, place in links if not file and place not in places] == []
    assert [test.short for test in TESTS.values() if f"`{test.short}`" not in PAGE] == []
