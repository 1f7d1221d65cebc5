"""The keys of a test."""

from difflib import get_close_matches
from typing import Annotated, ClassVar

from pydantic import Field, PlainValidator, WithJsonSchema

from forequake.config._refusals import refuse
from forequake.config._section import Section, Unused, key, shown_as
from forequake.config.specs import DEFAULT_SIMULATIONS, Alpha, Seed
from forequake.errors import InputError, suggestion
from forequake.evaluations.registry import TESTS, TestDefinition, find_test

__all__ = ["ArgumentSection", "TestSection"]


def _read_function(value: object) -> TestDefinition:
    if not isinstance(value, str):
        refuse("expected the name of a test, such as poisson_evaluations.number_test")
    try:
        return find_test(value)
    except InputError:
        names = [definition.floatcsep or definition.short for definition in TESTS.values()]
        functions = {name.rpartition(".")[2]: name for name in reversed(names)}
        # A test that this version lacks is no misspelt one, however much the names look alike.
        if "." in value:
            near = next(iter(get_close_matches(value, names, n=1, cutoff=0.9)), None)
        else:
            near = functions.get(suggestion(value, functions) or "")
        refuse(f"there is no such test; this version knows {', '.join(names)}", near)


_Function = Annotated[
    TestDefinition,
    PlainValidator(_read_function),
    WithJsonSchema(
        {
            "enum": [
                name
                for definition in TESTS.values()
                for name in (definition.floatcsep, definition.short, definition.name)
                if name is not None
            ]
        }
    ),
]
# More would not fit into memory; a quantile to six digits needs no more.
_Simulations = Annotated[int, Field(gt=0, le=1_000_000)]
_Variance = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_Arguments = Annotated[dict[str, object], shown_as("ArgumentSection")]


class TestSection(Section):
    """What follows a test's name."""

    __test__: ClassVar[bool] = False  # pytest: not a class of tests

    func: _Function | None = key("The test, by floatCSEP's function, its letters, or forequake's name.")
    func_kwargs: _Arguments | None = key("Arguments of the test.")
    func_args: _Arguments | None = key("Old name of func_kwargs.")
    ref_model: str | None = key("Name of the model with which a comparison compares.")

    plot_func: Unused = key("Picture of floatCSEP; the dashboard draws its own.")
    plot_args: Unused = key("Of floatCSEP's picture.")
    plot_kwargs: Unused = key("Of floatCSEP's picture.")
    markdown: Unused = key("Caption in floatCSEP's report.")


class ArgumentSection(Section):
    """func_kwargs of a test."""

    seed: Seed | None = key("Seed of this test, word for word; else one is derived from the experiment's.")
    num_simulations: _Simulations | None = key("Synthetic catalogs that are drawn.", DEFAULT_SIMULATIONS)
    alpha: Alpha | None = key("Level of significance of the T-test; else the experiment's.")
    variance: _Variance | None = key(
        "Variance of the number of events in a window, which the negative binomial N-test needs."
    )

    of: str | None = key(
        "Name of the test whose results this one takes; not given: the only one of the experiment that fits."
    )

    verbose: Unused = key("Has pyCSEP print its progress.")
