"""The model's own package, imported from the copy in which it runs.

floatCSEP installs a link to the model's folder (``pip install -e``). So a program whose command says no path
finds ``input`` and ``forecasts`` beside its own files; an installed copy lies elsewhere.
"""

import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path

__all__ = ["import_folder"]


def import_folder(prefix: Path, folder: Path) -> Path | None:
    """Give the folder in a model's copy from which its own package can be imported instead.

    Parameters
    ----------
    prefix
        Of the environment in which the package is installed.
    folder
        The copy.

    Returns
    -------
    Path or None
        None where no package of a folder is installed, or the copy lacks a file of it, such as one that its
        build makes, or where more could be imported from there than the package.
    """
    for about in sorted(prefix.glob("lib/python3*/site-packages/*.dist-info/direct_url.json")):
        library = about.parents[1]
        try:
            is_folder = "dir_info" in json.loads(about.read_text(encoding="utf-8"))
            names = list(_modules(about.with_name("RECORD")))
        except (OSError, ValueError, csv.Error):
            continue
        for root in (folder, folder / "src") if is_folder and names else ():
            if _holds(root, library, names) and not _hides(
                root, library, {name.split("/")[0] for name in names}
            ):
                return root
    return None


def _modules(record: Path) -> Iterator[str]:
    """List the installed files of a package, but for what pip writes itself."""
    with record.open(encoding="utf-8", newline="") as lines:
        for name, *_ in csv.reader(lines):
            if not name.startswith("../") and ".dist-info/" not in name and not name.endswith(".pyc"):
                yield name


def _holds(root: Path, library: Path, names: list[str]) -> bool:
    try:
        return all((root / name).read_bytes() == (library / name).read_bytes() for name in names)
    except OSError:
        return False


def _hides(root: Path, library: Path, own: set[str]) -> bool:
    """Tell whether something beside the package would be imported in the place of another one."""
    found = {path.name for path in root.glob("*.py")} | {
        path.parent.name for path in root.glob("*/__init__.py")
    }
    return any(
        name.removesuffix(".py") in sys.stdlib_module_names
        or (library / name.removesuffix(".py")).exists()
        or (library / f"{name.removesuffix('.py')}.py").exists()
        for name in found - own
    ) or any(name.removesuffix(".py") in sys.stdlib_module_names for name in own)
