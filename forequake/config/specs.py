"""What an experiment is, with all defaults written out: the form that is recorded."""

from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from forequake.quantities import DepthKm, Magnitude
from forequake.schedules import Growth
from forequake.windows import TimeWindow

__all__ = [
    "DEFAULT_ALPHA",
    "DEFAULT_SIMULATIONS",
    "Alpha",
    "ExperimentConfig",
    "FileModel",
    "FileRegion",
    "ModelSpec",
    "NamedRegion",
    "ReferenceModel",
    "RegionSpec",
    "Seed",
    "TestSpec",
    "Years",
]

#: Level of significance where nothing else is said.
DEFAULT_ALPHA = 0.05
#: Synthetic catalogs of a simulated test where nothing else is said.
DEFAULT_SIMULATIONS = 1000

#: What NumPy takes as the seed of its legacy generator, which pyCSEP's tests use.
Seed = Annotated[int, Field(ge=0, lt=2**32)]
#: A level of significance.
Alpha = Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)]
#: A length of time in years.
Years = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class _Spec(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NamedRegion(_Spec):
    """One of pyCSEP's regions.

    Attributes
    ----------
    name
        One of `forequake.regions.REGION_NAMES`.
    """

    kind: Literal["named"] = "named"
    name: str


class FileRegion(_Spec):
    """A region from a file of cell corners.

    Attributes
    ----------
    path
        Relative to the experiment's folder, unless it is absolute.
    """

    kind: Literal["file"] = "file"
    path: str


#: Where the cells come from; `kind` tells which.
RegionSpec = Annotated[NamedRegion | FileRegion, Field(discriminator="kind")]


class FileModel(_Spec):
    """A time-independent model: a gridded forecast in a file.

    Attributes
    ----------
    path
        Relative to the experiment's folder (also where a models file in another folder names it), absolute,
        or a data set such as ``csep:helmstetter_mainshock``.
    forecast_unit
        Years that the file's rates stand for.
    metadata
        What the file says for people: authors, doi.
    """

    kind: Literal["file"] = "file"
    name: str
    path: str
    forecast_unit: Years = 1.0
    metadata: dict[str, JsonValue] = {}


class ReferenceModel(_Spec):
    """A built-in reference: rates in proportion to the cells' area, Gutenberg-Richter in magnitude.

    Attributes
    ----------
    total
        Expected number of events in `forecast_unit` years, over all cells and bins.
    b_value
        Of the Gutenberg-Richter law.
    """

    kind: Literal["reference"] = "reference"
    name: str
    reference: Literal["uniform"] = "uniform"
    total: float = Field(gt=0, allow_inf_nan=False)
    b_value: float = Field(default=1.0, gt=0, le=10)
    forecast_unit: Years = 1.0
    metadata: dict[str, JsonValue] = {}


#: A model of the experiment; `kind` tells where its rates come from.
ModelSpec = Annotated[FileModel | ReferenceModel, Field(discriminator="kind")]


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
        Name of the model to compare with; None for a test of one model.
    """

    __test__: ClassVar[bool] = False  # pytest: not a class of tests

    name: str
    test: str
    num_simulations: int | None = Field(default=None, gt=0)
    seed: Seed | None = None
    alpha: Alpha | None = None
    reference: str | None = None


class ExperimentConfig(_Spec):
    """An experiment as its files say it, independent of the machine on which they lie.

    Attributes
    ----------
    seed
        Of all tests that have none of their own.
    alpha
        Level of significance of all tests that have none of their own.
    windows
        In order.
    growth
        ``cumulative`` windows overlap, so that their results depend on one another.
    magnitudes : tuple of float, shape (magnitude bins,)
        Lower edges of the magnitude bins; the last bin is open upwards.
    depth_km
        Least and greatest depth of the events that count, both included; None counts any depth.
    catalog
        The observed catalog: a path relative to the experiment's folder, or a data set (``csep:...``).
    metadata
        What the file says for people: authors, journal, ...
    unused
        Keys that steer floatCSEP's own pictures or running, accepted and without effect here.
    """

    name: str
    seed: Seed | None = None
    alpha: Alpha = DEFAULT_ALPHA
    windows: tuple[TimeWindow, ...] = Field(min_length=1)
    growth: Growth = "incremental"
    region: RegionSpec
    magnitudes: tuple[Magnitude, ...] = Field(min_length=1)
    depth_km: tuple[DepthKm, DepthKm] | None = None
    catalog: str
    models: tuple[ModelSpec, ...] = Field(min_length=1)
    tests: tuple[TestSpec, ...] = Field(min_length=1)
    metadata: dict[str, JsonValue] = {}
    unused: tuple[str, ...] = ()
