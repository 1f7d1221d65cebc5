#!/usr/bin/env python3
"""Stands for the entry point of the image `mongo`: makes the first user at the first start, then the server.

As the image does, it starts a server without the replica set and the key file, where the other services do not
reach it, makes the user, ends that server, and then becomes the real one.
"""

import os
import subprocess
import sys
from pathlib import Path

from pymongo import MongoClient

from flows._processes import free_port
from stores.testing.mongod import mongod_program

folder = Path(os.environ["HOME"]) / "db"
port = str(free_port(0))
small = [f"--dbpath={folder}", "--wiredTigerCacheSizeGB=0.25", "--nounixsocket", "--oplogSize=64"]
program = str(mongod_program())
if not folder.exists():
    folder.mkdir()
    first = subprocess.Popen([program, *small, f"--port={port}", "--bind_ip=127.0.0.1"], stdout=subprocess.DEVNULL)
    with MongoClient[dict[str, object]](f"mongodb://127.0.0.1:{port}/", directConnection=True) as client:
        client.admin.command(
            "createUser",
            os.environ["MONGO_INITDB_ROOT_USERNAME"],
            pwd=Path(os.environ["MONGO_INITDB_ROOT_PASSWORD_FILE"]).read_text().strip(),
            roles=["root"],
        )
    first.terminate()
    if first.wait(30) != 0:
        sys.exit("the first server did not end well")
os.execv(program, [program, *small, *sys.argv[2:]])
