"""One talk with a service: requests within a time limit, tried again where that can help."""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self, TypeVar
from urllib.parse import urlencode, urljoin, urlsplit

from forequake.catalogs.queries.bounds import stamp
from forequake.catalogs.queries.pages import Garbled
from forequake.errors import CatalogError, CatalogUnavailable
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

__all__ = ["Conversation", "TooMany", "shown", "with_parameters"]

_Read = TypeVar("_Read")

_MOST_REDIRECTS: Final = 5
#: What services say where a request matches more events than one answer may hold.
_TOO_MANY: Final = re.compile(
    r"exceed|too many|too large|fewer events|smaller (area|time|span)", re.IGNORECASE
)
_NO_DATA: Final = re.compile(r"no (data|events?|match)|not? found.{0,40}no data", re.IGNORECASE)
#: ComCat's answer where all that matches was deleted; for a search that is an empty answer.
_ALL_DELETED: Final = re.compile(r"event has been deleted", re.IGNORECASE)
_CONNECT_SECONDS: Final = 20.0
#: Parameters that requests of ours have; others, which an address may bring, are not shown.
_OWN: Final = re.compile(
    r"format|catalog|(start|end)(time|date)|(min|max)(longitude|latitude|depth)|bbox"
    r"|minmag(nitude)?|orderby|limit"
)


class TooMany(Exception):
    """The service has more events to a request than it gives in one answer."""


class _Passing(Exception):
    """A failure that may be over soon; `after` is the wait that the service asks for, in seconds."""

    def __init__(self, what: str, after: float | None = None) -> None:
        self.after = after
        super().__init__(what)


