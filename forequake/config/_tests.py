"""The tests of an experiment."""

from collections.abc import Iterable
from typing import Final

from forequake.config._files import Folder
from forequake.config._own_tests import WrittenFunction, read_own_function
from forequake.config._places import Place, Problems
from forequake.config._section import read_section
from forequake.config._test_shape import ArgumentSection, TestSection
from forequake.config.model_specs import ModelSpec, forecast_type_of
from forequake.config.specs import DEFAULT_SIMULATIONS, TestSpec
from forequake.errors import InputError, suggestion, variants_among
from forequake.evaluations.registry import TestDefinition, find_test

__all__ = ["check_forecasts", "read_test_entry"]

#: The tests whose function in pyCSEP has an argument alpha.
_TAKE_ALPHA: Final = ("poisson_paired_t", "binary_paired_t")
#: So many models are named in a message.
_MOST_NAMED: Final = 8
#: Keys of func_kwargs that no other test has.
_OF_OWN_TESTS: Final = ("kind", "arguments", "files", "timeout_s", "memory_mb")


def read_test_entry(
    name: str, place: Place, models: list[str] | None, folder: Folder, problems: Problems
) -> tuple[TestSpec | None, TestSection, ArgumentSection]:
    """Read what follows a test's name; the test is None where it has mistakes.

    Parameters
    ----------
    models
        Names of the experiment's models, None where they could not be read.
    folder
        Where a user's own tests lie.
    """
    if place.value is not None and not isinstance(place.value, dict):
        problems.add(place, "expected a mapping of the test's keys, such as func")
        return None, TestSection(), ArgumentSection()
    before = len(problems)
    section = read_section(
        TestSection, place, place.entries, problems, required=_required(place.at("func").value)
    )
    if {"func_kwargs", "func_args"} <= place.entries.keys():
        problems.add(place.at("func_args"), "this is an old name of func_kwargs, which is given too")
    arguments_place = place.at("func_args" if "func_args" in place.entries else "func_kwargs")
    arguments = read_section(ArgumentSection, arguments_place, arguments_place.entries, problems, required={})
    definition = section.func
    if isinstance(definition, WrittenFunction):
        return _own_test(name, place, definition, arguments, models, folder, problems), section, arguments
    if definition is not None:
        _check_reference(definition, place, models, problems)
        _check_arguments(definition, arguments_place, problems)
    if definition is None or len(problems) > before:
        return None, section, arguments
    simulations = DEFAULT_SIMULATIONS if arguments.num_simulations is None else arguments.num_simulations
    spec = TestSpec(
        name=name,
        test=definition.name,
        num_simulations=simulations if definition.simulated else None,
        seed=arguments.seed,
        alpha=arguments.alpha,
        reference=section.ref_model,
        variance=arguments.variance,
        compat=arguments.compat,
        of=arguments.of,
    )
    return spec, section, arguments


def _own_test(
    name: str,
    place: Place,
    written: WrittenFunction,
    arguments: ArgumentSection,
    models: list[str] | None,
    folder: Folder,
    problems: Problems,
) -> TestSpec | None:
    before = len(problems)
    reference = place.at("ref_model").value
    _check_model(place.at("ref_model"), models, problems)
    for key in ("num_simulations", "variance", "of", "compat"):
        if key in arguments.given:
            where = place.at("func_args" if "func_args" in place.entries else "func_kwargs", key)
            problems.add(
                where,
                f"a function of your own takes it as one of its arguments: {{arguments: {{{key}: ...}}}}",
            )
    own = read_own_function(written, place, folder, problems)
    if own is None or len(problems) > before:
        return None
    limits = {key: value for key, value in arguments.given.items() if key in ("timeout_s", "memory_mb")}
    kind = arguments.kind or ("consistency" if reference is None else "comparison")
    return TestSpec(
        name=name,
        test=f"own_{kind}",
        seed=arguments.seed,
        alpha=arguments.alpha,
        reference=reference if isinstance(reference, str) else None,
        own=own.model_copy(update={"arguments": arguments.arguments or {}, **limits}),
    )


