"""Sources from real git repositories: over file and http, smart and of mere files, and when they fail."""

import shutil
import stat
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from forequake.config import GitSource
from forequake.errors import SourceChanged, SourceError, SourceUnavailable
from forequake.models.sources import SourceLimits, StagedSource, fetch_source, verify
from forequake.models.sources.git_address import git_address
from forequake.patience import Patience
from tests.models.source_servers import Handler, Server, cut_off, git, status

Fetch = Callable[..., StagedSource]


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Make a repository with two branches and two tags; give its commits and where it is."""
    folder = tmp_path_factory.mktemp("modeller")
    work = folder / "work"
    (work / "package").mkdir(parents=True)
    (work / "input").mkdir()
    (work / "run.py").write_text("print(1)\n")
    (work / "start.sh").write_text("#!/bin/sh\n")
    (work / "start.sh").chmod(0o755)
    (work / "package" / "lines.txt").write_bytes(b"lines\nand $Id$\n")
    (work / "latest").symlink_to("package/lines.txt")
    (work / "input" / "args.txt").write_text("mc = 3\n")
    # Attributes that would change or leave out files when they are checked out or exported.
    (work / ".gitattributes").write_text("*.txt text eol=crlf ident\nrun.py export-ignore\n")
    git(work, "init", "--quiet")
    git(work, "add", ".")
    git(work, "commit", "--quiet", "-m", "First")
    first = git(work, "rev-parse", "HEAD")
    git(work, "tag", "v1")
    git(work, "branch", "both")
    (work / "run.py").write_text("print(2)\n")
    git(work, "commit", "--quiet", "-am", "Second")
    second = git(work, "rev-parse", "HEAD")
    git(work, "tag", "-a", "v2", "-m", "annotated")
    git(work, "tag", "both")
    git(work, "checkout", "--quiet", "-b", "feature/omori")
    (work / "run.py").write_text("print(3)\n")
    git(work, "commit", "--quiet", "-am", "Third")
    third = git(work, "rev-parse", "HEAD")
    git(work, "checkout", "--quiet", "main")
    git(folder, "clone", "--quiet", "--bare", "work", "model.git")
    git(folder / "model.git", "update-server-info")
    return {"folder": str(folder), "first": first, "second": second, "third": third}


@pytest.fixture
def repository(built: dict[str, str]) -> Path:
    return Path(built["folder"]) / "model.git"


@pytest.fixture
def fetch(repository: Path, tmp_path: Path, said: list[str], patience: Patience) -> Fetch:
    def fetched(revision: str | None = None, url: str | None = None, **options: object) -> StagedSource:
        spec = GitSource(url=repository.as_uri() if url is None else url, revision=revision)
        given = {"shelf": tmp_path / "shelf", "patience": patience, **options}
        return fetch_source(spec, repository.parent, say=said.append, **given)  # type: ignore[arg-type]

    return fetched


def _run(staged: StagedSource) -> str:
    return (staged.folder / "run.py").read_text()


@pytest.mark.parametrize(
    ("revision", "commit", "named"),
    [
        (None, "second", "its default branch"),
        ("main", "second", "branch main"),
        ("feature/omori", "third", "branch feature/omori"),
        ("refs/heads/feature/omori", "third", "branch refs/heads/feature/omori"),
        ("v1", "first", "tag v1"),
        ("v2", "second", "tag v2"),
        ("both", "first", "branch both"),
        ("refs/tags/both", "second", "tag refs/tags/both"),
        ("FIRST", "first", "commit "),
        ("SHORT", "third", "at "),
    ],
)
def test_a_revision_is_resolved_to_its_commit(
    revision: str | None, commit: str, named: str, built: dict[str, str], fetch: Fetch
) -> None:
    wanted = {"FIRST": built["first"], "SHORT": built["third"][:8]}.get(revision or "", revision)
    staged = fetch(wanted)
    assert staged.commit == built[commit]
    assert named in staged.origin
    assert _run(staged) == f"print({('first', 'second', 'third').index(commit) + 1})\n"
    assert any("names the tag" in note for note in staged.notes) == (revision == "both")
    verify(staged)


def test_files_are_those_of_the_commit_byte_for_byte(fetch: Fetch) -> None:
    staged = fetch()
    assert {path: entry.kind for path, entry in staged.files.items()} == {
        ".gitattributes": "file",
        "latest": "link",
        "package/lines.txt": "file",
        "run.py": "file",
        "start.sh": "program",
    }
    # A checkout would write the ends of lines that .gitattributes asks for, and fill in the $Id$.
    assert (staged.folder / "latest").read_bytes() == b"lines\nand $Id$\n"
    assert (staged.folder / "start.sh").stat().st_mode & stat.S_IXUSR
    assert staged.inputs is not None
    assert list(staged.inputs.entries) == ["args.txt"]


@pytest.mark.parametrize("way", ["git", "files"])
@pytest.mark.parametrize("revision", [None, "v1", "feature/omori", "FIRST"])
def test_over_http(
    way: str, revision: str | None, built: dict[str, str], repository: Path, server: Server, fetch: Fetch
) -> None:
    server.repositories = repository.parent
    wanted = built["first"] if revision == "FIRST" else revision
    staged = fetch(wanted, f"{server.url}/{way}/model.git")
    here = fetch(wanted)
    assert (staged.tree, staged.commit) == (here.tree, here.commit)
    assert "without encryption" in staged.notes[0]


@pytest.mark.parametrize("url", ["model.git", "../{}/model.git", "work"])
def test_a_path_is_an_address_too(url: str, repository: Path, built: dict[str, str], fetch: Fetch) -> None:
    staged = fetch(url=url.format(repository.parent.name))
    assert staged.commit == built["second"]
    assert staged.origin.startswith(str(repository.parent))


def test_what_was_fetched_stands_until_it_is_asked_for_anew(
    built: dict[str, str], tmp_path: Path, fetch: Fetch, said: list[str]
) -> None:
    git(tmp_path, "clone", "--quiet", "--bare", f"{built['folder']}/model.git", "moving.git")
    url = (tmp_path / "moving.git").as_uri()
    assert fetch("main", url).commit == built["second"]
    assert len(said) == 2
    git(tmp_path / "moving.git", "update-ref", "refs/heads/main", built["third"])
    assert fetch("main", url).commit == built["second"]
    (tmp_path / "moving.git").rename(tmp_path / "away.git")
    assert fetch("main", url).commit == built["second"]
    assert len(said) == 2
    (tmp_path / "away.git").rename(tmp_path / "moving.git")
    anew = fetch("main", url, refresh=True)
    assert anew.commit == built["third"]
    assert fetch("main", url) == anew


def test_a_damaged_copy_is_fetched_again_at_its_commit(
    built: dict[str, str], tmp_path: Path, fetch: Fetch, said: list[str]
) -> None:
    git(tmp_path, "clone", "--quiet", "--bare", f"{built['folder']}/model.git", "moving.git")
    url = (tmp_path / "moving.git").as_uri()
    staged = fetch("main", url)
    git(tmp_path / "moving.git", "update-ref", "refs/heads/main", built["third"])
    (staged.folder / "run.py").chmod(0o644)
    (staged.folder / "run.py").write_text("print('mine')\n")
    again = fetch("main", url)
    assert (again.tree, again.commit, again.origin) == (staged.tree, built["second"], staged.origin)
    assert _run(again) == "print(2)\n"
    assert "run.py has another content" in said[2]


def test_what_is_unknown_is_told_with_what_there_is(fetch: Fetch, repository: Path) -> None:
    with pytest.raises(SourceError) as caught:
        fetch("feature/omoi")
    assert str(caught.value) == (
        f"{repository.as_uri()}: there is no branch, tag or commit 'feature/omoi'; "
        "did you mean 'feature/omori'? There is: both, feature/omori, main, both, v1, v2"
    )
    assert not caught.value.transient


@pytest.mark.parametrize("revision", ["0123456", "0" * 40, "--upload-pack=touch /tmp/x", "main~1", "HEAD^{}"])
def test_revisions_that_are_none(revision: str, fetch: Fetch) -> None:
    with pytest.raises(SourceError, match="there is no branch, tag or commit") as caught:
        fetch(revision)
    assert repr(revision) in str(caught.value)


def test_an_empty_repository(tmp_path: Path, fetch: Fetch) -> None:
    git(tmp_path, "init", "--quiet", "--bare", "empty.git")
    with pytest.raises(SourceError, match="no commit on its default branch; it is empty"):
        fetch(url=str(tmp_path / "empty.git"))


def test_an_unborn_default_branch_is_told_with_the_others(
    tmp_path: Path, fetch: Fetch, built: dict[str, str]
) -> None:
    git(tmp_path, "clone", "--quiet", "--bare", f"{built['folder']}/model.git", "a.git")
    git(tmp_path / "a.git", "symbolic-ref", "HEAD", "refs/heads/trunk")
    with pytest.raises(
        SourceError, match="no commit on its default branch; there is: both, feature/omori, main"
    ):
        fetch(url=str(tmp_path / "a.git"))


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ext::sh -c 'touch /tmp/x'", "hands to another program"),
        ("fd::17", "hands to another program"),
        ("--upload-pack=touch /tmp/x", "no address of a git repository"),
        ("-oProxyCommand=touch /tmp/x", "no address of a git repository"),
        ("ssh://-oProxyCommand=touch/x", "names no host"),
        ("-host:path", "no address of a git repository"),
        ("git://example.org/model.git", "not fetched with 'git'"),
        ("ftp://example.org/model.git", "not fetched with 'ftp'"),
        ("https:///model.git", "names no host"),
        ("https://example.org:port/model.git", "names no host"),
        ("https://example.org/model.git\n", "no address of a git repository"),
        ("", "no address of a git repository"),
        ("nowhere/model.git", "there is no git repository"),
        ("file:///nowhere/model.git", "there is no git repository at"),
    ],
)
def test_addresses_that_are_not_taken(url: str, words: str, fetch: Fetch) -> None:
    with pytest.raises(SourceError, match=words) as caught:
        fetch(url=url)
    assert not caught.value.transient


@pytest.mark.parametrize(
    "url",
    [
        "https://me:secret@example.org/model.git",
        "https://secret@example.org/model.git",
        "ssh://git:secret@example.org/model.git",
        "https://example.org/model.git?private_token=secret",
        "http://me:secret@[::1]:9/model.git",
    ],
)
def test_passwords_are_neither_taken_nor_repeated(url: str, fetch: Fetch) -> None:
    with pytest.raises(SourceError, match="a user, a password or a parameter") as caught:
        fetch(url=url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["git@example.org:models/a.git", "ssh://git@example.org:2222/a.git", "https://example.org/a b.git"]
)
def test_addresses_that_are_taken_as_they_are(url: str, tmp_path: Path) -> None:
    assert git_address(url, tmp_path).url == url


def test_a_private_repository_is_told(server: Server, repository: Path, fetch: Fetch) -> None:
    server.repositories, server.password = repository.parent, True
    with pytest.raises(SourceError, match="may not be read without a password") as caught:
        fetch(url=f"{server.url}/git/model.git")
    assert "take a key with ssh" in str(caught.value)
    assert not caught.value.transient
    assert len(server.paths) == 1


def test_a_repository_that_is_not_there(server: Server, repository: Path, fetch: Fetch) -> None:
    server.repositories = repository.parent
    with pytest.raises(SourceError, match=r"there is no git repository at http.*/files/other\.git"):
        fetch(url=f"{server.url}/files/other.git")


def test_what_a_path_gave_stands_where_its_repository_has_gone(
    repository: Path, tmp_path: Path, fetch: Fetch
) -> None:
    moved = tmp_path / "moved.git"
    shutil.copytree(repository, moved)
    first = fetch(url=str(moved))
    shutil.rmtree(moved)

    assert fetch(url=str(moved)).folder == first.folder
    with pytest.raises(SourceError, match=r"there is no git repository /.*moved\.git"):
        fetch(url=str(moved), shelf=tmp_path / "another")


@pytest.mark.parametrize("number", [429, 500, 503])
def test_a_server_that_is_not_well_is_asked_again(
    number: int, server: Server, repository: Path, fetch: Fetch, waits: list[float], said: list[str]
) -> None:
    server.repositories = repository.parent
    server.fail("info/refs", status(number), status(number))
    server.fail("git-upload-pack", status(number))
    assert _run(fetch(url=f"{server.url}/git/model.git")) == "print(2)\n"
    assert waits == [2.0, 4.0, 8.0]
    assert f"returned error: {number}" in said[1]


def test_a_connection_that_breaks_is_made_again(
    server: Server, repository: Path, fetch: Fetch, said: list[str]
) -> None:
    server.repositories = repository.parent
    server.fail("git-upload-pack", lambda handler: handler._git(server), cut_off(b"0008NAK\n0011PACK", 9))
    assert _run(fetch(url=f"{server.url}/git/model.git")) == "print(2)\n"
    assert "asked again in 2 s" in said[1]


def test_a_server_that_stays_unwell(server: Server, repository: Path, fetch: Fetch, tmp_path: Path) -> None:
    server.repositories = repository.parent
    server.fail("info/refs", *[status(503)] * 4)
    with pytest.raises(SourceUnavailable, match=r"asked 4 times; the last time git said: .*503") as caught:
        fetch(url=f"{server.url}/git/model.git")
    assert caught.value.transient
    assert list((tmp_path / "shelf" / "partial").iterdir()) == []
    assert list((tmp_path / "shelf" / "trees").iterdir()) == []


def test_nobody_there(fetch: Fetch) -> None:
    with pytest.raises(SourceUnavailable, match="Failed to connect"):
        fetch(url="http://127.0.0.1:9/model.git")


def _running(word: str) -> list[str]:
    """Give the programs with a word in their command line that do not end soon."""
    ends = time.monotonic() + 10
    while time.monotonic() < ends:
        found = []
        for file in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):
                found += [line] if word in (line := file.read_text(errors="replace")) else []
        if not found:
            break
        time.sleep(0.05)
    return found


def test_a_server_that_hangs_is_left(server: Server, fetch: Fetch) -> None:
    done = threading.Event()

    def hang(handler: Handler) -> None:
        done.wait(20)
        handler.send(503, b"")

    server.fail("info/refs", hang)
    try:
        with pytest.raises(SourceUnavailable, match="it did not end in time"):
            fetch(url=f"{server.url}/git/model.git", patience=Patience(total_seconds=0.3))
        assert _running(server.url) == []
    finally:
        done.set()


def test_nothing_of_the_users_git_has_a_say(
    fetch: Fetch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, built: dict[str, str]
) -> None:
    mark = tmp_path / "mark"
    hook = tmp_path / "templates" / "hooks"
    hook.mkdir(parents=True)
    for name in ("post-checkout", "reference-transaction", "post-index-change"):
        (hook / name).write_text(f"#!/bin/sh\ntouch {mark}\n")
        (hook / name).chmod(0o755)
    (tmp_path / ".gitconfig").write_text(
        f"[init]\n  templateDir = {tmp_path}/templates\n[core]\n  hooksPath = {hook}\n  autocrlf = true\n"
        f'[url "file://{tmp_path}/elsewhere"]\n  insteadOf = file://{built["folder"]}\n'
    )
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "another"))
    monkeypatch.setenv("GIT_TEMPLATE_DIR", str(tmp_path / "templates"))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.hooksPath")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", str(hook))
    assert fetch().commit == built["second"]
    assert not mark.exists()


def test_submodules_and_pointers_are_told(tmp_path: Path, built: dict[str, str], fetch: Fetch) -> None:
    work = tmp_path / "work"
    work.mkdir()
    git(work, "init", "--quiet")
    git(work, "submodule", "--quiet", "add", f"{built['folder']}/model.git", "parts/omori")
    (work / "rates.bin").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 7\n")
    git(work, "add", ".")
    git(work, "commit", "--quiet", "-m", "Parts")
    staged = fetch(url=str(work))
    assert staged.files["parts/omori"].kind == "folder"
    assert staged.notes == (
        "submodules are not fetched, their folders are empty: parts/omori",
        "files of git's large file storage are not fetched, only the pointers to them: rates.bin",
    )
    assert fetch(url=str(work)) == staged


def _commit_of_tree(folder: Path, lines: list[tuple[str, str, bytes]]) -> None:
    """Make a repository with names that no working tree could have."""
    git(folder, "init", "--quiet", "--bare", "bad.git")
    bad = folder / "bad.git"
    tree = b""
    for mode, name, content in lines:
        (folder / "blob").write_bytes(content)
        blob = git(bad, "hash-object", "-w", str(folder / "blob"))
        tree += f"{mode} {name}".encode() + b"\0" + bytes.fromhex(blob)
    (folder / "tree").write_bytes(tree)
    written = git(bad, "hash-object", "-w", "-t", "tree", "--literally", str(folder / "tree"))
    git(bad, "update-ref", "refs/heads/main", git(bad, "commit-tree", "-m", "Bad", written))


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([("100644", "..", b"x")], "leads outside"),
        ([("100644", "/etc/cron", b"x")], "leads outside"),
        ([("120000", "out", b"/etc/passwd")], "the link out leads to '/etc/passwd'"),
        ([("120000", "a", b"/tmp"), ("100644", "a", b"x")], "two members of the name 'a'"),
        ([("120000", "a", b"/tmp"), ("100644", "a/b", b"x")], "below 'a', which is no folder"),
    ],
)
def test_repositories_that_mean_harm(
    lines: list[tuple[str, str, bytes]], words: str, tmp_path: Path, fetch: Fetch
) -> None:
    _commit_of_tree(tmp_path, lines)
    with pytest.raises(SourceError, match=words):
        fetch(url=str(tmp_path / "bad.git"))
    assert list((tmp_path / "shelf" / "trees").iterdir()) == []


def test_a_repository_of_git_inside_of_a_commit_is_left_out(tmp_path: Path, fetch: Fetch) -> None:
    _commit_of_tree(tmp_path, [("100644", ".git", b"gitdir: /elsewhere"), ("100644", "run.py", b"print()")])
    assert list(fetch(url=str(tmp_path / "bad.git")).files) == ["run.py"]


def test_a_repository_that_lost_a_file(built: dict[str, str], tmp_path: Path, fetch: Fetch) -> None:
    git(tmp_path, "clone", "--quiet", "--bare", f"{built['folder']}/work", "broken.git")
    broken = tmp_path / "broken.git"
    blob = git(broken, "rev-parse", "HEAD:run.py")
    (broken / "objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(SourceError):
        fetch(url=str(broken))
    assert list((tmp_path / "shelf" / "trees").iterdir()) == []


def test_a_commit_that_is_too_large(fetch: Fetch) -> None:
    with pytest.raises(SourceError, match="larger than 20 bytes"):
        fetch(limits=SourceLimits(most_bytes=20))
    with pytest.raises(SourceError, match="more than 3 files and folders"):
        fetch(limits=SourceLimits(most_files=3))


def test_another_content_than_before_is_refused(
    tmp_path: Path, fetch: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    staged = fetch("main")
    note = next((tmp_path / "shelf" / "origins").glob("*.json"))
    note.write_text(note.read_text().replace(staged.tree, "0" * 64))
    with pytest.raises(
        SourceChanged, match=r"gives other files than on .*force_stage takes what there is now"
    ):
        fetch("main")
    assert fetch("main", refresh=True).tree == staged.tree
    note.write_text("{")
    assert fetch("main").tree == staged.tree


def test_no_git_program(fetch: Fetch, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceError, match="the program git is not there"):
        fetch()


def test_two_that_come_at_once_ask_once(
    server: Server, repository: Path, fetch: Fetch, said: list[str]
) -> None:
    server.repositories = repository.parent

    def slow(handler: Handler) -> None:
        ends = time.monotonic() + 20
        while not any(line.startswith("another process") for line in said) and time.monotonic() < ends:
            time.sleep(0.01)
        handler._git(server)

    server.fail("info/refs", slow)
    with ThreadPoolExecutor(2) as pool:
        one, two = pool.map(lambda _: fetch(url=f"{server.url}/git/model.git"), range(2))
    assert one == two
    assert sum(line.startswith("another process fetches git http") for line in said) == 1
    assert sum(line.startswith("its default branch of") for line in said) == 1
