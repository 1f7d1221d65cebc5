"""Starts a module of this package in a Python that needs nothing but the standard library.

It is run by its path, with the module's name as its argument. Empty packages stand in for those that the
module lies in, so that nothing of what they import is loaded; they are gone before foreign code is there.
"""

import importlib
import sys
from pathlib import Path
from types import ModuleType

__all__: list[str] = []

_PACKAGES = ("forequake", "forequake.processes")


def _main(name: str) -> None:
    folder = Path(__file__).resolve().parent
    for package, place in zip(_PACKAGES, (folder.parent, folder), strict=True):
        sys.modules[package] = ModuleType(package)
        sys.modules[package].__path__ = [str(place)]
    module = importlib.import_module(f"forequake.processes.{name}")
    for package in _PACKAGES:
        del sys.modules[package]
    module.main()


if __name__ == "__main__":
    _main(sys.argv.pop(1))
