"""Commands of models: checked where they are written."""

from collections.abc import Iterable
from pathlib import PurePosixPath

from forequake.command_lines import command_words
from forequake.config._places import Place, Problems
from forequake.config._refusals import refuse
from forequake.config.model_specs import FolderModel, ModelSpec, ProgramSpec
from forequake.errors import InputError

__all__ = ["check_command", "check_places"]


def check_command(text: str) -> str:
    """Check that a command has words.

    Raises
    ------
    PydanticCustomError
        Where it has none, or a quotation does not end.
    """
    if not text.strip():
        refuse("must not be empty")
    try:
        command_words(text)
    except InputError as error:
        refuse(str(error))
    return text


def check_places(models: Iterable[ModelSpec | None], place: Place, problems: Problems) -> None:
    """Check that no command leads to its model's own folder past the copy in which it runs.

    Parameters
    ----------
    models
        Of one entry.
    place
        Of their command.
    """
    for model in models:
        if not isinstance(model, FolderModel) or not isinstance(model.program, ProgramSpec):
            continue
        path = PurePosixPath(model.path)
        if (path.is_absolute() or ".." in path.parts) and f"{path}/" in model.program.command:
            message = (
                f"the command names the model's own folder {path}, but it runs in a copy of it; write the "
                "path from there, such as input/args.txt"
            )
            problems.add(place, message)
