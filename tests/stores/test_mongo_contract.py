"""The contract that all stores have, with MongoDB: a server alone, and a replica set of one."""

import uuid
from collections.abc import Iterator

import pytest

from stores.testing import Damage
from stores.testing._contract_mongo import MongoDamage, emptied
from stores.testing.contract import ResultsStoreContract
from stores.testing.mongod import database_url

#: One for this process: a server may be given from outside.
_DATABASE = f"contract-{uuid.uuid4().hex[:8]}"


class _MongoContract(ResultsStoreContract):
    transactions = False  # a standalone server has none

    @pytest.fixture
    def damage(self, url: str) -> Iterator[Damage]:
        damage = MongoDamage(url)
        yield damage
        damage.close()


@pytest.mark.contract
@pytest.mark.mongo
class TestStandaloneContract(_MongoContract):
    @pytest.fixture
    def url(self, mongo_standalone: str) -> str:
        return emptied(database_url(mongo_standalone, _DATABASE))


@pytest.mark.contract
@pytest.mark.mongo
class TestReplicaSetContract(_MongoContract):
    @pytest.fixture
    def url(self, mongo_replica_set: str) -> str:
        return emptied(database_url(mongo_replica_set, _DATABASE))
