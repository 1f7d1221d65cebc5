"""On what a folder lies: SQLite's locks and shared memory do not hold on network file systems."""

import re
from pathlib import Path
from typing import Final, NamedTuple

from forequake.errors import InputError

__all__ = ["Mount", "mount_of", "refuse_network_filesystem"]

_MOUNTINFO: Final = Path("/proc/self/mountinfo")

#: Types of file systems whose files other machines may write too.
_NETWORK: Final = frozenset(
    {
        "9p", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "fhgfs", "gfs", "gfs2", "glusterfs", "gpfs",
        "lustre", "ncpfs", "nfs", "nfs4", "ocfs2", "orangefs", "panfs", "pvfs2", "smb3", "smbfs", "vboxsf",
        "wekafs",
    }
)  # fmt: skip
_NETWORK_FUSE: Final = frozenset(
    {
        "ceph", "ceph-fuse", "curlftpfs", "davfs", "davfs2", "gcsfuse", "glusterfs", "goofys", "juicefs",
        "mount.davfs", "mfs", "moosefs", "rclone", "s3fs", "smbnetfs", "sshfs", "vmhgfs-fuse",
    }
)  # fmt: skip


class Mount(NamedTuple):
    """The file system on which a path lies."""

    point: str
    type: str

    @property
    def is_network(self) -> bool:
        """Whether other machines may write its files too."""
        kind, _, program = self.type.partition(".")
        return self.type in _NETWORK or (kind == "fuse" and program in _NETWORK_FUSE)


def mount_of(path: Path, mountinfo: str) -> Mount | None:
    r"""Find the mount of an absolute path in the text of ``/proc/self/mountinfo`` (see proc(5)).

    Examples
    --------
    >>> mount_of(Path("/data/a b/c"), "36 25 0:31 / /data/a\\040b rw - nfs4 host:/x rw").type
    'nfs4'
    """
    found: Mount | None = None
    for line in mountinfo.splitlines():
        before, mark, after = line.partition(" - ")
        fields, rest = before.split(" "), after.split(" ")
        if not mark or len(fields) < 5:
            continue
        point = re.sub(r"\\([0-7]{3})", lambda digits: chr(int(digits[1], 8)), fields[4])
        # Of mounts at one place the last one covers the others.
        if path.is_relative_to(point) and (found is None or len(point) >= len(found.point)):
            found = Mount(point, rest[0])
    return found


def refuse_network_filesystem(path: Path) -> None:
    """Refuse a database file on a network file system; do nothing where the system does not tell.

    Raises
    ------
    InputError
        Where another machine may write the file too.
    """
    try:
        mountinfo = _MOUNTINFO.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return
    _refuse(path, mount_of(path.resolve(), mountinfo))


def _refuse(path: Path, mount: Mount | None) -> None:
    if mount is not None and mount.is_network:
        message = (
            f"{path} lies on a network file system ({mount.type} at {mount.point}), where SQLite's locks do "
            "not hold and results can be lost: put the store on a local disk"
        )
        raise InputError(message)
