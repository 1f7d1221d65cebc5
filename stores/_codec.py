"""Records as text and bytes, and back without loss: the stored form that all stores share.

A record's body is the JSON text of its fields, without those that a store keeps beside it: kind, key,
canonical text and schema version, and the one long array that a record may have, which stands as float64 in
little-endian bytes (`packed`). Infinities in the text are ``"Infinity"`` and ``"-Infinity"``; NaN is refused.

What an older forequake wrote is read through `UPGRADES`; what a newer one wrote is refused. A body is
upgraded without its key and canonical text, so an upgrade cannot change them.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple, NoReturn, TypeVar

import numpy as np
from pydantic import ValidationError
from pydantic.main import IncEx
from pydantic_core import PydanticSerializationError

from forequake.errors import CorruptRecord, SchemaVersion
from forequake.quantities import Sha256
from forequake.results import (
    CatalogForecastRecord,
    CatalogRetrieval,
    CatalogSnapshot,
    ComparisonRecord,
    ConsistencyRecord,
    DistributionRecord,
    EnvironmentRecord,
    EvaluationRecord,
    ExperimentRecord,
    ForecastRecord,
    Record,
    RegionRecord,
    RunRecord,
    ScoreRecord,
    SealRecord,
    SimulatedDistribution,
)

__all__ = [
    "KINDS",
    "RESULT_KINDS",
    "RUN_SCHEMA",
    "UPGRADES",
    "Body",
    "Encoded",
    "Upgrade",
    "body_of",
    "decode",
    "decode_run",
    "encode",
    "encode_run",
    "from_us",
    "kinds_of",
    "to_us",
]

R = TypeVar("R", bound=Record)

Body = dict[str, object]
Upgrade = Callable[[Body], Body]

#: Every kind of record that a store keeps, by the word that stands in it.
KINDS: Final[dict[str, type[Record]]] = {
    "consistency": ConsistencyRecord,
    "comparison": ComparisonRecord,
    "score": ScoreRecord,
    "distribution": DistributionRecord,
    "region": RegionRecord,
    "catalog": CatalogSnapshot,
    "retrieval": CatalogRetrieval,
    "forecast": ForecastRecord,
    "catalog_forecast": CatalogForecastRecord,
    "seal": SealRecord,
    "experiment": ExperimentRecord,
    "environment": EnvironmentRecord,
}

#: Those of `EvaluationRecord`.
RESULT_KINDS: Final = tuple(name for name, kind in KINDS.items() if issubclass(kind, EvaluationRecord))

#: From (kind, version) to a function that turns a body of this version into one of the next. An upgrade gives
#: a new body and changes nothing else; the kind of a run is ``run``.
UPGRADES: Final[dict[tuple[str, int], Upgrade]] = {}

#: The shape of a run that this forequake writes.
RUN_SCHEMA: Final = 1

_FLOAT64: Final = np.dtype("<f8")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
#: Text that stands for a float which JSON cannot hold, or that only looks like it.
_SUSPECT: Final = ('NaN"', 'Infinity"')


class Encoded(NamedTuple):
    """A record in its stored form.

    Attributes
    ----------
    version
        The version of the shape of `body`.
    packed
        The quantiles of a simulated distribution (shape (201,)), or the values of a `DistributionRecord`, as
        float64 in little-endian bytes; None for other records.
    """

    kind: str
    key: Sha256
    version: int
    canon: str
    body: str
    packed: bytes | None


def kinds_of(kind: type[Record]) -> tuple[str, ...]:
    """Give the stored kinds that a class stands for: its own, or those of `EvaluationRecord`.

    Raises
    ------
    TypeError
        Where the class is not stored, or spans kinds whose keys do not exclude one another.
    """
    if kind is EvaluationRecord:
        return RESULT_KINDS
    names = tuple(name for name, stored in KINDS.items() if stored is kind)
    if not names:
        allowed = ", ".join(sorted({*(stored.__name__ for stored in KINDS.values()), "EvaluationRecord"}))
        message = f"a store keeps no records of the kind {kind.__name__}; it keeps {allowed}"
        raise TypeError(message)
    return names


def encode(record: Record) -> Encoded:
    """Write a record in its stored form.

    Raises
    ------
    TypeError
        Where the record is of no stored kind.
    ValueError
        Where a float is NaN, or text cannot be written in UTF-8, or free JSON holds an infinity.
    """
    (kind,) = kinds_of(type(record))
    packed = _pack(record)
    beside: dict[str, IncEx | bool] = {"kind": True, "key": True, "canon": True, "schema_version": True}
    if isinstance(record, DistributionRecord):
        beside["values"] = True
    elif packed is not None:
        beside["distribution"] = {"quantiles"}
    try:
        body = record.model_dump_json(exclude=beside)
    except PydanticSerializationError as error:
        message = f"{_shown(kind, record.key)} cannot be written as JSON: {error}"
        raise ValueError(message) from error
    encoded = Encoded(kind, record.key, type(record).current_schema, record.canon, body, packed)
    if any(word in body for word in _SUSPECT) and not _comes_back(encoded, record):
        message = f"{_shown(kind, record.key)} holds a NaN, or an infinity in free JSON: it cannot be stored"
        raise ValueError(message)
    return encoded


def body_of(encoded: Encoded) -> Body:
    """Read the body of a record as JSON in its current shape, without the packed array.

    Raises
    ------
    SchemaVersion
        Where a newer forequake wrote it.
    CorruptRecord
        Where the text is not a JSON object, or no upgrade leads from its version to the current one.
    """
    current = KINDS[encoded.kind].current_schema if encoded.kind in KINDS else 0
    if not current:
        message = f"a record of the kind {encoded.kind!r} is unknown to this forequake: use a newer one"
        raise SchemaVersion(message)
    return _upgraded(encoded.body, encoded.kind, encoded.version, current, _shown(encoded.kind, encoded.key))


def decode(encoded: Encoded, kind: type[R]) -> R:
    """Read a record from its stored form.

    Raises
    ------
    SchemaVersion
        Where a newer forequake wrote it.
    CorruptRecord
        Where the text cannot be read as its kind, or the canonical text does not have the hash that is the
        record's key.
    """
    body = body_of(encoded)
    stored = KINDS[encoded.kind]
    body.update(key=encoded.key, canon=encoded.canon, kind=encoded.kind, schema_version=stored.current_schema)
    try:
        if encoded.packed is not None:
            _unpack(body, encoded)
        record = stored.model_validate(body)
    except ValueError as error:
        message = f"{_shown(encoded.kind, encoded.key)} cannot be read: {_brief(error)}"
        raise CorruptRecord(message) from error
    if not isinstance(record, kind):
        message = f"{_shown(encoded.kind, encoded.key)} is not the {kind.__name__} that was asked for"
        raise CorruptRecord(message)
    return record


def encode_run(run: RunRecord) -> str:
    """Write a run as JSON text, with its schema version inside."""
    return run.model_copy(update={"schema_version": RUN_SCHEMA}).model_dump_json()


def decode_run(text: str) -> RunRecord:
    """Read a run from JSON text.

    Raises
    ------
    SchemaVersion
        Where a newer forequake wrote it.
    CorruptRecord
        Where the text cannot be read as a run.
    """
    shown = "a run"
    version = _object(text, shown).get("schema_version")
    if not isinstance(version, int):
        message = f"{shown} has no schema version"
        raise CorruptRecord(message)
    body = _upgraded(text, "run", version, RUN_SCHEMA, shown)
    body["schema_version"] = RUN_SCHEMA
    try:
        return RunRecord.model_validate(body)
    except ValidationError as error:
        message = f"{shown} cannot be read: {_brief(error)}"
        raise CorruptRecord(message) from error


def to_us(moment: datetime) -> int:
    """Give a time as whole microseconds since 1970-01-01T00:00Z."""
    return (moment - _EPOCH) // _MICROSECOND


def from_us(microseconds: int) -> datetime:
    """Give the time in UTC that `to_us` turned into a number."""
    return _EPOCH + microseconds * _MICROSECOND


def _pack(record: Record) -> bytes | None:
    if isinstance(record, DistributionRecord):
        values = record.values
    elif isinstance(record, EvaluationRecord) and isinstance(record.distribution, SimulatedDistribution):
        values = record.distribution.quantiles
    else:
        return None
    array = np.array(values, dtype=_FLOAT64)
    if np.isnan(array).any():
        message = f"the distribution of {record.key} holds a NaN, which cannot be stored"
        raise ValueError(message)
    return array.tobytes()


def _unpack(body: Body, encoded: Encoded) -> None:
    values = np.frombuffer(encoded.packed or b"", dtype=_FLOAT64).tolist()
    distribution = body.get("distribution")
    if encoded.kind == "distribution":
        body["values"] = values
    elif isinstance(distribution, dict):
        distribution["quantiles"] = values
    else:
        message = "it has packed quantiles but no distribution"
        raise ValueError(message)


def _upgraded(text: str, kind: str, version: int, current: int, shown: str) -> Body:
    if version > current:
        message = (
            f"{shown} was written by a newer forequake (shape {version}, this one knows {current}): "
            "use that version or a later one"
        )
        raise SchemaVersion(message)
    body = _object(text, shown)
    for step in range(version, current):
        upgrade = UPGRADES.get((kind, step))
        if upgrade is None:
            message = f"{shown} has the shape {step}, from which no upgrade is known"
            raise CorruptRecord(message)
        body = upgrade(body)
    return body


def _object(text: str, shown: str) -> Body:
    try:
        body = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        message = f"{shown} is not JSON: {error}"
        raise CorruptRecord(message) from error
    if not isinstance(body, dict):
        message = f"{shown} is not a JSON object"
        raise CorruptRecord(message)
    return body


def _refuse_constant(word: str) -> NoReturn:
    message = f"{word} is not JSON"
    raise ValueError(message)


def _comes_back(encoded: Encoded, record: Record) -> bool:
    try:
        read = decode(encoded, type(record))
    except CorruptRecord:
        return False
    return read.model_copy(update={"schema_version": record.schema_version}) == record


def _shown(kind: str, key: Sha256) -> str:
    return f"the {kind} record {key}"


def _brief(error: ValueError) -> str:
    """Say what is wrong in one line; pydantic's own text has several, with the record's values."""
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {first['msg']}" if place else first["msg"]
