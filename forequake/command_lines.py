"""Commands of models as their users write them: words for a program, or a line for a shell."""

import re
import shlex
from typing import Final

from forequake.errors import InputError

__all__ = ["command_words", "needs_shell"]

#: The shell of commands that need one, as floatCSEP has it on Unix.
_SHELL: Final = "/bin/sh"
#: What stands for something else in a line for a shell; a tilde and a sharp do at the start of a word only.
_SPECIAL: Final = frozenset("|&;<>()$`*?[]!\n")
_AT_START: Final = frozenset("~#")
#: Words that no program has the name of.
_OF_SHELLS: Final = frozenset(
    {".", ":", "case", "cd", "eval", "exec", "export", "for", "if", "set", "source", "ulimit", "umask"}
    | {"unset", "until", "while", "{"}
)
_ASSIGNMENT: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")


def command_words(command: str) -> tuple[str, ...]:
    """Split a command into a program and its arguments.

    floatCSEP gives every command to a shell. Where that would only split it, this does; any other is given to
    ``/bin/sh -c`` as it stands.

    Examples
    --------
    >>> command_words("python run.py 'two words'")
    ('python', 'run.py', 'two words')
    >>> command_words("python fit.py && python run.py > log")
    ('/bin/sh', '-c', 'python fit.py && python run.py > log')

    Raises
    ------
    InputError
        Where a quotation does not end, or there is no word.
    """
    try:
        words = tuple(shlex.split(command))
    except ValueError as error:
        message = f"the command {command!r} cannot be split into words: {error}"
        raise InputError(message) from error
    if "\0" in command:
        message = f"the command {command!r} has a character that no command has"
        raise InputError(message)
    if not words:
        message = "the command is empty"
        raise InputError(message)
    return (_SHELL, "-c", command) if needs_shell(command) else words


def needs_shell(command: str) -> bool:
    """Tell whether a shell would do more with a command than split it into words."""
    quote, at_start, escaped = "", True, False
    for letter in command:
        if escaped:
            escaped = at_start = False
        elif letter == "\\" and quote != "'":
            escaped = True
        elif quote:
            if letter == quote:
                quote = ""
            elif quote == '"' and letter in "$`":
                return True
        elif letter in "'\"":
            quote, at_start = letter, False
        elif letter in _SPECIAL or (at_start and letter in _AT_START):
            return True
        else:
            at_start = letter in " \t"
    first = shlex.split(command)[:1]
    return bool(first) and (first[0] in _OF_SHELLS or _ASSIGNMENT.match(first[0]) is not None)
