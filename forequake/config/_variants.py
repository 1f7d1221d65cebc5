"""Variants of a model: one entry that stands for several, which differ in their arguments."""

import itertools
import math
from collections import ChainMap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from pydantic_core import PydanticCustomError

from forequake.config._names import as_name, fault_of_name
from forequake.config._places import Place, Problems
from forequake.config._references import REFERENCE_KEYS
from forequake.config._refusals import refuse
from forequake.config._variant_names import fault_of_template, filled_template, suffix_of
from forequake.config._yaml import KeyPath
from forequake.errors import suggestion

__all__ = ["DEFAULT_MOST", "expand_variants"]

#: So many variants an entry may have, where it does not say `most`.
DEFAULT_MOST: Final = 64
#: And so many where it does.
_MOST: Final = 10_000
_FORMS: Final = ("product", "zip")
#: Keys of `variants` that are no names of variants.
_OPTIONS: Final = (*_FORMS, "names", "most")
#: What may vary in a reference, which has no arguments: its own keys, but not what it is.
_OF_REFERENCES: Final = tuple(key for key in REFERENCE_KEYS if key != "reference")
_FORM: Final = (
    "expected names with their arguments, {low: {b: 0.9}, high: {b: 1.1}}, or all combinations of lists, "
    "{product: {b: [0.9, 1.1]}}, or zip for lists side by side"
)
_HINT: Final = "; give them names of their own, {NAME: {ARGUMENT: VALUE}}, or a pattern, names: 'b{b}'"


@dataclass(frozen=True)
class _Variant:
    """One of them: what stands behind the model's name, and each argument by its dotted name.

    Attributes
    ----------
    hint
        What helps where the name is none.
    """

    suffix: str
    place: Place
    arguments: Mapping[str, Place]
    hint: str = ""


def expand_variants(name: str, place: Place, problems: Problems) -> dict[str, Place] | None:
    """Write out an entry with variants: by name an entry for each of them, without the key `variants`.

    An entry that has none stands for itself.

    Returns
    -------
    dict or None
        None where the variants have mistakes, which are noted.
    """
    entries, home = place.entries, place.at("variants")
    if home.value is None:
        return {name: place}
    before = len(problems)
    reference = entries["kind"].value == "reference" if "kind" in entries else "reference" in entries
    if entries.get("flavours", place.at("flavours")).value is not None:
        problems.add(home, "flavours are given too; an entry has one of the two")
    elif not reference and place.at("func").value is None:
        problems.add(home, "variants differ in the arguments of a program: they need func (or reference)")
    variants = _read(home, problems) if isinstance(home.value, Mapping) and home.value else None
    if variants is None:
        if len(problems) == before:
            problems.add(home, _FORM)
        return None
    found: dict[str, Place] = {}
    for variant in variants:
        full = as_name(f"{name}@{variant.suffix}")
        fault = fault_of_name(full)
        if fault is not None:
            problems.add(variant.place, f"{fault} (the name is {full!r}{variant.hint})")
        elif full.casefold() in {known.casefold() for known in found}:
            problems.add(variant.place, f"two variants have the name {full!r}{variant.hint}")
        write = _reference if reference else _program
        found[full] = write(place, variant, problems)
    return found if len(problems) == before else None


