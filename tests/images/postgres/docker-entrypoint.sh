#!/usr/bin/env bash
# Stands for the entry point of the image `postgres`: makes the database at the first start, from the same variables.
set -euo pipefail
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    initdb --pgdata="$PGDATA" --username="$POSTGRES_USER" --pwfile="$POSTGRES_PASSWORD_FILE" \
        --auth=scram-sha-256 --encoding=UTF8 --no-locale --no-sync
    # For tests: by TCP on this machine only, and not on the disk at once.
    printf "unix_socket_directories = ''\nlisten_addresses = '127.0.0.1'\nfsync = off\n" >>"$PGDATA/postgresql.conf"
    echo "CREATE DATABASE $POSTGRES_DB" | postgres --single -D "$PGDATA" template1
fi
exec "$@"
