"""One result as a figure: distributions against SciPy, tails, infinite values, empty samples."""

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from dashboard._theme import LIGHT
from dashboard.figures.bars import count_bars, rejected_below_and_above, signed_rank_bars
from dashboard.figures.distributions import distribution_figure
from dashboard.figures.edges import mark_observed
from dashboard.figures.series import deciding_value, series_figure
from forequake.evaluations.comparison import exact_signed_rank
from forequake.evaluations.evaluated import summary_of
from forequake.results import (
    AnyEvaluation,
    LowerQuantile,
    Outcome,
    PoissonDistribution,
    Side,
    SignedRankDistribution,
    StudentDistribution,
    StudentQuantiles,
    TailQuantiles,
)
from forequake.windows import TimeWindow
from stores import ResultRow
from stores.testing import (
    FIRST_WINDOW,
    sample_comparison,
    sample_distribution,
    sample_label,
    sample_result,
)

RowMaker = Callable[..., ResultRow]


def simulated(values: Any, **fields: Any) -> Any:
    summary = summary_of(np.array(values, dtype=np.float64))
    return sample_result(1, test="S").model_copy(update={"distribution": summary, **fields})


def annotations(figure: Any) -> list[str]:
    return [annotation.text for annotation in figure.layout.annotations]


@given(st.floats(0, 500), st.integers(0, 800), st.sampled_from([0.01, 0.05, 0.1]))
def test_poisson_bars_are_scipys_probabilities_and_tails(mean: float, observed: int, alpha: float) -> None:
    counts, probabilities, rejected, step = count_bars(PoissonDistribution(mean=mean), observed, alpha)
    expected = [stats.poisson.pmf(np.arange(c, c + step), mean).sum() for c in counts]
    np.testing.assert_allclose(probabilities, expected, rtol=1e-6, atol=1e-12)
    assert counts[0] <= observed <= counts[-1] + step - 1
    if step == 1:
        delta1, delta2 = stats.poisson.sf(counts - 1, mean), stats.poisson.cdf(counts, mean)
        clear = np.minimum(abs(delta1 - alpha / 2), abs(delta2 - alpha / 2)) > 1e-12
        np.testing.assert_array_equal(rejected[clear], ((delta1 < alpha / 2) | (delta2 < alpha / 2))[clear])


def test_the_observed_number_of_an_n_test_is_a_labelled_line() -> None:
    result = sample_result(3, test="N")
    figure = distribution_figure(result, LIGHT)  # type: ignore[arg-type]
    assert figure is not None
    assert figure.layout.shapes[0].x0 == 3
    assert annotations(figure) == ["<b>observed 3</b>"]
    assert isinstance(result.distribution, PoissonDistribution)
    bars = figure.data[0]
    at_three = bars.y[list(bars.x).index(3)]
    assert at_three == pytest.approx(stats.poisson.pmf(3, result.distribution.mean))


@given(
    st.lists(st.floats(-50, 0), min_size=1, max_size=400, unique=True),
    st.sampled_from([Side.LOWER, Side.UPPER, Side.TWO_SIDED]),
)
def test_limits_of_rejection_agree_with_the_counted_quantile(values: list[float], side: Side) -> None:
    sample = np.sort(np.array(values))
    below, above = rejected_below_and_above(summary_of(sample).quantiles, side, 0.05)
    level = 0.025 if side is Side.TWO_SIDED else 0.05
    if below is not None:
        # q = P(simulated <= observed) is below the level just under the limit, and not at it.
        assert np.mean(sample < below) < level or below == sample[0]
        assert np.mean(sample <= below) >= level
    if above is not None:
        assert np.mean(sample >= above) >= level - 1 / 200
    assert (below is None) == (side is Side.UPPER)
    assert (above is None) == (side is Side.LOWER)