@dataclass
class Conversation:
    """Requests to one service, all within the time that patience allows for a query.

    Attributes
    ----------
    title
        The service's name in messages.
    requests
        How many were made.
    """

    title: str
    patience: Patience
    requests: int = 0
    _began: datetime = field(default_factory=lambda: datetime.now(UTC))
    _ends: float = field(init=False)
    _client: "httpx.Client" = field(init=False)

    def __post_init__(self) -> None:
        self._ends = time.monotonic() + self.patience.total_seconds
        self._client = http_client()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    def ask(
        self,
        address: str,
        parameters: Mapping[str, str],
        read: Callable[[bytes], _Read],
        *,
        missing: _Read | None = None,
        halves_help: bool = False,
    ) -> _Read:
        """Ask once, and again where that can help, until the answer can be read.

        Parameters
        ----------
        read
            Makes something of the bytes of an answer, of no bytes where the service has nothing.
        missing
            Given where there is nothing at the address (404); without it that is an error.
        halves_help
            Whether a gateway that ran out of time is taken for a request that is too large.

        Raises
        ------
        TooMany
            Where the service refuses because too many events match.
        CatalogUnavailable
            Where the service did not answer as it should after all tries or the whole time.
        CatalogError
            Where the service refuses in a way that trying again does not change.
        """
        url = with_parameters(address, parameters)
        failures = 0
        while True:
            try:
                return self._once(url, read, missing, halves_help)
            except _Passing as failure:
                failures += 1
                wait = self.patience.wait(failures) if failure.after is None else failure.after
                left = self._ends - time.monotonic()
                if failures >= self.patience.tries or wait > min(left, max(self.patience.longest_wait, 0)):
                    raise self._given_up(url, failures, failure, wait) from failure
            self.patience.sleep(wait)

    def _once(
        self, url: str, read: Callable[[bytes], _Read], missing: _Read | None, halves_help: bool
    ) -> _Read:
        status, reason, body, after = self._fetch(url)
        said = "" if status == 200 else words_of(body)
        no_data = (status == 404 and _NO_DATA.search(said)) or (status == 409 and _ALL_DELETED.search(said))
        if status in {200, 204} or no_data:
            try:
                return read(body if status == 200 else b"")
            except Garbled as error:
                message = f"its answer cannot be used: {error}"
                raise _Passing(message) from error
        if status == 404 and missing is not None:
            return missing
        what = f"{status} {reason}" + (f" ({said})" if said else "")
        if status == 413 or (status == 400 and _TOO_MANY.search(said)) or (status == 504 and halves_help):
            raise TooMany(what)
        if status in PASSING:
            raise _Passing(what, after)
        message = f"{self.title} refuses the request with {what}. Asked: {shown(url)}"
        raise CatalogError(message)

    def _fetch(self, url: str) -> tuple[int, str, bytes, float | None]:
        """Get one answer whole, over redirects: status, reason, body, and the wait that it asks for."""
        import httpx

        ends = min(self._ends, time.monotonic() + self.patience.request_seconds)
        try:
            for _ in range(_MOST_REDIRECTS + 1):
                self.requests += 1
                timeout = httpx.Timeout(max(ends - time.monotonic(), 0.001))
                timeout.connect = min(_CONNECT_SECONDS, timeout.connect or _CONNECT_SECONDS)
                with self._client.stream("GET", url, timeout=timeout) as response:
                    if response.status_code not in REDIRECTS:
                        body = self._body(response, ends)
                        after = retry_after(response.headers.get("Retry-After"))
                        return response.status_code, response.reason_phrase, body, after
                    url = self._target(url, response.headers.get("Location", ""))
        except (httpx.RequestError, httpx.InvalidURL) as error:
            if is_certificate_fault(error):
                message = f"the certificate of {self.title} cannot be verified ({error}). Asked: {shown(url)}"
                raise CatalogError(message) from error
            raise _Passing(str(error) or type(error).__name__) from error
        message = f"{self.title} redirects in a circle. Asked: {shown(url)}"
        raise CatalogError(message)

    def _body(self, response: "httpx.Response", ends: float) -> bytes:
        parts, size = [], 0
        for part in response.iter_bytes():
            size += len(part)
            if size > self.patience.most_bytes:
                message = (
                    f"{self.title} answers with more than {self.patience.most_bytes} bytes; ask for less"
                )
                raise CatalogError(message)
            if time.monotonic() > ends:
                message = f"its answer was not whole in time: {size} bytes"
                raise _Passing(message)
            parts.append(part)
        # Without a length, an empty answer cannot be told from one that was cut off before it began.
        framed = "Content-Length" in response.headers or "Transfer-Encoding" in response.headers
        if response.status_code == 200 and size == 0 and not framed:
            message = "its answer broke off before it began"
            raise _Passing(message)
        return b"".join(parts)

    def _target(self, url: str, location: str) -> str:
        target = location
        try:
            target = urljoin(url, location)
            now, then = urlsplit(url), urlsplit(target)
            fits = then.scheme == "https" or then.scheme == now.scheme == "http"
            here = then.hostname == now.hostname
        except ValueError:
            fits = here = False
        if not location or not fits or not (here or "/fdsnws/event/" in then.path):
            message = (
                f"{self.title} redirects to {shown(target)!r}, which is no such service. Asked: {shown(url)}"
            )
            raise CatalogError(message)
        return target

    def _given_up(self, url: str, failures: int, failure: _Passing, wait: float) -> CatalogUnavailable:
        times = "once" if failures == 1 else f"{failures} times"
        message = (
            f"{self.title} gives no events now. It was asked {times} between {stamp(_whole(self._began))} "
            f"and {stamp(_whole(datetime.now(UTC)))}; the last time: {failure}."
        )
        if failure.after is not None and failures < self.patience.tries:
            message += f" It asks to be left alone for {wait:.0f} s."
        message += f" Asked: {shown(url)}. Run again later, or save the catalog to a file and name the file."
        return CatalogUnavailable(message)


def shown(url: str) -> str:
    """Give an address without what may be secret: user, password, and parameters that are not ours."""
    return without_secrets(url, keep=_OWN)


def with_parameters(address: str, parameters: Mapping[str, str]) -> str:
    """Put parameters behind those that an address has, such as the key of a mirror."""
    if not parameters:
        return address
    parts = urlsplit(address)
    asked = urlencode(parameters, safe=":,")
    return parts._replace(query=f"{parts.query}&{asked}" if parts.query else asked, fragment="").geturl()


def _whole(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)
