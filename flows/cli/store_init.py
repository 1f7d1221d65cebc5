"""``forequake store init``: a store made ready, and the users of a MongoDB store.

Passwords come from the environment or from files and go to MongoDB, or to a file that only its owner may
read; they are never arguments, and never printed.
"""

import contextlib
import os
import secrets
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from flows.cli._terminal import StoreName, complain, note, out, store_of
from forequake.errors import InputError
from stores import resolve_store, shown_url

if TYPE_CHECKING:
    from stores.mongo.users import StoreUser

__all__ = ["register"]

_WRITER: Final = "forequake-writer"
_READER: Final = "forequake-reader"
_PASSWORD_BYTES: Final = 24


def register(group: typer.Typer) -> None:
    """Add the command to the group of the store's commands."""
    group.command("init")(init)


def init(
    name: StoreName = "default",
    users: Annotated[
        bool, typer.Option("--users", help="Also make a writer and a reader (MongoDB only).")
    ] = False,
    writer: Annotated[
        str | None, typer.Option(metavar="USER", help=f"The writer's name, if not {_WRITER}.")
    ] = None,
    reader: Annotated[
        str | None, typer.Option(metavar="USER", help=f"The reader's name, if not {_READER}.")
    ] = None,
    addresses: Annotated[
        Path | None,
        typer.Option(
            "--addresses",
            metavar="FILE",
            help="Make passwords for new users that have none, and write their addresses to this new file, "
            "which only you can read.",
        ),
    ] = None,
) -> None:
    """Make a store ready: its tables or collections and indexes and, with --users, who may use them.

    The writer is for runs, the reader for the dashboard; neither may do more than that. Their passwords are
    in FOREQUAKE_WRITER_PASSWORD and FOREQUAKE_READER_PASSWORD, or in the files that
    FOREQUAKE_WRITER_PASSWORD_FILE and FOREQUAKE_READER_PASSWORD_FILE name. A user who exists keeps the
    password unless another one is given. Doing all this again changes nothing.

    Example: `forequake store init --store admin --users --addresses forequake.env`
    """
    given = [option for option, value in (("--writer", writer), ("--reader", reader)) if value]
    if (given or addresses) and not users:
        message = f"{(given or ['--addresses'])[0]} is for users: give --users as well"
        raise InputError(message)
    url = resolve_store(name)
    if users and not url.startswith("mongodb"):
        message = (
            f"{shown_url(url)} has no users of its own: only MongoDB has; who may read and write an SQLite "
            "store is a matter of the rights of its file and its folder"
        )
        raise InputError(message)
    store = store_of(name)
    out.print(f"Ready: {store.name}", markup=False, soft_wrap=True)
    if users:
        _init_users(url, writer or _WRITER, reader or _READER, addresses)


def _init_users(url: str, writer: str, reader: str, addresses: Path | None) -> None:
    from stores.mongo.users import StoreRole, StoreUser, asks_for_passwords, missing_users, set_up_users

    if writer == reader:
        message = f"the writer and the reader are two users, but both are named {writer!r}"
        raise InputError(message)
    wanted = [
        StoreUser(writer, StoreRole.WRITER, _password("WRITER")),
        StoreUser(reader, StoreRole.READER, _password("READER")),
    ]
    missing = missing_users(url, [user.name for user in wanted])
    without = [user for user in wanted if user.name in missing and user.password is None]
    if without and addresses is None:
        _ask_for_passwords(without)
    made = {user.name: secrets.token_urlsafe(_PASSWORD_BYTES) for user in without}
    wanted = [StoreUser(user.name, user.role, made.get(user.name, user.password)) for user in wanted]
    if made and addresses is not None:
        lines = _address_lines(url, [user for user in wanted if user.name in made])
        with _new_file(addresses, lines):
            changes = set_up_users(url, wanted)
        note(f"The addresses with the new passwords are in {addresses}.")
    else:
        changes = set_up_users(url, wanted)
    for user in wanted:
        out.print(f"{user.role.name.lower()} {user.name}: {changes[user.name].value}", markup=False)
    if addresses is not None and not made:
        note(f"No password was made, so nothing was written to {addresses}.")
    if not asks_for_passwords(url):
        complain("The server lets in anybody: start it with --auth, or users and passwords mean nothing.")


def _password(whose: str) -> str | None:
    """Read a password from where the environment says, or give None where it says nothing."""
    variable = f"FOREQUAKE_{whose}_PASSWORD"
    file_variable = f"{variable}_FILE"
    text, file = os.environ.get(variable), os.environ.get(file_variable)
    if text is not None and file is not None:
        message = f"{variable} and {file_variable} are both set: give one of them"
        raise InputError(message)
    source = variable
    if file is not None:
        source = f"{file} ({file_variable})"
        try:
            text = Path(file).read_text(encoding="utf-8").rstrip("\r\n")
        except OSError as error:
            message = f"{file_variable}: {file} cannot be read: {error.strerror}"
            raise InputError(message) from error
        except UnicodeDecodeError:
            text = "\0"
    if text is not None and (not text or not text.isprintable()):
        message = f"{source} holds no password: one line of printable characters is needed"
        raise InputError(message)
    return text


def _ask_for_passwords(users: list["StoreUser"]) -> None:
    variables = " and ".join(f"FOREQUAKE_{user.role.name}_PASSWORD_FILE" for user in users)
    names = " and ".join(repr(user.name) for user in users)
    message = (
        f"new users need passwords ({names}): set {variables} to files that hold them, or give "
        "--addresses FILE to have passwords made"
    )
    raise InputError(message)


def _address_lines(url: str, users: list["StoreUser"]) -> str:
    """Give the addresses of users as lines that a shell, systemd and compose can read."""
    from stores.mongo.users import StoreRole, user_url

    variables = {StoreRole.WRITER: "FOREQUAKE_STORE", StoreRole.READER: "FOREQUAKE_STORE_READER"}
    lines = [
        f"{variables[user.role]}={shlex.quote(user_url(url, user.name, user.password or ''))}\n"
        for user in users
    ]
    return "".join(lines)


@contextlib.contextmanager
def _new_file(file: Path, text: str) -> Iterator[None]:
    """Write a file that only its owner can read, and take it away again where what follows fails.

    Raises
    ------
    InputError
        Where it is there already or cannot be written.
    """
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError as error:
        message = f"{file} is there already: name another file, since it may hold passwords that are in use"
        raise InputError(message) from error
    except OSError as error:
        message = f"{file} cannot be written: {error.strerror}"
        raise InputError(message) from error
    try:
        yield
    except BaseException:
        file.unlink(missing_ok=True)
        raise
