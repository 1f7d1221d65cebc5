"""One result as a figure: what the test compares with, where it rejects, and what was observed."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard._sentences import gain_unit
from dashboard._theme import Theme
from dashboard._words import count_of, number
from dashboard.figures.bars import count_bars, rejected_below_and_above, signed_rank_bars
from dashboard.figures.edges import LOWER_EDGE, lay_out, mark_observed
from dashboard.figures.many_windows import calibration_figure, holm_figure
from forequake.evaluations.registry import TESTS
from forequake.results import (
    AdjustedQuantile,
    AnyEvaluation,
    BatchQuantiles,
    ComparisonRecord,
    DistributionRecord,
    KolmogorovQuantile,
    NegativeBinomialDistribution,
    PoissonDistribution,
    SignedRankDistribution,
    SimulatedDistribution,
    StudentDistribution,
    StudentQuantiles,
)

__all__ = ["distribution_figure"]

Array = NDArray[np.float64]


def distribution_figure(
    result: AnyEvaluation, theme: Theme, sample: DistributionRecord | None = None
) -> go.Figure | None:
    """Draw the distribution of a result with its rejection tail and the observed value.

    Parameters
    ----------
    sample
        The whole simulated sample, drawn in place of the 201 stored quantiles; the quantiles of the windows
        for a calibration test, and their p for Holm's correction, which have no picture without it.

    Returns
    -------
    go.Figure or None
        None where the result has no distribution.
    """
    if sample is not None and isinstance(result.quantiles, KolmogorovQuantile):
        return calibration_figure(result, sample.values, theme)
    if sample is not None and isinstance(result.quantiles, AdjustedQuantile):
        return holm_figure(result, sample.values, theme)
    match result.distribution:
        case PoissonDistribution() | NegativeBinomialDistribution() as counts:
            return _counts(result, counts, theme)
        case SimulatedDistribution() as simulated:
            values = simulated.quantiles if sample is None else sample.values
            return _simulated(result, simulated, values, theme, whole=sample is not None)
        case StudentDistribution() as student if isinstance(result, ComparisonRecord):
            return _student(result, student, theme)
        case SignedRankDistribution() as ranks:
            return _signed_rank(result, ranks, theme)
        case _:
            return None


def _counts(
    result: AnyEvaluation,
    distribution: PoissonDistribution | NegativeBinomialDistribution,
    theme: Theme,
) -> go.Figure:
    observed = result.n_observed if result.statistic is None else result.statistic
    counts, probabilities, rejected, step = count_bars(distribution, observed, result.alpha)
    name = "Poisson distribution of the expected number"
    if isinstance(distribution, NegativeBinomialDistribution):
        variance = number(distribution.variance)
        name = f"negative binomial distribution of the expected number, variance {variance}"
    figure = go.Figure(
        go.Bar(
            x=counts + (step - 1) / 2,
            y=probabilities,
            width=step * 0.9,
            marker={"color": _tinted(rejected, theme), "line": {"width": 0}},
            name=name.partition(" distribution")[0],
            hovertemplate="%{x} events: %{y:.3g}<extra></extra>",
        )
    )
    _key(figure, theme, name, tail=bool(rejected.any()))
    span = (float(counts[0]) - 0.6, float(counts[-1]) + step - 0.4)
    mark_observed(figure, observed, theme, f"observed {number(observed)}", span)
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
    _key(figure, theme, source, tail=bool(rejected.any()))
    span = _span(edges, result.statistic)
    _shade(figure, span, below, above, theme)
    lost = len(array) - len(finite)
    if lost:
        _note_infinite(figure, lost / len(array), theme)
    if result.statistic is not None:
        mark_observed(figure, result.statistic, theme, f"observed {number(result.statistic)}", span)
    measure = TESTS[result.test].measure if result.test in TESTS else "statistic"
    lay_out(figure, span, measure, "share of catalogs")
    figure.update_yaxes(tickformat=".0%")
    return figure


def _student(result: ComparisonRecord, student: StudentDistribution, theme: Theme) -> go.Figure:
    """Draw the t distribution about no difference, and the observed gain with its interval."""
    from scipy.special import gammaln, stdtrit

    freedom, scale = student.degrees_of_freedom, student.scale
    critical = (
        result.quantiles.t_critical
        if isinstance(result.quantiles, StudentQuantiles | BatchQuantiles)
        else float(stdtrit(freedom, 1 - result.alpha / 2))
    )
    alone = " before correction" if isinstance(result.quantiles, BatchQuantiles) else ""
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
            name=f"if equal: Student's t, {count_of(freedom, 'degree')} of freedom",
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
                name=f"|t| above {number(critical, 3)}: significant{alone}",
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
    margin = 0.06 * (max(ends) - min(ends))
    span = (min(ends) - margin, max(ends) + margin)
    if gain is not None:
        mark_observed(figure, gain, theme, f"observed {number(gain, 3)}", span)
    lay_out(figure, span, f"information gain per {gain_unit(result.test)} (nats)", "density")
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
        _key(figure, theme, named, tail=bool(rejected.any()))
    else:
        figure.update_traces(name=named, showlegend=True)
        from scipy.special import ndtri

        _shade(figure, span, float(ndtri(result.alpha / 2)), None, theme)
    mark_observed(figure, result.statistic, theme, f"observed {number(result.statistic)}", span)
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


def _key(figure: go.Figure, theme: Theme, source: str, *, tail: bool) -> None:
    """Add a legend for bars that change their colour at the tail."""
    figure.update_traces(showlegend=False)
    keys = [(source, theme.bar)] + ([("rejection tail", theme.differ)] if tail else [])
    for name, colour in keys:
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
