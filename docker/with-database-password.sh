#!/bin/sh
# Runs a command with the password of Prefect's database, which Prefect takes from its environment only.
set -eu
PREFECT_SERVER_DATABASE_PASSWORD=$(cat "$DATABASE_PASSWORD_FILE")
export PREFECT_SERVER_DATABASE_PASSWORD
exec "$@"
