"""The keys of a test."""

from difflib import get_close_matches
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field, JsonValue, PlainValidator, WithJsonSchema

from forequake.config._own_tests import WrittenFunction, written_function
from forequake.config._refusals import refuse
from forequake.config._section import Section, Unused, as_json, key, shown_as
from forequake.config.specs import DEFAULT_MEMORY_MB, DEFAULT_SIMULATIONS, DEFAULT_TIMEOUT_S, Alpha, Seed
from forequake.errors import InputError, suggestion
from forequake.evaluations.registry import TESTS, TestDefinition, find_test

__all__ = ["ArgumentSection", "TestSection"]


def _read_function(value: object) -> TestDefinition | WrittenFunction:
    if not isinstance(value, str):
        refuse("expected the name of a test, such as poisson_evaluations.number_test")
    own = written_function(value)
    if own is not None:
        return own
    try:
        definition = find_test(value)
        if definition.own:
            refuse("a test of your own is named by its file and function, such as my_tests.py:my_test")
        return definition
    except InputError:
        names = [
            definition.floatcsep or definition.short for definition in TESTS.values() if not definition.own
        ]
        functions = {name.rpartition(".")[2]: name for name in reversed(names)}
        # A test that this version lacks is no misspelt one, however much the names look alike.
        if "." in value:
            near = next(iter(get_close_matches(value, names, n=1, cutoff=0.9)), None)
        else:
            near = functions.get(suggestion(value, functions) or "")
        refuse(f"there is no such test; this version knows {', '.join(names)}", near)


_Function = Annotated[
    TestDefinition | WrittenFunction,
    PlainValidator(_read_function),
    WithJsonSchema(
        {
            "anyOf": [
                {
                    "enum": [
                        name
                        for definition in TESTS.values()
                        for name in (definition.floatcsep, definition.short, definition.name)
                        if name is not None and not definition.own
                    ]
                },
                {"type": "string", "pattern": r"\.py:[^\W\d]\w*$"},
            ]
        }
    ),
]
# More would not fit into memory; a quantile to six digits needs no more.
_Simulations = Annotated[int, Field(gt=0, le=1_000_000)]
_Variance = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_Arguments = Annotated[dict[str, object], shown_as("ArgumentSection")]
_OwnArguments = Annotated[dict[str, JsonValue], BeforeValidator(as_json), WithJsonSchema({"type": "object"})]
_Files = Annotated[list[str], Field(min_length=1)]
_Seconds = Annotated[float, Field(gt=0, le=7 * 86_400, allow_inf_nan=False)]
# NumPy alone needs half of the least.
_Megabytes = Annotated[int, Field(ge=512, le=1 << 22)]


class TestSection(Section):
    """What follows a test's name."""

    __test__: ClassVar[bool] = False  # pytest: not a class of tests

    func: _Function | None = key(
        "The test, by floatCSEP's function, its letters, or forequake's name; or a function of your own, "
        "my_tests.py:my_test."
    )
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
    alpha: Alpha | None = key(
        "Level of significance of the T-test, or of a test of your own; else the experiment's."
    )
    variance: _Variance | None = key(
        "Variance of the number of events in a window, which the negative binomial N-test needs."
    )

    of: str | None = key(
        "Name of the test whose results this one takes; not given: the only one of the experiment that fits."
    )

    kind: Literal["score"] | None = key(
        "Of a function of your own: it gives a score without a verdict. Not given: a comparison where "
        "ref_model is given, else a consistency test."
    )
    arguments: _OwnArguments | None = key("Of a function of your own: what it is called with, by name.")
    files: _Files | None = key(
        "Of a function of your own: files that it needs beside its own; a change of one computes its results "
        "again."
    )
    timeout_s: _Seconds | None = key(
        "Of a function of your own: how long a call may take, in seconds.", DEFAULT_TIMEOUT_S
    )
    memory_mb: _Megabytes | None = key(
        "Of a function of your own: memory that a call may take, in MB.", DEFAULT_MEMORY_MB
    )
    compat: Literal["pycsep"] | None = key(
        "pycsep: the numbers of pyCSEP 0.8, also where forequake's differ on purpose; for comparison only."
    )

    verbose: Unused = key("Has pyCSEP print its progress.")
