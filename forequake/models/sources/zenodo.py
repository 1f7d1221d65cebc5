"""Sources from records of Zenodo: their files, each with the checksum that the record gives.

The files of a record lie at the root of the source, as floatCSEP has it. Where a record holds one archive and
else only documents, the archive is the source: it is unpacked, without the one folder that all in it lies in.
"""

import json
import os
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

from forequake.config.model_specs import ZenodoSource
from forequake.errors import SourceError, unknown
from forequake.models.sources.archives import is_archive, unpack_source
from forequake.models.sources.downloads import Downloads, Refused, checksum_of, known_checksum
from forequake.models.sources.fetched import Fetched
from forequake.models.sources.limits import SourceLimits
from forequake.models.sources.staged import DownloadedFile
from forequake.models.sources.writing import NewFolder
from forequake.patience import Patience

__all__ = ["fetch_record", "place_of_record"]

_PUBLIC: Final = "https://zenodo.org"
_VARIABLE: Final = "FOREQUAKE_ZENODO_URL"
_DOCUMENT: Final = re.compile(
    r".*\.(md|rst|pdf|docx?|html?)|(readme|license|licence|copying|citation|changelog|codemeta)(\..*)?",
    re.IGNORECASE,
)
_BLOCK: Final = 1 << 20


@dataclass(frozen=True)
class _File:
    name: str
    size: int
    checksum: str
    url: str


@dataclass(frozen=True)
class _Record:
    number: str
    files: tuple[_File, ...]


def place_of_record(spec: ZenodoSource, only: str | None) -> str:
    """Name what is fetched: the server, the record, and the one file where only that is needed.

    Raises
    ------
    SourceError
        Where ``FOREQUAKE_ZENODO_URL`` is no address of a server.
    """
    return f"zenodo {_server()} {spec.record}" + (f" {only}" if only is not None else "")


def fetch_record(
    spec: ZenodoSource,
    only: str | None,
    content: Path,
    say: Callable[[str], None],
    patience: Patience,
    limits: SourceLimits,
    leave_out: Collection[str],
) -> Fetched:
    """Fetch the files of a record.

    Parameters
    ----------
    only
        The one file that is needed; None takes all.
    content
        An empty folder of ours; what is unpacked lies next to it meanwhile.

    Raises
    ------
    SourceUnavailable
        Where the server did not answer as it should after all tries, or gave other files than the record has.
    SourceError
        Where there is no such record or file, it is restricted, or larger than the limits.
    """
    server = _server()
    title = f"Zenodo's record {spec.record}"
    packed = content.with_name("downloads")
    packed.mkdir()
    with Downloads("Zenodo" if server == _PUBLIC else f"the server {server}", patience, say) as downloads:
        try:
            record = downloads.page(f"{server}/api/records/{spec.record}", lambda body: _record(body, server))
        except Refused as error:
            raise SourceError(_refusal(title, server, error)) from error
        files = _chosen(record, only, title)
        limits.check(title, size=sum(file.size for file in files), files=len(files))
        got = [_get(downloads, file, packed / str(place), title, say) for place, file in enumerate(files)]
    origin = f"record {record.number} of Zenodo" + ("" if server == _PUBLIC else f" at {server}")
    notes: tuple[str, ...] = ()
    if record.number != str(spec.record):
        notes = (f"the number {spec.record} stands for all versions; the latest is {record.number}",)
    folder = _laid_out(files, packed, content, title, limits, leave_out)
    return Fetched(folder, origin, downloads=tuple(got), notes=notes)


def _get(
    downloads: Downloads, file: _File, target: Path, title: str, say: Callable[[str], None]
) -> DownloadedFile:
    say(f"{title}: {file.name} ({file.size / 1e6:.1f} MB)")
    try:
        downloads.file(file.url, target, size=file.size, checksum=file.checksum)
    except Refused as error:
        message = f"{title} gives its file {file.name} not: {error}"
        raise SourceError(message) from error
    sha256 = checksum_of(target, "sha256:").partition(":")[2]
    return DownloadedFile(file.name, file.size, file.checksum, sha256)


def _chosen(record: _Record, only: str | None, title: str) -> tuple[_File, ...]:
    if not record.files:
        message = f"{title} has no files for everybody: it is restricted, under embargo, or has none"
        raise SourceError(message)
    if only is None:
        return record.files
    chosen = tuple(file for file in record.files if file.name == only)
    if not chosen:
        message = f"{title}: {unknown('file', only, [file.name for file in record.files])}"
        raise SourceError(message)
    return chosen


def _laid_out(
    files: tuple[_File, ...],
    packed: Path,
    content: Path,
    title: str,
    limits: SourceLimits,
    leave_out: Collection[str],
) -> Path:
    """Put the files where a source has them."""
    archives = [place for place, file in enumerate(files) if is_archive(file.name)]
    documents = all(_DOCUMENT.fullmatch(file.name) for file in files if not is_archive(file.name))
    if len(archives) == 1 and documents:
        file = files[archives[0]]
        archive = packed / file.name.rpartition("/")[2]
        (packed / str(archives[0])).rename(archive)
        return unpack_source(archive, content, f"{title}, {file.name}", limits, leave_out)
    new = NewFolder(content, title, limits)
    for place, file in enumerate(files):
        with (packed / str(place)).open("rb") as opened:
            new.add_file(file.name, iter(lambda opened=opened: opened.read(_BLOCK), b""))  # type: ignore[misc]
        (packed / str(place)).unlink()
    return content


def _record(body: bytes, server: str) -> _Record:
    try:
        given = json.loads(body)
        number = str(given["id"])
        files = tuple(_file(each, number, server) for each in given.get("files") or ())
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        message = f"it is no record of Zenodo: {type(error).__name__} {error}"
        raise ValueError(message) from error
    return _Record(number, files)


def _file(given: dict[str, Any], number: str, server: str) -> _File:
    name, size, checksum = given["key"], given["size"], given["checksum"]
    if not isinstance(name, str) or not name or not isinstance(size, int) or size < 0:
        message = f"a file has the name {name!r} and the size {size!r}"
        raise ValueError(message)
    if not isinstance(checksum, str) or not known_checksum(checksum):
        message = f"the file {name} has the checksum {checksum!r}"
        raise ValueError(message)
    # A mirror's records may still name Zenodo itself.
    link = str((given.get("links") or {}).get("self", ""))
    here = urlsplit(link)[:2] == urlsplit(server)[:2]
    url = link if here else f"{server}/api/records/{number}/files/{quote(name, safe='')}/content"
    return _File(name, size, checksum, url)


def _refusal(title: str, server: str, error: Refused) -> str:
    if error.status == 404:
        return f"there is no record at {server} with the number of {title}: {error}"
    if error.status == 410:
        return f"{title} was deleted: {error}"
    if error.status in {401, 403}:
        return f"{title} may not be read, or {server} blocks this network: {error}"
    return f"{title} is refused: {error}"


def _server() -> str:
    given = os.environ.get(_VARIABLE)
    if not given:
        return _PUBLIC
    try:
        parts = urlsplit(given)
        known = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        plain = parts.username is None and parts.password is None and not parts.query and not parts.fragment
    except ValueError:
        known = plain = False
    if not known or not plain:
        # Not the address itself: it may hold a password.
        message = f"{_VARIABLE} must begin with https:// or http:// and name a host alone, such as {_PUBLIC}"
        raise SourceError(message)
    return given.rstrip("/").removesuffix("/api")
