#!/usr/bin/env bash
# Starts mongod in the image's own way, with a copy of the key file that only mongod can read: it takes no other, and
# the secret itself must be readable by the users of all containers that have it.
set -euo pipefail
umask 077
key=$(mktemp)
cat "$KEYFILE" >"$key"
exec docker-entrypoint.sh mongod --keyFile "$key" "$@"