def _read(home: Place, problems: Problems) -> list[_Variant] | None:
    """Read the variants of an entry; None where nothing can be said of any."""
    entries = home.entries
    most, template = home.at("most").value, home.at("names").value
    if most is None:
        most = DEFAULT_MOST
    elif isinstance(most, bool) or not isinstance(most, int) or most < 1:
        problems.add(home.at("most"), "expected a whole number of 1 or more: so many variants there may be")
        return None
    elif most > _MOST:
        problems.add(home.at("most"), f"an entry has {_MOST:,} variants or fewer")
        return None
    forms = [form for form in _FORMS if form in entries]
    names = [key for key in entries if key not in _OPTIONS]
    if len(forms) > 1 or (forms and names):
        others = ", ".join([*forms[1:], *names])
        message = f"{forms[0]} stands alone, with names and most beside it; leave {others} out"
        problems.add(home, message, suggestion(names[0], _OPTIONS) if names else None)
        return None
    if not forms:
        return _named(home, names, most, problems)
    lists = _lists(home.at(forms[0]), problems)
    if lists is None or not _fits(home.at(forms[0]), lists, forms[0], most, problems):
        return None
    if template is not None:
        fault = fault_of_template(template, list(lists))
        if fault is not None:
            problems.add(home.at("names"), *fault)
            return None
    rows = itertools.product(*lists.values()) if forms[0] == "product" else zip(*lists.values(), strict=True)
    return list(_combined(lists, rows, template, problems))


def _named(home: Place, names: list[str], most: int, problems: Problems) -> list[_Variant] | None:
    before = len(problems)
    if home.at("names").value is not None:
        problems.add(home.at("names"), "a pattern of names is for product and zip")
    if len(names) > most:
        problems.add(home, f"there are {len(names)} variants; most allows {most}")
    variants = []
    for suffix in names:
        place = home.at(suffix)
        if place.value is not None and not isinstance(place.value, Mapping):
            near = suggestion(suffix, _OPTIONS)
            problems.add(place, f"not the arguments of a variant; {_FORM}", near)
        elif place.entries and all(isinstance(value.value, list) for value in place.entries.values()):
            near = suggestion(suffix, _FORMS)
            if near is not None:
                problems.add(place, f"this variant has lists alone for arguments; {_FORM}", near)
        variants.append(_Variant(suffix, place, place.entries))
    return variants if variants and len(problems) == before else None


def _lists(home: Place, problems: Problems) -> dict[str, list[Place]] | None:
    """Give the values of each argument; an argument whose value is a list has a list of lists."""
    before = len(problems)
    if not isinstance(home.value, Mapping) or not home.value:
        problems.add(home, "expected arguments with lists of their values, {b: [0.9, 1.1]}")
    lists = {}
    for argument, place in home.entries.items():
        value = place.value
        if not isinstance(value, list):
            problems.add(place, "expected a list of values; one value for all belongs into func_kwargs")
        elif not value:
            problems.add(place, "must not be empty")
        else:
            lists[argument] = [place.at(number) for number in range(len(value))]
    return lists if len(problems) == before else None


def _fits(home: Place, lists: Mapping[str, list[Place]], form: str, most: int, problems: Problems) -> bool:
    """Tell whether lists can be joined, and whether there are not too many, before anything is made."""
    lengths = {argument: len(values) for argument, values in lists.items()}
    if form == "zip" and len(set(lengths.values())) > 1:
        told = ", ".join(f"{argument} has {length}" for argument, length in lengths.items())
        problems.add(home, f"lists side by side have one length: {told}")
        return False
    number = math.prod(lengths.values()) if form == "product" else next(iter(lengths.values()))
    if number > most:
        told = " x ".join(str(length) for length in lengths.values()) if form == "product" else ""
        told = f" ({told})" if len(lengths) > 1 and told else ""
        message = f"there would be {number:,} variants{told}, and {most} are allowed; `most` allows more"
        problems.add(home, message)
        return False
    return True


def _combined(
    lists: Mapping[str, list[Place]], rows: Iterator[tuple[Place, ...]], template: object, problems: Problems
) -> Iterator[_Variant]:
    for row in rows:
        arguments = dict(zip(lists, row, strict=True))
        values = {argument: place.value for argument, place in arguments.items()}
        suffix = filled_template(template, values) if isinstance(template, str) else suffix_of(values)
        if suffix is None:
            unfit = next(name for name, value in values.items() if suffix_of({name: value}) is None)
            problems.add(arguments[unfit], f"this value does not do as a part of a name{_HINT}")
            continue
        yield _Variant(suffix, row[0], arguments, _HINT)


