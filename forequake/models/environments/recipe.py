"""What of a model's source decides its environment."""

import re
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from forequake.errors import EnvironmentFailed
from forequake.keys import bytes_digest
from forequake.models.environments.declared_python import conda_file, read_conda_file
from forequake.quantities import Sha256

__all__ = ["Recipe", "RequirementsFile", "is_itself"]

#: What can be installed, with pip.
_PACKAGE_FILES: Final = ("pyproject.toml", "setup.py", "setup.cfg")
#: Locks of uv, poetry and pdm, and of PEP 751: their versions are given to pip as constraints.
_LOCK_FILES: Final = ("uv.lock", "poetry.lock", "pdm.lock", "pylock.toml")
_REQUIREMENTS: Final = "requirements.txt"
_DOCKER_FILES: Final = ("Dockerfile", ".dockerignore")
_PINNED: Final = re.compile(r"[A-Za-z0-9._-]+(\[[^\]]*\])?\s*===?\s*[^*\s;,]+(?=\s|;|$)")
_PINNED_BY_CONDA: Final = re.compile(r"^[^<>!*,|]*=[^<>!*,|]*$|\s[\d.]+(\s|$)")
_ITSELF: Final = re.compile(r"((-e|--editable)[\s=]*)?\.(/)?(\[[^\]]*\])?")
_EDITABLE: Final = re.compile(r"(-e|--editable)\b[\s=]*(?P<place>\S+)")


@dataclass(frozen=True)
class RequirementsFile:
    """A ``requirements.txt``, but for lines that name the model itself, which is installed anyway."""

    name: str
    lines: tuple[str, ...]

    @classmethod
    def read(cls, file: Path) -> "RequirementsFile":
        """Read a file.

        Raises
        ------
        EnvironmentFailed
            Where a part of the model is to be installed as a link to its source, which will not stay.
        """
        lines = []
        for number, line in enumerate(file.read_text(encoding="utf-8-sig").splitlines(), start=1):
            words = re.sub(r"(^|\s)#.*", "", line).strip()
            if is_itself(words):
                continue
            editable = _EDITABLE.match(words)
            if editable is not None and "://" not in editable["place"]:
                message = (
                    f"{file.name}:{number}: {words!r} links to the source instead of installing it; write "
                    f"{editable['place']!r} alone"
                )
                raise EnvironmentFailed(message)
            lines.append(line)
        return cls(file.name, tuple(lines))

    @property
    def has_hashes(self) -> bool:
        """Whether pip is to check hashes, which it then wants of everything."""
        return any("--hash" in line for line in self.lines)

    @property
    def is_pinned(self) -> bool:
        """Whether each line has exactly one version."""
        needed = [line.split("#")[0].strip() for line in self.lines]
        return all(_PINNED.match(line) for line in needed if line and not line.startswith("-"))


def is_itself(line: str) -> bool:
    """Tell whether a requirement is the folder in which it is written, as a link or not."""
    return _ITSELF.fullmatch(line.strip()) is not None


@dataclass(frozen=True)
class Recipe:
    """The files at the root of a model that say what it needs.

    Attributes
    ----------
    folder
        The model's source, which is only read.
    """

    folder: Path

    @property
    def is_package(self) -> bool:
        """Whether pip can install the folder; other models are programs that lie in it."""
        return any((self.folder / name).is_file() for name in _PACKAGE_FILES)

    @property
    def name(self) -> str | None:
        """The name of the package, as far as a file tells it plainly."""
        with suppress(OSError, ValueError, KeyError, TypeError):
            project = tomllib.loads((self.folder / "pyproject.toml").read_text(encoding="utf-8"))
            return str(project["project"]["name"])
        return None

    @cached_property
    def requirements(self) -> RequirementsFile | None:
        """The model's ``requirements.txt``; None where it has none.

        Raises
        ------
        EnvironmentFailed
            Where it asks for what cannot be.
        """
        file = self.folder / _REQUIREMENTS
        try:
            return RequirementsFile.read(file) if file.is_file() else None
        except ValueError as error:
            message = f"{file.name} cannot be read: {error}"
            raise EnvironmentFailed(message) from error

    @cached_property
    def constraints(self) -> tuple[str, ...]:
        """The versions of a lock file, as ``name==version``; of packages with several versions none.

        Raises
        ------
        EnvironmentFailed
            Where a lock file cannot be read.
        """
        for name in _LOCK_FILES:
            if (self.folder / name).is_file():
                return _locked_versions(self.folder / name)
        return ()

    def pins(self, *, conda: bool = False) -> bool:
        """Tell whether all that is installed has its version said, as far as that can be told."""
        file = conda_file(self.folder) if conda else None
        if file is not None:
            wanted = [one for one in read_conda_file(file).get("dependencies", []) if isinstance(one, str)]
            if not all(_PINNED_BY_CONDA.search(one) for one in wanted):
                return False
        if self.requirements is not None and any(map(str.strip, self.requirements.lines)):
            return self.requirements.is_pinned
        return bool(self.constraints) or not self.is_package

    def files(self, *, docker: bool = False) -> Mapping[str, Sha256]:
        """Give the hashes of the files that say what is installed beside the source itself."""
        if docker:
            wanted = [self.folder / name for name in _DOCKER_FILES]
        else:
            conda = conda_file(self.folder)
            wanted = [self.folder / _REQUIREMENTS, *self.folder.glob("*.lock")]
            wanted += [self.folder / "pylock.toml", *([] if conda is None else [conda])]
        return {file.name: bytes_digest(file.read_bytes()) for file in sorted(set(wanted)) if file.is_file()}


def _locked_versions(file: Path) -> tuple[str, ...]:
    try:
        content: Any = tomllib.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        message = f"{file.name} cannot be read: {error}"
        raise EnvironmentFailed(message) from error
    versions: dict[str, set[str]] = {}
    for package in content.get("package", content.get("packages", [])):
        source = package.get("source", {})
        # The model itself stands in its own lock.
        itself = isinstance(source, dict) and {"editable", "virtual", "directory"} & source.keys()
        if "name" in package and "version" in package and not itself and "directory" not in package:
            versions.setdefault(package["name"], set()).add(package["version"])
    return tuple(
        f"{name}=={next(iter(found))}" for name, found in sorted(versions.items()) if len(found) == 1
    )
