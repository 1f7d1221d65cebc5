"""The users of a MongoDB store: a writer for runs and a reader for the dashboard, each with what it needs.

They belong to the store's own database, so that an address with their name and password needs no authSource.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from urllib.parse import quote

from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import OperationFailure

from forequake.errors import AccessDenied, Conflict
from stores.mongo.address import mongo_address
from stores.mongo.schema import COLLECTIONS
from stores.mongo.server import Document, Server

__all__ = [
    "StoreRole",
    "StoreUser",
    "UserChange",
    "asks_for_passwords",
    "missing_users",
    "set_up_users",
    "user_url",
]

_NO_RIGHT: Final = 13
_WRONG_PASSWORD: Final = 18

#: Options of an address that belong to who connects.
_OF_THE_USER: Final = frozenset({"authsource", "authmechanism", "authmechanismproperties"})

_READ: Final = ("find", "listIndexes")
_ADD: Final = ("insert",)
_CHANGE: Final = ("insert", "update")
_CHANGE_AND_REMOVE: Final = ("insert", "update", "remove")
#: What a writer may do beside reading: what is stored once and for all is never changed or removed.
_WRITES: Final = {
    "meta": (),
    "records": _ADD,
    "results": _ADD,
    "distributions": _ADD,
    "bindings": _ADD,
    "experiments": _CHANGE,
    "runs": _CHANGE,
    "latest": _CHANGE_AND_REMOVE,
    "kept": _CHANGE_AND_REMOVE,
    "claims": _CHANGE,
    "units": _CHANGE_AND_REMOVE,
    "blobs": _CHANGE_AND_REMOVE,
    "fs.files": ("insert", "remove"),
    "fs.chunks": ("insert", "remove"),
}


class StoreRole(StrEnum):
    """What a user is for; the value is the name of the role in the store's database."""

    WRITER = "forequakeWriter"
    READER = "forequakeReader"


class UserChange(StrEnum):
    """What `set_up_users` did with a user."""

    MADE = "made"
    UPDATED = "given the new password"
    UNCHANGED = "there already"


@dataclass(frozen=True)
class StoreUser:
    """A user as it is to be.

    Attributes
    ----------
    password
        None leaves that of a user who is there.
    """

    name: str
    role: StoreRole
    password: str | None = field(default=None, repr=False)


def user_url(url: str, name: str, password: str) -> str:
    """Give the address of a store for another user of its database."""
    address = mongo_address(url)
    scheme, _, rest = url.partition("://")
    before, _, query = rest.partition("?")
    hosts = before.rpartition("@")[2].partition("/")[0]
    kept = [
        part for part in query.split("&") if part and part.partition("=")[0].casefold() not in _OF_THE_USER
    ]
    options = f"?{'&'.join(kept)}" if kept else ""
    return f"{scheme}://{quote(name, safe='')}:{quote(password, safe='')}@{hosts}/{address.database}{options}"


def missing_users(url: str, names: Sequence[str]) -> list[str]:
    """Give those of the names that are no users of the store's database yet.

    Raises
    ------
    AccessDenied
        Where the address is not that of an administrator.
    """
    with _as_administrator(url) as (db, _):
        there = _users(db)
    return [name for name in names if name not in there]


def set_up_users(url: str, users: Sequence[StoreUser]) -> dict[str, UserChange]:
    """Make the roles and the users that are missing, and change the passwords that are new.

    Doing it again changes nothing.

    Parameters
    ----------
    url
        The store's address with an administrator's name and password.
    users
        Those to be; one who is missing must have a password here.

    Returns
    -------
    dict
        What was done, by the user's name.

    Raises
    ------
    AccessDenied
        Where the address is not that of an administrator.
    Conflict
        Where a user of that name has another role; nothing is changed then.
    """
    with _as_administrator(url) as (db, store):
        known = _users(db)
        for user in users:
            _refuse_other_roles(user, known.get(user.name, []), store)
        for role in dict.fromkeys(user.role for user in users):
            _set_up_role(db, role)
        return {user.name: _set_up_user(db, url, user, known.get(user.name)) for user in users}


def asks_for_passwords(url: str) -> bool:
    """Tell whether the server of a store lets in only those who give a name and a password."""
    server = Server(mongo_address(url))
    try:
        with server.talking() as db:
            who = db.command("connectionStatus")["authInfo"]["authenticatedUsers"]
    finally:
        server.close()
    return bool(who)


@contextmanager
def _as_administrator(url: str) -> Iterator[tuple[Database[Document], str]]:
    """Give the database and the store's name; a lack of rights is told as such."""
    server = Server(mongo_address(url))
    try:
        with server.talking() as db:
            try:
                yield db, server.name
            except OperationFailure as error:
                if error.code != _NO_RIGHT:
                    raise
                message = (
                    f"{server.name}: this user may not make users and roles; name the store by the address "
                    f"of an administrator, who has the role userAdmin or dbOwner of the database {db.name!r}"
                )
                raise AccessDenied(message) from error
    finally:
        server.close()


def _users(db: Database[Document]) -> dict[str, list[Document]]:
    """Give the roles of the database's users."""
    return {user["user"]: user["roles"] for user in db.command("usersInfo", 1)["users"]}


def _refuse_other_roles(user: StoreUser, roles: Sequence[Document], store: str) -> None:
    others = sorted(role["role"] for role in roles if role["role"] != user.role.value)
    if others:
        message = (
            f"{store} has a user {user.name!r} with the role {', '.join(others)} already; choose another "
            "name for the user of forequake, or remove that one"
        )
        raise Conflict(message)


def _set_up_role(db: Database[Document], role: StoreRole) -> None:
    wanted = _privileges(db.name, role)
    found = db.command("rolesInfo", role.value, showPrivileges=True)["roles"]
    if not found:
        db.command("createRole", role.value, privileges=wanted, roles=[])
    elif _comparable(found[0]["privileges"]) != _comparable(wanted) or found[0]["roles"]:
        db.command("updateRole", role.value, privileges=wanted, roles=[])


def _privileges(database: str, role: StoreRole) -> list[Document]:
    """Give what a role may do: to list what the database has, and more with each collection of the store."""
    listing = {"resource": {"db": database, "collection": ""}, "actions": ["listCollections"]}
    granted: list[Document] = [listing]
    for collection in COLLECTIONS:
        actions = [*_READ, *(_WRITES[collection] if role is StoreRole.WRITER else ())]
        granted.append({"resource": {"db": database, "collection": collection}, "actions": actions})
    return granted


def _comparable(privileges: Sequence[Document]) -> dict[str, frozenset[str]]:
    return {each["resource"].get("collection", "*"): frozenset(each["actions"]) for each in privileges}


def _set_up_user(
    db: Database[Document], url: str, user: StoreUser, roles: Sequence[Document] | None
) -> UserChange:
    if roles is None:
        db.command("createUser", user.name, pwd=user.password, roles=[user.role.value])
        return UserChange.MADE
    if not roles:
        db.command("updateUser", user.name, roles=[user.role.value])
    if user.password is None or _has_password(url, user.name, user.password):
        return UserChange.UNCHANGED
    db.command("updateUser", user.name, pwd=user.password)
    return UserChange.UPDATED


def _has_password(url: str, name: str, password: str) -> bool:
    try:
        with MongoClient[Document](user_url(url, name, password)) as client:
            client.get_database(mongo_address(url).database).command("ping")
    except OperationFailure as error:
        if error.code != _WRONG_PASSWORD:
            raise
        return False
    return True