def test_bars_below_the_limit_have_the_colour_of_rejection() -> None:
    result = simulated(np.linspace(-10, 0, 1000), statistic=-4.0)
    figure = distribution_figure(result, LIGHT)
    assert figure is not None
    bars = figure.data[0]
    below, _ = rejected_below_and_above(result.distribution.quantiles, Side.LOWER, 0.05)
    assert below == pytest.approx(-9.5, abs=0.02)
    for middle, colour in zip(bars.x, bars.marker.color, strict=True):
        assert colour == (LIGHT.differ if middle < below else LIGHT.bar)
    assert sum(bars.y) == pytest.approx(1)


@pytest.mark.parametrize(("observed", "end"), [(0.1, "left"), (5.0, "center"), (9.5, "right")])
def test_the_observed_label_does_not_leave_the_picture(observed: float, end: str) -> None:
    figure = go.Figure()
    mark_observed(figure, observed, LIGHT, "observed", (0.0, 10.0))
    assert figure.layout.annotations[-1].xanchor == end


def test_an_infinite_statistic_is_a_labelled_arrow_at_the_edge() -> None:
    figure = distribution_figure(simulated(np.linspace(-10, 0, 500), statistic=-math.inf), LIGHT)
    assert figure is not None
    (arrow,) = figure.layout.annotations
    assert (arrow.text, arrow.x, arrow.xref, arrow.showarrow) == ("<b>observed −∞</b>", 0, "paper", True)
    assert all(math.isfinite(end) for end in figure.layout.xaxis.range)


def test_infinite_simulations_are_counted_not_dropped() -> None:
    values = [-math.inf] * 300 + list(np.linspace(-10, 0, 700))
    figure = distribution_figure(simulated(values, statistic=-3.0), LIGHT)
    assert figure is not None
    share = next(text for text in annotations(figure) if "∞" in text)
    assert float(share.split()[0]) == pytest.approx(30, abs=0.5)
    assert sum(figure.data[0].y) == pytest.approx(0.7, abs=0.005)


@pytest.mark.parametrize("value", [-3.5, 0.0, -math.inf])
def test_a_sample_of_one_value_is_drawn(value: float) -> None:
    figure = distribution_figure(simulated([value] * 100, statistic=-3.5), LIGHT)
    assert figure is not None
    assert all(math.isfinite(end) for end in figure.layout.xaxis.range)


def test_the_whole_sample_takes_the_place_of_its_quantiles() -> None:
    result: Any = sample_result(1, test="S")
    sample = sample_distribution(result)
    part, whole = distribution_figure(result, LIGHT), distribution_figure(result, LIGHT, sample)
    assert part is not None
    assert whole is not None
    assert "201 stored quantiles" in str([trace.name for trace in part.data])
    assert "201 stored quantiles" not in str([trace.name for trace in whole.data])
    assert sum(whole.data[0].y) == pytest.approx(0.999)


def test_a_t_test_shows_the_interval_and_scipys_density() -> None:
    student = StudentDistribution(degrees_of_freedom=2, scale=0.0191)
    result = sample_comparison(3, information_gain=0.5125).model_copy(
        update={
            "distribution": student,
            "quantiles": StudentQuantiles(t=26.8, t_critical=4.303, p=0.0014),
            "interval": (0.43, 0.595),
        }
    )
    figure = distribution_figure(result, LIGHT)
    assert figure is not None
    curve, lower, upper, marker = figure.data
    np.testing.assert_allclose(curve.y, stats.t.pdf(np.array(curve.x), 2, scale=0.0191), rtol=1e-9)
    assert max(lower.x) <= -4.303 * 0.0191 + 1e-3
    assert min(upper.x) >= 4.303 * 0.0191 - 1e-3
    assert marker.x[0] + marker.error_x.array[0] == pytest.approx(0.595)
    assert marker.x[0] - marker.error_x.arrayminus[0] == pytest.approx(0.43)
    assert figure.layout.xaxis.range[1] > 0.595


