"""The users of a MongoDB store: made by a command, each with the rights that it needs and no others."""

import io
import os
import stat
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure
from typer.testing import CliRunner

from dashboard import _data
from flows.cli import app
from forequake.errors import AccessDenied, Conflict, InputError
from forequake.results import RunChange, RunState
from stores import Binding, Block, ResultQuery, RunRef, open_store
from stores.mongo.schema import COLLECTIONS
from stores.mongo.users import StoreRole, StoreUser, UserChange, set_up_users, user_url
from stores.testing import (
    Damage,
    fill_store,
    sample_environment,
    sample_experiment,
    sample_label,
    sample_result,
    sample_run,
)
from stores.testing._contract_mongo import MongoDamage, emptied
from stores.testing.contract import ResultsStoreContract
from stores.testing.mongod import Mongod, database_url

pytestmark = pytest.mark.mongo

COMMAND = str(Path(sys.executable).with_name("forequake"))
#: With marks that must be escaped in an address.
WRITER_PASSWORD, READER_PASSWORD = "wr:t/e@%41 me?", "r&d=1#[x]"
GIVEN = {"FOREQUAKE_WRITER_PASSWORD": WRITER_PASSWORD, "FOREQUAKE_READER_PASSWORD": READER_PASSWORD}
IMMUTABLE = ("meta", "records", "results", "distributions", "bindings")


@dataclass(frozen=True)
class GuardedStore:
    """The address of a store whose server asks for passwords, with that of each user."""

    admin: str

    @property
    def writer(self) -> str:
        return user_url(self.admin, "writer", WRITER_PASSWORD)

    @property
    def reader(self) -> str:
        return user_url(self.admin, "reader", READER_PASSWORD)

    def init(self, *words: str, **variables: str) -> tuple[int, str]:
        """Type the command; none of the passwords may be in what it says, which is given."""
        environment = {**os.environ, "FOREQUAKE_STORE_ADMIN": self.admin, **variables}
        arguments = [COMMAND, "store", "init", "--store", "admin", *words]
        done = subprocess.run(arguments, env=environment, capture_output=True, text=True, timeout=60)
        said = done.stdout + done.stderr
        secrets = [WRITER_PASSWORD, READER_PASSWORD, self.admin.split(":")[2].partition("@")[0]]
        assert [secret for secret in secrets if secret in said] == []
        assert "Traceback" not in said
        return done.returncode, said


@pytest.fixture
def guarded(mongo_guarded: Mongod) -> Iterator[GuardedStore]:
    """Give a database without anything."""
    name = f"users-{uuid.uuid4().hex[:8]}"
    yield GuardedStore(database_url(mongo_guarded.admin_url, name))
    with mongo_guarded.client() as client:
        client[name].command("dropAllUsersFromDatabase")
        client[name].command("dropAllRolesFromDatabase")
        client.drop_database(name)


@pytest.fixture
def used(guarded: GuardedStore) -> GuardedStore:
    """Give a store with both users."""
    set_up(guarded)
    return guarded


def set_up(guarded: GuardedStore) -> None:
    with open_store(guarded.admin):
        pass
    users = [
        StoreUser("writer", StoreRole.WRITER, WRITER_PASSWORD),
        StoreUser("reader", StoreRole.READER, READER_PASSWORD),
    ]
    set_up_users(guarded.admin, users)


NAMED = ("--users", "--writer", "writer", "--reader", "reader")


def test_the_command_makes_users_once(guarded: GuardedStore, tmp_path: Path) -> None:
    code, said = guarded.init(*NAMED, **GIVEN)
    assert (code, "writer writer: made" in said, "reader reader: made" in said) == (0, True, True), said
    with open_store(guarded.writer) as store:
        assert store.experiments() == []
    code, said = guarded.init(*NAMED, **GIVEN)
    assert (code, said.count("there already")) == (0, 2), said
    code, said = guarded.init(*NAMED)  # no password means the one that they have
    assert (code, said.count("there already")) == (0, 2), said
    file = tmp_path / "password"
    file.write_text("another\n")
    code, said = guarded.init(*NAMED, FOREQUAKE_READER_PASSWORD_FILE=str(file))
    assert (code, "reader reader: given the new password" in said) == (0, True), said
    with pytest.raises(AccessDenied, match="the name or the password is wrong"):
        open_store(guarded.reader)
    with open_store(user_url(guarded.admin, "reader", "another")) as store:
        assert store.experiments() == []


