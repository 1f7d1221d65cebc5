"""Files over http: tried again where that can help, continued where a connection broke."""

import contextlib
import hashlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar
from urllib.parse import urljoin, urlsplit

from forequake.errors import SourceError, SourceUnavailable
from forequake.patience import Patience
from forequake.web import (
    PASSING,
    REDIRECTS,
    http_client,
    is_certificate_fault,
    retry_after,
    without_secrets,
    words_of,
)

if TYPE_CHECKING:
    import httpx

__all__ = ["Downloads", "Refused", "checksum_of", "known_checksum"]

_Read = TypeVar("_Read")

_MOST_REDIRECTS: Final = 5
_CONNECT_SECONDS: Final = 20.0
_PAGE_BYTES: Final = 16 << 20
_PLACE: Final = re.compile(r"bytes (\d+)-\d+/(?:\d+|\*)")
_CHECKSUM: Final = re.compile(r"(md5|sha1|sha224|sha256|sha384|sha512):([0-9a-f]+)")


class Refused(Exception):
    """A server refuses with a status that trying again does not change."""

    def __init__(self, status: int, words: str) -> None:
        self.status = status
        super().__init__(words)


class _Passing(Exception):
    """A failure that may be over soon.

    Attributes
    ----------
    after
        The wait that the server asks for, in seconds.
    got_on
        Whether more of a file is there than before.
    """

    def __init__(self, what: str, after: float | None = None) -> None:
        self.after = after
        self.got_on = False
        super().__init__(what)


