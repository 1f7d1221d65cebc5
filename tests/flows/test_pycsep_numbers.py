"""A test with ``compat: pycsep`` from its configuration to tables: whose numbers these are is said."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from forequake.results import ComparisonRecord
from stores import ResultQuery

pytestmark = pytest.mark.prefect

Make = Callable[..., Any]
W = "poisson_evaluations.w_test, ref_model: flat"


def test_results_say_which_tests_have_pycseps_numbers(prefect_api: str, make_experiment: Make) -> None:
    small = make_experiment()
    own = small.config.read_text() + f"- W: {{func: {W}}}\n"
    small.config.write_text(own + f"- W-theirs: {{func: {W}, func_kwargs: {{compat: pycsep}}}}\n")
    code, out, err = small.run()
    assert code == 0, out + err
    said = "Numbers of pyCSEP, not forequake's own: W-theirs vs flat."
    assert said in out.replace("\n", " ")
    shown = json.loads(small.command("results", "small", "--format", "json"))
    assert {entry["test"] for entry in shown if entry["compat"]} == {"W-theirs"}
    by_test = {entry["test"]: entry for entry in shown if entry["evaluation"] == "poisson_w"}
    # Four events: too few for a verdict, which pyCSEP gives all the same.
    assert by_test["W"]["outcome"] == "undefined"
    assert by_test["W-theirs"]["outcome"] in ("better", "worse", "no_difference")
    assert by_test["W-theirs"]["quantiles"] != by_test["W"]["quantiles"]
    assert by_test["W-theirs"]["key"] != by_test["W"]["key"]
    store = small.open()
    stored = {key: store.get(ComparisonRecord, by_test[key]["key"]) for key in ("W", "W-theirs")}
    assert [record.flags for record in stored.values()] == [(), ("compat_pycsep",)]
    # The same place, now with forequake's own numbers, in one of the two windows only.
    small.config.write_text(own + f"- W-theirs: {{func: {W}}}\n")
    first = min(row.label.window.id for row in store.latest(ResultQuery(experiment="small")).rows)
    code, out, err = small.run("--window", first)
    assert code == 0, out + err
    shown = json.loads(small.command("results", "small", "--format", "json"))
    assert {entry["window"] == first for entry in shown if entry["compat"]} == {False}
    assert said in small.command("results", "small").replace("\n", " ")  # the other window has them still
