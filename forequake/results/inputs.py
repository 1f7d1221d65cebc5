"""Records of what experiments start from: regions, catalogs, forecasts."""

from enum import StrEnum
from typing import ClassVar, Literal

from pydantic import Field

from forequake.quantities import Rate, Sha256, UtcDatetime
from forequake.results._record import BlobRef, Record, RecordModel
from forequake.windows import TimeWindow

__all__ = [
    "CatalogForecastRecord",
    "CatalogRetrieval",
    "CatalogSnapshot",
    "ForecastRecord",
    "ModelRunRecord",
    "ProspectiveStatus",
    "QualityFinding",
    "RegionRecord",
]


class RegionRecord(Record):
    """A region's cells.

    Attributes
    ----------
    grid
        Square cells of one size, or quadtree cells of one size or several.
    origins
        An array in ``.npy`` form, float64, in degrees: the lower left corners of square cells, shape
        (cells, 2), east and north; west, east, south and north of quadtree cells, shape (cells, 4).
    cell_size
        Side of a cell in degrees; of the smallest, west to east, in a quadtree.
    """

    kind: Literal["region"] = "region"
    circumstances: ClassVar[frozenset[str]] = frozenset({"name", "origins"})

    name: str
    grid: Literal["squares", "quadtree"] = "squares"
    n_cells: int = Field(gt=0)
    cell_size: float = Field(gt=0)
    origins: BlobRef

    @property
    def blobs(self) -> tuple[Sha256, ...]:
        """The blob of the origins."""
        return (self.origins.sha256,)


class CatalogSnapshot(Record):
    """The events of a catalog, whatever the source: equal events are one snapshot.

    Attributes
    ----------
    events
        Arrays in ``.npz`` form: ``time_us`` (int64, microseconds since 1970), ``longitude``, ``latitude``,
        ``depth_km``, ``magnitude`` (float64) and ``event_id`` (text), in order of time.
    """

    kind: Literal["catalog"] = "catalog"
    circumstances: ClassVar[frozenset[str]] = frozenset({"events"})

    n_events: int = Field(ge=0)
    first: UtcDatetime | None = None
    last: UtcDatetime | None = None
    events: BlobRef

    @property
    def blobs(self) -> tuple[Sha256, ...]:
        """The blob of the events."""
        return (self.events.sha256,)


class CatalogRetrieval(Record):
    """One reading of a source, and the snapshot that it gave.

    Attributes
    ----------
    source
        The file or the service, as the experiment names it.
    purpose
        ``testing`` for the observed catalog, ``learning`` for the input of models.
    """

    kind: Literal["retrieval"] = "retrieval"

    source: str
    purpose: Literal["learning", "testing"] = "testing"
    retrieved_at: UtcDatetime
    snapshot: Sha256


class QualityFinding(RecordModel):
    """Something about a forecast that its reader should know.

    Attributes
    ----------
    code
        A short stable word, such as ``zero_rates``.
    severity
        ``note`` or ``warning``; what makes a forecast unusable is an error, not a finding.
    count
        Number of cells or bins concerned, where it is counted.
    """

    code: str
    severity: Literal["note", "warning"]
    message: str
    count: int | None = None


class ProspectiveStatus(StrEnum):
    """How a forecast stands in time to the window that it speaks of."""

    PROSPECTIVE = "prospective"
    LATE = "late"
    PSEUDO_PROSPECTIVE = "pseudo_prospective"
    RETROSPECTIVE = "retrospective"


class ModelRunRecord(RecordModel):
    """The run of a model's program that made a forecast: by what, in what, with which means.

    Attributes
    ----------
    origin, commit, tree
        Where the program's files come from, the commit of a repository, and the hash of the files.
    environment, build, python, packages, image_digest
        Key of the declared environment, its kind, and what was found installed in it.
    command, arguments, seed
        The words of the command, the file of arguments as the program read it, and the seed.
    seed_argument, variables
        Where the arguments have the seed, and the environment variables that were declared: None stands for
        one that was passed on, whose value is not recorded.
    limits
        What the run was allowed to use.
    n_input_events
        Events in the input catalog.
    output, sealed_at
        SHA-256 of the forecast's file as the program wrote it, and when it was taken.
    seconds
        Wall time of the stages: ``source``, ``build`` (where it was built for this run), ``input``, ``run``
        and ``check``.
    cpu_seconds, peak_memory
        Of the program with all its processes; memory in bytes.
    isolated, another_user
        Whether the network was out of reach, and whether the program ran as a user of its own.
    notes, log
        What one should know of the run, and the end of what the program printed.
    """

    origin: str
    commit: str | None = None
    tree: Sha256
    environment: Sha256
    build: str | None = None
    python: str | None = None
    packages: dict[str, str] = Field(default_factory=dict)
    image_digest: str | None = None
    command: tuple[str, ...]
    arguments: str
    seed: int
    seed_argument: str | None = None
    variables: dict[str, str | None] = Field(default_factory=dict)
    limits: dict[str, float | None] = Field(default_factory=dict)
    n_input_events: int = Field(ge=0)
    output: Sha256
    sealed_at: UtcDatetime
    seconds: dict[str, float] = Field(default_factory=dict)
    cpu_seconds: float = Field(ge=0)
    peak_memory: int = Field(ge=0)
    isolated: bool
    another_user: bool
    notes: tuple[str, ...] = ()
    log: str = ""


