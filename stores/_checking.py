"""Looking for damage in a store: what every kind of store looks at, and in which words it tells.

Everything is read a page at a time, and a finding is given before the next page is read, so that a check may
run beside writers, and a caller that stops half-way leaves nothing open.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import BinaryIO, Final, NamedTuple

from forequake.errors import CorruptRecord, NotFound, SchemaVersion
from forequake.quantities import Sha256
from forequake.results import Record
from stores._codec import KINDS, Encoded, decode, decode_run
from stores._latest import Latest, label_of
from stores.blobs import CHUNK
from stores.exchange import Finding

__all__ = ["BoundRow", "Holdings", "check", "error_found", "is_right"]

_PAGE: Final = 200
_GONE: Final = "has no bytes"


class BoundRow(NamedTuple):
    """A binding as it is stored, and whether its result and its run are there.

    Attributes
    ----------
    label
        The fields of the label, in the order of `stores._latest.LABEL`.
    """

    slot: Sha256
    run_no: int
    label: Sequence[object]
    key: Sha256
    has_result: bool
    has_run: bool


class Holdings(ABC):
    """What a check reads of a store; each kind of store says how."""

    @abstractmethod
    def faults(self) -> Iterator[Finding]:
        """Look at the medium itself; where it is damaged, what it says of records is not worth reading."""

    @abstractmethod
    def kinds(self) -> list[tuple[str, ...]]:
        """Give the kinds of records that are stored, those together that are read together."""

    @abstractmethod
    def records(self, kinds: Sequence[str], after: Sha256 | None, limit: int) -> list[Encoded]:
        """Read records in their stored form, in the order of their keys."""

    @abstractmethod
    def runs(self, after: str, limit: int) -> list[tuple[str, str]]:
        """Read ids and bodies of runs, in the order of their ids."""

    @abstractmethod
    def blob_sizes(self) -> dict[Sha256, int]:
        """Give the uncompressed sizes of all blobs, in the order of their hashes."""

    @abstractmethod
    def open_blob(self, sha: Sha256) -> BinaryIO:
        """Open a blob, or raise `NotFound` where its bytes are gone."""

    @abstractmethod
    def strays(self) -> Iterator[str]:
        """Name what takes space and belongs to no blob."""

    @abstractmethod
    def bindings(self, after: tuple[Sha256, int], limit: int) -> list[BoundRow]:
        """Read bindings in the order of slot and run."""

    @abstractmethod
    def places(self, after: Sha256, limit: int) -> list[tuple[Sha256, bool]]:
        """Give slots in their order, each with whether its latest row is what its bindings give."""

    @abstractmethod
    def rebuild(self, slot: Sha256) -> bool:
        """Make a latest row what its bindings give; tell whether it is so now."""


def check(holdings: Holdings, *, repair: bool) -> Iterator[Finding]:
    """Look for damage, reading everything; see `ResultsStore.check`."""
    faults = list(holdings.faults())
    yield from faults
    if faults:
        return
    referenced: dict[Sha256, str] = {}
    for kinds in holdings.kinds():
        yield from _records(holdings, kinds, referenced)
    yield from _runs(holdings)
    yield from _blobs(holdings, referenced)
    yield from _bindings(holdings)
    yield from _places(holdings, repair=repair)


def error_found(code: str, message: str) -> Finding:
    """Give a finding where data are lost or wrong."""
    return Finding(code=code, severity="error", message=message)


def is_right(expected: Latest | None, stored: Latest | None) -> bool:
    """Tell whether a latest row is the one that its bindings give."""
    if expected is None or stored is None:
        return expected is stored
    # The row may be vouched for by a later run than the one that bound its value.
    vouched = stored.row.model_copy(update={"run_no": expected.row.run_no})
    return stored.row.run_no >= stored.bound_run and Latest(vouched, stored.bound_run) == expected


def _records(holdings: Holdings, kinds: tuple[str, ...], referenced: dict[Sha256, str]) -> Iterator[Finding]:
    """Read all records of some kinds, and note which blobs they refer to."""
    after: Sha256 | None = None
    while True:
        page = holdings.records(kinds, after, _PAGE)
        for encoded in page:
            try:
                record = decode(encoded, KINDS.get(encoded.kind, Record))
            except SchemaVersion as error:
                yield Finding(code="newer_record", severity="note", message=str(error))
            except CorruptRecord as error:
                yield error_found("corrupt_record", str(error))
            else:
                referenced.update((sha, f"the {encoded.kind} record {encoded.key}") for sha in record.blobs)
        if len(page) < _PAGE:
            return
        after = page[-1].key


def _runs(holdings: Holdings) -> Iterator[Finding]:
    after = ""
    while True:
        page = holdings.runs(after, _PAGE)
        for key, body in page:
            try:
                decode_run(body)
            except SchemaVersion as error:
                yield Finding(code="newer_record", severity="note", message=f"{key}: {error}")
            except CorruptRecord as error:
                yield error_found("corrupt_record", f"{key}: {error}")
        if len(page) < _PAGE:
            return
        after = page[-1][0]


def _blobs(holdings: Holdings, referenced: dict[Sha256, str]) -> Iterator[Finding]:
    sizes = holdings.blob_sizes()
    for sha in sorted(referenced.keys() - sizes.keys()):
        yield error_found("missing_blob", f"{referenced[sha]} refers to the blob {sha}, which is not there")
    for sha, size in sizes.items():
        user = referenced.get(sha)
        fault = _blob_fault(holdings, sha, size)
        if fault is not None:
            code = "missing_blob" if fault == _GONE else "corrupt_blob"
            whose = user or "no record"
            message = f"the blob {sha}, to which {whose} refers, {fault}; put the same bytes again"
            yield Finding(code=code, severity="error" if user else "note", message=message)
        elif user is None:
            message = f"no record refers to the blob {sha}; a sweep removes it when it is old enough"
            yield Finding(code="unreferenced_blob", severity="note", message=message)
    for stray in holdings.strays():
        message = f"{stray} belongs to no blob; a sweep removes it when it is old enough"
        yield Finding(code="unreferenced_blob", severity="note", message=message)


def _blob_fault(holdings: Holdings, sha: Sha256, size: int) -> str | None:
    try:
        count = 0
        with holdings.open_blob(sha) as stream:
            while chunk := stream.read(CHUNK):
                count += len(chunk)
    except NotFound:
        return _GONE
    except CorruptRecord as error:
        return f"is damaged ({error})"
    return None if count == size else f"has {count} bytes instead of {size}"


def _bindings(holdings: Holdings) -> Iterator[Finding]:
    after: tuple[Sha256, int] = ("", 0)
    while True:
        page = holdings.bindings(after, _PAGE)
        for bound in page:
            shown = f"the binding of slot {bound.slot} by run {bound.run_no}"
            if not bound.has_result:
                message = f"{shown} names the result {bound.key}, which is not there"
                yield error_found("dangling_binding", message)
            if not bound.has_run:
                message = f"{shown} names a run of {bound.label[0]!r} that is not there"
                yield error_found("dangling_binding", message)
            try:
                place = label_of(*bound.label).slot
            except CorruptRecord as error:
                yield error_found("corrupt_record", f"{shown}: {error}")
            else:
                if place != bound.slot:
                    yield error_found("corrupt_record", f"{shown} has the label of slot {place}")
        if len(page) < _PAGE:
            return
        after = (page[-1].slot, page[-1].run_no)


def _places(holdings: Holdings, *, repair: bool) -> Iterator[Finding]:
    """Compare the latest rows with what the bindings give."""
    after = ""
    while True:
        page = holdings.places(after, _PAGE)
        for slot, right in page:
            if right:
                continue
            repaired = repair and holdings.rebuild(slot)
            advice = "built again" if repaired else "a check with repair builds it again"
            message = f"the latest row of slot {slot} is not what its bindings give; {advice}"
            yield Finding(code="wrong_latest", severity="error", message=message, repaired=repaired)
        if len(page) < _PAGE:
            return
        after = page[-1][0]