@pytest.mark.parametrize("size", [1, 3, 6, 9])
def test_signed_ranks_are_those_of_all_sign_patterns(size: int) -> None:
    z, probabilities = signed_rank_bars(size)
    assert probabilities.sum() == pytest.approx(1)
    assert (z <= 1e-12).all()
    cumulated = dict(zip(np.round(z, 9), np.cumsum(probabilities), strict=True))
    deviation = math.sqrt(size * (size + 1) * (2 * size + 1) / 24)
    for signs in itertools.product((-1, 1), repeat=size):
        differences = np.arange(1.0, size + 1) * np.array(signs, dtype=np.float64)
        positive = differences[differences > 0].sum()
        smaller = min(positive, size * (size + 1) / 2 - positive)
        found = round((smaller - size * (size + 1) / 4) / deviation, 9)
        assert cumulated[found] == pytest.approx(exact_signed_rank(differences))


@pytest.mark.parametrize(("exact", "kind"), [(True, "bar"), (False, "scatter")])
def test_a_w_test_shows_its_null_distribution(exact: bool, kind: str) -> None:
    result = sample_comparison(1, test="W").model_copy(
        update={"distribution": SignedRankDistribution(size=9, exact=exact), "statistic": -1.2}
    )
    figure = distribution_figure(result, LIGHT)
    assert figure is not None
    assert figure.data[0].type == kind
    assert annotations(figure) == ["<b>observed −1.2</b>"]


def test_an_undefined_result_has_no_picture() -> None:
    result: AnyEvaluation = sample_result(1, test="S", outcome=Outcome.UNDEFINED)  # type: ignore[assignment]
    assert distribution_figure(result, LIGHT) is None


def test_a_series_marks_each_window_by_its_outcome_and_rings_the_shown_one(row: RowMaker) -> None:
    rows = [
        row("S", window=0),
        row("S", window=1, outcome=Outcome.REJECTED, quantiles=LowerQuantile(q=0.01)),
        row("S", window=2, outcome=Outcome.UNDEFINED),
    ]
    figure = series_figure(rows, rows[1].label.window, LIGHT)
    symbols = [trace.marker.symbol for trace in figure.data]
    assert symbols == ["square", "x", "circle-open", "circle-open"]
    assert figure.data[1].customdata[0][0] == rows[1].label.window.id
    assert figure.data[-1].x == figure.data[1].x
    assert figure.data[2].y[0] < 0


def test_a_series_of_scores_has_their_values_and_says_their_sum(row: RowMaker) -> None:
    scores = (-2.0, -4.0, None, -math.inf)
    rows = [
        row(
            "LL",
            window=number,
            outcome=Outcome.UNDEFINED if score is None else Outcome.SCORE_ONLY,
            quantiles=None,
            statistic=score,
        )
        for number, score in enumerate(scores)
    ]
    figure = series_figure(rows, None, LIGHT)
    scored, undefined = figure.data
    assert scored.y == pytest.approx((-2.0, -4.0, -4.2))  # what has no height stands below the others
    assert undefined.y == pytest.approx((-4.2,))
    assert [text.rpartition("= ")[2] for text in scored.hovertext] == ["−2", "−6", "−∞"]
    assert figure.layout.yaxis.title.text == "nats"
    growing = [
        each.model_copy(update={"label": sample_label("LL", window=TimeWindow(start=FIRST_WINDOW, end=end))})
        for each, end in zip(rows, (row("LL", window=n).label.window.end for n in range(4)), strict=True)
    ]
    assert "sum" not in series_figure(growing, None, LIGHT).data[0].hovertext[0]


@given(count=st.integers(0, 30), mean=st.floats(0.01, 25))
def test_a_count_stands_in_the_tail_exactly_where_it_is_rejected(
    row: RowMaker, count: int, mean: float
) -> None:
    delta1, delta2 = float(stats.poisson.sf(count - 1, mean)), float(stats.poisson.cdf(count, mean))
    assume(min(abs(delta1 - 0.025), abs(delta2 - 0.025)) > 1e-12)
    value = deciding_value(row("N", quantiles=TailQuantiles(delta1=min(delta1, 1.0), delta2=delta2)))
    assert value is not None
    assert (value < 0.025 or value > 0.975) == (min(delta1, delta2) < 0.025)
