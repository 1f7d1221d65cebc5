#!/bin/sh
# Makes what a new MongoDB server lacks: the replica set, and the users of the results. Runs at every start.
set -eu
python "$(dirname "$0")/initiate_replica_set.py"
