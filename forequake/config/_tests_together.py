"""What the tests of an experiment need of each other, of its models and of its windows."""

from collections.abc import Mapping, Sequence
from typing import Final

from forequake.config._places import Place, Problems
from forequake.config.specs import TestSpec
from forequake.errors import suggestion
from forequake.evaluations.registry import TESTS
from forequake.windows import TimeWindow, overlap

__all__ = ["join_tests"]

_CUMULATIVE: Final = (
    "lays the windows together as one forecast, but these share time: each event would count twice"
)


def join_tests(
    tests: Sequence[TestSpec],
    places: Mapping[str, Place],
    models: Sequence[str],
    windows: Sequence[TimeWindow],
    problems: Problems,
) -> tuple[TestSpec, ...]:
    """Join the tests that take another one's results with that one, and note what does not fit.

    Parameters
    ----------
    tests
        Those that could be read.
    places
        Of all tests, by their names.
    models
        Their names.
    windows
        Empty where they could not be read.
    """
    joined: list[TestSpec] = []
    for test in tests:
        definition, place = TESTS[test.test], places[test.name]
        if definition.against_all and len(models) < 2:
            message = f"the {definition.short}-test compares models with each other; the experiment has one"
            problems.add(place.at("func"), message)
        if definition.scope == "windows" and definition.takes == "forecasts" and overlap(windows):
            problems.add(place.at("func"), f"the {definition.short}-test {_CUMULATIVE}")
        joined.append(_joined(test, place, tests, places, problems) if definition.of else test)
    return tuple(joined)


def _joined(
    test: TestSpec,
    place: Place,
    tests: Sequence[TestSpec],
    places: Mapping[str, Place],
    problems: Problems,
) -> TestSpec:
    definition = TESTS[test.test]
    fit = {other.name: other for other in tests if other.test in definition.of}
    key = place.at("func_args" if "func_args" in place.entries else "func_kwargs", "of")
    if test.of is not None and test.of in fit:
        taken = fit[test.of]
    elif test.of is None and len(fit) == 1:
        (taken,) = fit.values()
    else:
        problems.add(key, _misfit(test, fit, places), test.of and suggestion(test.of, fit))
        return test
    reference = taken.reference if definition.needs_reference else None
    return test.model_copy(update={"of": taken.name, "reference": reference})


def _misfit(test: TestSpec, fit: Mapping[str, TestSpec], places: Mapping[str, Place]) -> str:
    definition = TESTS[test.test]
    letters = ", ".join(TESTS[name].short for name in definition.of)
    needs = f"the {definition.short}-test takes the results of another test of the experiment ({letters})"
    if not fit:
        return f"{needs}, and there is none"
    if test.of is None:
        return f"{needs}; say which: {', '.join(fit)}"
    what = "that is another test" if test.of in places else "there is no such test"
    return f"{what}; {needs}: {', '.join(fit)}"
