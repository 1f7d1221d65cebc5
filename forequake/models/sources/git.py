"""Sources from git repositories: a branch, a tag or a commit, without the history where the server allows.

The files are those of the commit, byte for byte: no filter, no conversion of line ends, no attribute and no
hook of a repository has a say. Submodules are not fetched, nor does floatCSEP: their folders are empty, and a
note tells so. Files of git's large file storage are the pointers that the repository holds; a note tells
this, too.
"""

import contextlib
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from forequake.config.model_specs import GitSource
from forequake.errors import SourceError, SourceUnavailable, unknown
from forequake.models.sources.fetched import Fetched
from forequake.models.sources.git_address import GitAddress, git_address
from forequake.models.sources.git_export import export_commit
from forequake.models.sources.git_program import Git, GitRefused, GitUnwell
from forequake.models.sources.limits import SourceLimits
from forequake.patience import Patience

__all__ = ["fetch_commit", "place_of_git"]

_FETCHED: Final = "refs/forequake/fetched"
_WHOLE: Final = re.compile(r"[0-9a-f]{40}")
_SHORT: Final = re.compile(r"[0-9a-f]{7,40}")
_LISTED: Final = 20
_FETCH: Final = ("fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head")
#: What git says where a server does not give a commit that is no branch's or tag's.
_UNKNOWN_COMMIT: Final = ("not our ref", "unadvertised object")
#: The same, and where a server of mere files cannot leave the history out.
_NOT_SHALLOW: Final = (*_UNKNOWN_COMMIT, "shallow")


def place_of_git(spec: GitSource, folder: Path) -> str:
    """Name what is fetched: the repository and the revision.

    Raises
    ------
    SourceError
        Where the address is none that is taken.
    """
    return f"git {git_address(spec.url, folder).url} {spec.revision or 'HEAD'}"


def fetch_commit(
    spec: GitSource,
    folder: Path,
    content: Path,
    say: Callable[[str], None],
    patience: Patience,
    limits: SourceLimits,
) -> Fetched:
    """Fetch the files of one commit.

    Parameters
    ----------
    folder
        To which a relative address is relative.
    content
        An empty folder of ours; what git needs besides lies next to it.

    Raises
    ------
    SourceUnavailable
        Where the server did not answer as it should after all tries.
    SourceError
        Where there is no such repository or revision, it may not be read, or it is larger than the limits.
    """
    address = git_address(spec.url, folder)
    address.check()
    say(f"fetching {spec.revision or 'the default branch'} of {address.shown}")
    talk = _Talk(address, content, say, patience)
    commit, name, note = talk.resolve(spec.revision)
    say(f"{name} of {address.shown} is commit {commit}")
    origin = f"{address.shown} at {name}" if name != commit else f"{address.shown} at commit {commit}"
    try:
        notes = export_commit(talk.git, commit, content, origin, limits)
    except (GitRefused, GitUnwell) as error:
        message = f"{origin} cannot be read: git says {error}"
        raise SourceError(message) from error
    if address.url.startswith("http://"):
        notes = ("it came without encryption: others on the way may have changed it", *notes)
    return Fetched(content, origin, commit, notes=(*note, *notes))


