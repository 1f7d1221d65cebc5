"""The curve of a score as a figure: its points, its area, the diagonal of no skill."""

import numpy as np
import pytest

from dashboard._theme import DARK, LIGHT, Theme
from dashboard.figures.curves import curve_figure
from forequake.results import Curve, Outcome, ScoreRecord, Side
from stores.testing import sample_result


def scored(curve: Curve | None, statistic: float | None, test: str = "roc") -> ScoreRecord:
    fields = sample_result(1, test="S").model_dump(
        exclude={"kind", "statistic", "quantiles", "distribution", "outcome", "reason", "side", "test"}
    )
    return ScoreRecord(
        **fields,
        test=test,
        statistic=statistic,
        outcome=Outcome.UNDEFINED if statistic is None else Outcome.SCORE_ONLY,
        reason="no target events" if statistic is None else None,
        side=Side.NONE,
        curve=curve,
    )


@pytest.mark.parametrize("theme", [LIGHT, DARK])
@pytest.mark.parametrize(
    ("test", "y", "chance"),
    [("roc", (0.0, 0.75, 1.0), (0, 1)), ("molchan", (1.0, 0.25, 0.0), (1, 0))],
)
def test_a_curve_stands_over_the_diagonal_of_no_skill(
    test: str, y: tuple[float, ...], chance: tuple[int, int], theme: Theme
) -> None:
    curve = Curve(x=(0.0, 0.25, 1.0), y=y, x_name="share in alarm", y_name="share of events")
    figure = curve_figure(scored(curve, 0.75, test), theme)
    assert figure is not None
    line, diagonal = figure.data[-2:]
    assert (line.x, line.y) == (curve.x, curve.y)
    assert (tuple(diagonal.x), tuple(diagonal.y)) == ((0, 1), chance)
    assert line.name.endswith(": 0.75")
    assert figure.layout.xaxis.title.text == "share in alarm"
    assert figure.layout.yaxis.title.text == "share of events"
    assert line.line.color == theme.agree
    # What is shaded is what the score says: below a curve that rises, above one that falls.
    area = float(np.trapezoid(y, curve.x))
    if test == "molchan":
        assert (line.fill, tuple(figure.data[0].y)) == ("tonexty", (1, 1))
        area = 1 - area
    else:
        assert line.fill == "tozeroy"
    assert area == pytest.approx(0.75)


def test_a_score_without_a_curve_has_no_figure() -> None:
    assert curve_figure(scored(None, 2.3, "kagan_i1"), LIGHT) is None
    assert curve_figure(scored(None, None), LIGHT) is None
