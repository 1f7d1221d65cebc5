"""How the contract suite damages a store: past its interface, which would never do so."""

import io
from abc import ABC, abstractmethod
from collections.abc import Mapping

from forequake.quantities import Sha256
from stores.packing import Packing

__all__ = ["Damage", "spoiled"]


def spoiled(packed: bytes) -> bytes:
    """Give the compressed form of other bytes, of the same number."""
    import pyarrow

    with pyarrow.CompressedInputStream(pyarrow.BufferReader(packed), "zstd") as stream:
        content = stream.read()
    target = io.BytesIO()
    packing = Packing(target)
    packing.write(bytes(255 - byte for byte in content))
    packing.close()
    return target.getvalue()


class Damage(ABC):
    """Changes what a store holds behind its back; each kind of store brings its own.

    A kind of record is named by the word that stands in it, such as ``consistency``.
    """

    @abstractmethod
    def spoil_body(self, kind: str, key: Sha256) -> None:
        """Put into a record's body what cannot be read."""

    @abstractmethod
    def spoil_canon(self, kind: str, key: Sha256) -> None:
        """Change a record's canonical text, so that the key is not its hash any more."""

    @abstractmethod
    def rewrite(self, kind: str, key: Sha256, version: int, body: Mapping[str, object]) -> None:
        """Replace the body of a record, and say that it has this version of its shape."""

    @abstractmethod
    def drop_result(self, key: Sha256) -> None:
        """Remove a result to which bindings may point."""

    @abstractmethod
    def spoil_latest(self, slot: Sha256) -> None:
        """Change the outcome in a slot's latest row to ``score_only``."""

    @abstractmethod
    def drop_latest(self, slot: Sha256) -> None:
        """Remove a slot's latest row."""

    @abstractmethod
    def drop_blob(self, sha: Sha256) -> None:
        """Remove a blob's bytes, not what the store says of them."""

    @abstractmethod
    def spoil_blob(self, sha: Sha256) -> None:
        """Replace a blob's bytes by others of the same number, in the form that the store reads."""
