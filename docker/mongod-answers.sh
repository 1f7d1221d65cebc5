#!/usr/bin/env bash
# Whether the mongod at HOST:PORT answers a ping: the health check of its container. mongosh could ask as well, but
# takes a second of a processor each time and keeps a log of every call. The host is the container's name in the
# network: the server that the image starts first, to make the first user, listens to 127.0.0.1 only.
set -euo pipefail
exec 3<>"/dev/tcp/${1%:*}/${1##*:}"
# One message of MongoDB's protocol: length 51, request 1, in answer to 0, kind 2013 (OP_MSG), no flags, then the
# document {ping: 1, $db: "admin"}.
printf '\x33\0\0\0\x01\0\0\0\0\0\0\0\xdd\x07\0\0\0\0\0\0\0' >&3
printf '\x1e\0\0\0\x10ping\0\x01\0\0\0\x02$db\0\x06\0\0\0admin\0\0' >&3
# The answer begins with a head of 21 bytes and the length of its document, whose first field is {ok: 1.0}.
answer=$(head -c 37 <&3 | od -An -tx1 | tr -d ' \n')
[[ $answer == *016f6b00000000000000f03f ]]
