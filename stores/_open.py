"""Opening stores by their addresses: one store for each address in a process."""

import os
import threading
from typing import Final, Protocol

from forequake.errors import InputError
from stores._addresses import default_store_url, scheme_of, shown_url, sqlite_address, sqlite_url
from stores._read_only import ReadOnlyStore
from stores.base import ResultsStore
from stores.sqlite import SqliteStore

__all__ = ["SCHEMES", "open_store", "store_exists"]


class _Opening(Protocol):
    def __call__(self, url: str, *, read_only: bool) -> ResultsStore: ...


def _open_sqlite(url: str, *, read_only: bool) -> ResultsStore:
    address = sqlite_address(url)
    if address.path.is_dir():
        message = f"{shown_url(url)} names a folder, and a store is a file: add a name such as results.sqlite"
        raise InputError(message)
    return SqliteStore(
        address.path,
        shown_url(sqlite_url(address.path)),
        max_page_count=address.max_page_count,
        busy_timeout=address.busy_timeout,
        read_only=read_only,
    )


def _open_mongo(url: str, *, read_only: bool) -> ResultsStore:
    from stores.mongo import MongoStore  # the driver is loaded only where it is used

    # What MongoDB has against changes is a user with the role of a reader.
    return MongoStore(url, hasty=read_only)


#: What opens a store, by the scheme of its address.
SCHEMES: Final[dict[str, _Opening]] = {
    "sqlite": _open_sqlite,
    "mongodb": _open_mongo,
    "mongodb+srv": _open_mongo,
}

_opened: dict[tuple[str, bool], ResultsStore] = {}
_lock = threading.Lock()


def open_store(url: str | None = None, *, read_only: bool = False) -> ResultsStore:
    """Open the results store at an address, or the default one.

    A process has one store for each address, which its threads share; after a fork the child opens its own.
    A store that was closed is opened anew.

    Parameters
    ----------
    url
        ``sqlite:////folder/file.sqlite``, with the options ``max_page_count`` and ``busy_timeout`` (seconds)
        behind a question mark; or ``mongodb://user:password@host:27017/database`` with the driver's options.
        None stands for `default_store_url`.
    read_only
        Whether the store that is given refuses to be changed; SQLite then refuses it, too. A store that is
        missing is made all the same.

    Raises
    ------
    InputError
        Where this is not the address of a store.
    StoreError
        Where the store cannot be opened; see `ResultsStore`.
    """
    address = default_store_url() if url is None else url
    scheme = scheme_of(address, SCHEMES)
    if scheme == "sqlite":  # a relative path means another file after a change of folder
        query = address.partition("?")[2]
        address = sqlite_url(sqlite_address(address).path) + (f"?{query}" if query else "")
    with _lock:
        store = _opened.get((address, read_only))
        if store is None or store.closed:
            store = SCHEMES[scheme](address, read_only=read_only)
            store = _opened[address, read_only] = ReadOnlyStore(store) if read_only else store
        return store


def store_exists(url: str) -> bool:
    """Tell whether there is a store at an address, without making one.

    Raises
    ------
    InputError
        Where this is not the address of a store.
    StoreError
        Where its server does not answer or does not let this user in.
    """
    if scheme_of(url, SCHEMES) == "sqlite":
        return os.path.exists(sqlite_address(url).path)  # noqa: PTH110  # a name too long is no file
    from stores.mongo.store import is_set_up

    return is_set_up(url)


def _forget() -> None:
    global _lock  # another thread of the parent may hold the old one for ever
    _lock = threading.Lock()
    _opened.clear()


os.register_at_fork(after_in_child=_forget)
