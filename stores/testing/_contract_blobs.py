"""The contract of blobs: put, open, sweep."""

import hashlib
import io
import time
import tracemalloc
from datetime import timedelta

import pytest

from forequake.errors import CorruptRecord, NotFound
from forequake.quantities import Sha256
from stores.base import ResultsStore
from stores.testing._contract_base import ContractBase
from stores.testing.damage import Damage
from stores.testing.samples import (
    sample_catalog,
    sample_digest,
    sample_environment,
    sample_forecast,
    sample_region,
)

__all__ = ["BlobsContract"]

_MEGABYTE = 1 << 20


class _Stream(io.RawIOBase):
    """So many megabytes of changing bytes, none of which are kept, with a failure at the end if asked for."""

    def __init__(self, megabytes: int, *, fails: bool = False) -> None:
        self._left = megabytes
        self._fails = fails
        self.digest = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        if not self._left:
            if self._fails:
                message = "the source went away"
                raise ConnectionResetError(message)
            return b""
        self._left -= 1
        chunk = self._left.to_bytes(4, "big") * (_MEGABYTE // 4)
        self.digest.update(chunk)
        return chunk


def _has(store: ResultsStore, sha: Sha256) -> bool:
    try:
        store.open_blob(sha).close()
    except NotFound:
        return False
    return True


def _put(store: ResultsStore, content: bytes) -> Sha256:
    return store.put_blob(io.BytesIO(content)).sha256


class BlobsContract(ContractBase):
    """`put_blob`, `open_blob` and `sweep`."""

    @pytest.mark.parametrize("content", [b"", b"a", b"\x00\xff" * 5000, b"\x1f\x8b not gzip"], ids=len)
    def test_bytes_come_back_under_their_hash(self, store: ResultsStore, content: bytes) -> None:
        blob = store.put_blob(io.BytesIO(content))
        assert blob.sha256 == hashlib.sha256(content).hexdigest()
        assert blob.size == len(content)
        with store.open_blob(blob.sha256) as file:
            assert file.read() == content
            assert file.read() == b""

    def test_putting_again_changes_nothing(self, store: ResultsStore) -> None:
        source = io.BytesIO(b"abc")
        first = store.put_blob(source)
        assert not source.closed
        assert store.put_blob(io.BytesIO(b"abc")) == first
        with store.open_blob(first.sha256) as one, store.open_blob(first.sha256) as other:
            assert (one.read(), other.read()) == (b"abc", b"abc")

    def test_a_big_blob_is_never_whole_in_memory(self, store: ResultsStore) -> None:
        size = 24
        source = _Stream(size)
        tracemalloc.start()
        try:
            blob = store.put_blob(source)  # type: ignore[arg-type] # a raw stream is enough
            digest, count = hashlib.sha256(), 0
            with store.open_blob(blob.sha256) as file:
                while chunk := file.read(_MEGABYTE):
                    digest.update(chunk)
                    count += len(chunk)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert blob.sha256 == source.digest.hexdigest() == digest.hexdigest()
        assert blob.size == count == size * _MEGABYTE
        assert peak < size * _MEGABYTE / 3

    def test_an_unknown_blob_is_not_found(self, store: ResultsStore) -> None:
        sha = sample_digest("nothing")
        with pytest.raises(NotFound, match=sha):
            store.open_blob(sha)

    def test_a_source_that_fails_leaves_nothing(self, store: ResultsStore) -> None:
        source = _Stream(2, fails=True)
        with pytest.raises(ConnectionResetError, match="the source went away"):
            store.put_blob(source)  # type: ignore[arg-type] # as above
        assert not _has(store, source.digest.hexdigest())
        assert list(store.check()) == []

    def test_damage_is_told_while_reading_and_mended_by_the_same_bytes(
        self, store: ResultsStore, damage: Damage
    ) -> None:
        content = b"what was meant"
        sha = _put(store, content)
        damage.spoil_blob(sha)
        with pytest.raises(CorruptRecord, match=sha), store.open_blob(sha) as file:
            file.read()
        assert _put(store, content) == sha
        with store.open_blob(sha) as file:
            assert file.read() == content

    def test_a_blob_whose_bytes_are_gone_is_not_found_until_they_are_put_again(
        self, store: ResultsStore, damage: Damage
    ) -> None:
        sha = _put(store, b"gone")
        damage.drop_blob(sha)
        with pytest.raises(NotFound, match=sha):
            store.open_blob(sha).read()
        assert _put(store, b"gone") == sha
        with store.open_blob(sha) as file:
            assert file.read() == b"gone"

    def test_a_sweep_removes_only_what_is_old_and_unused(self, store: ResultsStore) -> None:
        used = [store.put_blob(io.BytesIO(name)) for name in (b"region", b"catalog", b"forecast")]
        store.put([sample_region(used[0]), sample_catalog(used[1]), sample_forecast(used[2])])
        old, refreshed = _put(store, b"old" * 1000), _put(store, b"refreshed")
        time.sleep(0.4)
        mark = time.monotonic()
        _put(store, b"refreshed")
        young = _put(store, b"young")

        def since() -> timedelta:
            """Give an age between that of the old blob and those of the others, however slow we are."""
            return timedelta(seconds=time.monotonic() - mark + 0.35)

        planned = store.sweep(since(), dry_run=True)
        assert (planned.removed, planned.dry_run) == ((old,), True)
        assert planned.bytes_freed > 0
        assert _has(store, old)
        assert store.sweep(since(), dry_run=False) == planned.model_copy(update={"dry_run": False})
        assert not _has(store, old)
        assert all(_has(store, sha) for sha in (refreshed, young, *(blob.sha256 for blob in used)))
        again = store.sweep(since(), dry_run=False)
        assert (again.removed, again.bytes_freed) == ((), 0)
        assert [finding for finding in store.check() if finding.severity == "error"] == []

    def test_a_sweep_spares_the_last_day_by_itself(self, store: ResultsStore) -> None:
        sha = _put(store, b"of today")
        assert store.sweep(dry_run=False).removed == ()
        assert _has(store, sha)

    def test_a_swept_blob_may_be_put_again(self, store: ResultsStore) -> None:
        sha = _put(store, b"again")
        time.sleep(0.003)
        assert store.sweep(timedelta(0), dry_run=False).removed == (sha,)
        assert _put(store, b"again") == sha
        with store.open_blob(sha) as file:
            assert file.read() == b"again"

    def test_nothing_is_swept_where_a_record_cannot_be_read(
        self, store: ResultsStore, damage: Damage
    ) -> None:
        sha = _put(store, b"perhaps used")
        store.put([sample_environment()])
        damage.spoil_body("environment", sample_environment().key)
        time.sleep(0.003)
        for dry_run in (True, False):
            with pytest.raises(CorruptRecord, match=sample_environment().key):
                store.sweep(timedelta(0), dry_run=dry_run)
        assert _has(store, sha)
