"""What a foreign program is kept from: the network, the files of others, and their processes.

All of it is Linux's and most of it root's; where it is refused, the program runs without, and that is told.
It protects from a program's mistakes and makes its end certain; it is no prison for a hostile one.
"""

import contextlib
import ctypes
import errno
import fcntl
import os
import pwd
import socket
import struct
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from forequake.processes.below import die_with_parent

__all__ = ["FreeUser", "become", "leave_network", "mark_user", "show"]

_CLONE_NEWNS: Final = 0x00020000
_CLONE_NEWUSER: Final = 0x10000000
_CLONE_NEWNET: Final = 0x40000000
_MS_RDONLY: Final = 0x1
_MS_NOSUID: Final = 0x2
_MS_NODEV: Final = 0x4
_MS_REMOUNT: Final = 0x20
_MS_BIND: Final = 0x1000
_MS_REC: Final = 0x4000
_MS_PRIVATE: Final = 0x40000
_SIOCSIFFLAGS: Final = 0x8914
_IFF_UP: Final = 0x1
#: Users that are nobody's on common systems; below lie containers' and directories' users.
_USERS: Final = range(64001, 64513)


class FreeUser:
    """The number of a user that is nobody else's as long as this process lives.

    A name that only one process of the machine can have at a time marks it; it goes with the process.

    Attributes
    ----------
    number
        None where this process may not take on another user.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        if sys.platform != "linux" or os.geteuid() != 0:
            return
        taken = {entry.pw_uid for entry in pwd.getpwall()} | _users_with_processes()
        for number in _USERS:
            mark = None if number in taken else mark_user(number)
            if mark is not None:
                self._mark, self.number = mark, number
                return


def mark_user(number: int) -> socket.socket | None:
    """Take the mark of a user, which goes with the socket; None where another process has it."""
    mark = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        mark.bind(f"\0forequake-user-{number}")
    except OSError:
        mark.close()
        return None
    return mark


def _users_with_processes() -> set[int]:
    users = set()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            users.add(process.stat().st_uid)
    return users


def _unshare(flags: int) -> None:
    if ctypes.CDLL(None, use_errno=True).unshare(flags) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def leave_network() -> str | None:
    """Leave this process no network but its own loopback; give the reason where that cannot be."""
    if sys.platform != "linux":
        return "only Linux can take the network from a process"
    try:
        if os.geteuid() == 0:
            _unshare(_CLONE_NEWNET)
        else:
            _try_as_user()
            _leave_as_user()
    except OSError as error:
        return f"the system does not let this user take the network from a process ({error.strerror})"
    # Parts of one program may talk to each other over it.
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh", b"lo", _IFF_UP))
    return None


def _leave_as_user() -> None:
    user, group = os.geteuid(), os.getegid()
    _unshare(_CLONE_NEWUSER | _CLONE_NEWNET)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")


def _try_as_user() -> None:
    """Let another process go first: some systems take the first step and refuse the second."""
    child = os.fork()
    if child == 0:
        code = 0
        try:
            _leave_as_user()
        except OSError as error:
            code = error.errno or errno.EPERM
        os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code != 0:
        raise OSError(code, os.strerror(code))


def _mount(source: str, target: Path, kind: str | None, flags: int, data: str | None = None) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    words = [None if word is None else os.fsencode(word) for word in (source, target, kind)]
    if libc.mount(*words, ctypes.c_ulong(flags), None if data is None else data.encode()) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(target))


def _closed_above(place: Path) -> Path | None:
    """Give the topmost folder above a place through which only its owner may pass."""
    for folder in reversed(place.parents):
        if not folder.stat().st_mode & 0o001:
            return folder
    return None


def show(readable: Iterable[Path], writable: Path) -> None:
    """Let any user reach places in folders that are closed to them, as this process alone sees it.

    Over each such folder an empty one is laid, in which nothing but the places can be seen. Others go on
    seeing what is there.

    Raises
    ------
    OSError
        Where the system does not let this process do so.
    """
    places = [*dict.fromkeys(Path(os.path.realpath(place)) for place in readable), writable]
    closed = {place: above for place in places if (above := _closed_above(place)) is not None}
    if not closed:
        return
    _unshare(_CLONE_NEWNS)
    _mount("none", Path("/"), None, _MS_REC | _MS_PRIVATE)
    # They are kept open, since nothing leads to them once their folders are covered.
    doors = {place: os.open(place, os.O_PATH | os.O_CLOEXEC) for place in closed}
    for folder in set(closed.values()):
        _mount("tmpfs", folder, "tmpfs", _MS_NOSUID | _MS_NODEV, "mode=0755,size=1m")
    os.umask(0o022)
    for place in sorted(closed):
        if place != writable and any(other in closed for other in place.parents):
            continue  # it is seen with the one that it lies in
        place.mkdir(parents=True, exist_ok=True)
        _mount(f"/proc/self/fd/{doors[place]}", place, None, _MS_BIND | _MS_REC)
        if place != writable:
            _mount("none", place, None, _MS_BIND | _MS_REMOUNT | _MS_RDONLY)


def become(user: int | None, folder: Path, program: str, places: Sequence[Path]) -> str | None:
    """Take on a user, for good; give the reason where the program could not run as that one."""
    try:
        if user is not None:
            os.setgroups([])
            os.setgid(user)
            os.setuid(user)
        die_with_parent()
        os.chdir(folder)
        for place in places:
            if not os.access(place, os.R_OK | os.X_OK):
                return f"{place} is closed to other users"
    except OSError as error:
        return f"another user cannot run it ({error.strerror})"
    if os.sep in program and not os.access(program, os.X_OK):
        return f"{program}: {os.strerror(errno.EACCES)}"
    return None
