"""Forecasts on an experiment's grid: each file is parsed once, and its rates are mapped from a cache then."""

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forequake.errors import ForecastError
from forequake.forecasts.arrays import ArrayCache
from forequake.forecasts.fitting import FIT_VERSION, fit_to_experiment
from forequake.forecasts.gridded import ForecastScope, GriddedRates
from forequake.forecasts.policy import QualityPolicy
from forequake.forecasts.readers import read_forecast, reader_of, source_files
from forequake.keys import KeyInputs
from forequake.quantities import Sha256
from forequake.regions import Region
from forequake.results import QualityFinding, Stage
from forequake.timers import Timing

__all__ = ["FittedInputs", "cached_rates", "file_content", "fitted_rates", "keep_rates"]


class FittedInputs(KeyInputs):
    """What decides fitted rates and their findings.

    Attributes
    ----------
    content
        SHA-256 of the source, as `file_content` gives it.
    region_name
        It stands in findings.
    """

    what = "fitted_rates"

    content: Sha256
    reader: str
    fit: int = FIT_VERSION
    region: Sha256
    region_name: str
    magnitudes: tuple[float, ...]
    policy: QualityPolicy


def file_content(path: Path, format: str | None = None) -> Sha256:
    """Hash the bytes of a forecast's file; where two files decide it, their two hashes together.

    Raises
    ------
    ForecastError
        Where a file cannot be read.
    """
    digests = []
    for file in source_files(path, format):
        try:
            with file.open("rb") as stream:
                digests.append(hashlib.file_digest(stream, "sha256").hexdigest())
        except OSError as error:
            message = f"{file}: the forecast cannot be read ({error.strerror})"
            raise ForecastError(message) from error
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def cached_rates(inputs: FittedInputs, cache: ArrayCache | None = None) -> GriddedRates | None:
    """Give rates that were kept, mapped read-only, with their findings; None where there are none."""
    kept = (cache or ArrayCache()).get(inputs.key)
    if kept is None:
        return None
    scope = kept.about["scope"]
    return GriddedRates(
        rates=kept.arrays["rates"],
        findings=tuple(QualityFinding.model_validate(finding) for finding in kept.about["findings"]),
        scope=ForecastScope(
            valid_from=_moment(scope["valid_from"]),
            valid_to=_moment(scope["valid_to"]),
            depth_km=None if scope["depth_km"] is None else (scope["depth_km"][0], scope["depth_km"][1]),
        ),
    )


def keep_rates(inputs: FittedInputs, fitted: GriddedRates, cache: ArrayCache | None = None) -> None:
    """Keep rates and their findings for the next time, where the cache can take them."""
    scope = fitted.scope
    about: dict[str, Any] = {
        "findings": [finding.model_dump(mode="json") for finding in fitted.findings],
        "scope": {
            "valid_from": scope.valid_from and scope.valid_from.isoformat(),
            "valid_to": scope.valid_to and scope.valid_to.isoformat(),
            "depth_km": scope.depth_km,
        },
    }
    (cache or ArrayCache()).keep(inputs.key, {"rates": fitted.rates}, about)


def fitted_rates(
    path: Path,
    region: Region,
    magnitudes: NDArray[np.float64],
    policy: QualityPolicy = "refuse",
    *,
    format: str | None = None,
    content: Sha256 | None = None,
    cache: ArrayCache | None = None,
) -> GriddedRates:
    """Give a file's rates on an experiment's grid, from the cache where they were read before.

    Parameters
    ----------
    format
        As `read_forecast` takes it.
    content
        What `file_content` gave, where it is known; then a file whose rates are kept is not read at all.

    Raises
    ------
    ForecastError
        As `read_forecast` and `fit_to_experiment`, and where the file changes while it is read.
    """
    known = file_content(path, format) if content is None else content
    inputs = FittedInputs(
        content=known,
        reader=reader_of(path, format),
        region=region.inputs.key,
        region_name=region.name,
        magnitudes=tuple(float(edge) for edge in magnitudes),
        policy=policy,
    )
    kept = cached_rates(inputs, cache)
    if kept is not None and kept.rates.shape == (len(region), len(magnitudes)):
        return kept
    table = read_forecast(path, format)
    with Timing(Stage.CHECK):
        fitted = fit_to_experiment(table, region, magnitudes, policy)
    if file_content(path, format) != known:
        message = f"{path}: the forecast changed while it was read; run again"
        raise ForecastError(message)
    keep_rates(inputs, fitted, cache)
    return fitted


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
