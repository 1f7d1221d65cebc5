"""Pages on a MongoDB of which the dashboard's user may only read: each draws, and none leaves a trace."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from dashboard.launch import APP
from stores import open_store
from stores.mongo.users import StoreRole, StoreUser, set_up_users, user_url
from stores.testing import fill_store, sample_label
from stores.testing.mongod import Mongod, database_url
from tests.dashboard.conftest import PageOpener
from tests.dashboard.reading import figures, words

pytestmark = [pytest.mark.mongo, pytest.mark.slow]

VIEWS = sorted(file.stem for file in (APP.parent / "views").glob("*.py") if not file.stem.startswith("_"))
#: Views that draw what this store does not have: forecasts, events, two states.
UNDRAWN = {"catalog", "map", "provenance", "revisions"}


@dataclass(frozen=True)
class ReadStore:
    """A filled store: the reader's address, and a database to look at what is in it."""

    url: str
    name: str
    server: Mongod

    def contents(self) -> dict[str, int]:
        """Count the documents of each collection."""
        with self.server.client() as client:
            db = client[self.name]
            return {name: db[name].count_documents({}) for name in sorted(db.list_collection_names())}


@pytest.fixture(scope="module")
def read(mongo_guarded: Mongod) -> Iterator[ReadStore]:
    name = f"read-{uuid.uuid4().hex[:8]}"
    admin = database_url(mongo_guarded.admin_url, name)
    open_store(admin).close()  # makes the collections, which a writer may not
    set_up_users(
        admin,
        [StoreUser("wr", StoreRole.WRITER, "w-secret"), StoreUser("rd", StoreRole.READER, "r-secret")],
    )
    with open_store(user_url(admin, "wr", "w-secret")) as store:
        fill_store(
            store,
            models=("alpha", "beta"),
            tests=("N", "S", "T", "ROC"),
            windows=4,
            failed=1,
            experiment="weeks",
        )
    yield ReadStore(user_url(admin, "rd", "r-secret"), name, mongo_guarded)
    with mongo_guarded.client() as client:
        client[name].command("dropAllUsersFromDatabase")
        client[name].command("dropAllRolesFromDatabase")
        client.drop_database(name)


@pytest.mark.parametrize("view", VIEWS)
def test_a_user_that_may_only_read_sees_each_page(view: str, page: PageOpener, read: ReadStore) -> None:
    before = read.contents()
    slot = sample_label("N", "alpha", 1, experiment="weeks").slot
    app = page(read.url, view, **({"slot": slot} if view == "result" else {"experiment": "weeks"}))
    assert not app.error
    assert bool(figures(app)) is (view not in UNDRAWN)
    assert "secret" not in words(app)
    assert read.contents() == before
