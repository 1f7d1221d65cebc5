"""One result as a figure: what the test compares with, where it rejects, and what was observed."""

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard._theme import Theme
from dashboard._words import number
from dashboard.figures.edges import LOWER_EDGE, lay_out, mark_observed
from forequake.results import (
    AnyEvaluation,
    ComparisonRecord,
    DistributionRecord,
    PoissonDistribution,
    Side,
    SignedRankDistribution,
    SimulatedDistribution,
    StudentDistribution,
    StudentQuantiles,
)

__all__ = ["distribution_figure", "poisson_bars", "rejected_below_and_above", "signed_rank_bars"]

Array = NDArray[np.float64]

#: More bars than this are drawn as sums of neighbours.
_MOST_BARS: Final = 240


def distribution_figure(
    result: AnyEvaluation, theme: Theme, sample: DistributionRecord | None = None
) -> go.Figure | None:
    """Draw the distribution of a result with its rejection tail and the observed value.

    Parameters
    ----------
    sample
        The whole simulated sample, drawn in place of the 201 stored quantiles.

    Returns
    -------
    go.Figure or None
        None where the result has no distribution.
    """
    match result.distribution:
        case PoissonDistribution() as poisson:
            return _poisson(result, poisson, theme)
        case SimulatedDistribution() as simulated:
            values = simulated.quantiles if sample is None else sample.values
            return _simulated(result, simulated, values, theme, whole=sample is not None)
        case StudentDistribution() as student if isinstance(result, ComparisonRecord):
            return _student(result, student, theme)
        case SignedRankDistribution() as ranks:
            return _signed_rank(result, ranks, theme)
        case _:
            return None


def rejected_below_and_above(
    quantiles: Sequence[float], side: Side, alpha: float
) -> tuple[float | None, float | None]:
    """Give the values below and above which a simulated test rejects.

    Parameters
    ----------
    quantiles : sequence of float, shape (201,)
        Values at the probabilities 0, 1/200, ..., 1, each the least that the share p does not exceed.

    Returns
    -------
    tuple
        A statistic below the first or above the second is rejected; None where that side does not count.
        Exact where alpha (half of it, if two-sided) is a multiple of 1/200, else within one step.
    """
    steps = len(quantiles) - 1
    level = alpha / 2 if side is Side.TWO_SIDED else alpha
    # Rounding first: 0.05 * 200 is a little more than 10 in some products of floats.
    lower = quantiles[math.ceil(round(level * steps, 9))]
    upper = quantiles[math.floor(round((1 - level) * steps, 9))]
    return (
        lower if side in (Side.LOWER, Side.TWO_SIDED) else None,
        upper if side in (Side.UPPER, Side.TWO_SIDED) else None,
    )


def poisson_bars(mean: float, observed: float, alpha: float) -> tuple[Array, Array, NDArray[np.bool_], int]:
    """Give the probabilities of a Poisson distribution where it matters, and where the N-test rejects.

    Returns
    -------
    counts : array of float, shape (bars,)
        Numbers of events, each the first of `step` neighbours; they reach to the observed number.
    probabilities : array of float, shape (bars,)
    rejected : array of bool, shape (bars,)
        Whether delta1 = P(X >= n) or delta2 = P(X <= n) is below alpha/2 at the count.
    step : int
        Neighbours in one bar.
    """
    from scipy.special import pdtr, pdtrc

    spread = 4.5 * math.sqrt(mean) + 4
    first = max(math.floor(min(mean - spread, observed - 1)), 0)
    last = math.ceil(max(mean + spread, observed + 1))
    step = max(math.ceil((last - first + 1) / _MOST_BARS), 1)
    counts = np.arange(first, last + 1, step, dtype=np.float64)
    # pdtr(-1, m) is NaN, but no event is below none.
    below = np.where(counts > 0, pdtr(np.maximum(counts - 1, 0), mean), 0.0)
    at_most = pdtr(counts, mean)
    probabilities = pdtr(counts + step - 1, mean) - below
    at_least = np.where(counts > 0, pdtrc(np.maximum(counts - 1, 0), mean), 1.0)
    return counts, probabilities, (at_least < alpha / 2) | (at_most < alpha / 2), step


def signed_rank_bars(size: int) -> tuple[Array, Array]:
    """Give the exact null distribution of Wilcoxon's z for `size` differences without ties.

    Returns
    -------
    z : array of float, shape (sums,)
        Of the smaller of the two rank sums: never positive.
    probabilities : array of float, shape (sums,)
    """
    ways = np.ones(1)
    for rank in range(1, size + 1):
        longer = np.zeros(len(ways) + rank)
        longer[: len(ways)] += ways
        longer[rank:] += ways
        ways = longer
    sums = np.arange(len(ways))
    smaller = np.minimum(sums, sums[::-1])
    values = np.unique(smaller)
    probabilities = np.array([ways[smaller == value].sum() for value in values]) / 2.0**size
    deviation = math.sqrt(size * (size + 1) * (2 * size + 1) / 24)
    return (values - size * (size + 1) / 4) / deviation, probabilities


