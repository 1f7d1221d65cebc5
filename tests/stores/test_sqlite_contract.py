"""The contract that all stores have, with the SQLite store."""

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest

from stores._codec import RESULT_KINDS
from stores.testing import Damage
from stores.testing.contract import ResultsStoreContract
from stores.testing.damage import spoiled


class SqliteDamage(Damage):
    """Writes into the file itself."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def _do(self, statement: str, *values: object) -> None:
        with closing(sqlite3.connect(self._path)) as db, db:
            assert db.execute(statement, values).rowcount == 1

    def _table(self, kind: str) -> str:
        if kind in RESULT_KINDS:
            return f"results SET {{}} WHERE kind = '{kind}' AND"
        if kind == "distribution":
            return "distributions SET {} WHERE"
        return f"records SET {{}} WHERE kind = '{kind}' AND"

    def spoil_body(self, kind: str, key: str) -> None:
        self._do(f"UPDATE {self._table(kind).format('body = substr(body, 2)')} key = ?", key)

    def spoil_canon(self, kind: str, key: str) -> None:
        change = self._table(kind).format("canon = canon || ' '")
        self._do(f"UPDATE {change} key = ?", key)

    def rewrite(self, kind: str, key: str, version: int, body: Mapping[str, object]) -> None:
        change = self._table(kind).format("v = ?, body = ?")
        self._do(f"UPDATE {change} key = ?", version, json.dumps(body), key)

    def drop_result(self, key: str) -> None:
        self._do("DELETE FROM results WHERE key = ?", key)

    def spoil_latest(self, slot: str) -> None:
        self._do("UPDATE latest SET outcome = 'score_only' WHERE slot = ?", slot)

    def drop_latest(self, slot: str) -> None:
        self._do("DELETE FROM latest WHERE slot = ?", slot)

    def _file(self, sha: str) -> Path:
        return Path(f"{self._path}.blobs", sha[:2], f"{sha}.zst")

    def drop_blob(self, sha: str) -> None:
        self._file(sha).unlink()

    def spoil_blob(self, sha: str) -> None:
        self._file(sha).write_bytes(spoiled(self._file(sha).read_bytes()))


@pytest.mark.contract
class TestSqliteContract(ResultsStoreContract):
    @pytest.fixture
    def url(self, path: Path) -> str:
        return f"sqlite:///{path}"

    @pytest.fixture
    def damage(self, path: Path) -> Damage:
        return SqliteDamage(path)
