"""The lists of models and tests: named entries, in the experiment's file or in one of their own."""

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from pydantic_core import PydanticCustomError

from forequake.config._files import Folder
from forequake.config._names import as_name, fault_of_name
from forequake.config._places import Place, Problems
from forequake.config._yaml import read_yaml

__all__ = ["find_list", "named_entries"]


def find_list(
    root: Place, keys: Sequence[str], folder: Folder, problems: Problems, files: list[Path]
) -> tuple[Place, Folder] | None:
    """Find the list of models or tests.

    Parameters
    ----------
    keys
        The names under which it may be given, the usual one first.
    files
        A file that is opened is added.

    Returns
    -------
    Place
        Of the list.
    Folder
        Where its paths start.
    """
    given = [name for name in keys if root.at(name).value is not None]
    if len(given) > 1:
        problems.add(root.at(given[1]), f"given here and as {given[0]}; leave one of them out")
        return None
    if not given:  # noted with the other required keys
        return None
    place = root.at(given[0])
    value = place.value
    if not isinstance(value, str):
        return place, folder
    try:
        recorded = folder.existing_file(value, f"a YAML file with the list of {keys[0]}")
    except PydanticCustomError as error:
        problems.add_refused(place, error)
        return None
    file = folder.root / recorded
    files.append(file)
    document, found = read_yaml(file, keys[0])
    problems.extend(found)
    if document.data is None and found:
        return None
    return Place(document), Folder(root=folder.root, here=PurePosixPath(recorded).parent)


def named_entries(home: Place, what: str, problems: Problems) -> tuple[dict[str, Place], bool]:
    """Give the places of a list's entries by their names.

    Each item of the list is a mapping of one key, the entry's name, as floatCSEP has them.

    Returns
    -------
    dict
        The first entry of each name.
    bool
        Whether the names are complete; else a name that is missed may be one that could not be read.
    """
    items = home.value
    form = f"expected a list of {what}, each as `- name:` with its keys indented below"
    if not isinstance(items, list):
        problems.add(home, form)
        return {}, False
    if not items:
        problems.add(home, f"the list of {what} is empty; an experiment needs one or more")
    entries: dict[str, Place] = {}
    complete = True
    first_lines: dict[str, int | None] = {}
    for number, item in enumerate(items):
        place = home.at(number)
        if not isinstance(item, Mapping):
            problems.add(place, form)
            complete = False
            continue
        if len(item) != 1:
            complete = False
            message = f"expected one name with its keys indented below, got {len(item)} keys side by side"
            problems.add(place, message)
            continue
        (written,) = item
        name, place = as_name(written), place.at(written)
        fault = fault_of_name(name)
        if fault is not None:
            problems.add(place, f"{fault} (the name is {written!r})")
        if name in entries:
            problems.add(place, f"the name {name!r} is given twice; first in line {first_lines[name]}")
            continue
        entries[name] = place
        first_lines[name] = place.document.lines.get(place.path)
    return entries, complete
