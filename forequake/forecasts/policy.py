"""What is done with a forecast whose file has something wrong with it."""

from typing import Literal

__all__ = ["QualityPolicy"]

#: ``refuse``: what changes a result is an error. ``record``: it is taken, by a fixed rule, and recorded.
QualityPolicy = Literal["refuse", "record"]