class _Talk:
    """Requests to one repository, each tried again where that can help."""

    def __init__(
        self, address: GitAddress, content: Path, say: Callable[[str], None], patience: Patience
    ) -> None:
        self._address = address
        self._say = say
        self._patience = patience
        self._ends = time.monotonic() + patience.total_seconds
        self.git = Git(content.with_name("repository"), self._ends, self._clean)

    def resolve(self, revision: str | None) -> tuple[str, str, tuple[str, ...]]:
        """Fetch a revision: its commit, what it is called, and what one should know."""
        refs = self._refs()
        if revision is None:
            if "HEAD" not in refs:
                message = f"the git repository {self._address.shown} has no commit on its default branch"
                raise SourceError(message + self._there(refs))
            return self._tip("HEAD"), "its default branch", ()
        names = [
            name
            for name in (revision, f"refs/heads/{revision}", f"refs/tags/{revision}")
            if name.startswith(("refs/heads/", "refs/tags/")) and name in refs
        ]
        if names:
            kind = "branch" if names[0].startswith("refs/heads/") else "tag"
            note = f"{revision} is a branch and a tag; the branch was taken ({names[-1]} names the tag)"
            return self._tip(names[0]), f"{kind} {revision}", (note,) if len(names) > 1 else ()
        wanted = revision.lower()
        if not _SHORT.fullmatch(wanted):
            raise SourceError(self._unknown(revision, refs))
        return self._commit(wanted, refs), revision.lower(), ()

    def _refs(self) -> dict[str, str]:
        listed = self._ask("ls-remote", "--", self._address.url).decode("utf-8", "surrogateescape")
        return {name: commit for commit, _, name in (line.partition("\t") for line in listed.splitlines())}

    def _tip(self, name: str) -> str:
        self._fetch(name)
        return self._parsed(_FETCHED)

    def _commit(self, wanted: str, refs: dict[str, str]) -> str:
        """Fetch a commit: alone where the server gives it, else with all branches and tags."""
        if _WHOLE.fullmatch(wanted):
            with contextlib.suppress(_NotGiven):
                self._fetch(wanted)
                return self._parsed(_FETCHED)
        try:
            both = [
                f"+{kind}*:{kind.replace('refs/', 'refs/all/')}*" for kind in ("refs/heads/", "refs/tags/")
            ]
            self._ask(*_FETCH, "--", self._address.url, *both)
            return self._parsed(wanted)
        except _NotGiven as error:
            reason = f" ({error})" if "ambiguous" in str(error) else ""
            raise SourceError(self._unknown(wanted, refs) + reason) from error

    def _fetch(self, name: str) -> None:
        """Fetch one ref or commit without its history, or with it where the server cannot do otherwise."""
        words = ("--", self._address.url, f"+{name}:{_FETCHED}")
        try:
            self._ask(*_FETCH, "--depth=1", *words, given_up=_NOT_SHALLOW)
        except _NotGiven:
            self._ask(*_FETCH, *words, given_up=_UNKNOWN_COMMIT)

    def _parsed(self, name: str) -> str:
        try:
            return self.git.run("rev-parse", "--verify", f"{name}^{{commit}}").decode().strip()
        except (GitRefused, GitUnwell) as error:
            raise _NotGiven(str(error)) from error

    def _ask(self, *words: str, given_up: tuple[str, ...] = ()) -> bytes:
        """Run git until it succeeds; `given_up` are words of it that mean that this cannot be had so."""
        failures = 0
        while True:
            try:
                return self.git.run(*words)
            except (GitRefused, GitUnwell) as error:
                if any(sign in str(error) for sign in given_up):
                    raise _NotGiven(str(error)) from error
                if isinstance(error, GitRefused):
                    raise SourceError(self._refused(str(error))) from error
                failures += 1
                wait = self._patience.wait(failures)
                if failures >= self._patience.tries or wait > self._ends - time.monotonic():
                    times = "once" if failures == 1 else f"{failures} times"
                    message = (
                        f"the git repository {self._address.shown} does not answer as it should. It was "
                        f"asked {times}; the last time git said: {error}. Run again later"
                    )
                    raise SourceUnavailable(message) from error
                self._say(f"{self._address.shown}: {error}; asked again in {wait:.0f} s")
            self._patience.sleep(wait)

    def _refused(self, said: str) -> str:
        shown = self._address.shown
        words = said.lower()
        if any(sign in words for sign in ("username", "authentication", "401", "403", "permission denied")):
            return (
                f"the git repository {shown} may not be read without a password, or there is none: git says "
                f"{said}. forequake never asks for one: take a key with ssh, or a clone of your own with path"
            )
        if "ownership" in words:
            return f"the git repository {shown} belongs to another user; name its folder with path instead"
        if "host key" in words:
            return f"{shown} is not among the known hosts of ssh: connect once with ssh by hand"
        if "certificate" in words:
            return f"the certificate of {shown} cannot be verified: git says {said}"
        return f"there is no git repository at {shown}: git says {said}"

    def _unknown(self, revision: str, refs: dict[str, str]) -> str:
        names = _names(refs)
        message = unknown("branch, tag or commit", revision, names[:_LISTED])
        if len(names) > _LISTED:
            near = unknown("branch, tag or commit", revision, names).partition(" There is:")[0]
            message = f"{near} There is: {', '.join(names[:_LISTED])} and {len(names) - _LISTED} more"
        return f"{self._address.shown}: {message}"

    def _there(self, refs: dict[str, str]) -> str:
        names = _names(refs)
        return f"; there is: {', '.join(names[:_LISTED])}" if names else "; it is empty"

    def _clean(self, words: str) -> str:
        return re.sub(r"://[^/\s@]*@", "://", words.replace(self._address.url, self._address.shown))


class _NotGiven(Exception):
    """The server does not give a commit that no branch or tag names."""


def _names(refs: dict[str, str]) -> list[str]:
    """Give branches, then tags."""
    return [
        name.removeprefix(kind)
        for kind in ("refs/heads/", "refs/tags/")
        for name in refs
        if name.startswith(kind) and not name.endswith("^{}")
    ]
