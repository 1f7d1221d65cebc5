"""Results in words: every outcome one true sentence, every quantile a readable number."""

import doctest
import importlib
import math
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import dashboard
import forequake
from dashboard._sentences import FLAGS, flag_words, missing_words, power_words, sentence
from dashboard._words import is_drawn, number, quantile_texts, short_number, stamp, window_name
from dashboard.views._text import ago, plain
from forequake.evaluations.power import Power
from forequake.results import (
    AdjustedQuantile,
    BatchQuantiles,
    KolmogorovQuantile,
    LowerQuantile,
    Outcome,
    StudentQuantiles,
    TailQuantiles,
    WilcoxonQuantile,
)
from forequake.windows import TimeWindow
from stores.testing import sample_comparison, sample_result, sample_score, sample_window


def result(test: str, **fields: Any) -> Any:
    return sample_result(1, test=test).model_copy(update={"n_observed": 3, **fields})


def window_id(number: int) -> str:
    return sample_window(number).id


def test_a_likelihood_test_that_passes() -> None:
    said = sentence(result("CL", quantiles=LowerQuantile(q=0.705), statistic=-34.8697, num_simulations=1000))
    assert said == (
        "Not rejected at 0.05 (lower side): 70.5 % of 1000 simulated catalogs score no higher than the "
        "observed −34.87, 3 events."
    )


def test_a_quantile_of_zero_says_that_no_simulation_was_as_low() -> None:
    zero = LowerQuantile(q=0.0)
    said = sentence(result("L", outcome=Outcome.REJECTED, quantiles=zero, statistic=-34.8697))
    assert said.startswith("Rejected at 0.05 (lower side): none of 1000 simulated catalogs")
    assert quantile_texts(zero, 1000) == {"q": "< 1/1000"}
    assert quantile_texts(zero) == {"q": "< 1/n"}
    assert quantile_texts(TailQuantiles(delta1=0.0, delta2=1.0)) == {"delta1": "< 1e−300", "delta2": "1"}


@pytest.mark.parametrize(
    ("test", "outcome", "words"),
    [
        ("catalog M", Outcome.PASSED, "(upper side): delta1 = 0.2 is not below 0.05"),
        ("catalog M", Outcome.REJECTED, "(upper side): delta1 = 0.2 is below 0.05"),
        ("catalog S", Outcome.PASSED, "(lower side): delta2 = 0.01 is not below 0.05"),
    ],
)
def test_a_one_sided_test_names_the_tail_that_counts(test: str, outcome: Outcome, words: str) -> None:
    tails = TailQuantiles(delta1=0.2, delta2=0.01)
    assert words in sentence(result(test, outcome=outcome, quantiles=tails))


def test_minus_infinity_says_why() -> None:
    said = sentence(
        result("L", outcome=Outcome.REJECTED, quantiles=LowerQuantile(q=0.0), statistic=-math.inf)
    )
    assert "−∞, since an event lies where the forecast expects none, 3 events." in said


@pytest.mark.parametrize(
    ("delta1", "delta2", "words"),
    [
        (8.35e-5, 1.0, "more events than the 0.081 expected, delta1 = 8.35e−5 is below 0.025"),
        (0.9999, 0.004, "fewer events than the 0.081 expected, delta2 = 0.004 is below 0.025"),
    ],
)
def test_a_number_test_names_the_tail_that_rejects(delta1: float, delta2: float, words: str) -> None:
    said = sentence(
        result(
            "N",
            outcome=Outcome.REJECTED,
            quantiles=TailQuantiles(delta1=delta1, delta2=delta2),
            n_forecast=0.081,
        )
    )
    assert said == f"Rejected at 0.05 (two-sided): {words}, 3 events."


def test_a_t_test_names_the_reference_and_the_interval() -> None:
    compared = sample_comparison(1, outcome=Outcome.BETTER).model_copy(
        update={
            "information_gain": 0.51249,
            "interval": (0.430, 0.595),
            "quantiles": StudentQuantiles(t=26.804, t_critical=4.303, p=0.0014),
            "n_observed": 3,
        }
    )
    assert sentence(compared, "mainshock") == (
        "Better than mainshock at 0.05 (two-sided): information gain 0.512 nats per event, interval 0.43 to "
        "0.595, t = 26.8 against a critical 4.3; 3 events."
    )


