"""The keys of catalog, input_catalog and completeness."""

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, WithJsonSchema

from forequake.catalogs.specs import CATALOG_FORMATS, Service
from forequake.config._files import Folder
from forequake.config._moments import Moment
from forequake.config._refusals import refuse, refuse_word
from forequake.config._section import Section, key, shown_as
from forequake.datasets import DATASETS, PREFIX, is_dataset, locate_dataset
from forequake.errors import InputError
from forequake.quantities import DepthKm, Latitude, Longitude, Magnitude

__all__ = [
    "QUERIES",
    "SERVICES",
    "BoxSection",
    "CatalogSection",
    "CompletenessSection",
    "MainshockSection",
    "RulesSection",
    "StepSection",
]

#: Services by floatCSEP's names and their own.
SERVICES: Final[dict[str, Service]] = {
    "query_comcat": "comcat",
    "query_bsi": "bsi",
    "query_gns": "geonet",
    "query_gcmt": "gcmt",
    "comcat": "comcat",
    "bsi": "bsi",
    "gns": "geonet",
    "geonet": "geonet",
    "gcmt": "gcmt",
}
#: Queries under floatCSEP's names.
QUERIES: Final = tuple(name for name in SERVICES if name.startswith("query_"))


def _check_path(text: str, info: ValidationInfo) -> str:
    if is_dataset(text):
        return _dataset(text)
    folder = info.context
    if not isinstance(folder, Folder):
        message = "paths are read in a folder only"
        raise TypeError(message)
    return folder.existing_file(text, "a file with a catalog")


def _dataset(text: str) -> str:
    name = text.removeprefix(PREFIX)
    fitting = [PREFIX + known for known, dataset in DATASETS.items() if dataset.kind == "catalog"]
    if name in DATASETS and text not in fitting:
        refuse(f"this data set is a {DATASETS[name].kind}, not a catalog; known: {', '.join(fitting)}")
    if text not in fitting:
        refuse_word("data set in pycsep", text, fitting)
    try:
        locate_dataset(text)
    except InputError as error:
        refuse(str(error))
    return text


def _check_service(text: str) -> str:
    if text not in SERVICES:
        refuse_word("service to ask for a catalog", text, QUERIES)
    return SERVICES[text]


def _check_format(text: str) -> str:
    if text not in CATALOG_FORMATS:
        refuse_word("format of catalogs", text, CATALOG_FORMATS)
    return text


def _check_address(text: str) -> str:
    if not text.startswith(("https://", "http://")):
        refuse("expected an address that begins with https:// or http://")
    return text


def _read_types(value: object) -> object:
    """Take a list of texts, and one text as a list of one."""
    texts = [value] if isinstance(value, str) else value
    if not (isinstance(texts, list) and texts and all(isinstance(text, str) and text for text in texts)):
        refuse("expected a list of texts; put numbers into quotes")
    return texts


def _read_missing_depth(value: object) -> object:
    if value in ("refuse", "drop"):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float) or not -20 <= value <= 7000:
        refuse("expected refuse, drop, or a depth from -20 to 7000 kilometres")
    return float(value)


_Mapping = dict[str, object]
_Box = Annotated[_Mapping, shown_as("BoxSection")]
_Rules = Annotated[_Mapping, shown_as("RulesSection")]
_Steps = Annotated[list[object], shown_as("Steps")]
_Mainshocks = Annotated[list[object], shown_as("Mainshocks")]
_Texts = Annotated[
    list[str],
    BeforeValidator(_read_types),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
_MissingDepth = Annotated[
    object,
    BeforeValidator(_read_missing_depth),
    WithJsonSchema({"anyOf": [{"enum": ["refuse", "drop"]}, {"type": "number"}]}),
]
_Tolerance = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class RulesSection(Section):
    """rules of a catalog."""

    event_types: _Texts | None = key(
        "Types of events that are kept, or all; unknown stands for those whose type is not said.",
        ["earthquake", "unknown"],
    )
    magnitude_types: _Texts | None = key(
        "Types of magnitude in order of preference; Mw* is every type that begins so. Not given: the "
        "source's choice."
    )
    other_magnitudes: Literal["keep", "drop"] | None = key(
        "Events that have none of the preferred types of magnitude.", "keep"
    )
    duplicates: Literal["note", "drop", "refuse"] | None = key(
        "Events that are there twice: tell of them, leave the later ones out, or end.", "note"
    )
    duplicate_seconds: _Tolerance | None = key("Greatest difference of duplicates in time.", 0.5)
    duplicate_km: _Tolerance | None = key("Greatest distance of duplicates.", 5.0)
    duplicate_magnitude: _Tolerance | None = key("Greatest difference of duplicates in magnitude.", 0.2)
    depth_datum: Literal["sea level", "surface"] | None = key("From where depths count; told to people.")
    depth_offset_km: Annotated[float, Field(ge=-20, le=20)] | None = key("Added to every depth.", 0.0)
    missing_depth: _MissingDepth | None = key(
        "Events without a depth, where depths matter: refuse, drop, or the depth that they are given.",
        "refuse",
    )


class BoxSection(Section):
    """region of a catalog."""

    west: Longitude | None = key("Degrees east.")
    east: Longitude | None = key("Degrees east; less than west across the antimeridian.")
    south: Latitude | None = key("Degrees north.")
    north: Latitude | None = key("Degrees north.")


class CatalogSection(Section):
    """catalog or input_catalog, where it is a mapping."""

    path: Annotated[str, AfterValidator(_check_path)] | None = key("A file, or a data set of pycsep.")
    format: Annotated[str, AfterValidator(_check_format)] | None = key(
        f"Format of the file, one of {', '.join(CATALOG_FORMATS)}; not given: the file tells."
    )
    query: Annotated[str, AfterValidator(_check_service)] | None = key(
        f"The service to ask, instead of path: {', '.join(QUERIES)}."
    )
    address: Annotated[str, AfterValidator(_check_address)] | None = key("Of a mirror of the service.")
    start_date: Moment | None = key("Earlier events are left out.")
    end_date: Moment | None = key("Events from here on are left out.")
    region: _Box | None = key("Events outside this box are left out: west, east, south, north.")
    mag_min: Magnitude | None = key("Smaller events are left out.")
    depth_min: DepthKm | None = key("Shallower events are left out, kilometres.")
    depth_max: DepthKm | None = key("Deeper events are left out, kilometres.")
    rules: _Rules | None = key("What makes an authoritative catalog of the source.")


class StepSection(Section):
    """One of the steps of completeness."""

    start_date: Moment | None = key("Since when; not given: since ever, for the first step only.")
    magnitude: Magnitude | None = key("From which on the catalog is complete.")


class MainshockSection(Section):
    """One of the mainshocks of completeness."""

    time: Moment | None = key("Origin time.")
    magnitude: Magnitude | None = key("Moment magnitude.")


class CompletenessSection(Section):
    """completeness."""

    steps: _Steps | None = key("Magnitudes of completeness since some dates, in order of time.")
    mainshocks: _Mainshocks | None = key(
        "Earthquakes after which small ones are missed for a while: M - 4.5 - 0.75 log10(days)."
    )
    floor: Magnitude | None = key("Least magnitude of completeness at any time.")
