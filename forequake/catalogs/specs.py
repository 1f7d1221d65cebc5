"""How an experiment defines its catalogs, with all defaults written out: the form that is recorded."""

import math
from itertools import pairwise
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from forequake.quantities import DepthKm, Latitude, Longitude, Magnitude, UtcDatetime

__all__ = [
    "CATALOG_FORMATS",
    "SERVICES",
    "Box",
    "CatalogFormat",
    "CatalogRules",
    "CatalogSource",
    "CatalogSpec",
    "CompletenessSpec",
    "CompletenessStep",
    "FileCatalog",
    "Mainshock",
    "QueryCatalog",
    "Service",
]

#: pyCSEP's formats under pyCSEP's names, its JSON, and QuakeML.
CatalogFormat = Literal[
    "csep-csv", "json", "zmap", "jma-csv", "ingv_horus", "ingv_emrcmt", "ndk", "ucerf3", "quakeml"
]
CATALOG_FORMATS: Final[tuple[CatalogFormat, ...]] = (
    "csep-csv",
    "json",
    "zmap",
    "jma-csv",
    "ingv_horus",
    "ingv_emrcmt",
    "ndk",
    "ucerf3",
    "quakeml",
)
#: Services that are asked for events: ComCat (USGS), BSI (INGV), GeoNet (GNS Science), GCMT.
Service = Literal["comcat", "bsi", "geonet", "gcmt"]
SERVICES: Final[tuple[Service, ...]] = ("comcat", "bsi", "geonet", "gcmt")
#: West, east, south, north; a west greater than the east spans the antimeridian.
Box = tuple[Longitude, Longitude, Latitude, Latitude]