def _poisson(result: AnyEvaluation, poisson: PoissonDistribution, theme: Theme) -> go.Figure:
    observed = result.n_observed if result.statistic is None else result.statistic
    counts, probabilities, rejected, step = poisson_bars(poisson.mean, observed, result.alpha)
    figure = go.Figure(
        go.Bar(
            x=counts + (step - 1) / 2,
            y=probabilities,
            width=step * 0.9,
            marker={"color": _tinted(rejected, theme), "line": {"width": 0}},
            name="Poisson",
            hovertemplate="%{x} events: %{y:.3g}<extra></extra>",
        )
    )
    _key(figure, theme, "Poisson distribution of the expected number")
    mark_observed(figure, observed, theme, f"observed {number(observed)}")
    span = (float(counts[0]) - 0.6, float(counts[-1]) + step - 0.4)
    lay_out(figure, span, "number of events", "probability")
    figure.update_xaxes(tickformat=",d", **({"dtick": 1} if span[1] - span[0] < 14 else {}))
    return figure


def _simulated(
    result: AnyEvaluation,
    simulated: SimulatedDistribution,
    values: Sequence[float],
    theme: Theme,
    *,
    whole: bool,
) -> go.Figure:
    array = np.array(values, dtype=np.float64)
    finite = array[np.isfinite(array)]
    below, above = rejected_below_and_above(simulated.quantiles, result.side, result.alpha)
    heights, edges = _histogram(finite, len(array), 40 if whole else 28)
    middles = (edges[:-1] + edges[1:]) / 2
    rejected = np.zeros(len(middles), dtype=np.bool_)
    if below is not None:
        rejected |= middles < below
    if above is not None:
        rejected |= middles > above
    figure = go.Figure(
        go.Bar(
            x=middles,
            y=heights,
            width=np.diff(edges) * 0.94,
            customdata=np.stack([edges[:-1], edges[1:]], axis=-1),
            marker={"color": _tinted(rejected, theme), "line": {"width": 0}},
            name="simulated",
            hovertemplate="%{customdata[0]:.5g} to %{customdata[1]:.5g}: %{y:.1%}<extra></extra>",
        )
    )
    source = f"{simulated.size} simulated catalogs" + ("" if whole else ", from 201 stored quantiles")
    _key(figure, theme, source)
    span = _span(edges, result.statistic)
    _shade(figure, span, below, above, theme)
    lost = len(array) - len(finite)
    if lost:
        _note_infinite(figure, lost / len(array), theme)
    if result.statistic is not None:
        mark_observed(figure, result.statistic, theme, f"observed {number(result.statistic)}")
    lay_out(figure, span, "log-likelihood (nats)", "share of catalogs")
    figure.update_yaxes(tickformat=".0%")
    return figure


def _student(result: ComparisonRecord, student: StudentDistribution, theme: Theme) -> go.Figure:
    """Draw the t distribution about no difference, and the observed gain with its interval."""
    from scipy.special import gammaln, stdtrit

    freedom, scale = student.degrees_of_freedom, student.scale
    critical = (
        result.quantiles.t_critical
        if isinstance(result.quantiles, StudentQuantiles)
        else float(stdtrit(freedom, 1 - result.alpha / 2))
    )
    reach = min(max(critical * 1.6, 4.0), 60.0)
    t = np.linspace(-reach, reach, 401)
    log_norm = gammaln((freedom + 1) / 2) - gammaln(freedom / 2) - 0.5 * math.log(freedom * math.pi)
    density = np.exp(log_norm - (freedom + 1) / 2 * np.log1p(t**2 / freedom)) / scale
    figure = go.Figure()
    figure.add_trace(
        go.Scatter(
            x=t * scale,
            y=density,
            mode="lines",
            line={"color": theme.curve, "width": 2},
            name=f"Student's t, {freedom} degrees of freedom, if there were no difference",
            hoverinfo="skip",
        )
    )
    for sign in (-1, 1):
        tail = t * sign >= critical
        figure.add_trace(
            go.Scatter(
                x=t[tail] * scale,
                y=density[tail],
                mode="lines",
                fill="tozeroy",
                line={"color": theme.differ, "width": 2},
                name=f"|t| above {number(critical, 3)}: significant",
                showlegend=sign == 1,
                hoverinfo="skip",
            )
        )
    gain = result.information_gain
    ends = [-reach * scale, reach * scale, *(result.interval or ()), *([] if gain is None else [gain])]
    ends = [end for end in ends if math.isfinite(end)]
    if gain is not None and result.interval is not None:
        _interval(figure, gain, result.interval, float(density.max()) * 0.5, result.alpha, theme)
    figure.add_vline(x=0, line={"color": theme.silent, "width": 1, "dash": "dot"})
    if gain is not None:
        mark_observed(figure, gain, theme, f"observed {number(gain, 3)}")
    margin = 0.06 * (max(ends) - min(ends))
    lay_out(figure, (min(ends) - margin, max(ends) + margin), "information gain per event (nats)", "density")
    return figure