def test_the_command_makes_passwords_where_it_is_told_to(guarded: GuardedStore, tmp_path: Path) -> None:
    file = tmp_path / "addresses.env"
    code, said = guarded.init("--users", "--addresses", str(file))
    assert code == 0, said
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    script = f'. "{file}"; printf "%s\\n" "$FOREQUAKE_STORE" "$FOREQUAKE_STORE_READER"'
    shell = subprocess.run(["sh", "-euc", script], capture_output=True, text=True, check=True)
    writer, reader = shell.stdout.splitlines()
    passwords = [url.split(":")[2].partition("@")[0] for url in (writer, reader)]
    assert min(len(password) for password in passwords) > 30
    assert [password for password in passwords if password in said] == []
    with open_store(writer) as store:
        store.put([sample_environment()])
    with open_store(reader) as store, pytest.raises(AccessDenied):
        store.put([sample_environment(1)])
    code, said = guarded.init("--users", "--addresses", str(file))  # nobody is new: the file is left alone
    assert (code, said.count("there already")) == (0, 2), said
    assert f"nothing was written to {file}" in said


@pytest.mark.parametrize(
    ("words", "variables", "said"),
    [
        (["--users"], {}, "set FOREQUAKE_WRITER_PASSWORD_FILE and FOREQUAKE_READER_PASSWORD_FILE to files"),
        (["--users"], {**GIVEN, "FOREQUAKE_READER_PASSWORD_FILE": "x"}, "are both set: give one of them"),
        (["--users"], {"FOREQUAKE_WRITER_PASSWORD_FILE": "/not/there"}, "/not/there cannot be read"),
        (
            ["--users"],
            {"FOREQUAKE_WRITER_PASSWORD": "two\nlines"},
            "FOREQUAKE_WRITER_PASSWORD holds no passw",
        ),
        (["--users", "--writer", "a", "--reader", "a"], GIVEN, "both are named 'a'"),
        (["--users", "--addresses", "/not/there/file"], {}, "/not/there/file cannot be written"),
        (["--writer", "a"], {}, "--writer is for users: give --users as well"),
        (["--addresses", "a"], {}, "--addresses is for users: give --users as well"),
        (["--users"], {"FOREQUAKE_STORE_ADMIN": "sqlite:///x.sqlite"}, "only MongoDB has"),
    ],
)
def test_mistakes_are_told(
    used: GuardedStore,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    variables: dict[str, str],
    said: str,
) -> None:
    for name, value in {"FOREQUAKE_STORE_ADMIN": used.admin, **variables}.items():
        monkeypatch.setenv(name, value)
    done = CliRunner().invoke(app, ["store", "init", "--store", "admin", *words])
    assert isinstance(done.exception, InputError)
    assert said in str(done.exception)


def test_a_file_that_is_there_is_kept(guarded: GuardedStore, tmp_path: Path) -> None:
    file = tmp_path / "addresses.env"
    file.write_text("precious")
    code, said = guarded.init("--users", "--addresses", str(file))
    assert (code, "is there already: name another file" in said) == (2, True), said
    assert file.read_text() == "precious"


def test_who_is_no_administrator_makes_no_users(used: GuardedStore) -> None:
    writer = GuardedStore(used.writer)
    with pytest.raises(AccessDenied, match="name the store by the address of an administrator"):
        set_up(writer)
    code, said = writer.init("--users", **GIVEN)
    assert (code, "may not make users" in said) == (1, True), said


def test_a_user_of_somebody_else_is_left_alone(guarded: GuardedStore) -> None:
    with MongoClient[dict[str, Any]](guarded.admin) as client:
        client.get_default_database().command("createUser", "writer", pwd="x", roles=["dbOwner"])
    with pytest.raises(Conflict, match="user 'writer' with the role dbOwner already"):
        set_up(guarded)


def test_a_role_that_was_changed_is_set_right(used: GuardedStore) -> None:
    with MongoClient[dict[str, Any]](used.admin) as client:
        role = StoreRole.READER.value
        client.get_default_database().command("updateRole", role, privileges=[], roles=["readWrite"])
    changes = set_up_users(used.admin, [StoreUser("reader", StoreRole.READER)])
    assert changes == {"reader": UserChange.UNCHANGED}
    with open_store(used.reader) as store, pytest.raises(AccessDenied):
        store.put([sample_environment()])


def test_a_server_that_asks_nobody_is_told(mongo_standalone: str, tmp_path: Path) -> None:
    url = database_url(mongo_standalone, f"open-{uuid.uuid4().hex[:8]}")
    arguments = [COMMAND, "store", "init", "--store", url, "--users", "--addresses", str(tmp_path / "file")]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60)
    assert (done.returncode, "The server lets in anybody" in done.stderr) == (0, True), done.stderr
    with MongoClient[dict[str, Any]](url) as client:
        client.get_default_database().command("dropAllUsersFromDatabase")
        client.drop_database(client.get_default_database())