def check_forecasts(
    definition: TestDefinition, place: Place, models: Iterable[ModelSpec], problems: Problems
) -> None:
    """Note the models whose kind of forecast a test cannot take: every test is for every model.

    This is the one place where tests and kinds of forecasts meet before anything runs.
    """
    if definition.forecast == "any":
        return
    unfit = [model.name for model in models if forecast_type_of(model) != definition.forecast]
    if unfit:
        wanted, given = ("gridded forecasts", "catalog-based")
        if definition.forecast == "catalog":
            wanted, given = ("catalog-based forecasts", "gridded")
        more = f", ... ({len(unfit)} models)" if len(unfit) > _MOST_NAMED else ""
        named = ", ".join(unfit[:_MOST_NAMED]) + more
        message = (
            f"the {definition.short}-test takes {wanted}, but those of {named} are {given}; a "
            f"model whose forecasts are not needs forecast_type: {definition.forecast}"
        )
        problems.add(place.at("func"), message)


def _required(function: object) -> dict[str, str]:
    required = {"func": "the test's function, such as poisson_evaluations.number_test"}
    try:
        definition = find_test(function) if isinstance(function, str) else None
    except InputError:  # noted where the function is read
        return required
    if definition is not None and definition.names_reference:
        required["ref_model"] = f"the {definition.short}-test compares models with a reference model"
    return required


def _check_reference(
    definition: TestDefinition, place: Place, models: list[str] | None, problems: Problems
) -> None:
    reference = place.at("ref_model")
    name = reference.value
    if not definition.names_reference:
        if name is not None:
            looks = "looks at one model"
            if definition.needs_reference:
                looks = (
                    "compares all models with each other" if definition.against_all else "has that of its IG"
                )
            message = f"the {definition.short}-test {looks} and takes no reference; leave this key out"
            problems.add(reference, message)
        return
    _check_model(reference, models, problems)


def _check_model(reference: Place, models: list[str] | None, problems: Problems) -> None:
    name = reference.value
    if isinstance(name, str) and models is not None and name not in models:
        message = f"there is no such model; the experiment has {', '.join(models) or 'none'}"
        if variants := variants_among(name, models):
            problems.add(
                reference, f"a test compares with one model; the variants of this one are {variants}"
            )
            return
        problems.add(reference, message, suggestion(name, models))


def _check_arguments(definition: TestDefinition, place: Place, problems: Problems) -> None:
    entries = place.entries
    if definition.needs_variance and place.at("variance").value is None:
        message = (
            f"the {definition.short}-test needs the variance of the number of events in a window: "
            "func_kwargs: {variance: 12.5}"
        )
        problems.add(place.at("variance"), message)
    elif "variance" in entries and not definition.needs_variance:
        problems.add(
            entries["variance"], f"the {definition.short}-test takes no variance; leave this key out"
        )
    if "of" in entries and not definition.of:
        message = f"the {definition.short}-test takes no other test's results; leave this key out"
        problems.add(entries["of"], message)
    for key in _OF_OWN_TESTS:
        if key in entries:
            problems.add(entries[key], "only a test of your own takes it (func: my_tests.py:my_test)")
    _check_compat(definition, place, problems)
    for key, taken in (("seed", definition.seeded), ("num_simulations", definition.simulated)):
        if key in entries and not taken:
            what = "draws no catalogs" if definition.seeded else "draws no random numbers"
            problems.add(entries[key], f"the {definition.short}-test {what}; leave this key out")
    if "alpha" in entries and definition.name not in _TAKE_ALPHA:
        message = (
            "only the T-test and a test of your own take it; the experiment's own key alpha is for all tests"
        )
        problems.add(entries["alpha"], message)


def _check_compat(definition: TestDefinition, place: Place, problems: Problems) -> None:
    if place.at("compat").value is None:
        return
    if not definition.has_pycsep_numbers:
        message = f"the {definition.short}-test is none of pyCSEP's; leave this key out"
        problems.add(place.at("compat"), message)
    elif definition.resampled and place.at("seed").value == 0:
        message = (
            f"pyCSEP's {definition.short}-test takes a seed of 0 for none, so that its numbers cannot be had "
            "again; give another seed, or leave compat out"
        )
        problems.add(place.at("seed"), message)
