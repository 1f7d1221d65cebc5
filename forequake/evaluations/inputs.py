"""What a test is computed from: the observation, the parameters, the seed; and the key that they make."""

import math
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Final, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from forequake.catalogs import Events
from forequake.errors import InputError
from forequake.evaluations.own_tests.inputs import OwnTestInputs
from forequake.evaluations.registry import TESTS, TestDefinition
from forequake.forecasts.catalog_based.counts import magnitude_bins
from forequake.keys import ADDED_LATER, KeyInputs
from forequake.quantities import Sha256
from forequake.regions import Region
from forequake.windows import TimeWindow

__all__ = [
    "DEFAULT_SIMULATIONS",
    "Observation",
    "ResultInputs",
    "TestParameters",
    "check_parameters",
    "derive_seed",
]

#: Simulated catalogs of a test that draws random numbers, where the experiment does not say: pyCSEP's number.
DEFAULT_SIMULATIONS: Final = 1000

#: Magnitude edges are evenly spaced where no step differs from the first by more.
_SAME_STEP: Final = 1e-6


@dataclass(frozen=True, eq=False)
class Observation:
    """The target events on their grid.

    Attributes
    ----------
    region
        The cells, in the order of the forecast's rows.
    magnitudes : array of float64, shape (bins,)
        Lower edges of the magnitude bins, evenly spaced; the last bin is open.
    events
        Already cut to the window, the region, the least magnitude and the depths.

    Raises
    ------
    InputError
        Where the edges are not evenly spaced, or an event lies outside the cells or below the lowest edge.
    """

    region: Region
    magnitudes: NDArray[np.float64]
    events: Events

    def __post_init__(self) -> None:
        steps = np.diff(self.magnitudes)
        # pyCSEP takes the first step for all of them: on other bins it would count in the wrong ones.
        if len(steps) and not (steps[0] > 0 and np.all(np.abs(steps - steps[0]) < _SAME_STEP)):
            edges = ", ".join(f"{edge:g}" for edge in self.magnitudes)
            message = f"magnitude bins must be evenly spaced and increasing, got the lower edges {edges}"
            raise InputError(message)
        self._refuse(self.cells < 0, self.region.name)
        lowest = self.magnitudes[0]
        rounding = np.finfo(float).eps * (np.abs(self.events.magnitude) + abs(lowest))
        below = ~(self.events.magnitude - lowest + rounding >= 0)  # holds for a missing magnitude, NaN, too
        self._refuse(below, f"the magnitudes from {lowest:g} on")

    @cached_property
    def cells(self) -> NDArray[np.intp]:
        """The cell of each event; shape (events,)."""
        return self.region.cells_of(self.events.longitude, self.events.latitude)

    @cached_property
    def bins(self) -> NDArray[np.intp]:
        """The magnitude bin of each event; shape (events,)."""
        return magnitude_bins(self.events.magnitude, self.magnitudes).astype(np.intp)

    @cached_property
    def places(self) -> NDArray[np.intp]:
        """The space-magnitude bin of each event, counted cell by cell; shape (events,)."""
        return self.cells * len(self.magnitudes) + self.bins

    def _refuse(self, outside: NDArray[np.bool_], place: str) -> None:
        if outside.any():
            first = int(np.argmax(outside))
            events = self.events
            message = (
                f"{int(outside.sum())} target events lie outside {place}, first {events.event_id[first]!s}: "
                f"longitude {events.longitude[first]:g}, latitude {events.latitude[first]:g}, "
                f"magnitude {events.magnitude[first]:g}"
            )
            raise InputError(message)


class TestParameters(BaseModel):
    """The numbers that a test takes beside its data; part of the result's key.

    Attributes
    ----------
    alpha
        Significance level.
    num_simulations
        Simulated catalogs; None for tests without random numbers.
    variance
        Of the number of events in a window, for the negative binomial test; None for all others.
    compat
        ``pycsep`` for the numbers of pyCSEP, where they differ from forequake's too.
    """

    __test__ = False  # pytest: not a class of tests

    model_config = ConfigDict(frozen=True, extra="forbid")

    alpha: float = Field(default=0.05, gt=0, lt=1)
    num_simulations: int | None = Field(default=None, ge=1)
    variance: Annotated[float | None, ADDED_LATER] = Field(default=None, gt=0, lt=math.inf)
    compat: Annotated[Literal["pycsep"] | None, ADDED_LATER] = None

    @classmethod
    def for_test(
        cls,
        definition: TestDefinition,
        *,
        alpha: float = 0.05,
        num_simulations: int | None = None,
        variance: float | None = None,
        compat: Literal["pycsep"] | None = None,
    ) -> Self:
        """Give a test's parameters with the defaults written out.

        Raises
        ------
        InputError
            Where a number of simulations is given to a test that simulates nothing, a variance is missing or
            given to a test that takes none, or pyCSEP has no such test.

        Examples
        --------
        >>> from forequake.evaluations import find_test
        >>> TestParameters.for_test(find_test("CL")).num_simulations
        1000
        """
        if definition.simulated and num_simulations is None:
            num_simulations = DEFAULT_SIMULATIONS
        parameters = cls(alpha=alpha, num_simulations=num_simulations, variance=variance, compat=compat)
        problem = _misfit(definition, parameters, seed=1 if definition.seeded else None)
        if problem is not None:
            raise InputError(problem)
        return parameters


