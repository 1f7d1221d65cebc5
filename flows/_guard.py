"""A flow that refuses secrets before Prefect hears of them.

Prefect creates a run, with its parameters in clear, before it validates them; a refusal that comes after that
leaves the password in Prefect's database and log. So the call is checked first. A deployment's parameters are
checked by the server against the schema, whose pattern says the same.
"""

import logging
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, ParamSpec, TypeVar

from prefect import Flow
from prefect.exceptions import ParameterTypeError
from prefect.utilities.callables import get_call_parameters

from forequake.errors import InputError
from stores import shown_url

__all__ = ["WITHOUT_USER", "GuardedFlow"]

P = ParamSpec("P")
R = TypeVar("R")

#: A store's name, or its address without user and password; of MongoDB's options those that are named often
#: and hold no secret. It must mean the same to Python, to Rust (pydantic) and to a browser, so it looks
#: neither ahead nor behind.
WITHOUT_USER: Final = (
    r"^([A-Za-z][A-Za-z0-9_]*"
    r"|sqlite:///[^?]+([?&][a-z_]+=[0-9.]+)*"
    r"|mongodb(\+srv)?://[^@?\s]+([?&]"
    r"(appName|authSource|directConnection|replicaSet|serverSelectionTimeoutMS|tls|tlsCAFile|tlsCertificateKeyFile)"
    r"=[^@&\s]*)*)$"
)
#: In any other text an at-sign behind ``://`` may end a password; the path of a file may hold one, too.
_HARMLESS: Final = r"^([^@]*|sqlite:///.*)$"


class GuardedFlow(Flow[P, R]):
    """A flow that refuses wrong parameters, and those that hold a user or a password, when it is called."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the flow, if its parameters are what they should be; see `check`."""
        options = {name: kwargs.pop(name) for name in ("return_state", "wait_for") if name in kwargs}
        self.check(get_call_parameters(self.fn, args, kwargs))
        return super().__call__(*args, **options, **kwargs)

    def check(self, parameters: dict[str, Any]) -> None:
        """Refuse parameters that are wrong or hold a secret.

        Raises
        ------
        InputError
            Which names the parameter, and does not repeat a secret.
        """
        for name in _suspects(parameters):
            message = (
                f"{name}: an address with a user or a password, or with options that may hold one, is not "
                "taken as a parameter, since Prefect keeps parameters in clear; put it into "
                "FOREQUAKE_STORE_NAME and give NAME"
            )
            raise InputError(message)
        log = logging.getLogger("prefect.flows")  # would print all parameters and a page of pydantic's
        before, log.disabled = log.disabled, True
        try:
            self.validate_parameters(parameters)
        except ParameterTypeError as error:
            message = f"a parameter cannot be used: {error}"
            raise InputError(message) from error
        finally:
            log.disabled = before


def _suspects(parameters: Mapping[str, Any]) -> Iterable[str]:
    """Give the names of the parameters that hold an address with a user or a password."""
    for name, value in parameters.items():
        texts = value if isinstance(value, list | tuple) else [value]
        for text in texts:
            if not isinstance(text, str) or "://" not in text:
                continue
            harmless = re.match(WITHOUT_USER if name == "store" else _HARMLESS, text)
            if not harmless or shown_url(text) != text:
                yield name
