"""Whether two records of one key say the same."""

import math
from typing import Final

from pydantic import BaseModel

from forequake.results import Record

__all__ = ["TOLERANCE", "differs"]

#: Two floats are the same value within this, relative to the larger one, and absolute below 1. It covers what
#: another processor or another order of a sum does to the last digits, and nothing that a reader would see.
TOLERANCE: Final = 1e-9


def differs(stored: Record, offered: Record) -> bool:
    """Tell whether a second record of one key is another value than the first.

    Compared are all fields but the record's `circumstances` and the version of its shape: floats within
    `TOLERANCE` (an infinity only with itself), everything else exactly. A result with another outcome is
    therefore always another value.
    """
    return type(stored) is not type(offered) or _models_differ(
        stored, offered, type(stored).circumstances | {"schema_version"}
    )


def _models_differ(one: BaseModel, other: BaseModel, ignored: frozenset[str] = frozenset()) -> bool:
    if type(one) is not type(other):
        return True
    names = type(one).model_fields.keys() - ignored
    mine, theirs = one.__dict__, other.__dict__
    return any(_values_differ(mine[name], theirs[name]) for name in names)


def _values_differ(one: object, other: object) -> bool:
    match one, other:
        case (bool(), _) | (_, bool()):
            return one is not other
        case (float() as mine, float() | int() as theirs) | (int() as mine, float() as theirs):
            return not math.isclose(mine, theirs, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
        case BaseModel(), BaseModel():
            return _models_differ(one, other)
        case ((list() | tuple()), (list() | tuple())):
            return len(one) != len(other) or any(map(_values_differ, one, other))
        case dict(), dict():
            return one.keys() != other.keys() or any(_values_differ(one[name], other[name]) for name in one)
    return one != other
