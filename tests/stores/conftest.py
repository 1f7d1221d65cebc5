"""What tests of stores share."""

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from stores import ResultsStore, open_store
from stores.testing.mongod import database_url


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Give the place of a database that is not there yet."""
    return tmp_path / "results.sqlite"


@pytest.fixture
def url(path: Path) -> str:
    return f"sqlite:///{path}"


@pytest.fixture
def store(url: str) -> Iterator[ResultsStore]:
    with open_store(url) as store:
        yield store


@pytest.fixture
def db(url: str) -> Iterator[Database[dict[str, Any]]]:
    with MongoClient[dict[str, Any]](url) as client:
        yield client.get_default_database()


@pytest.fixture
def fresh(mongo_standalone: str) -> Iterator[str]:
    """Give the address of a database that is not there, and drop it afterwards."""
    name = f"fresh-{uuid.uuid4().hex[:8]}"
    yield database_url(mongo_standalone, name)
    with MongoClient[dict[str, Any]](mongo_standalone) as client:
        client.drop_database(name)
