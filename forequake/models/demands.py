"""How new something must be that is fetched or built once and then kept."""

from dataclasses import dataclass
from datetime import datetime

__all__ = ["Demand"]


@dataclass(frozen=True)
class Demand:
    """That something be no older than a moment.

    Attributes
    ----------
    strict
        Somebody asked for it by name. Else what is there serves where a server does not answer.
    """

    since: datetime
    strict: bool
