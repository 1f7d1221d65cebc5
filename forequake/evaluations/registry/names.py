"""All tests by their names."""

from typing import Final

from forequake.errors import InputError, suggestion
from forequake.evaluations.registry.catalog_based import CATALOG_TESTS
from forequake.evaluations.registry.definition import TestDefinition
from forequake.evaluations.registry.gridded import GRIDDED_TESTS
from forequake.evaluations.registry.over_windows import TESTS_OVER_WINDOWS
from forequake.evaluations.registry.own import OWN_TESTS
from forequake.evaluations.registry.scores import SCORES

__all__ = ["TESTS", "find_test"]

_DEFINITIONS: Final = (*GRIDDED_TESTS, *CATALOG_TESTS, *SCORES, *TESTS_OVER_WINDOWS, *OWN_TESTS)

#: All tests by forequake's name.
TESTS: Final[dict[str, TestDefinition]] = {definition.name: definition for definition in _DEFINITIONS}
_BY_ANY_NAME: Final[dict[str, TestDefinition]] = {
    name: definition
    for definition in _DEFINITIONS
    for name in (definition.name, definition.short, definition.floatcsep)
    if name is not None
}


def find_test(name: str) -> TestDefinition:
    """Find a test by forequake's name, by its letters, or by floatCSEP's function, also in full.

    Raises
    ------
    InputError
        Where no test has the name; the message gives the nearest one.

    floatCSEP's function may stand behind ``csep.``, ``core.`` or ``utils.``, as it is called in pyCSEP, and a
    diagram's without ``plots.``, as floatCSEP takes it.

    Examples
    --------
    >>> find_test("poisson_evaluations.number_test").name
    'poisson_number'
    >>> find_test("CL").name
    'poisson_conditional_likelihood'
    >>> find_test("csep.core.poisson_evaluations.number_test").name
    'poisson_number'
    >>> find_test("csep.utils.stats.get_Kagan_I1_score").name, find_test("plot_ROC_diagram").name
    ('kagan_i1', 'roc')
    """
    plain = name.removeprefix("csep.").removeprefix("core.").removeprefix("utils.")
    if name.startswith("floatcsep."):
        plain = name.rpartition(".")[2]
    found = _BY_ANY_NAME.get(name) or _BY_ANY_NAME.get(plain) or _BY_ANY_NAME.get(f"plots.{plain}")
    if found is not None:
        return found
    near = suggestion(name, _BY_ANY_NAME)
    hint = f"; did you mean {near!r}?" if near else ""
    message = f"there is no test {name!r}{hint} Known tests: {', '.join(_BY_ANY_NAME)}"
    raise InputError(message)
