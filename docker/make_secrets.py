"""Make the passwords of docker-compose.yml: one file each, in the folder that is named (``secrets``).

A file that is there is kept, so that this may run again; passwords that were changed by hand hold.
"""

import secrets
import sys
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

HOST = "mongo:27017"
REPLICA_SET = "forequake"
DATABASE = "forequake"


def main(folder: Path) -> None:
    """Make what is missing."""
    # Nobody but the owner may enter the folder. The files in it are readable, since compose shows them to a
    # container as they are, and the programs there run as users of their own, not as root.
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)
    admin = _keep(folder / "mongo_admin_password.txt", _password())
    _keep(folder / "mongo_keyfile.txt", secrets.token_hex(256))
    _keep(folder / "postgres_password.txt", _password())
    _keep(folder / "store_admin.txt", _address("admin", admin) + "&authSource=admin")
    for role in ("writer", "reader"):
        password = _keep(folder / f"{role}_password.txt", _password())
        _keep(folder / f"store_{role}.txt", _address(f"forequake-{role}", password))
    for name in ("mongo_admin", "writer", "reader"):
        _compare(folder / f"store_{name.removeprefix('mongo_')}.txt", folder / f"{name}_password.txt")


def _password() -> str:
    return secrets.token_urlsafe(24)


def _address(user: str, password: str) -> str:
    return f"mongodb://{user}:{quote(password, safe='')}@{HOST}/{DATABASE}?replicaSet={REPLICA_SET}"


def _compare(address: Path, password: Path) -> None:
    """Refuse a password that was changed in one of its two places only."""
    said = unquote(urlsplit(address.read_text(encoding="utf-8").strip()).password or "")
    if said != password.read_text(encoding="utf-8").strip():
        sys.exit(f"{address} has another password than {password.name}: remove the one that is out of date")


def _keep(file: Path, text: str) -> str:
    """Write a file where it is missing, and give what it says."""
    if not file.exists():
        half = file.with_suffix(".new")
        half.write_text(f"{text}\n", encoding="utf-8")
        half.chmod(0o444)
        half.replace(file)
        sys.stdout.write(f"made {file}\n")
    return file.read_text(encoding="utf-8").strip()


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "secrets"))