def test_no_difference_is_said_of_the_reference() -> None:
    compared = sample_comparison(1, test="W").model_copy(
        update={"quantiles": WilcoxonQuantile(p=0.25), "n_observed": 1}
    )
    said = sentence(compared, "ETAS")
    assert said.startswith("No difference from ETAS at 0.05")
    assert said.endswith("p = 0.25; 1 event.")


def test_an_undefined_result_gives_its_reason_and_no_verdict() -> None:
    silent = result("S", outcome=Outcome.UNDEFINED, reason="no target events", quantiles=None, n_observed=0)
    assert sentence(silent) == "No verdict: no target events; no events."


@pytest.mark.parametrize(
    ("test", "statistic", "said"),
    [
        ("LL", -12.3456, "Joint log-likelihood: −12.346 nats; 1 event."),
        ("IG", 1.5, "Information gain over A: 1.5 nats; 1 event."),
        (
            "LL",
            -math.inf,
            "Joint log-likelihood: −∞ nats, since an event lies where the forecast expects none; 1 event.",
        ),
        (
            "IG",
            math.inf,
            "Information gain over A: ∞ nats, since an event lies where the reference expects none; 1 event.",
        ),
    ],
)
def test_a_score_is_said_without_a_verdict(test: str, statistic: float, said: str) -> None:
    score = sample_score(1, test=test, statistic=statistic)
    assert sentence(score, "A" if test == "IG" else None) == said


def test_an_undefined_score_gives_its_reason() -> None:
    said = sentence(sample_score(1, test="IG", outcome=Outcome.UNDEFINED))
    assert said == "No score: forecast and reference both have a rate of zero at a target event; 1 event."


