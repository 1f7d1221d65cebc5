"""Results in the form of pyCSEP's ``EvaluationResult``, which ``csep.load_evaluation_result`` reads.

The numbers are those of the result; only their places are pyCSEP's. Nothing here imports pyCSEP.
"""

from collections.abc import Sequence
from typing import Any, Final

from forequake.evaluations.catalog_space import UNDERSAMPLED_FLAG
from forequake.results import (
    AnyEvaluation,
    ComparisonRecord,
    KolmogorovQuantile,
    Label,
    LowerQuantile,
    NegativeBinomialDistribution,
    Outcome,
    PoissonDistribution,
    SimulatedDistribution,
    StudentQuantiles,
    TailQuantiles,
    WilcoxonQuantile,
)

__all__ = ["has_pycsep_result", "pycsep_result"]

#: pyCSEP's names of tests and the types of their results.
_NAMES: Final = {
    "poisson_number": ("Poisson N-Test", "EvaluationResult"),
    "poisson_likelihood": ("Poisson L-Test", "EvaluationResult"),
    "poisson_conditional_likelihood": ("Poisson CL-Test", "EvaluationResult"),
    "poisson_spatial": ("Poisson S-Test", "EvaluationResult"),
    "poisson_magnitude": ("Poisson M-Test", "EvaluationResult"),
    "poisson_paired_t": ("Paired T-Test", "EvaluationResult"),
    "poisson_w": ("W-Test", "EvaluationResult"),
    "negative_binomial_number": ("NBD N-Test", "EvaluationResult"),
    "binary_spatial": ("Binary S-Test", "EvaluationResult"),
    "binary_conditional_likelihood": ("Binary CL-Test", "EvaluationResult"),
    "binary_paired_t": ("binary paired T-Test", "EvaluationResult"),
    "brier": ("Brier score-Test", "EvaluationResult"),
    "catalog_number": ("Catalog N-Test", "CatalogNumberTestResult"),
    "catalog_spatial": ("Catalog S-Test", "CatalogSpatialTestResult"),
    # With another L than in the name of the class, since pyCSEP's reader looks for this.
    "catalog_pseudolikelihood": ("Catalog PL-Test", "CatalogPseudoLikelihoodTestResult"),
    "catalog_magnitude": ("Catalog M-Test", "CatalogMagnitudeTestResult"),
    "catalog_resampled_magnitude": ("M-Test", "CatalogMagnitudeTestResult"),
    "catalog_mll_magnitude": ("M-Test", "CatalogMagnitudeTestResult"),
    "calibration": ("Calibration Test", "CalibrationTestResult"),
}


def has_pycsep_result(test: str) -> bool:
    """Tell whether pyCSEP has a result for a test, by forequake's name."""
    return test in _NAMES


def pycsep_result(
    result: AnyEvaluation,
    label: Label,
    *,
    sample: Sequence[float] | None = None,
    least_magnitude: float | None = None,
) -> dict[str, Any] | None:
    """Put a result into the form of pyCSEP's ``EvaluationResult.to_dict``, to be written as JSON.

    Parameters
    ----------
    label
        Where the result belongs; gives the names of forecast and observation.
    sample
        The whole simulated sample. Without it, a simulated distribution has its 201 stored quantiles.
    least_magnitude
        Lower edge of the first magnitude bin.

    Returns
    -------
    dict or None
        None for a test that pyCSEP has no result for. An undefined result is ``not-valid``, which pyCSEP's
        calibration test leaves out. Infinite numbers are written as Python's ``json`` writes them.
    """
    if result.test not in _NAMES:
        return None
    name, kind = _NAMES[result.test]
    observed: float | None = result.statistic
    if isinstance(result, ComparisonRecord) and result.test.endswith("paired_t"):
        observed = result.information_gain
    if result.test.endswith("_number") and observed is not None:
        observed = int(observed)
    compares = isinstance(result, ComparisonRecord)
    status = "undersampled" if UNDERSAMPLED_FLAG in result.flags else "normal"
    return {
        "name": name,
        "sim_name": [label.model, label.reference] if compares else label.model,
        "obs_name": f"{label.experiment} {label.window.id}",
        "obs_catalog_repr": f"{result.n_observed} target events of {label.experiment} in {label.window.id}",
        "quantile": _quantile(result),
        "observed_statistic": observed,
        "test_distribution": _distribution(result, sample),
        "status": "not-valid" if result.outcome is Outcome.UNDEFINED else status,
        "min_mw": least_magnitude,
        "type": kind,
    }


def _quantile(result: AnyEvaluation) -> list[float] | float | None:
    match result.quantiles:
        case TailQuantiles(delta1=delta1, delta2=delta2):
            return [delta1, delta2]
        case LowerQuantile(q=value) | WilcoxonQuantile(p=value) | KolmogorovQuantile(p=value):
            return value
        case StudentQuantiles(t=t, t_critical=critical):
            return [t, critical] if result.test == "binary_paired_t" else [t, critical, result.alpha]
        case _:
            return None


def _distribution(result: AnyEvaluation, sample: Sequence[float] | None) -> list[Any] | str:
    if result.test == "poisson_w":
        return "normal"
    if isinstance(result, ComparisonRecord):
        return list(result.interval or ())
    match result.distribution:
        case PoissonDistribution(mean=mean):
            return ["poisson", mean]
        case NegativeBinomialDistribution(mean=mean, variance=variance):
            return ["negative_binomial", mean, variance]
        case SimulatedDistribution(quantiles=quantiles) if sample is None:
            return list(quantiles)
        case _:
            return list(sample or ())
