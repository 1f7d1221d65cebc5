#!/bin/sh
# Makes what a new MongoDB server lacks: the replica set, the store, its writer and its reader. Runs at every start,
# and changes nothing where all is there; a password that was changed in its file is changed in MongoDB.
set -eu
python "$(dirname "$0")/initiate_replica_set.py"
exec forequake store init --store admin --users
