"""The keys of a model that is a function."""

import os
from pathlib import Path
from typing import Final

from pydantic_core import PydanticCustomError

from forequake.config._files import Folder, model_folder
from forequake.config._model_shape import ModelSection
from forequake.config._placeholders import filled_arguments
from forequake.config._places import Place, Problems
from forequake.config._refusals import refuse
from forequake.config._time_shape import class_of
from forequake.config.functions import faults_of_function, files_beside, split_function
from forequake.config.model_specs import CallableSpec

__all__ = ["CALLABLE_NEEDS", "CALLABLE_UNFIT", "check_callable", "read_callable"]

CALLABLE_NEEDS: Final = {
    "func": "the function, such as my_model.py:forecast",
    "forecast_type": "what the function gives: gridded or catalog",
}
#: Keys that a function has no use for, beside those of references.
CALLABLE_UNFIT: Final = (
    "filename",
    "fmt",
    "format",
    "prefix",
    "args_file",
    "input_cat",
    "seed_argument",
    "forecast_unit",
)


def check_callable(section: ModelSection, place: Place, problems: Problems) -> None:
    """Note keys of a function's model that contradict one another.

    Parameters
    ----------
    place
        Of the model's name.
    """
    word = class_of(section.class_ or section.model_class)
    if word == "ti":
        key = "class" if section.class_ is not None else "model_class"
        problems.add(place.at(key), "a function makes a forecast for each window (class: td)")
    if section.func is None or "func" not in place.entries:
        return
    where, split = place.at("func"), split_function(section.func)
    if split is None:
        message = (
            "expected a file and a function in it, such as my_model.py:forecast, or package.module:forecast; "
            "a command makes a model of the kind folder"
        )
        problems.add(where, message)
    elif section.path is None and (section.giturl or section.zenodo_id) is not None:
        problems.add(place, "path is missing: the folder of the source, which need not be there")
    elif section.path is None and not split[0].endswith(".py"):
        message = "a module of a package needs path, the folder that has the package"
        problems.add(where, message, f"{split[0].replace('.', '/')}.py:{split[1]}")


def read_callable(
    name: str, section: ModelSection, path: str, place: Place, folder: Folder, problems: Problems
) -> tuple[str, CallableSpec]:
    """Find a model's function and note what speaks against calling it; nothing of it runs.

    Parameters
    ----------
    path
        Of the folder with the source; empty where the function's file stands alone.
    place
        Of the model's name.

    Returns
    -------
    str
        The recorded path of the folder, or of the file that stands alone.
    CallableSpec

    Raises
    ------
    PydanticCustomError
        Where there is no such folder or file.
    """
    split = split_function(section.func or "")
    if split is None:  # noted before
        refuse("expected a file and a function in it")
    spec = CallableSpec(
        function=":".join(split),
        arguments=filled_arguments(section.func_kwargs or {}, {"name": name, "prefix": name}),
        build=section.build,
        variables=section.variables or {},
        force_build=bool(section.force_build),
    )
    if path:
        fetched = (section.giturl or section.zenodo_id) is not None
        recorded = _source_folder(path, folder, fetched=fetched)
        if not folder.holds_folder(path):  # it is looked at when it is fetched
            return recorded, spec
        _note_faults(folder.root / recorded, spec, place, problems)
        return recorded, spec
    try:
        recorded = folder.existing_file(split[0], "a Python file with the model")
    except PydanticCustomError as error:
        near = (error.context or {}).get("near")
        problems.add(place.at("func"), error.message(), near and f"{near}:{split[1]}")
        return split[0], spec
    file = folder.root / recorded
    alone = spec.model_copy(update={"function": f"{file.name}:{split[1]}"})
    _note_faults(file.parent, alone, place, problems)
    for line, other in files_beside(file):
        message = (
            f"{file.name}:{line} imports {other}, and path is not given: then a model is this one file. Put "
            "its files into a folder of their own, which path names"
        )
        problems.add(place.at("func"), message)
    return recorded, alone


def _source_folder(path: str, folder: Folder, *, fetched: bool) -> str:
    if folder.holds_file(path):
        refuse(
            "this is a file; path is the folder of a function's source: leave it out where one file is all"
        )
    recorded = model_folder(path, folder, fetched=fetched)
    root = Path(os.path.realpath(folder.root))
    if root.is_relative_to(os.path.realpath(folder.root / recorded)):
        refuse(
            "this folder holds the experiment with its catalog, which a model may not see: give the model a "
            "folder of its own, or leave path out where one file is all"
        )
    return recorded


def _note_faults(root: Path, spec: CallableSpec, place: Place, problems: Problems) -> None:
    handed = place.at("func_kwargs").entries
    installed = spec.build is not None
    for fault in faults_of_function(root, spec.function, spec.arguments, may_be_installed=installed):
        if fault.missing:
            message = f"{fault.message}: func_kwargs: {{{fault.argument}: ...}}"
            problems.add(place.at("func_kwargs"), message)
        else:
            where = place.at("func") if fault.argument is None else handed[fault.argument]
            problems.add(where, fault.message, fault.near)