def _interval(
    figure: go.Figure,
    gain: float,
    interval: tuple[float, float],
    height: float,
    alpha: float,
    theme: Theme,
) -> None:
    level = f"{100 * (1 - alpha):g} % interval"
    figure.add_trace(
        go.Scatter(
            x=[gain],
            y=[height],
            mode="markers",
            marker={"symbol": "diamond", "size": 11, "color": theme.text},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [interval[1] - gain],
                "arrayminus": [gain - interval[0]],
                "color": theme.text,
                "thickness": 2,
                "width": 7,
            },
            name=level,
            hovertemplate=f"{level}: {number(interval[0])} to {number(interval[1])}<extra></extra>",
        )
    )


def _signed_rank(result: AnyEvaluation, ranks: SignedRankDistribution, theme: Theme) -> go.Figure | None:
    if not ranks.size or result.statistic is None:
        return None
    if ranks.exact:
        z, probabilities = signed_rank_bars(ranks.size)
        rejected = np.cumsum(probabilities) < result.alpha
        trace: Any = go.Bar(
            x=z,
            y=probabilities,
            width=0.9 * float(np.diff(z).min()) if len(z) > 1 else 0.3,
            marker={"color": _tinted(rejected, theme), "line": {"width": 0}},
            name="exact",
            hovertemplate="z = %{x:.3f}: %{y:.3g}<extra></extra>",
        )
        named, title = f"exact distribution of {ranks.size} signed ranks", "probability"
    else:
        z = np.linspace(min(-4.0, result.statistic - 0.3), 0, 301)
        trace = go.Scatter(
            x=z,
            y=2 * np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi),
            mode="lines",
            line={"color": theme.curve, "width": 2},
            hoverinfo="skip",
        )
        named, title = f"normal limit of {ranks.size} signed ranks", "density"
    figure = go.Figure(trace)
    figure.update_traces(showlegend=False)
    span = (min(float(z[0]), result.statistic) - 0.3, 0.3)
    if ranks.exact:
        _key(figure, theme, named)
    else:
        figure.update_traces(name=named, showlegend=True)
        from scipy.special import ndtri

        _shade(figure, span, float(ndtri(result.alpha / 2)), None, theme)
    mark_observed(figure, result.statistic, theme, f"observed {number(result.statistic)}")
    lay_out(figure, span, "signed-rank statistic z", title)
    return figure


def _histogram(finite: Array, count: int, most: int) -> tuple[Array, Array]:
    """Give the shares of `count` values in equal bins; one narrow bin where all values are the same."""
    if not len(finite):
        return np.zeros(0), np.zeros(1)
    low, high = float(finite.min()), float(finite.max())
    if not high - low > 1e-12 * max(abs(low), abs(high), 1.0):
        return np.array([len(finite) / count]), np.array([low - 0.25, low + 0.25])
    numbers, edges = np.histogram(finite, bins=most, range=(low, high))
    return numbers / count, edges


def _span(edges: Array, observed: float | None) -> tuple[float, float]:
    ends = [float(edges[0]), float(edges[-1])]
    if observed is not None and math.isfinite(observed):
        ends.append(observed)
    margin = 0.05 * (max(ends) - min(ends)) or 0.5
    return min(ends) - margin, max(ends) + margin


def _tinted(rejected: NDArray[np.bool_], theme: Theme) -> list[str]:
    return [theme.differ if tail else theme.bar for tail in rejected]


def _key(figure: go.Figure, theme: Theme, source: str) -> None:
    """Add a legend for bars that change their colour at the tail."""
    figure.update_traces(showlegend=False)
    for name, colour in ((source, theme.bar), ("rejection tail", theme.differ)):
        figure.add_trace(
            go.Scatter(
                x=[None],
                y=[None],
                mode="markers",
                marker={"symbol": "square", "size": 11, "color": colour},
                name=name,
            )
        )


def _shade(
    figure: go.Figure, span: tuple[float, float], below: float | None, above: float | None, theme: Theme
) -> None:
    """Shade where the test rejects; a limit at minus infinity leaves nothing below it."""
    for start, end in ((span[0], below), (above, span[1])):
        if start is not None and end is not None and math.isfinite(start + end) and start < end:
            figure.add_vrect(
                x0=start, x1=end, fillcolor=theme.differ, opacity=0.10, line_width=0, layer="below"
            )


def _note_infinite(figure: go.Figure, share: float, theme: Theme) -> None:
    figure.add_annotation(
        x=LOWER_EDGE,
        xref="paper",
        y=0.16,
        yref="paper",
        text=f"{100 * share:.3g} % at −∞",
        font={"color": theme.muted, "size": 12},
        showarrow=True,
        arrowcolor=theme.muted,
        arrowhead=2,
        ax=46,
        ay=0,
        xanchor="left",
    )