def _reference(place: Place, variant: _Variant, problems: Problems) -> Place:
    for argument, where in variant.arguments.items():
        if argument not in _OF_REFERENCES:
            message = f"a reference does not vary in this key, but in {', '.join(_OF_REFERENCES)}"
            problems.add(where, message, suggestion(argument, _OF_REFERENCES))
    values = {argument: where.value for argument, where in variant.arguments.items()}
    lines: dict[KeyPath, Place] = {(argument,): where for argument, where in variant.arguments.items()}
    return _written_out(place, values, lines)


def _program(place: Place, variant: _Variant, problems: Problems) -> Place:
    given = place.at("func_kwargs").value
    if given is not None and not isinstance(given, Mapping):  # noted where the key is read
        return _written_out(place, {}, {})
    merged: dict[str, object] = dict(given or {})
    for argument, where in variant.arguments.items():
        inside = [other for other in variant.arguments if other.startswith(f"{argument}.")]
        if inside:
            problems.add(where, f"{inside[0]} is a part of this argument, which varies too")
        path = [argument] if argument in merged else argument.split(".")
        if not all(path):
            problems.add(where, "the dotted name of an argument has a word on both sides of each dot")
            continue
        added: Any = where.value
        for word in reversed(path):
            added = {word: added}
        try:
            merged = _joined(merged, added)
        except PydanticCustomError as error:
            problems.add_refused(where, error)
    values: dict[str, object] = {"func_kwargs": merged}
    prefix = place.at("prefix").value
    if isinstance(prefix, str):  # without it the model's name stands for it, which has the suffix
        values["prefix"] = f"{prefix}@{variant.suffix}"
    return _written_out(place, values, {("func_kwargs",): variant.place})


def _joined(given: Mapping[str, object], added: Mapping[str, object], above: str = "") -> dict[str, object]:
    """Join mappings key by key, mappings in them too.

    Raises
    ------
    PydanticCustomError
        Where one has a mapping and the other a value.
    """
    joined = dict(given)
    for key, value in added.items():
        own = joined.get(key)
        if isinstance(own, Mapping) and isinstance(value, Mapping):
            joined[key] = _joined(own, value, f"{above}{key}.")
        elif own is not None and isinstance(own, Mapping) != isinstance(value, Mapping):
            kinds = ("a mapping", "a value") if isinstance(own, Mapping) else ("a value", "a mapping")
            refuse(f"the argument {above}{key} is {kinds[0]} in func_kwargs and {kinds[1]} here")
        else:
            joined[key] = value
    return joined


def _written_out(place: Place, values: Mapping[str, object], lines: Mapping[KeyPath, Place]) -> Place:
    """Give the entry with other values and without variants; keys that are new have the lines of others."""
    document = place.document
    kept = {key: where.value for key, where in place.entries.items() if key != "variants"}
    moved = {
        (*place.path, *path): line
        for path, where in lines.items()
        if (*place.path, *path) not in document.lines and (line := document.lines.get(where.path)) is not None
    }
    return Place(
        replace(
            document,
            data=_replaced(document.data, place.path, {**kept, **values}),
            lines=ChainMap(moved, dict(document.lines)) if moved else document.lines,
        ),
        place.path,
    )


def _replaced(data: object, path: KeyPath, value: object) -> object:
    """Give data with another value at a path; what is not on the path is shared."""
    if not path:
        return value
    first, *rest = path
    if isinstance(data, Mapping):
        return {**data, first: _replaced(data[first], tuple(rest), value)}
    assert isinstance(data, list)  # noqa: S101  # a path leads through mappings and lists
    assert isinstance(first, int)  # noqa: S101  # whose positions are numbers
    return [*data[:first], _replaced(data[first], tuple(rest), value), *data[first + 1 :]]
