"""What the domain reads of a store, which it does not know otherwise."""

from collections.abc import Collection
from typing import BinaryIO, Protocol, TypeVar

from forequake.quantities import Sha256
from forequake.results import Record

__all__ = ["ManyReader", "RecordReader"]

R = TypeVar("R", bound=Record)


class RecordReader(Protocol):
    """A store, as far as it is read."""

    def get(self, kind: type[R], key: Sha256) -> R:
        """Read one record."""

    def open_blob(self, sha: Sha256) -> BinaryIO:
        """Open a blob for reading."""


class ManyReader(Protocol):
    """A store that is asked for many records at once."""

    def get_many(self, kind: type[R], keys: Collection[Sha256]) -> dict[Sha256, R]:
        """Read those records that are there."""
