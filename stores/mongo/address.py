"""Addresses of MongoDB stores: what they may say, and what forequake says itself."""

import re
from typing import Final, NamedTuple

from pymongo.errors import ConfigurationError, PyMongoError
from pymongo.uri_parser import parse_uri

from forequake.errors import InputError, StoreUnavailable
from stores._addresses import shown_url

__all__ = ["DEFAULT_DATABASE", "MongoAddress", "mongo_address"]

#: The database of an address that names none.
DEFAULT_DATABASE: Final = "forequake"

_FORM: Final = "mongodb://host:27017/database"
#: Options that would change what the store promises. It writes to a majority, to the journal, and reads that.
_FIXED: Final = frozenset(
    {
        "w",
        "journal",
        "j",
        "fsync",
        "wtimeoutms",
        "readconcernlevel",
        "readpreference",
        "readpreferencetags",
        "maxstalenessseconds",
        "retrywrites",
        "retryreads",
        "timeoutms",
        "tz_aware",
        "uuidrepresentation",
        "unicode_decode_error_handler",
        "datetime_conversion",
        "document_class",
    }
)


class MongoAddress(NamedTuple):
    """What the address of a MongoDB store says.

    Attributes
    ----------
    url
        The whole address, with its password.
    name
        The address as it may be shown.
    database
        The database that holds the store.
    options
        The names of the options that the address sets, in lower case.
    """

    url: str
    name: str
    database: str
    options: frozenset[str]


def mongo_address(url: str) -> MongoAddress:
    """Read the address of a MongoDB store; where it names no database, the one of `DEFAULT_DATABASE`.

    Raises
    ------
    InputError
        Where it is none, or has an option that would change what a store promises.
    StoreUnavailable
        Where the name of a cluster (``mongodb+srv``) cannot be looked up.
    """
    name = shown_url(url)
    try:
        parsed = parse_uri(url, validate=True, warn=False)
    except ConfigurationError as error:
        if url.startswith("mongodb+srv://") and "DNS" in f"{type(error)} {error}":
            message = f"{name}: the cluster's name cannot be looked up; is the network there?"
            raise StoreUnavailable(message) from error
        raise _unusable(name, url, error) from None  # whose text may hold a part of the password
    except (PyMongoError, ValueError, UnicodeError) as error:
        raise _unusable(name, url, error) from None
    except OSError as error:
        message = (
            f"{name}: the file {error.filename}, which an option names, cannot be read: {error.strerror}"
        )
        raise InputError(message) from error
    named = {str(option).casefold() for option in parsed["options"]} | _written_options(url)
    fixed = sorted(named & _FIXED)
    if fixed:
        message = (
            f"{name}: the option {fixed[0]} cannot be set, since forequake always writes to a majority of "
            "the servers and to their journals, and reads what was so written; leave it out"
        )
        raise InputError(message)
    database = parsed["database"] or DEFAULT_DATABASE
    if parsed.get("collection") or not re.fullmatch(r"[A-Za-z0-9_-]{1,60}", database):
        message = f"{name}: a database is named by at most 60 letters, digits, - and _, as in {_FORM}"
        raise InputError(message)
    return MongoAddress(url, name, database, frozenset(named))


def _unusable(name: str, url: str, error: Exception) -> InputError:
    """Say what is wrong with an address, without the driver's words where they may hold a password."""
    said = str(error)
    if "RFC 3986" in said:
        hint = "a user and a password are written with %-escapes, such as %40 for @"
    elif name == url:
        hint = said.partition(" Refer to ")[0]
    else:
        hint = "look at its hosts, ports and options"
    return InputError(f"{name} is not the address of a MongoDB store: {hint}. Give {_FORM}")


def _written_options(url: str) -> set[str]:
    query = url.partition("://")[2].partition("?")[2]
    return {part.partition("=")[0].casefold() for part in re.split("[&;]", query) if part}
