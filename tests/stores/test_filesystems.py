"""Which file systems an SQLite store refuses."""

from pathlib import Path

import pytest

from forequake.errors import InputError
from stores import open_store
from stores.sqlite import filesystems
from stores.sqlite.filesystems import mount_of

_MOUNTINFO = r"""
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
23 22 0:21 / /proc rw,nosuid - proc proc rw
40 22 0:33 / /users rw,relatime shared:5 - nfs4 server:/export/users rw,vers=4.2
41 40 254:1 / /users/anna/local rw,relatime - xfs /dev/vdb rw
42 22 0:34 /a /data/two\040words rw - cifs //server/share rw
43 22 0:35 / /mnt/ssh rw - fuse.sshfs anna@server: rw
44 22 0:36 / /mnt/disk rw - fuse.ntfs-3g /dev/sdb1 rw
45 22 0:37 / /scratch rw master:1 propagate_from:2 - lustre storage@tcp:/fs rw
46 22 0:38 / /covered rw - nfs server:/old rw
47 22 254:2 / /covered rw - ext4 /dev/vdc rw
48 22 0:39 / /host rw - 9p host rw
"""


@pytest.mark.parametrize(
    ("path", "type_", "is_network"),
    [
        ("/var/lib/results.sqlite", "ext4", False),
        ("/users/anna/results.sqlite", "nfs4", True),
        ("/users/anna/local/results.sqlite", "xfs", False),
        ("/users/anna/localities.sqlite", "nfs4", True),
        ("/homework/results.sqlite", "ext4", False),
        ("/data/two words/results.sqlite", "cifs", True),
        ("/mnt/ssh/results.sqlite", "fuse.sshfs", True),
        ("/mnt/disk/results.sqlite", "fuse.ntfs-3g", False),
        ("/scratch/results.sqlite", "lustre", True),
        ("/covered/results.sqlite", "ext4", False),
        ("/host/results.sqlite", "9p", True),
    ],
)
def test_a_path_lies_on_its_innermost_last_mount(path: str, type_: str, is_network: bool) -> None:
    mount = mount_of(Path(path), _MOUNTINFO)
    assert mount is not None
    assert (mount.type, mount.is_network) == (type_, is_network)


def test_nothing_is_known_without_mounts() -> None:
    assert mount_of(Path("/home"), "") is None
    assert mount_of(Path("/home"), "nonsense\n - \n1 2 3 - nfs x y") is None


def test_a_store_on_a_network_file_system_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mountinfo = tmp_path / "mountinfo"
    mountinfo.write_text(f"22 1 254:0 / / rw - ext4 /dev/vda rw\n40 22 0:33 / {tmp_path} rw - nfs4 s:/x rw\n")
    monkeypatch.setattr(filesystems, "_MOUNTINFO", mountinfo)
    with pytest.raises(InputError, match=r"network file system \(nfs4 at .*local disk") as refused:
        open_store(f"sqlite:///{tmp_path}/results.sqlite")
    assert str(tmp_path / "results.sqlite") in str(refused.value)
    assert not (tmp_path / "results.sqlite").exists()
    link = tmp_path.parent / f"{tmp_path.name}-link"
    link.symlink_to(tmp_path)
    with pytest.raises(InputError, match="nfs4"):
        open_store(f"sqlite:///{link}/results.sqlite")


def test_where_the_system_does_not_tell_a_store_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filesystems, "_MOUNTINFO", tmp_path / "missing")
    with open_store(f"sqlite:///{tmp_path}/results.sqlite") as store:
        assert store.experiments() == []