def _refused(act: Callable[[], object]) -> bool:
    try:
        act()
    except OperationFailure as error:
        return error.code == 13
    return False


def test_rights_past_the_store(used: GuardedStore) -> None:
    for url, changing in ((used.writer, set(COLLECTIONS) - set(IMMUTABLE)), (used.reader, set())):
        with MongoClient[dict[str, Any]](url) as client:
            db = client.get_default_database()
            for name in COLLECTIONS:
                assert _refused(db[name].drop), name
                assert _refused(partial(db[name].create_index, "x")), name
                may_not_change = _refused(partial(db[name].update_one, {"_id": 0}, {"$set": {"a": 1}}))
                assert may_not_change == (name not in changing or name.startswith("fs.")), name
                if name not in changing:
                    assert _refused(partial(db[name].delete_many, {})), name
            assert _refused(partial(db["other"].insert_one, {}))
            assert _refused(db["other"].find_one)
            assert _refused(partial(db.command, "usersInfo", 1))
            assert _refused(client["another"]["results"].find_one)


def test_a_reader_writes_nothing(used: GuardedStore) -> None:
    with open_store(used.writer) as store:
        record = sample_experiment()
        store.put([record, sample_result()])
        run = store.begin_run(sample_run(record))
    reference = RunRef(id=run.id, experiment=run.experiment, run_no=run.run_no)
    with open_store(used.reader) as store:
        label = sample_label(experiment=run.experiment)
        binding = Binding(label=label, key=sample_result().key)
        acts: list[Callable[[], object]] = [
            partial(store.put, [sample_environment()]),
            partial(store.publish, reference, [binding]),
            partial(store.begin_run, sample_run(record)),
            partial(store.update_run, reference, RunChange(), expect=RunState.RUNNING),
            partial(store.claim, [Block(id="a", units=(label,))], "host/boot/1/1"),
            partial(store.renew, "host/boot/1/1"),
            partial(store.release, "host/boot/1/1"),
            partial(store.put_blob, io.BytesIO(b"small")),
            partial(store.put_blob, io.BytesIO(os.urandom(6 << 20))),
        ]
        for act in acts:
            with pytest.raises(AccessDenied, match="use the writer's address") as caught:
                act()
            assert READER_PASSWORD not in str(caught.value)
        assert [each.run_no for each in store.runs(None)] == [run.run_no]
        assert list(store.check()) == []
        assert store.sweep(timedelta(), dry_run=True).removed == ()
    with MongoClient[dict[str, Any]](used.admin) as client:
        assert client.get_default_database()["fs.chunks"].count_documents({}) == 0


def test_the_dashboard_shows_what_a_reader_may_read(used: GuardedStore) -> None:
    with open_store(used.writer) as store:
        fill_store(store, windows=3)
    _data.forget()
    address = used.reader
    (summary,) = _data.experiments(address).experiments
    name, token = summary.name, summary.token
    listed = _data.windows(address, name, token, ()).listed
    assert len(listed) == 3
    rows = _data.window_rows(address, name, token, listed[0].window)
    assert rows
    assert _data.overview(address, name, token).n_windows == 3
    assert _data.result(address, rows[0].key).key == rows[0].key
    assert len(_data.history(address, rows[0].label.slot)) == 1
    assert len(_data.runs(address, name)) == summary.n_runs
    _data.units(address, name)
    page = _data.store(address).latest(ResultQuery(experiment=name))
    assert len(page.rows) == summary.n_results
    _data.store(address).close()
    _data.forget()


@pytest.fixture(scope="module")
def shared(mongo_guarded: Mongod) -> GuardedStore:
    """Make one store with its users for the whole contract."""
    guarded = GuardedStore(database_url(mongo_guarded.admin_url, f"contract-{uuid.uuid4().hex[:8]}"))
    set_up(guarded)
    return guarded


@pytest.mark.contract
class TestContractOfTheWriter(ResultsStoreContract):
    secret: ClassVar[str | None] = WRITER_PASSWORD

    @pytest.fixture
    def url(self, shared: GuardedStore) -> str:
        emptied(shared.admin)
        return shared.writer

    @pytest.fixture
    def damage(self, url: str, shared: GuardedStore) -> Iterator[Damage]:
        damage = MongoDamage(shared.admin)
        yield damage
        damage.close()
