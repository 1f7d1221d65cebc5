"""The variables and the seed that a model's program is given."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, JsonValue, WithJsonSchema

from forequake.config._places import Place, Problems
from forequake.config._refusals import refuse
from forequake.config.model_specs import FolderModel, ModelSpec, ProgramSpec

__all__ = [
    "SeedArgument",
    "VariablesOfProgram",
    "check_seed_argument",
    "check_window_dates",
    "notes_on_seeds",
]

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
#: They say where things are in a run's own folder and environment.
_SET_HERE: Final = frozenset(
    {
        "PATH",
        "HOME",
        "TMPDIR",
        "TMP",
        "TEMP",
        "SHELL",
        "USER",
        "VIRTUAL_ENV",
        "PYTHONHOME",
        "PYTHONPATH",
        "PYTHONEXECUTABLE",
        "LD_LIBRARY_PATH",
        "DYLD_LIBRARY_PATH",
    }
)
#: Addresses and passwords of services, and settings of the programs that build environments.
_NEVER: Final = ("FOREQUAKE_", "PREFECT_", "CONDA_", "DOCKER_")
#: Parts of the names of variables that hold what nobody else should read.
_SECRET: Final = frozenset(
    {"TOKEN", "PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "CREDENTIAL", "CREDENTIALS", "APIKEY"}
)
_SECRET_ENDS: Final = ("API_KEY", "ACCESS_KEY", "PRIVATE_KEY")
#: What models call a seed.
_SEEDS: Final = frozenset({"seed", "random_seed", "rng_seed", "random_state", "randomseed"})
_DATES: Final = ("start_date", "end_date")


def _read_variables(value: object) -> dict[str, str | None]:
    """Read variables: a list of names that are passed on, or a mapping of names to values."""
    if isinstance(value, list):
        if not all(isinstance(name, str) for name in value):
            refuse("expected names of variables, or a mapping of names to values")
        value = dict.fromkeys(value)
    if not isinstance(value, Mapping):
        refuse("expected a list of names, or a mapping of names to values")
    return {_name(str(name)): _text(str(name), text) for name, text in value.items()}


def _name(name: str) -> str:
    if not _NAME.fullmatch(name):
        refuse(f"{name!r} is no name of a variable: letters, digits and _, no digit first")
    if name in _SET_HERE:
        refuse(f"{name} is set for each run: it says where things are in the run's folder and environment")
    if name.startswith(_NEVER):
        refuse(f"{name} is not given to models: variables of {', '.join(f'{each}*' for each in _NEVER)}")
    return name


def _text(name: str, value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool | float) or not isinstance(value, str | int):
        refuse(f"{name}: expected text, in quotes where it looks like something else, or nothing")
    text = str(value)
    if "\0" in text:
        refuse(f"{name}: a variable holds no zero byte")
    if _SECRET & set(name.upper().split("_")) or name.upper().endswith(_SECRET_ENDS):
        refuse(
            f"the value of {name} would be recorded with every forecast: leave it out, and it is passed on "
            "from the surroundings in which forequake runs"
        )
    return text


def _check_dotted(text: str) -> str:
    parts = text.split(".")
    if not all(part.strip() == part and part for part in parts):
        refuse("expected the name of an argument, with dots where it lies deeper, such as simulation.seed")
    if parts[0] in _DATES:
        refuse(f"{parts[0]} is the window's")
    return text


#: Values by name; None passes on what the surroundings have.
VariablesOfProgram = Annotated[
    dict[str, str | None],
    BeforeValidator(_read_variables),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "array", "items": {"type": "string"}},
                {"type": "object", "additionalProperties": {"type": ["string", "integer", "null"]}},
            ]
        }
    ),
]
#: Dotted name of an argument.
SeedArgument = Annotated[str, AfterValidator(_check_dotted)]


def check_seed_argument(
    name: str | None, arguments: Mapping[str, JsonValue] | None, place: Place, problems: Problems
) -> None:
    """Refuse an argument for the seed that has a value already: one of the two would be lost.

    Parameters
    ----------
    name
        Of the argument; None where there is none.
    arguments
        As the file gives them.
    place
        Of the key that names it.
    """
    value: object = arguments or {}
    for depth, part in enumerate([] if name is None else name.split(".")):
        if not isinstance(value, Mapping):
            above = ".".join(str(name).split(".")[:depth])
            problems.add(place, f"func_kwargs has a value at {above}, so that nothing can lie below it")
            return
        value = value.get(part)
        if value is None or value == "":
            return
    if name is not None:
        problems.add(
            place,
            "func_kwargs gives this argument a value: leave that out, and each window has its own seed; "
            "or leave out seed_argument, and all windows get that value",
        )


def check_window_dates(arguments: Mapping[str, JsonValue] | None, place: Place, problems: Problems) -> None:
    """Refuse arguments of a program that each of its runs would refuse: the dates are the window's.

    Parameters
    ----------
    arguments
        As the file gives them.
    place
        Of func_kwargs.
    """
    for date in _DATES:
        if date in (arguments or {}):
            problems.add(place.at(date), "this is the window's, and is written into args_file for each")


def notes_on_seeds(models: tuple[ModelSpec, ...]) -> Iterator[str]:
    """Name the models that get one seed in all windows."""
    for model in models:
        program = model.program if isinstance(model, FolderModel) else None
        if not isinstance(program, ProgramSpec) or program.seed_argument:
            continue
        fixed = [
            name
            for name, value in program.arguments.items()
            if name.casefold() in _SEEDS and value not in (None, "")
        ]
        if fixed:
            yield (
                f"model {model.name!r}: func_kwargs sets {fixed[0]}, so that all windows have the same "
                f"random numbers; seed_argument: {fixed[0]} instead gives each window its own"
            )
