"""Real replica sets of MongoDB for tests, of several servers on this machine."""

import contextlib
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from pymongo.errors import AutoReconnect, PyMongoError

from stores.testing.mongod import START, Mongod, MongodError, as_admin, set_url

__all__ = ["ReplicaSet"]


class ReplicaSet:
    """Servers that hold the same data, one of them the primary, which takes the writes.

    Attributes
    ----------
    members
        The servers; each may be killed, stopped and started on its own.
    admin_user, admin_password
        The first user, who may do everything. Both are empty without `auth`.
    """

    def __init__(self, folder: Path, members: int = 3, *, auth: bool = False) -> None:
        self.members = [
            Mongod(folder / f"member-{number}", replica_set="forequake", auth=auth)
            for number in range(members)
        ]
        self.admin_user = self.members[0].admin_user
        self.admin_password = self.members[0].admin_password
        for member in self.members:
            member._alone = False
            member.admin_password = self.admin_password

    @property
    def url(self) -> str:
        """All members in one address, without a database and without a user."""
        return set_url([member.address for member in self.members], "forequake")

    @property
    def admin_url(self) -> str:
        """All members in one address with the first user."""
        return as_admin(self.url, self.admin_user, self.admin_password)

    def start(self) -> None:
        """Start all members and return when one of them is the primary."""
        first = self.members[0]
        if first.auth:
            first.folder.mkdir(parents=True, exist_ok=True)
            key = first._key_file().read_bytes()
            for member in self.members[1:]:
                member.folder.mkdir(parents=True, exist_ok=True)
                member._key_file().write_bytes(key)
        for member in self.members:
            member.start()
        first._prepare([member.address for member in self.members])
        for member in self.members:
            member._ready = True
            member._may_move = False

    def stop(self) -> None:
        """End all members in good order."""
        for member in self.members:
            member.stop()

    def primary(self) -> Mongod:
        """Wait for a primary and give it."""
        deadline = time.monotonic() + START
        while time.monotonic() < deadline:
            for member in self.members:
                with contextlib.suppress(PyMongoError), member.client() as client:
                    if member.pid is not None and client.admin.command("hello")["isWritablePrimary"]:
                        return member
            time.sleep(0.1)
        message = f"none of {len(self.members)} members became the primary in {START:.0f} s"
        raise MongodError(message)

    def step_down(self) -> None:
        """Make the primary give up its place to another member, for 20 s at least."""
        # The server may close the connection of those who ask for this.
        with self.primary().client() as client, contextlib.suppress(AutoReconnect):
            client.admin.command("replSetStepDown", 20, secondaryCatchUpPeriodSecs=10)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