def _misfit(definition: TestDefinition, parameters: TestParameters, seed: int | None) -> str | None:
    """Say what is missing or too much for a test, or None."""
    for name, wanted, value in (
        ("num_simulations", definition.simulated, parameters.num_simulations),
        ("a seed", definition.seeded, seed),
    ):
        if wanted and value is None:
            return f"{definition.name} draws random numbers and needs {name}"
        if not wanted and value is not None:
            what = "draws no catalogs" if definition.seeded else "draws no random numbers"
            return f"{definition.name} {what} and takes no {name.removeprefix('a ')}"
    if definition.needs_variance and parameters.variance is None:
        return f"{definition.name} needs the variance of the number of events in a window"
    if not definition.needs_variance and parameters.variance is not None:
        return f"{definition.name} takes no variance"
    if seed is not None and not 0 <= seed < 2**32:
        return f"a seed must lie from 0 to 4294967295, got {seed}"
    if parameters.compat is not None:
        return _incompatible(definition, seed)
    return None


def _incompatible(definition: TestDefinition, seed: int | None) -> str | None:
    """Say why pyCSEP's numbers of a test cannot be had, or None."""
    if not definition.has_pycsep_numbers:
        return f"{definition.name} is no test of pyCSEP and takes no compat: pycsep"
    if definition.resampled and seed == 0:
        return f"{definition.name} in pyCSEP takes a seed of 0 for none: its numbers cannot be had again"
    return None


def check_parameters(definition: TestDefinition, parameters: TestParameters, seed: int | None) -> None:
    """Raise an InputError where parameters or seed are not those of the test."""
    problem = _misfit(definition, parameters, seed)
    if problem is not None:
        raise InputError(problem)


class _SeedInputs(KeyInputs):
    what = "seed"

    seed: int
    test: str
    parameters: TestParameters
    window: TimeWindow


def derive_seed(experiment_seed: int, test: str, parameters: TestParameters, window: TimeWindow) -> int:
    """Derive the seed of one test in one window from that of the experiment.

    No model enters, so that all models of a window meet the same random numbers, and no catalog, so that a
    revision of the catalog adds no noise. Nor does `compat`: pyCSEP's numbers are for comparison.

    Returns
    -------
    int
        The first four bytes of the SHA-256 of the canonical text, most significant first; never 0.
    """
    own = parameters.model_copy(update={"compat": None})
    inputs = _SeedInputs(seed=experiment_seed, test=test, parameters=own, window=window)
    return int(inputs.key[:8], 16) or 1


class ResultInputs(KeyInputs):
    """All that decides a result: its `key` names the record, its `canon` stands beside it.

    Attributes
    ----------
    test, kernel_version
        forequake's name of the test, and the version of its computation.
    forecast, reference
        Keys of the scaled forecasts; the reference is None for tests of one forecast.
    catalog, region
        Keys of the target events and of the cells.
    magnitudes
        Lower edges of the magnitude bins.
    seed
        None for tests without random numbers.
    family
        Keys of all forecasts that are compared with each other, sorted, where the outcome depends on all.
    own
        The code of a user's own test, and what it is told; None for all others.

    Raises
    ------
    pydantic.ValidationError
        Where parameters, reference or seed are not those that the test takes.
    """

    what = "result"

    test: str
    parameters: TestParameters
    kernel_version: int = Field(ge=1)
    forecast: Sha256
    reference: Sha256 | None = None
    catalog: Sha256
    region: Sha256
    magnitudes: tuple[float, ...] = Field(min_length=1)
    seed: int | None = None
    family: Annotated[tuple[Sha256, ...], ADDED_LATER] = ()
    own: Annotated[OwnTestInputs | None, ADDED_LATER] = None

    def without(self, forecasts: Collection[Sha256]) -> Self:
        """Give the inputs where some forecasts of the family are not there."""
        return self.model_copy(update={"family": tuple(key for key in self.family if key not in forecasts)})

    @model_validator(mode="after")
    def _fits_the_test(self) -> Self:
        definition = TESTS.get(self.test)
        if definition is None:
            message = f"there is no test {self.test!r}"
            raise ValueError(message)
        problem = _misfit(definition, self.parameters, self.seed)
        free = definition.own and definition.kind == "score"  # with a reference or without
        if problem is None and (self.reference is None) == definition.needs_reference and not free:
            problem = f"{self.test} is a {definition.kind} test: reference forecast {self.reference}"
        if problem is None and bool(self.family) != definition.against_all:
            problem = (
                f"{self.test} compares with {'all' if definition.against_all else 'no family of'} models"
            )
        if problem is None and (self.own is None) == definition.own:
            problem = f"{self.test} is {'a' if definition.own else 'no'} test of a user's own"
        if problem is not None:
            raise ValueError(problem)
        return self
