"""What all who ask servers of the web have in common."""

import re
import ssl
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from forequake import __version__

if TYPE_CHECKING:
    import httpx

__all__ = [
    "PASSING",
    "REDIRECTS",
    "http_client",
    "is_certificate_fault",
    "retry_after",
    "without_secrets",
    "words_of",
]

#: Statuses of answers that may be better soon.
PASSING: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
#: Statuses of answers that name another address.
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_SAID: Final = 300


def http_client() -> "httpx.Client":
    """Give what asks servers, under our name; where a server leads elsewhere, the caller decides."""
    # httpx costs a tenth of a second, and most runs ask nobody.
    import httpx

    return httpx.Client(
        verify=_certificates(), headers={"User-Agent": f"forequake/{__version__}"}, follow_redirects=False
    )


@cache
def _certificates() -> ssl.SSLContext:
    """Give the authorities that are trusted, read once: ``SSL_CERT_FILE`` names others."""
    import httpx

    return httpx.create_ssl_context()


def is_certificate_fault(error: BaseException | None) -> bool:
    """Tell whether an error comes from a certificate that cannot be verified."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


def retry_after(value: str | None) -> float | None:
    """Read seconds or a date of a ``Retry-After``; None where there is none or it makes no sense.

    Examples
    --------
    >>> retry_after("120")
    120.0
    """
    if value is None:
        return None
    if re.fullmatch(r"\s*\d{1,9}\s*", value):
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return max((moment - datetime.now(UTC)).total_seconds(), 0.0)


def without_secrets(url: str, keep: re.Pattern[str] | None = None) -> str:
    """Give an address without user, password and parameters, but for those whose whole name matches.

    Examples
    --------
    >>> without_secrets("https://me:secret@example.org/a?key=7")
    'https://example.org/a'
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        place = (f"[{host}]" if ":" in host else host) + (f":{parts.port}" if parts.port else "")
    except ValueError:
        return "(no address)"
    asked = [pair for pair in parse_qsl(parts.query) if keep is not None and keep.fullmatch(pair[0])]
    return parts._replace(netloc=place, query=urlencode(asked, safe=":,"), fragment="").geturl()


def words_of(body: bytes) -> str:
    """Give the words of a refusal on one line, without tags, cut to a readable length.

    Examples
    --------
    >>> words_of(b"<h1>Not  here</h1>")
    'Not here'
    """
    text = re.sub(
        r"<(style|script)\b.*?</\1>|<[^>]*>", " ", body[:20_000].decode("utf-8", "replace"), flags=re.DOTALL
    )
    text = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return text if len(text) <= _SAID else text[:_SAID].rstrip() + " ..."
