"""Make a mongod, started with ``--replSet``, the only member of its replica set, where it is not that yet.

Asks the environment: ``FOREQUAKE_STORE_ADMIN_FILE``, a file with the address of a user who may do it, which
names the replica set; and ``REPLICA_SET_MEMBER``, the host and port under which all clients know the server.
"""

import os
import sys
import time
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import AutoReconnect, OperationFailure, PyMongoError
from pymongo.uri_parser import parse_uri

PATIENCE_SECONDS = 90.0
NOT_YET_INITIALIZED = 94


def main() -> None:
    """Wait for the server, initiate where it is needed, and wait until it takes writes."""
    url = Path(os.environ["FOREQUAKE_STORE_ADMIN_FILE"]).read_text(encoding="utf-8").strip()
    options = parse_uri(url)["options"]
    user = {"authSource": options.get("authSource", "admin")} | {
        name: parse_uri(url)[name] for name in ("username", "password")
    }
    member = os.environ["REPLICA_SET_MEMBER"]
    with MongoClient[dict[str, Any]](
        member, directConnection=True, serverSelectionTimeoutMS=5000, **user
    ) as client:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                if _is_primary(client, options["replicaSet"], member):
                    return
                trouble = "it has not become the primary"
            except AutoReconnect as error:  # the server that the image starts first listens to itself only
                trouble = str(error)
            if time.monotonic() > deadline:
                sys.exit(f"{member} cannot be used after {PATIENCE_SECONDS:.0f} s: {trouble}")
            time.sleep(0.5)


def _is_primary(client: MongoClient[dict[str, Any]], name: str, member: str) -> bool:
    try:
        client.admin.command("replSetGetStatus")
    except OperationFailure as error:
        if error.code != NOT_YET_INITIALIZED:
            raise
        sys.stderr.write(f"Making {member} the replica set {name}\n")
        members = [{"_id": 0, "host": member}]
        client.admin.command("replSetInitiate", {"_id": name, "members": members})
    return bool(client.admin.command("hello")["isWritablePrimary"])


if __name__ == "__main__":
    try:
        main()
    except PyMongoError as error:
        sys.exit(f"the replica set cannot be made: {error}")