@pytest.mark.parametrize(
    ("value", "text"),
    [(1e-10, "1e−10"), (-0.0, "−0"), (1e22, "1e22"), (0.05, "0.05"), (math.inf, "∞"), (123456.0, "1.235e5")],
)
def test_numbers_are_short_and_have_a_true_minus_sign(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize("value", [0.0, 1e-9, 0.0009999, 0.001, 0.0999, 0.1, 0.5, 0.99999, 1.0])
def test_a_number_in_a_cell_has_at_most_five_letters(value: float) -> None:
    assert len(short_number(value)) <= 5


def test_a_window_is_shown_with_the_time_that_it_needs() -> None:
    day, odd = "2019-07-06T00:00:00Z_2019-07-13T00:00:00Z", "2019-07-06T03:20:00Z_2019-07-13T00:00:00Z"
    assert window_name(TimeWindow.from_id(day)) == "2019-07-06 to 2019-07-13"
    assert window_name(TimeWindow.from_id(odd)) == "2019-07-06 03:20 to 2019-07-13 00:00"
    micro = TimeWindow(
        start=datetime(2019, 1, 1, 0, 0, 0, 5, tzinfo=UTC), end=datetime(2019, 1, 2, tzinfo=UTC)
    )
    assert stamp(micro)[0] == "2019-01-01 00:00:00.000005"


@pytest.mark.parametrize("name", ["a*b*", "_x_", "[l](u)", "$a$", ":red[x]", "<b>", "# h", "`c`", "~~s~~"])
def test_every_mark_of_markdown_is_escaped(name: str) -> None:
    escaped = plain(name)
    assert escaped.replace("\\", "") == name
    marks = [place for place, letter in enumerate(escaped) if letter in "*_[]()$:<>#`~"]
    assert marks
    assert all(escaped[place - 1] == "\\" for place in marks)


def test_ages_are_said_in_one_unit() -> None:
    noon = datetime(2024, 5, 10, 12, tzinfo=UTC)
    assert ago(noon, noon) == "just now"
    assert ago(datetime(2024, 5, 10, 7, tzinfo=UTC), noon) == "5 h ago"
    assert ago(datetime(2024, 5, 1, tzinfo=UTC), noon) == "9 days ago"


ROOT = Path(dashboard.__file__).parent


@pytest.mark.parametrize(
    "file",
    sorted(file for file in ROOT.rglob("*.py") if ">>>" in file.read_text(encoding="utf-8")),
    ids=lambda file: str(file.relative_to(ROOT)),
)
def test_examples_in_the_documentation_hold(file: Path) -> None:
    name = ".".join(file.relative_to(ROOT.parent).with_suffix("").parts)
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_results_over_windows_say_of_how_many() -> None:
    counted = sentence(result("cumulative N", n_windows=7, missing=(window_id(1), window_id(2))))
    assert counted.endswith("in 7 windows, 2 missing.")
    assert missing_words((window_id(1),)) == "Missing: 2020-01-08 to 2020-01-15."
    assert missing_words([window_id(number) for number in range(14)]).endswith(" and 2 more.")
    uniform = result("calibration", quantiles=KolmogorovQuantile(p=0.4), statistic=0.21, n_windows=7)
    assert sentence(uniform).startswith(
        "Not rejected at 0.05: the delta2 of the windows are no further from uniform than chance, D = 0.21, "
        "p = 0.4"
    )
    family = AdjustedQuantile(p=0.001, p_adjusted=0.024, family=24)
    found = result("Holm", outcome=Outcome.REJECTED, quantiles=family, statistic=1.0, n_windows=24)
    assert sentence(found).startswith(
        "Rejected at 0.05: 1 window of 24 rejected after Holm's correction, least p = 0.001, "
        "corrected = 0.024"
    )


def test_pairs_of_models_are_said_with_both_p() -> None:
    p = {"t": 3.0, "t_critical": 2.0, "p": 0.01, "p_adjusted": 0.03, "family": 3, "w_p": 0.02}
    compared = sample_comparison(1, test="T", outcome=Outcome.BETTER).model_copy(
        update={"test": "batch_t_w", "quantiles": BatchQuantiles(**p, w_p_adjusted=0.06)}
    )
    assert "p of T 0.01, corrected for 3 pairs of models 0.03, of W 0.02, corrected 0.06" in sentence(
        compared
    )


def test_the_gain_of_diebold_and_mariano_is_per_window() -> None:
    compared = sample_comparison(1, test="T").model_copy(update={"test": "diebold_mariano"})
    assert "nats per window" in sentence(compared)


def test_a_tail_of_synthetic_catalogs_is_never_zero() -> None:
    tails = TailQuantiles(delta1=1.0, delta2=0.0)
    found = result("catalog S", outcome=Outcome.REJECTED, quantiles=tails)
    assert "delta2 < 1/1000 is below 0.05" in sentence(found)
    number_test = result("catalog N", outcome=Outcome.REJECTED, quantiles=tails)
    assert "delta2 < 1/1000 is below 0.025" in sentence(number_test)
    assert short_number(0.0, drawn=is_drawn("catalog_spatial", tails)) == "<1/n"
    assert not is_drawn("poisson_number", tails)


@pytest.mark.parametrize(
    ("power", "expected"),
    [
        (
            Power(detectable=0.41, detectable_unit="nats per target event", needed=9),
            "from 9 target events on",
        ),
        (
            Power(detectable=1.26, detectable_unit="relative difference", needed=0),
            "2.3 times the forecast's with",
        ),
        (Power(needed=6, needed_unit="target events with non-zero differences"), "at least 6 target events"),
        (Power(detectable=0.4, detectable_unit="nats per window", needed=None), "No number of windows"),
        (Power(needed=1), "first event on"),
    ],
)
def test_what_a_test_could_have_found_is_said(power: Power, expected: str) -> None:
    assert expected in (power_words(power) or "")
    assert power_words(Power(needed=0)) is None


def test_every_flag_of_forequake_has_words() -> None:
    source = Path(forequake.__file__).parent / "evaluations"
    pattern = re.compile(r'^[A-Z_]+_FLAG(?:: Final)? = "(\w+)"', re.MULTILINE)
    flags = {flag for file in source.rglob("*.py") for flag in pattern.findall(file.read_text())}
    assert len(flags) >= 6
    assert flags == set(FLAGS)
    assert flag_words("my_own_flag") == "My own flag."
