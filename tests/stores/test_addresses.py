"""Addresses of stores: allowed forms, names, and secrets that stay secret."""

import sys
import traceback
from pathlib import Path

import platformdirs
import pytest

from forequake.errors import InputError, StoreUnavailable
from stores import default_store_url, open_store, resolve_store, shown_url
from stores._addresses import sqlite_address, sqlite_url


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:////data/results.sqlite", "/data/results.sqlite"),
        ("sqlite:////data/a%20b%3F.sqlite", "/data/a b?.sqlite"),
        ("sqlite:////data/anna@x:1/b.sqlite", "/data/anna@x:1/b.sqlite"),
        ("sqlite:////data/../b.sqlite", "/b.sqlite"),
    ],
)
def test_an_address_names_a_file(url: str, path: str) -> None:
    assert sqlite_address(url) == (Path(path), None, 30.0)
    assert shown_url(url) == url
    assert resolve_store(url) == url


def test_three_slashes_are_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert sqlite_address("sqlite:///a.sqlite").path == tmp_path / "a.sqlite"
    assert sqlite_address("sqlite:///new/a.sqlite").path == tmp_path / "new" / "a.sqlite"
    with open_store("sqlite:///new/a.sqlite") as store:
        assert store.name == f"sqlite:///{tmp_path}/new/a.sqlite"
        assert open_store(f"sqlite:///{tmp_path}/new/a.sqlite") is store
    assert (tmp_path / "new" / "a.sqlite").exists()


def test_a_slash_that_was_forgotten_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"sqlite:////usr/results\.sqlite"):
        open_store("sqlite:///usr/results.sqlite")
    (tmp_path / "usr").mkdir()
    assert sqlite_address("sqlite:///usr/results.sqlite").path == tmp_path / "usr" / "results.sqlite"


def test_a_folder_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"names a folder, and a store is a file"):
        open_store(f"sqlite:///{tmp_path}")


def test_options() -> None:
    address = sqlite_address("sqlite:////a.sqlite?max_page_count=12&busy_timeout=0.5")
    assert (address.max_page_count, address.busy_timeout) == (12, 0.5)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("", "begins with sqlite://"),
        ("results.sqlite", "begins with sqlite://"),
        ("/data/results.sqlite", "begins with sqlite://"),
        ("sqlite:", "begins with sqlite://"),
        ("sqlit:////a.sqlite", "did you mean sqlite://"),
        ("postgresql://host/x", "allowed are sqlite://"),
        ("mongodbs://host/x", "did you mean mongodb://"),
        ("mongodb://", "not the address of a MongoDB store"),
        ("mongodb://host:none/x", "not the address of a MongoDB store"),
        ("mongodb://host/x?sever=1", "not the address of a MongoDB store: Unknown option: sever"),
        ("mongodb://host/x?w=1", "the option w cannot be set"),
        ("mongodb://host/x?readPreference=secondary", "the option readpreference cannot be set"),
        ("mongodb://host/x.y", "a database is named by"),
        ("mongodb://anna:hun@ter2@host/x", "%-escapes"),
        ("sqlite://", "not the address of an SQLite store"),
        ("sqlite:///", "not the address of an SQLite store"),
        ("sqlite:////data/", "not the address of an SQLite store"),
        ("sqlite://host/a.sqlite", "not the address of an SQLite store"),
        ("sqlite:////a.sqlite#part", "not the address of an SQLite store"),
        ("sqlite:////a%00.sqlite", "not the address of an SQLite store"),
        ("sqlite:////a.sqlite?max_pages=3", "did you mean max_page_count"),
        ("sqlite:////a.sqlite?max_page_count=0", "whole number from 1"),
        ("sqlite:////a.sqlite?max_page_count=many", "whole number from 1"),
        ("sqlite:////a.sqlite?busy_timeout=-1", "number of seconds"),
    ],
)
def test_a_bad_address_is_told_with_what_is_allowed(url: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        open_store(url or "x")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("mongodb://host/results", "mongodb://host/results"),
        ("mongodb://anna@host/results", "mongodb://anna@host/results"),
        ("mongodb://anna:hunter2@host/results", "mongodb://anna:***@host/results"),
        ("mongodb://anna:hunter2@a:1,b:2/r?tls=true", "mongodb://anna:***@a:1,b:2/r?tls=true"),
        ("mongodb://anna:hun@ter2@host/r", "mongodb://anna:***@host/r"),
        ("mongodb://anna:hun/ter2?x@host/r", "mongodb://anna:***@host/r"),
        ("mongodb://anna:hunter2:hunter2@host", "mongodb://anna:***@host"),
        ("mongodb://:hunter2@host", "mongodb://:***@host"),
        ("mongodb://h/r?tlsCertificateKeyFilePassword=hunter2&w=1", "mongodb://h/r?tlsCertificateKeyFilePassword=***&w=1"),
        ("mongodb://h/r?tlsCertificateKeyFile=/a.pem", "mongodb://h/r?tlsCertificateKeyFile=/a.pem"),
        ("mongodb://h/r?authMechanismProperties=AWS_SESSION_TOKEN:hunter2", "mongodb://h/r?authMechanismProperties=***"),
        ("mongodb://h1:1,h2:2/r", "mongodb://h1:1,h2:2/r"),
        ("mongodb://[::1]:27017/r?tls=true", "mongodb://[::1]:27017/r?tls=true"),
        ("mongodb://anna:hunter2", "mongodb://anna:***"),
        ("mongodb://anna:hunter2/r", "mongodb://anna:***"),
        ("sqlite://anna:hunter2@host/x", "sqlite://anna:***@host/x"),
    ],
)  # fmt: skip
def test_passwords_are_not_shown_and_not_accepted_as_names(url: str, shown: str) -> None:
    assert shown_url(url) == shown
    if shown == url:
        assert resolve_store(url) == url
    else:
        with pytest.raises(InputError, match="FOREQUAKE_STORE_<NAME>") as named:
            resolve_store(url)
        assert "ter2" not in str(named.value)


