"""All models of an experiment: flavours and variants side by side, then selected and ordered."""

from collections.abc import Mapping

from forequake.config._entries import named_entries
from forequake.config._files import Folder
from forequake.config._models import read_model_entry
from forequake.config._places import Place, Problems
from forequake.config._variants import expand_variants
from forequake.config.model_specs import FileModel, ModelSpec

__all__ = ["read_models", "select_models"]


def read_models(
    home: Place, folder: Folder, problems: Problems
) -> tuple[dict[str, ModelSpec | None], bool, list[str]]:
    """Read a list of models.

    Returns
    -------
    dict
        The models by name, None where one has mistakes.
    bool
        Whether the names are complete; else a name that is missed may be one that could not be read.
    list of str
        Keys that nothing uses.
    """
    entries, complete = named_entries(home, "models", problems)
    models: dict[str, ModelSpec | None] = {}
    unused: list[str] = []
    for name, place in entries.items():
        variants = expand_variants(name, place, problems)
        if variants is None:
            complete = False
            continue
        found: dict[str, ModelSpec | None] = {}
        for variant, written_out in variants.items():
            own = Problems()  # those of the one before it are the same where they share a mistake
            read, ignored = read_model_entry(variant, written_out, folder, own)
            problems.extend(own)
            found |= read
            unused += ignored
        if written_out is not place and any(isinstance(model, FileModel) for model in found.values()):
            problems.add(place.at("variants"), "path is a file with a forecast, in which nothing varies")
        for flavour in models.keys() & found.keys():
            problems.add(place, f"the name {flavour!r} is given twice, once as a flavour or variant")
        models |= found
    return models, complete, unused


def select_models(
    models: Mapping[str, ModelSpec | None], order: list[int] | None, place: Place, problems: Problems
) -> list[str]:
    """Give the names of the models that take part, in their order; all where the order has mistakes.

    Parameters
    ----------
    order
        Numbers of models from 0 on, as floatCSEP counts them; None takes all.
    place
        Of the key with these numbers.
    """
    names = list(models)
    if order is None:
        return names
    chosen: list[str] = []
    before = len(problems)
    for position, number in enumerate(order):
        if not 0 <= number < len(names):
            message = f"there is no such model; they have the numbers 0 to {len(names) - 1}"
            problems.add(place.at(position), message)
        elif names[number] in chosen:
            problems.add(place.at(position), f"the model {names[number]!r} is taken twice")
        else:
            chosen.append(names[number])
    return chosen if len(problems) == before else names
