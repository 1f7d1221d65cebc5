"""Blobs in the database: compressed, small ones in their document, others in GridFS under ids of their own.

A file of GridFS is no part of the store until the blob's document names it. What an upload left that was cut
off is removed by a sweep.
"""

import contextlib
import hashlib
import io
from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast

from bson import ObjectId
from gridfs import GridFSBucket, GridIn, GridOut
from gridfs.errors import CorruptGridFile, NoFile
from pymongo.database import Database
from pymongo.errors import PyMongoError

from forequake.errors import CorruptRecord, NotFound, StoreError
from forequake.quantities import Sha256
from forequake.results import BlobRef
from stores.blobs import CHUNK
from stores.mongo.faults import told
from stores.mongo.server import Document, Server, server_now_us
from stores.packing import Packing, verified

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

__all__ = ["INLINE", "blob_sizes", "open_blob", "packed_size", "put_blob", "refresh", "remove_file"]

#: Compressed, blobs of up to so many bytes stand in their document.
INLINE: Final = 4 << 20
_CHUNK_BYTES: Final = 1 << 20


def put_blob(server: Server, source: BinaryIO) -> BlobRef:
    """Keep bytes under their hash; see `ResultsStore.put_blob`."""
    digest, size = hashlib.sha256(), 0
    with server.talking() as db:
        sink = _Sink(db)
    try:
        packed = Packing(cast(BinaryIO, sink))
        while chunk := source.read(CHUNK):  # an error of the source is not the store's
            digest.update(chunk)
            size += len(chunk)
            with told(server.name):
                packed.write(chunk)
        with told(server.name):
            packed.close()
        ref = BlobRef(sha256=digest.hexdigest(), size=size)
        with server.talking() as db:
            kept = sink.finish()
            if not _keeps_what_stands(server, ref, kept):
                sink.keep()  # also where the answer is lost: the document may name the file by then
                _write(db, ref, kept)
    finally:
        sink.discard()
    return ref


def _keeps_what_stands(server: Server, ref: BlobRef, kept: Document) -> bool:
    """Tell whether an equal large blob is there whole; then it is made young and the new file not used.

    Replacing it would take the file away from those who are reading it.
    """
    if "file_id" not in kept:
        return False
    try:
        with open_blob(server, ref.sha256) as stream:
            while stream.read(CHUNK):
                pass
    except (NotFound, CorruptRecord):
        return False
    with server.talking() as db:
        return refresh(db, [ref.sha256]) == []


def _write(db: Database[Document], ref: BlobRef, kept: Document) -> None:
    document = {"size": ref.size, "stored_us": server_now_us(db), **kept}
    before = db["blobs"].find_one_and_replace({"_id": ref.sha256}, document, {"file_id": 1}, upsert=True)
    if before is not None:
        remove_file(db, before)


def remove_file(db: Database[Document], blob: Document) -> None:
    """Remove the file of GridFS that a blob's document names, if it names one."""
    if "file_id" in blob:
        with contextlib.suppress(NoFile):
            _bucket(db).delete(blob["file_id"])


def refresh(db: Database[Document], shas: list[Sha256]) -> list[Sha256]:
    """Make blobs young again, so that no sweep takes them; give those that are not there."""
    if not shas:
        return []
    now_us = server_now_us(db)
    there = {"_id": {"$in": shas}}
    if db["blobs"].update_many(there, {"$set": {"stored_us": now_us}}).matched_count == len(shas):
        return []
    known = {each["_id"] for each in db["blobs"].find(there, {"_id": 1})}
    return [sha for sha in shas if sha not in known]


def open_blob(server: Server, sha: Sha256) -> BinaryIO:
    """Open a blob; see `ResultsStore.open_blob`."""
    message = f"{server.name} has no blob {sha}"
    with server.talking() as db:
        found = db["blobs"].find_one({"_id": sha})
        if found is None or not ("data" in found or "file_id" in found):
            raise NotFound(message)
        if "data" in found:
            packed: BinaryIO = io.BytesIO(found["data"])
        else:
            try:
                stream = _bucket(db).open_download_stream(found["file_id"])
            except NoFile as error:
                raise NotFound(message) from error
            packed = cast(BinaryIO, io.BufferedReader(_GridStream(server.name, sha, stream), _CHUNK_BYTES))
    return verified(packed, sha, server.name)


def blob_sizes(db: Database[Document]) -> dict[Sha256, int]:
    """Give the uncompressed sizes of all blobs."""
    return {each["_id"]: each["size"] for each in db["blobs"].find({}, {"size": 1}).sort("_id", 1)}


def packed_size(db: Database[Document], blob: Document) -> int:
    """Give how many bytes a blob takes in the database."""
    if "data" in blob:
        return len(blob["data"])
    file = db["fs.files"].find_one({"_id": blob.get("file_id")}, {"length": 1})
    return 0 if file is None else int(file["length"])


def _bucket(db: Database[Document]) -> GridFSBucket:
    return GridFSBucket(db, chunk_size_bytes=_CHUNK_BYTES)


class _Sink(io.RawIOBase):
    """Takes compressed bytes: into memory while they are few, into a new file of GridFS beyond."""

    def __init__(self, db: Database[Document]) -> None:
        super().__init__()
        self._db = db
        self._memory = bytearray()
        self._file: GridIn | None = None
        self._kept = False

    def writable(self) -> bool:
        return True

    def write(self, data: "ReadableBuffer", /) -> int:
        view = memoryview(data).cast("B")
        if self._file is None and len(self._memory) + len(view) > INLINE:
            self._file = _bucket(self._db).open_upload_stream_with_id(ObjectId(), "blob")
            self._file.write(bytes(self._memory))
            self._memory.clear()
        if self._file is None:
            self._memory += view
        else:
            self._file.write(bytes(view))
        return len(view)

    def finish(self) -> Document:
        """Make what was written durable, and give the fields of the blob's document that say where it is."""
        if self._file is None:
            return {"data": bytes(self._memory)}
        self._file.close()
        return {"file_id": self._file._id}

    def keep(self) -> None:
        """Say that the blob's document may name the file from now on."""
        self._kept = True

    def discard(self) -> None:
        """Remove the file, unless a blob may name it; where the server is away, a sweep does it later."""
        file, self._file = self._file, None
        if file is None or self._kept:
            return
        with contextlib.suppress(PyMongoError, NoFile, StoreError):
            if file.closed:
                _bucket(self._db).delete(file._id)
            else:
                file.abort()


class _GridStream(io.RawIOBase):
    """A file of GridFS as a raw stream, whose errors are the store's."""

    def __init__(self, name: str, sha: Sha256, stream: GridOut) -> None:
        super().__init__()
        self._name = name
        self._sha = sha
        self._stream: Any = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        view = memoryview(buffer).cast("B")
        with told(self._name):
            try:
                data = self._stream.read(len(view))
            except (CorruptGridFile, NoFile) as error:
                message = f"{self._name}: the blob {self._sha} is damaged: {error}; put the same bytes again"
                raise CorruptRecord(message) from error
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
        super().close()