@pytest.mark.parametrize(
    "url",
    [
        "mongodb://anna:hunter2@127.0.0.1:1/r?serverSelectionTimeoutMS=100",
        "mongodb://anna:hun@ter2@127.0.0.1:1/r",
        "mongodb://anna:hun/ter2?x@127.0.0.1:1/r",
        "mongodb://anna:hun/ter2@127.0.0.1:1/r",
        "mongodb://anna:hunter2",
        "mongodb://:hunter2@127.0.0.1:1",
        "mongodb://127.0.0.1:1/r?tlsCertificateKeyFilePassword=hunter2&w=1",
        "sqlite://anna:hunter2@host/x",
        "postgresql://anna:hunter2@host/x",
    ],
)
def test_no_message_of_opening_holds_a_password(url: str) -> None:
    with pytest.raises((InputError, StoreUnavailable)) as refused:
        open_store(url)
    # Nor what stands before it in a traceback, which Prefect keeps of a task or flow that failed.
    said = [line for line in traceback.format_exception(refused.value) if not line.startswith("  ")]
    assert "ter2" not in "".join(said)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("tls=true&tlsCAFile=/no/such.pem", "the file /no/such.pem, which an option names"),
        (f"tls=true&tlsCAFile={__file__}", "cannot be used: .*certificate"),
        ("minPoolSize=5&maxPoolSize=2", "cannot be used: minPoolSize must be smaller"),
    ],
    ids=["missing", "no certificate", "sizes"],
)
def test_options_that_cannot_be_used_are_refused(options: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        open_store(f"mongodb://127.0.0.1:1/r?{options}&serverSelectionTimeoutMS=100")


def test_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOREQUAKE_STORE", "sqlite:////one.sqlite")
    monkeypatch.setenv("FOREQUAKE_STORE_NIGHTLY", "mongodb://anna:hunter2@host/results")
    assert resolve_store(None) == resolve_store("default") == default_store_url() == "sqlite:////one.sqlite"
    assert resolve_store("nightly") == resolve_store("Nightly") == "mongodb://anna:hunter2@host/results"
    with pytest.raises(InputError, match="FOREQUAKE_STORE_WEEKLY"):
        resolve_store("weekly")
    monkeypatch.setenv("FOREQUAKE_STORE_WEEKLY", "")
    with pytest.raises(InputError, match="FOREQUAKE_STORE_WEEKLY"):
        resolve_store("weekly")


def test_an_address_may_stand_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "store.txt"
    file.write_text("mongodb://anna:hunter2@host/results\n")
    monkeypatch.delenv("FOREQUAKE_STORE", raising=False)
    for variable, name in (("FOREQUAKE_STORE_FILE", "default"), ("FOREQUAKE_STORE_NIGHTLY_FILE", "nightly")):
        monkeypatch.setenv(variable, str(file))
        assert resolve_store(name) == "mongodb://anna:hunter2@host/results"
    monkeypatch.setenv("FOREQUAKE_STORE_NIGHTLY", "sqlite:////one.sqlite")
    with pytest.raises(InputError, match="both FOREQUAKE_STORE_NIGHTLY and FOREQUAKE_STORE_NIGHTLY_FILE"):
        resolve_store("nightly")
    for content, fault in (
        ("", "is empty"),
        ("hunter2\nhunter2", "more than one line"),
        (None, "No such file"),
    ):
        file.unlink() if content is None else file.write_text(content)
        with pytest.raises(InputError, match=fault) as refused:
            default_store_url()
        assert str(file) in str(refused.value)
        assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("name", ["", "results.sqlite", "a b", "/data/a.sqlite", "ä"])
def test_what_is_no_name_is_told(name: str) -> None:
    with pytest.raises(InputError, match="names no store"):
        resolve_store(name)


def test_an_address_cut_short_is_not_repeated() -> None:
    with pytest.raises(InputError, match="what was given") as refused:
        resolve_store("anna:hunter2@host")
    assert "hunter2" not in str(refused.value)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="XDG folders are Linux's")
def test_the_default_lies_in_the_users_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "new" / "data"))
    monkeypatch.delenv("FOREQUAKE_STORE", raising=False)
    path = tmp_path / "new" / "data" / "forequake" / "forequake.sqlite"
    assert default_store_url() == sqlite_url(path) == f"sqlite:///{path}"
    assert path.parent == platformdirs.user_data_path("forequake")
    assert path.parent.is_dir()
    with open_store() as store:
        assert store.name == f"sqlite:///{path}"
        assert open_store(resolve_store("default")) is store
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file"))
    with pytest.raises(InputError, match="cannot be made"):
        default_store_url()