@dataclass
class Downloads:
    """Requests to one server, all within the time that patience allows.

    Attributes
    ----------
    title
        The server's name in messages.
    """

    title: str
    patience: Patience
    say: Callable[[str], None]
    _ends: float = field(init=False)
    _client: "httpx.Client" = field(init=False)

    def __post_init__(self) -> None:
        self._ends = time.monotonic() + self.patience.total_seconds
        self._client = http_client()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def page(self, url: str, read: Callable[[bytes], _Read]) -> _Read:
        """Get a page; `read` raises ValueError where it is not whole or none of its kind.

        Raises
        ------
        Refused
            With the server's words.
        SourceUnavailable
            Where the server did not answer as it should after all tries.
        SourceError
            Where its certificate cannot be verified, or it leads elsewhere.
        """

        def once() -> _Read:
            with self._answer(url, 0) as answer:
                body, ends = bytearray(), self._request_ends()
                for block in answer.iter_bytes():
                    body += block
                    self._in_time(ends, len(body))
                    if len(body) > _PAGE_BYTES:
                        message = f"its answer is longer than {_PAGE_BYTES} bytes"
                        raise _Passing(message)
            try:
                return read(bytes(body))
            except ValueError as error:
                message = f"its answer cannot be used: {error}"
                raise _Passing(message) from error

        return self._patiently(url, once)

    def file(self, url: str, target: Path, *, size: int, checksum: str) -> None:
        """Get a file of known size and checksum; what came before a connection broke is kept.

        Parameters
        ----------
        target
            Is not there yet.
        size
            Bytes.

        Raises
        ------
        Refused, SourceUnavailable, SourceError
            As `page`; also where what comes never has the size or the checksum.
        """

        def once() -> None:
            have = target.stat().st_size if target.exists() else 0
            try:
                self._into(url, target, have, size)
            except _Passing as failure:
                failure.got_on = target.exists() and target.stat().st_size > have
                raise
            found = target.stat().st_size
            if found < size:
                message = f"its file broke off after {found} of {size} bytes"
                raise _Passing(message)
            actual = checksum_of(target, checksum)
            if actual != checksum:
                target.unlink()
                message = f"its file has the checksum {actual}, not {checksum}"
                raise _Passing(message)

        self._patiently(url, once)

    def _into(self, url: str, target: Path, have: int, size: int) -> None:
        """Write what comes behind what is there, or from the start where the server cannot do that."""
        ends = self._request_ends()
        with self._answer(url, have) as answer:
            place = _PLACE.fullmatch(answer.headers.get("Content-Range", ""))
            goes_on = answer.status_code == 206 and place is not None and int(place[1]) == have
            length, wanted = answer.headers.get("Content-Length"), size - have if goes_on else size
            if length is not None and length != str(wanted):  # something else, such as a page of words
                message = f"its answer has {length} bytes, not {wanted}"
                raise _Passing(message)
            with target.open("ab" if goes_on else "wb") as file:
                for block in answer.iter_raw():  # as it comes: what came before a break is kept
                    file.write(block)
                    self._in_time(ends, file.tell())
                    if file.tell() > size:
                        file.truncate(0)  # none of it can be trusted
                        message = f"its file is longer than {size} bytes"
                        raise _Passing(message)

    @contextlib.contextmanager
    def _answer(self, url: str, have: int) -> Any:
        """Begin a request, over redirects, until there is an answer with a body."""
        import httpx

        # Raw bytes are what the checksum is of.
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
        try:
            for _ in range(_MOST_REDIRECTS + 1):
                timeout = httpx.Timeout(max(min(self._request_ends() - time.monotonic(), 60.0), 0.001))
                timeout.connect = min(_CONNECT_SECONDS, timeout.connect or _CONNECT_SECONDS)
                with self._client.stream("GET", url, timeout=timeout, headers=headers) as answer:
                    if answer.status_code in REDIRECTS:
                        url = self._target(url, answer.headers.get("Location", ""))
                        continue
                    self._check(answer, have)
                    yield answer
                    return
        except (httpx.RequestError, httpx.InvalidURL) as error:
            if is_certificate_fault(error):
                message = f"the certificate of {self.title} cannot be verified ({error})"
                raise SourceError(message) from error
            raise _Passing(str(error) or type(error).__name__) from error
        message = f"{self.title} redirects in a circle. Asked: {without_secrets(url)}"
        raise SourceError(message)

    def _check(self, answer: "httpx.Response", have: int) -> None:
        status = answer.status_code
        if status == 200 or (status == 206 and have):
            return
        if status == 206:
            message = "it gives a part where the whole was asked for"
            raise _Passing(message)
        body = next(answer.iter_bytes(20_000), b"")
        said = words_of(body)
        what = f"{status} {answer.reason_phrase}" + (f" ({said})" if said else "")
        if status in PASSING:
            raise _Passing(what, retry_after(answer.headers.get("Retry-After")))
        raise Refused(status, what)

    def _target(self, url: str, location: str) -> str:
        target = location
        try:
            target = urljoin(url, location)
            now, then = urlsplit(url), urlsplit(target)
            # Files may lie at another host, but never less protected: the checksum judges them.
            fits = then.scheme == "https" or (
                then.scheme == now.scheme == "http" and then.hostname == now.hostname
            )
        except ValueError:
            fits = False
        if not location or not fits:
            message = f"{self.title} redirects to {without_secrets(target)!r}, which is not taken"
            raise SourceError(message)
        return target

    def _patiently(self, url: str, once: Callable[[], _Read]) -> _Read:
        failures = 0
        while True:
            try:
                return once()
            except _Passing as failure:
                failures = 1 if failure.got_on else failures + 1
                wait = self.patience.wait(failures) if failure.after is None else failure.after
                left = self._ends - time.monotonic()
                if failures >= self.patience.tries or wait > min(left, max(self.patience.longest_wait, 0)):
                    times = "once" if failures == 1 else f"{failures} times"
                    message = f"{self.title} does not answer as it should. It was asked {times}; "
                    message += f"the last time: {failure}."
                    if failure.after is not None and failures < self.patience.tries:
                        message += f" It asks to be left alone for {wait:.0f} s."
                    message += f" Asked: {without_secrets(url)}. Run again later"
                    raise SourceUnavailable(message) from failure
                self.say(f"{self.title}: {failure}; asked again in {wait:.0f} s")
            self.patience.sleep(wait)

    def _request_ends(self) -> float:
        return min(self._ends, time.monotonic() + self.patience.request_seconds)

    def _in_time(self, ends: float, size: int) -> None:
        if time.monotonic() > ends:
            message = f"its answer was not whole in time: {size} bytes"
            raise _Passing(message)


def known_checksum(checksum: str) -> bool:
    """Tell whether a text is a checksum of a kind that can be computed."""
    return _CHECKSUM.fullmatch(checksum) is not None


def checksum_of(file: Path, like: str) -> str:
    """Compute a file's checksum of the same kind as another one."""
    kind = like.partition(":")[0]
    with file.open("rb") as opened:
        # Of the kind that the record has; what protects from malice is the hash of the tree.
        digest = hashlib.file_digest(opened, lambda: hashlib.new(kind, usedforsecurity=False))
    return f"{kind}:{digest.hexdigest()}"