class ForecastRecord(Record):
    """A gridded forecast, scaled to one length of window.

    Attributes
    ----------
    content
        SHA-256 of the source file's bytes, or of the definition of a built-in reference.
    reader
        Name and version of the reader that understood them.
    rates
        Unscaled rates: an array in ``.npy`` form, float64, shape (cells, magnitude bins), the cells in the
        order of the region.
    magnitudes : tuple of float, shape (magnitude bins,)
        Lower edges of the magnitude bins; the last bin is open.
    scale
        Factor from the file's rates to the window's.
    total
        Expected number of events in the window, after scaling.
    seconds, check_seconds
        Of reading it, and of the check of its quality; None in records of before, whose `seconds` have both.
    run
        Of the program that made it, where one did.
    """

    kind: Literal["forecast"] = "forecast"
    circumstances: ClassVar[frozenset[str]] = frozenset(
        # Findings speak also of the window and the unit of time that a forecast was made for.
        {"source", "made_at", "seconds", "check_seconds", "rates", "prospective", "findings", "run"}
    )

    content: Sha256
    reader: str
    source: str
    region: Sha256
    magnitudes: tuple[float, ...]
    rates: BlobRef
    scale: float = Field(gt=0, allow_inf_nan=False)
    total: Rate
    findings: tuple[QualityFinding, ...] = ()
    prospective: ProspectiveStatus = ProspectiveStatus.RETROSPECTIVE
    made_at: UtcDatetime
    seconds: float = Field(ge=0)
    check_seconds: float | None = Field(default=None, ge=0)
    run: ModelRunRecord | None = None

    @property
    def blobs(self) -> tuple[Sha256, ...]:
        """The blob of the rates."""
        return (self.rates.sha256,)


class CatalogForecastRecord(Record):
    """A catalog-based forecast for one window: simulated catalogs, each one way that the window may go.

    Attributes
    ----------
    content
        SHA-256 of the source file's bytes.
    reader
        Name and version of the reader that understood them.
    catalogs
        All events of the file in the compact form of `forequake.forecasts.CatalogForecast`; forecasts for
        several windows from one file share it.
    region, magnitudes, window
        What the events are counted in: the key of the region, lower edges of the magnitude bins (the last
        is open), and the span of time.
    n_catalogs
        Simulated catalogs, the empty ones among them.
    n_empty
        Catalogs without an event in the file.
    n_events
        Events in the file.
    n_counted
        Events that lie in the window, the region, the depths of the experiment and its magnitude bins.
    seconds, check_seconds
        Of reading the file, and of the check of its quality for the window; None in records of before.
    run
        Of the program that made it, where one did.
    """

    kind: Literal["catalog_forecast"] = "catalog_forecast"
    circumstances: ClassVar[frozenset[str]] = frozenset(
        {"source", "made_at", "seconds", "check_seconds", "catalogs", "prospective", "run"}
    )

    content: Sha256
    reader: str
    source: str
    region: Sha256
    magnitudes: tuple[float, ...]
    window: TimeWindow
    catalogs: BlobRef
    n_catalogs: int = Field(gt=0)
    n_empty: int = Field(ge=0)
    n_events: int = Field(ge=0)
    n_counted: int = Field(ge=0)
    findings: tuple[QualityFinding, ...] = ()
    prospective: ProspectiveStatus = ProspectiveStatus.RETROSPECTIVE
    made_at: UtcDatetime
    seconds: float = Field(ge=0)
    check_seconds: float | None = Field(default=None, ge=0)
    run: ModelRunRecord | None = None

    @property
    def total(self) -> float:
        """Expected number of events in the window: the mean over all catalogs."""
        return self.n_counted / self.n_catalogs

    @property
    def blobs(self) -> tuple[Sha256, ...]:
        """The blob of the catalogs."""
        return (self.catalogs.sha256,)
