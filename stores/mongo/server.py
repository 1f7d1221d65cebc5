"""The connection of a process to the database of a store, and the server's clock."""

import os
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

from pymongo import MongoClient
from pymongo.database import Database
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from forequake.errors import InputError, StoreError
from stores._codec import to_us
from stores.mongo.address import MongoAddress
from stores.mongo.faults import told

__all__ = ["Document", "Server", "server_now_us"]

#: What the driver reads and writes.
Document = dict[str, Any]

#: How long to wait, in milliseconds, unless the address says otherwise: for a server that takes writes (an
#: election takes up to 12 s), for a connection, for an answer.
_PATIENCE: Final = {
    "serverSelectionTimeoutMS": 15_000,
    "connectTimeoutMS": 5_000,
    "socketTimeoutMS": 60_000,
}
#: The same where somebody looks at a page meanwhile, who can ask again.
_HASTE: Final = _PATIENCE | {"serverSelectionTimeoutMS": 2_000, "connectTimeoutMS": 2_000}
_MAJORITY: Final = WriteConcern(w="majority", j=True, wtimeout=10_000)


class Server:
    """One client of this process for one database; after a fork the child makes its own.

    All writes are acknowledged by a majority of the servers and from their journals, and what is read was so
    acknowledged: what a caller was told is stored survives the loss of any one server.
    """

    def __init__(self, address: MongoAddress, *, hasty: bool = False) -> None:
        self.name = address.name
        self._address = address
        self._patience = _HASTE if hasty else _PATIENCE
        self._closed = False
        self._lock = threading.Lock()
        self._client: MongoClient[Document] | None = None
        _servers.add(self)

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    @contextmanager
    def talking(self) -> Iterator[Database[Document]]:
        """Give the database; the driver's errors leave the block as the store's.

        Raises
        ------
        StoreError
            Where the store is closed.
        """
        if self._closed:
            message = f"{self.name} is closed: open it again"
            raise StoreError(message)
        with told(self.name):
            yield self._database()

    def close(self) -> None:
        """Close the connections of this process."""
        self._closed = True
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def forget(self) -> None:
        """Leave the client and the lock to the parent, in the child of a fork."""
        # The lock may be held for ever by a thread that the child does not have.
        self._lock = threading.Lock()
        self._client = None

    def _database(self) -> Database[Document]:
        with self._lock:
            if self._client is None:
                options: dict[str, Any] = {
                    name: value
                    for name, value in self._patience.items()
                    if name.casefold() not in self._address.options
                }
                try:
                    self._client = MongoClient(
                        self._address.url, tz_aware=True, appname="forequake", **options
                    )
                except (OSError, ValueError) as error:  # options that contradict one another, certificates
                    message = f"{self.name} cannot be used: {error}; look at its options"
                    raise InputError(message) from error
            client = self._client
        return client.get_database(
            self._address.database, write_concern=_MAJORITY, read_concern=ReadConcern("majority")
        )


_servers: Final[weakref.WeakSet[Server]] = weakref.WeakSet()


def _forget() -> None:
    for server in list(_servers):
        server.forget()


os.register_at_fork(after_in_child=_forget)


def server_now_us(db: Database[Document]) -> int:
    """Ask the server for its time, in whole microseconds since 1970; it counts milliseconds."""
    moment = db.command("hello", codec_options=db.codec_options)["localTime"]
    if not isinstance(moment, datetime):
        message = f"the server's time is {moment!r}"
        raise StoreError(message)
    return to_us(moment)
