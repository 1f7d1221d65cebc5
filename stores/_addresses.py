"""Addresses of stores: which are allowed, how they are shown, and which one a name means."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from platformdirs import user_data_path

from forequake.errors import InputError, suggestion

__all__ = [
    "SqliteAddress",
    "default_store_url",
    "resolve_store",
    "scheme_of",
    "shown_url",
    "sqlite_address",
    "sqlite_url",
]

_VARIABLE: Final = "FOREQUAKE_STORE"
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_SQLITE_FORM: Final = "sqlite:////folder/file.sqlite (absolute) or sqlite:///file.sqlite (relative)"
_SQLITE_OPTIONS: Final = ("busy_timeout", "max_page_count")


class SqliteAddress(NamedTuple):
    """What the URL of an SQLite store says.

    Attributes
    ----------
    path
        The database file, absolute.
    max_page_count
        The largest number of pages that the file may have, or None for no limit.
    busy_timeout
        How long to wait for another writer, in seconds.
    """

    path: Path
    max_page_count: int | None = None
    busy_timeout: float = 30.0


def default_store_url() -> str:
    """Give the address of the store that is used when none is named.

    It is the environment variable ``FOREQUAKE_STORE``, or what stands in the file that
    ``FOREQUAKE_STORE_FILE`` names, or else a file in the user's data folder, which is made where it is
    missing.

    Raises
    ------
    InputError
        Where the folder cannot be made, or the file cannot be read.
    """
    named = _from_environment(_VARIABLE)
    if named:
        return named
    try:
        folder = user_data_path("forequake", appauthor=False, ensure_exists=True)
    except OSError as error:
        message = (
            f"the folder of the default store cannot be made: {error.strerror}: {error.filename}; "
            f"name another store in {_VARIABLE}, as {_SQLITE_FORM}"
        )
        raise InputError(message) from error
    return sqlite_url(folder / "forequake.sqlite")


def resolve_store(name: str | None) -> str:
    """Give the address of a store by the name that a user or a flow's parameter says.

    Parameters
    ----------
    name
        None or ``"default"`` for the default store; an address without a password; or any other name, whose
        address stands in the environment variable ``FOREQUAKE_STORE_<NAME>``, or in the file that
        ``FOREQUAKE_STORE_<NAME>_FILE`` names.

    Raises
    ------
    InputError
        Where an address holds a password, since names are kept and shown in clear, or a name is unknown, or
        its file cannot be read.
    """
    if name is None or name == "default":
        return default_store_url()
    if "://" in name:
        if _has_secret(name):
            message = (
                f"the store {shown_url(name)} is named with a password, which would be kept in clear: put "
                f"the address into the environment variable {_VARIABLE}_<NAME> and name the store <NAME>"
            )
            raise InputError(message)
        return name
    if not _NAME.fullmatch(name):
        quoted = "what was given" if set(name) & set(":@") else repr(name)  # may be an address cut short
        message = (
            f"{quoted} names no store: give 'default', a name of letters, digits and underscores whose "
            f"address stands in {_VARIABLE}_<NAME>, or an address such as {_SQLITE_FORM}"
        )
        raise InputError(message)
    variable = f"{_VARIABLE}_{name.upper()}"
    address = _from_environment(variable)
    if not address:
        message = (
            f"the store {name!r} is not known: set the environment variable {variable} to its address, or "
            f"{variable}_FILE to a file that holds it"
        )
        raise InputError(message)
    return address


def shown_url(url: str) -> str:
    """Give an address as it may be shown to anybody: what may be a password stands as ``***``.

    Examples
    --------
    >>> shown_url("mongodb://anna:secret@host/results")
    'mongodb://anna:***@host/results'
    >>> shown_url("sqlite:////data/results.sqlite")
    'sqlite:////data/results.sqlite'
    """
    scheme, mark, rest = url.partition("://")
    if not mark:
        return url
    # Not by urlsplit: a password may hold unquoted marks, which must not cut it in two and show a part. The
    # last @ before the query ends it, and one in the query makes all that precedes it suspect as well.
    before, mark_at, after = rest.rpartition("@")
    is_file = scheme == "sqlite" and rest.startswith("/")
    if ":" in before and not is_file:
        rest = f"{before.partition(':')[0]}:***@{after}"
    elif not is_file and not mark_at and _no_port(rest):
        rest = f"{rest.partition(':')[0]}:***"
    head, mark2, query = rest.partition("?")
    if mark2:
        parts = [_masked(part) for part in re.split("[&;]", query)]
        rest = f"{head}?{'&'.join(parts)}"
    return f"{scheme}://{rest}"


def scheme_of(url: str, known: Mapping[str, object]) -> str:
    """Give the scheme of an address, if it is a known one.

    Raises
    ------
    InputError
        Where the address has no scheme or an unknown one; the message says which are allowed.
    """
    scheme, mark, _ = url.partition("://")
    if mark and scheme in known:
        return scheme
    allowed = ", ".join(f"{name}://" for name in known)
    if mark:
        near = suggestion(scheme, known)
        hint = f"; did you mean {near}://?" if near else ""
        message = f"{shown_url(url)} is not the address of a store: allowed are {allowed}{hint}"
    else:
        # Without a scheme nothing tells where a password would stand, so the address is not repeated.
        message = f"the address of a store begins with {allowed}, such as {_SQLITE_FORM}"
    raise InputError(message)


def sqlite_url(path: Path) -> str:
    """Give the address of the SQLite store in a file."""
    return f"sqlite:///{quote(str(path.absolute()))}"


def sqlite_address(url: str) -> SqliteAddress:
    """Read the address of an SQLite store.

    Raises
    ------
    InputError
        Where the address names a host, no file, or an unknown option.
    """
    try:
        parts = urlsplit(url)
    except ValueError as error:
        message = f"{shown_url(url)} is not an address ({error}): give {_SQLITE_FORM}"
        raise InputError(message) from error
    path = unquote(parts.path.removeprefix("/"))
    if parts.netloc or parts.fragment or not path or path.endswith("/") or "\0" in path:
        message = f"{shown_url(url)} is not the address of an SQLite store: give {_SQLITE_FORM}"
        raise InputError(message)
    _refuse_lost_slash(path)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    unknown = sorted(options.keys() - set(_SQLITE_OPTIONS))
    if unknown:
        near = suggestion(unknown[0], _SQLITE_OPTIONS)
        hint = f"; did you mean {near}?" if near else ""
        message = (
            f"an SQLite store has no option {unknown[0]!r}: {', '.join(_SQLITE_OPTIONS)} are known{hint}"
        )
        raise InputError(message)
    pages = _number(options, "max_page_count")
    wait = _number(options, "busy_timeout")
    return SqliteAddress(
        path=Path(os.path.abspath(path)),  # noqa: PTH100 - resolve() would follow links, which may move
        max_page_count=None if pages is None else int(pages),
        busy_timeout=30.0 if wait is None else wait,
    )


def _number(options: Mapping[str, str], name: str) -> float | None:
    text = options.get(name)
    if text is None:
        return None
    whole = name == "max_page_count"
    form = r"[1-9][0-9]{0,8}" if whole else r"[0-9]{1,5}(\.[0-9]{1,3})?"
    if not re.fullmatch(form, text):
        wanted = "a whole number from 1" if whole else "a number of seconds"
        message = f"the option {name} of an SQLite store must be {wanted} (got {text!r})"
        raise InputError(message)
    return float(text)


def _refuse_lost_slash(path: str) -> None:
    """Refuse ``sqlite:///home/...``, which means a folder ``home`` below the present one."""
    first = Path(path).parts[0]
    if Path(path).is_absolute() or "/" not in path or first in (".", ".."):
        return
    if not Path(first).exists() and Path("/", first).is_dir():
        message = (
            f"sqlite:///{path} is relative to the present folder, which has no folder {first!r}; "
            f"for the file /{path} write sqlite:////{path} (an empty host, then an absolute path)"
        )
        raise InputError(message)


