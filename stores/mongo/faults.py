"""The driver's errors, told as the store's own: what happened, to which store, what to do."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from bson.errors import InvalidBSON
from pymongo.errors import (
    BulkWriteError,
    ConfigurationError,
    ConnectionFailure,
    DocumentTooLarge,
    ExecutionTimeout,
    InvalidOperation,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WaitQueueTimeoutError,
    WriteConcernError,
    WTimeoutError,
)

from forequake.errors import (
    AccessDenied,
    CorruptRecord,
    SchemaVersion,
    StoreError,
    StoreUnavailable,
)
from stores._refusals import full

__all__ = ["DUPLICATE", "told", "told_bulk"]

#: The code of a second document with the value of a unique field.
DUPLICATE: Final = 11000

_DENIED: Final = frozenset({11, 13, 18, 31, 8000})
_WRONG_USER: Final = frozenset({11, 18, 8000})
_FULL: Final = frozenset({14031})
_FULL_WORDS: Final = ("No space left", "out of disk space", "OutOfDiskSpace", "quota")
#: The server gave up, is ending, or is choosing a new primary; or the write waits for a majority. A server
#: that was started again knows no cursor (43, 237) and no query (175) of before, and no keys (211) at first.
_PASSING: Final = frozenset(
    {6, 7, 24, 43, 46, 50, 64, 79, 89, 91, 112, 133, 134, 175, 189, 202, 211, 237, 246, 262, 317, 358, 384}
    | {9001, 10107, 11600, 11601, 11602, 13435, 13436}
)
#: A document of more than 16 MB.
_TOO_LARGE: Final = frozenset({10334, 17280})
_CORRUPT: Final = frozenset({22, 8300})


@contextmanager
def told(name: str) -> Iterator[None]:
    """Turn the driver's errors into the store's typed errors, which name the store.

    Parameters
    ----------
    name
        The store's address as it may be shown.
    """
    try:
        yield
    except BulkWriteError as error:
        raise told_bulk(error, name) from error
    except PyMongoError as error:
        raise _of(error, name) from error
    except InvalidBSON as error:
        message = f"{name} gave a document that cannot be read ({error}): check the server's disk"
        raise CorruptRecord(message) from error
    except (CorruptRecord, SchemaVersion) as error:
        if name in str(error):
            raise
        message = f"{name}: {error}"  # what decodes a record knows no store
        raise type(error)(message) from error


def told_bulk(error: BulkWriteError, name: str) -> StoreError:
    """Tell the first fault of a batch that is no duplicate."""
    details: Mapping[str, Any] = error.details or {}
    for fault in (*details.get("writeErrors", ()), *details.get("writeConcernErrors", ())):
        if fault.get("code") != DUPLICATE:
            return _of_code(int(fault.get("code", 0)), str(fault.get("errmsg", "")), name)
    return StoreError(f"{name}: a batch was refused: {error}")


def _of(error: PyMongoError, name: str) -> StoreError:
    match error:
        case WTimeoutError() | WriteConcernError():
            return _unconfirmed(name)
        case ExecutionTimeout():
            return StoreUnavailable(f"{name} is busy: the server gave up after its time; try again")
        case OperationFailure():
            return _of_code(error.code or 0, str(error), name)
        case ServerSelectionTimeoutError() | ConnectionFailure() | WaitQueueTimeoutError():
            return _unreachable(error, name)
        case ConfigurationError():
            return _of_configuration(error, name)
        case DocumentTooLarge():
            return _too_large(name)
        case InvalidOperation() if "close" in str(error):
            return StoreError(f"{name} is closed: open it again")
    return StoreError(f"{name}: MongoDB refused: {_first_line(error)}")


def _of_code(code: int, text: str, name: str) -> StoreError:
    if code in _FULL or any(word in text for word in _FULL_WORDS):
        return full(name, "the server has no space left")
    if code in _WRONG_USER:
        return AccessDenied(
            f"{name} refuses this user: the name or the password is wrong, or the user belongs to another "
            "database (option authSource); correct the address"
        )
    if code in _DENIED:
        return AccessDenied(
            f"{name} refuses what was asked: this user has not the right to it; use the writer's address "
            "for runs, and see forequake store init --users"
        )
    if code in _PASSING:
        return StoreUnavailable(f"{name} is not ready: {_short(text)}; try again")
    if code in _CORRUPT:
        return CorruptRecord(f"{name} is damaged: {_short(text)}; stop what writes to it, go to a backup")
    if code in _TOO_LARGE:
        return _too_large(name)
    return StoreError(f"{name}: MongoDB refused (code {code}): {_short(text)}")


def _too_large(name: str) -> StoreError:
    return StoreError(f"{name}: a record is larger than the 16 MB that MongoDB takes")


def _unconfirmed(name: str) -> StoreUnavailable:
    return StoreUnavailable(
        f"{name} did not confirm a write by a majority of its servers in time: some of them may be down; "
        "try again when they are back"
    )


def _unreachable(error: PyMongoError, name: str) -> StoreError:
    text = str(error)
    if "requires at least" in text or "wire version" in text:
        return _of_configuration(error, name)
    if "CERTIFICATE" in text.upper() or "TLS" in text:
        return StoreUnavailable(f"{name} does not answer over TLS: {_short(text)}; look at its certificates")
    return StoreUnavailable(
        f"{name} does not answer ({_short(text)}); is the server running, and may this machine reach it? A "
        "server that ended, such as on a full disk, says why in its log"
    )


def _of_configuration(error: PyMongoError, name: str) -> StoreError:
    text = str(error)
    if "wire version" in text:
        return StoreError(f"{name}: the server is too old; forequake needs MongoDB 5.0 or later")
    return StoreError(f"{name} cannot be used: {_short(text)}")


def _first_line(error: PyMongoError) -> str:
    return _short(str(error))


def _short(text: str) -> str:
    """Give what an error says without the driver's account of the topology and of the server's answer."""
    for mark in (", full error:", ", Timeout:", ", Topology Description:", " (configured timeouts", "\n"):
        text = text.partition(mark)[0]
    return text[:200]
