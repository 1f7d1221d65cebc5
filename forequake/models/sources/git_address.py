"""Addresses of git repositories: which are taken, and how they are shown."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from forequake.errors import SourceError

__all__ = ["GitAddress", "git_address"]

_SCHEMES: Final = ("https", "http", "ssh", "file")
_SCP: Final = re.compile(r"(?P<user>[\w.+-]+@)?(?P<host>[\w.-]+|\[[0-9A-Fa-f:]+\]):(?P<path>(?!/?/).*)")
_ALLOWED: Final = (
    "it is an address with https, http, ssh or file, of the form user@host:path, or the path of a repository"
)


@dataclass(frozen=True)
class GitAddress:
    """The address of a repository.

    Attributes
    ----------
    url
        As git takes it; it holds no secret.
    shown
        For people.
    path
        Of a repository that is named by its path; it need not be there: what it gave may be on the shelf.
    """

    url: str
    shown: str
    path: Path | None = None

    def check(self) -> None:
        """Look whether a repository that is named by its path is there, before git is asked.

        Raises
        ------
        SourceError
            Where it is not.
        """
        if self.path is not None and not self.path.is_dir():
            message = f"there is no git repository {self.path}; {_ALLOWED}"
            raise SourceError(message)


def git_address(url: str, folder: Path) -> GitAddress:
    """Read the address of a repository.

    Parameters
    ----------
    folder
        To which a relative path is relative.

    Raises
    ------
    SourceError
        Where it is none that is taken, or holds a password; the message does not repeat that.
    """
    if not url.strip() or any(not sign.isprintable() for sign in url) or url.startswith("-"):
        message = f"{url!r} is no address of a git repository: {_ALLOWED}"
        raise SourceError(message)
    if "://" in url:
        return _from_url(url)
    if re.match(r"\w+::", url):
        message = f"{url!r} is an address that git hands to another program: {_ALLOWED}"
        raise SourceError(message)
    match = _SCP.fullmatch(url)
    if match is not None and not (folder / url).exists():
        if match["host"].startswith("-") or match["path"].startswith("-"):
            message = f"{url!r} is no address of a git repository: {_ALLOWED}"
            raise SourceError(message)
        return GitAddress(url, url)
    path = (folder / Path(url).expanduser()).resolve()
    return GitAddress(path.as_uri(), str(path), path)


def _from_url(url: str) -> GitAddress:
    scheme = url.split("://", 1)[0].lower()
    if scheme not in _SCHEMES:
        message = f"a git repository is not fetched with {scheme!r}: {_ALLOWED}"
        raise SourceError(message)
    try:
        parts = urlsplit(url)
        known = bool(parts.hostname) or scheme == "file"
        secret = parts.password is not None or (scheme != "ssh" and parts.username is not None)
        secret = secret or bool(parts.query or parts.fragment)  # which may be a token
        host = "" if parts.hostname is None else parts.netloc.rpartition("@")[2]
        fits = parts.port != 0 and not host.startswith("-") and not (parts.username or "").startswith("-")
    except ValueError:
        known = secret = fits = False
        host = ""
    if secret:
        message = (
            f"the address of the git repository at {host} holds a user, a password or a parameter, which "
            "would stand in the records of every run. Take a key with ssh, or a clone of your own with path"
        )
        raise SourceError(message)
    if not known or not fits:
        message = f"the address of a git repository names no host: {_ALLOWED}"
        raise SourceError(message)
    return GitAddress(url, url)
