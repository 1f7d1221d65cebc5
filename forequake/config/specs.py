"""What an experiment is, with all defaults written out: the form that is recorded."""

from functools import cached_property
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from forequake.catalogs.specs import CatalogSpec, CompletenessSpec
from forequake.config.model_specs import ModelSpec
from forequake.forecasts.policy import QualityPolicy
from forequake.keys import ADDED_LATER
from forequake.quantities import DepthKm, Magnitude, UtcDatetime
from forequake.regions.specs import RegionSpec
from forequake.schedules import Growth
from forequake.windows import TimeWindow, alone_on_their_dates, overlap

__all__ = [
    "DEFAULT_ALPHA",
    "DEFAULT_MEMORY_MB",
    "DEFAULT_SIMULATIONS",
    "DEFAULT_TIMEOUT_S",
    "Alpha",
    "ExperimentClass",
    "ExperimentConfig",
    "OwnFunction",
    "Seed",
    "TestSpec",
]

#: Level of significance where nothing else is said.
DEFAULT_ALPHA = 0.05
#: Synthetic catalogs of a simulated test where nothing else is said.
DEFAULT_SIMULATIONS = 1000
#: What one call of a user's own test may take where nothing else is said.
DEFAULT_TIMEOUT_S = 300.0
DEFAULT_MEMORY_MB = 4096

#: What NumPy takes as the seed of its legacy generator, which pyCSEP's tests use.
Seed = Annotated[int, Field(ge=0, lt=2**32)]
#: A level of significance.
Alpha = Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)]
#: ``ti``: forecasts that hold at any time, scaled to a window; ``td``: a forecast for each window.
ExperimentClass = Literal["ti", "td"]


class _Spec(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class OwnFunction(_Spec):
    """A user's own test: a function in a file of the experiment's folder.

    Attributes
    ----------
    file, function
        The file, relative to the experiment's folder, and the function's name.
    files
        All files that the code can read, this one first, relative to the experiment's folder.
    arguments
        Handed to the function by their names.
    timeout_s, memory_mb
        What one call may take; they decide no value, and enter no key.
    """

    file: str
    function: str
    files: tuple[str, ...] = Field(min_length=1)
    arguments: dict[str, JsonValue] = {}
    timeout_s: float = Field(default=DEFAULT_TIMEOUT_S, gt=0, allow_inf_nan=False)
    memory_mb: int = Field(default=DEFAULT_MEMORY_MB, gt=0)

    @property
    def text(self) -> str:
        """``file.py:function``."""
        return f"{self.file}:{self.function}"


class TestSpec(_Spec):
    """A test of the experiment.

    Attributes
    ----------
    name
        As the experiment calls it.
    test
        forequake's name of the test, a key of `forequake.evaluations.registry.TESTS`.
    num_simulations
        Synthetic catalogs to draw; None for a test that draws none.
    seed
        The test's own, word for word; None derives one from the experiment's.
    alpha
        The test's own level of significance; None takes the experiment's.
    reference
        Name of the model to compare with; None for a test of one model, or with every other model.
    variance
        Of the number of events in a window, for the negative binomial test.
    compat
        ``pycsep`` for the numbers of pyCSEP, where they differ from forequake's too.
    of
        Name of the test whose results this one takes; None for a test of forecasts.
    own
        The function of a user's own test; None for all others.
    """

    __test__: ClassVar[bool] = False  # pytest: not a class of tests

    name: str
    test: str
    num_simulations: int | None = Field(default=None, gt=0)
    seed: Seed | None = None
    alpha: Alpha | None = None
    reference: str | None = None
    variance: Annotated[float | None, ADDED_LATER] = Field(default=None, gt=0, allow_inf_nan=False)
    compat: Annotated[Literal["pycsep"] | None, ADDED_LATER] = None
    of: Annotated[str | None, ADDED_LATER] = None
    own: Annotated[OwnFunction | None, ADDED_LATER] = None

    @property
    def draws(self) -> str:
        """The name under which the experiment's seed gives the test its random numbers."""
        return self.test if self.own is None else f"{self.test} {self.own.text}"


class ExperimentConfig(_Spec):
    """An experiment as its files say it, independent of the machine on which they lie.

    Attributes
    ----------
    seed
        Of all tests that have none of their own.
    alpha
        Level of significance of all tests that have none of their own.
    exp_class
        For which kind of models the windows were made; models of both kinds may be in either.
    windows
        In order.
    growth
        ``cumulative`` windows overlap, so that their results depend on one another.
    magnitudes : tuple of float, shape (magnitude bins,)
        Lower edges of the magnitude bins; the last bin is open upwards.
    depth_km
        Least and greatest depth of the events that count, both included; None counts any depth.
    catalog
        The observed catalog, with which forecasts are tested.
    input_catalog
        The catalog from which time-dependent models learn; None takes the past of `catalog`.
    completeness
        Above which magnitude the observed catalog is complete, and when; None marks no window.
    forecast_quality
        What is done with a forecast that has something wrong with it.
    embargo_until
        Until when a public dashboard leaves the experiment out.
    metadata
        What the file says for people: authors, journal, ...
    unused
        Keys that steer floatCSEP's own pictures or running, accepted and without effect here.
    """

    name: str
    seed: Seed | None = None
    alpha: Alpha = DEFAULT_ALPHA
    exp_class: ExperimentClass = "ti"
    windows: tuple[TimeWindow, ...] = Field(min_length=1)
    growth: Growth = "incremental"
    region: RegionSpec
    magnitudes: tuple[Magnitude, ...] = Field(min_length=1)
    depth_km: tuple[DepthKm, DepthKm] | None = None
    catalog: CatalogSpec
    input_catalog: CatalogSpec | None = None
    completeness: CompletenessSpec | None = None
    models: tuple[ModelSpec, ...] = Field(min_length=1)
    tests: tuple[TestSpec, ...] = Field(min_length=1)
    forecast_quality: QualityPolicy = "refuse"
    embargo_until: Annotated[UtcDatetime | None, ADDED_LATER] = None
    metadata: dict[str, JsonValue] = {}
    unused: tuple[str, ...] = ()

    @property
    def span(self) -> TimeWindow:
        """From the first window's start to the last one's end."""
        ends = max(window.end for window in self.windows)
        return TimeWindow(start=min(window.start for window in self.windows), end=ends)

    @property
    def dependent_windows(self) -> bool:
        """Whether windows share time, so that their results depend on one another."""
        return self.growth == "cumulative" or overlap(self.windows)

    @cached_property
    def alone_on_their_dates(self) -> frozenset[str]:
        """Ids of the windows that their dates tell from all others."""
        return alone_on_their_dates(self.windows)