class _Spec(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FileCatalog(_Spec):
    """Events from a file.

    Attributes
    ----------
    path
        Relative to the experiment's folder, absolute, or a data set such as ``csep:comcat_example_catalog``.
    format
        None lets the file's ending and its first lines tell.
    """

    kind: Literal["file"] = "file"
    path: str
    format: CatalogFormat | None = None


class QueryCatalog(_Spec):
    """Events that a service gives when the experiment runs; they are kept as a snapshot.

    Attributes
    ----------
    address
        Of a mirror of the service; None asks the service itself.
    """

    kind: Literal["query"] = "query"
    service: Service
    address: str | None = None


#: Where the events come from; `kind` tells which.
CatalogSource = Annotated[FileCatalog | QueryCatalog, Field(discriminator="kind")]


class CatalogRules(_Spec):
    """What makes an authoritative catalog of a source; the defaults leave plain files as they are.

    Attributes
    ----------
    event_types
        Types that are kept, in any case; "unknown" stands for events whose type is not said. None keeps all.
    magnitude_types
        Preferred types of magnitude, the best first. ``Mw*`` means every type that begins so. An event that
        has several magnitudes gets the first of these that it has. Empty takes the source's own choice.
    other_magnitudes
        What becomes of events that have none of the preferred types.
    duplicates
        What becomes of an event that is there twice: with one id, or within the three tolerances of an
        earlier one. ``note`` only tells of it, ``drop`` leaves the later one out, ``refuse`` ends the run.
    duplicate_seconds, duplicate_km, duplicate_magnitude
        Tolerances in origin time, epicentre and magnitude, all included.
    depth_datum
        From where the depths count, once `depth_offset_km` is added; told to people only.
    depth_offset_km
        Added to every depth: height of the wanted datum above the source's own.
    missing_depth
        What becomes of events without a depth where depths matter: ``refuse``, ``drop``, or a depth in
        kilometres that they are given.
    """

    event_types: tuple[str, ...] | None = ("earthquake", "unknown")
    magnitude_types: tuple[str, ...] = ()
    other_magnitudes: Literal["keep", "drop"] = "keep"
    duplicates: Literal["note", "drop", "refuse"] = "note"
    duplicate_seconds: float = Field(default=0.5, ge=0, le=86_400)
    duplicate_km: float = Field(default=5.0, ge=0, le=1_000)
    duplicate_magnitude: float = Field(default=0.2, ge=0, le=10)
    depth_datum: Literal["sea level", "surface"] | None = None
    depth_offset_km: float = Field(default=0.0, ge=-20, le=20)
    missing_depth: Literal["refuse", "drop"] | DepthKm = "refuse"


class CatalogSpec(_Spec):
    """One catalog of an experiment: its source, its rules, and its own limits.

    A plain text is a file's path, and a file without anything else is written as such.

    Attributes
    ----------
    start, end
        Events from `start` on and before `end` count; None sets no limit to a file, and takes an
        experiment's time for a query.
    region
        West, east, south and north of a box in degrees, borders included. A west greater than the east spans
        the antimeridian.
    magnitude_min
        Smaller events are left out.
    depth_km
        Least and greatest depth, both included; a least depth of 0 means the surface (see `Events.cut`).
    """

    source: CatalogSource
    start: UtcDatetime | None = None
    end: UtcDatetime | None = None
    region: Box | None = None
    magnitude_min: Magnitude | None = None
    depth_km: tuple[DepthKm, DepthKm] | None = None
    rules: CatalogRules = CatalogRules()

    @model_validator(mode="before")
    @classmethod
    def _lift(cls, value: object) -> object:
        return {"source": {"kind": "file", "path": value}} if isinstance(value, str) else value

    @model_serializer(mode="wrap")
    def _plain(self, write: SerializerFunctionWrapHandler) -> Any:
        """Write a plain file as its path, as configurations had it before catalogs had definitions."""
        if isinstance(self.source, FileCatalog) and self == CatalogSpec.file(self.source.path):
            return self.source.path
        return write(self)

    @model_validator(mode="after")
    def _limits(self) -> Self:
        if self.start is not None and self.end is not None and self.start >= self.end:
            message = f"a catalog must start before it ends: {self.start} is not before {self.end}"
            raise ValueError(message)
        if self.depth_km is not None and self.depth_km[0] > self.depth_km[1]:
            message = f"the least depth {self.depth_km[0]:g} km is greater than the greatest"
            raise ValueError(message)
        if self.region is not None and self.region[2] >= self.region[3]:
            message = f"the south {self.region[2]:g} of the region is not less than its north"
            raise ValueError(message)
        return self

    @classmethod
    def file(cls, path: str, format: CatalogFormat | None = None) -> Self:
        """Define a catalog that is a whole file."""
        return cls(source=FileCatalog(path=path, format=format))

    @property
    def title(self) -> str:
        """The source in a word: a path, or ``query_comcat``."""
        if isinstance(self.source, FileCatalog):
            return self.source.path
        return f"query_{self.source.service}"


class CompletenessStep(_Spec):
    """From `start` on, the catalog is complete above `magnitude`; a start of None means ever since."""

    start: UtcDatetime | None
    magnitude: Magnitude


class Mainshock(_Spec):
    """An earthquake after which many small ones are missed for a while."""

    time: UtcDatetime
    magnitude: Magnitude


class CompletenessSpec(_Spec):
    """Magnitude of completeness over time: the greatest of the steps', the aftershock law's and the floor.

    After a mainshock of magnitude M the law is M - 4.5 - 0.75 log10(t), t in days, of Helmstetter, Kagan
    and Jackson (2006, Bull. Seismol. Soc. Am. 96, 90-106).

    Attributes
    ----------
    steps
        In order of time. Before the first one nothing is known, so the catalog counts as incomplete.
    mainshocks
        To which the law is applied.
    floor
        The least magnitude of completeness; None sets none.
    """

    steps: tuple[CompletenessStep, ...] = ()
    mainshocks: tuple[Mainshock, ...] = ()
    floor: Magnitude | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.steps and not self.mainshocks and self.floor is None:
            message = "completeness needs steps, mainshocks or a floor"
            raise ValueError(message)
        starts = [-math.inf if step.start is None else step.start.timestamp() for step in self.steps]
        if any(one >= other for one, other in pairwise(starts)):
            message = "the steps of completeness are not in order of time"
            raise ValueError(message)
        return self
