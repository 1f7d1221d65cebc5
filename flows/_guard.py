"""A flow that refuses secrets before Prefect hears of them.

Prefect creates a run, with its parameters in clear, before it validates them; a refusal that comes after that
leaves the password in Prefect's database and log. So the call is checked first. A deployment's parameters are
checked by the server against the schema, whose pattern says the same.
"""

import re
from typing import Any, Final, ParamSpec, TypeVar

from prefect import Flow
from prefect.utilities.callables import get_call_parameters

from forequake.errors import InputError

__all__ = ["WITHOUT_USER", "GuardedFlow"]

P = ParamSpec("P")
R = TypeVar("R")

#: Addresses hold a password only in front of an at-sign; the path of a file may hold one, too.
WITHOUT_USER: Final = r"^([^@]*|sqlite:///.*)$"


class GuardedFlow(Flow[P, R]):
    """A flow whose text parameters may not hold an address with a user or a password."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the flow, if no parameter holds a secret.

        Raises
        ------
        InputError
            Which names the parameter, and never its value.
        """
        options = {name: kwargs.pop(name) for name in ("return_state", "wait_for") if name in kwargs}
        for name, value in get_call_parameters(self.fn, args, kwargs).items():
            if isinstance(value, str) and "://" in value and not re.match(WITHOUT_USER, value):
                message = (
                    f"{name}: an address with a user or a password is not taken as a parameter, since "
                    "Prefect keeps parameters in clear; set FOREQUAKE_STORE_NAME and give NAME"
                )
                raise InputError(message)
        return super().__call__(*args, **options, **kwargs)
