"""The 201 values by which a simulated distribution is kept."""

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from forequake.evaluations.evaluated import summary_of


@given(st.lists(st.floats(-100, 0) | st.just(-np.inf), min_size=1, max_size=450))
def test_each_value_is_the_least_that_its_share_does_not_exceed(sample: list[float]) -> None:
    summary = summary_of(np.array(sample))
    ordered = sorted(sample)
    for step, value in enumerate(summary.quantiles):
        share = Fraction(step, 200)
        least = next(x for rank, x in enumerate(ordered, 1) if Fraction(rank, len(ordered)) >= share)
        assert value == least


def test_a_thousand_values_are_kept_by_every_fifth() -> None:
    sample = np.random.default_rng(1).permutation(1000).astype(float)
    summary = summary_of(sample)
    assert summary.size == 1000
    assert summary.quantiles == (0.0, *(5.0 * step - 1 for step in range(1, 201)))
    assert np.array_equal(summary.quantiles, np.quantile(sample, np.arange(201) / 200, method="inverted_cdf"))