def _from_environment(variable: str) -> str | None:
    """Give an address from a variable or, so that no password need stand in one, from a file it names."""
    address, place = os.environ.get(variable), os.environ.get(f"{variable}_FILE")
    if not place:
        return address
    if address:
        message = f"both {variable} and {variable}_FILE are set, and only one may name the store"
        raise InputError(message)
    try:
        text = Path(place).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        message = f"{variable}_FILE names the file {place}, which cannot be read: {reason}"
        raise InputError(message) from error
    if not text or "\n" in text:
        what = "is empty" if not text else "has more than one line"
        message = (
            f"{variable}_FILE names the file {place}, which {what}: it holds one address and nothing else"
        )
        raise InputError(message)
    return text


def _no_port(rest: str) -> bool:
    """Tell whether what follows a host is no port: it may be a password whose host was forgotten."""
    hosts = re.split("[/?]", rest, maxsplit=1)[0]
    return any(re.fullmatch(r"[^\[]*:.*[^0-9].*", host) for host in hosts.split(","))


def _has_secret(url: str) -> bool:
    return shown_url(url) != url


def _masked(part: str) -> str:
    name, mark, value = part.partition("=")
    secret = re.search("pass|pwd|secret|token|credential|key|properties", name, re.IGNORECASE)
    # A certificate's or a key's file is a place, not a secret; its passphrase is caught by its name.
    place = name.casefold().endswith("file")
    return f"{name}=***" if mark and value and secret and not place else part
