"""The key `region`: a name, a file, pyCSEP's dictionary of cells, or a rule that makes cells."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import Annotated, Any, Final, Never, TypeVar

from pydantic import BaseModel, BeforeValidator, GetJsonSchemaHandler, ValidationError, ValidationInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, ErrorDetails, InitErrorDetails, PydanticCustomError

from forequake.config._files import Folder
from forequake.config._refusals import REFUSED, refuse, refuse_word
from forequake.datasets import DATASETS, PREFIX, is_dataset
from forequake.errors import RegionError, suggestion
from forequake.regions import REGION_NAMES, RegionSpec
from forequake.regions.files import CELL_KEYS, cells_of_mapping
from forequake.regions.grids import WORLD, check_box
from forequake.regions.specs import (
    AftershockRegion,
    BoxRegion,
    CatalogQuadtree,
    FileRegion,
    GlobalRegion,
    MaskedRegion,
    NamedRegion,
    QuadkeyRegion,
    ZoomRegion,
)
from forequake.regions.tiles import tiles_of_quadkeys

__all__ = ["RegionPlace"]

M = TypeVar("M", bound=BaseModel)
_Mapping = Mapping[object, object]

#: Modules before a region's name, which floatCSEP takes too.
_MODULES: Final = ("regions.", "core.regions.", "csep.core.regions.")
#: Functions of pyCSEP that need more than a name, and how they are asked for here.
_FUNCTIONS: Final = {
    "generate_aftershock_region": "{aftershock: {magnitude: 7.1, longitude: -117.6, latitude: 35.8}}",
    "masked_region": "{polygon: {corners: [[lon, lat], ...], within: california_relm_region}}",
}


def _read_region(value: object, info: ValidationInfo) -> RegionSpec:
    if not isinstance(info.context, Folder):
        message = "paths are read in a folder only"
        raise TypeError(message)
    return _region(value, info.context)


def _region(value: object, folder: Folder) -> RegionSpec:
    if isinstance(value, str):
        return _by_word(value, folder)
    if not isinstance(value, Mapping):
        refuse(f"expected a region's name, a file with its cells, or a mapping such as {_EXAMPLES['global']}")
    return _by_mapping(value, folder)


def _by_word(text: str, folder: Folder) -> NamedRegion | FileRegion:
    name = next((text.removeprefix(module) for module in _MODULES if text.startswith(module)), text)
    if name in REGION_NAMES:
        return NamedRegion(name=name)
    if name in _FUNCTIONS:
        refuse(f"this function needs more than its name; write {_FUNCTIONS[name]}")
    if is_dataset(text):
        refuse(f"no data set of pycsep is a list of cells; known regions: {', '.join(REGION_NAMES)}")
    if not folder.holds_file(text) and PurePosixPath(text).name == text and "." not in text:
        refuse_word("region, nor a file of this name", text, REGION_NAMES)
    return FileRegion(path=folder.existing_file(text, "a file with the cells of a region"))


def _by_mapping(mapping: _Mapping, folder: Folder) -> RegionSpec:
    rules = [str(key) for key in mapping if key in _RULES]
    if mapping.keys() & ({"dh", "polygons", "origins", "class_id"} if rules else set(CELL_KEYS)):
        with _refusing():
            return cells_of_mapping(mapping)
    if len(rules) != 1 or len(mapping) != 1:
        _refuse_mapping(mapping, rules)
    with _below(rules[0]):
        inner = mapping[rules[0]]
        if not isinstance(inner, Mapping):
            refuse(f"expected a mapping, such as {_EXAMPLES[rules[0]]}")
        return _RULES[rules[0]](inner, folder)


def _refuse_mapping(mapping: _Mapping, rules: list[str]) -> Never:
    known = ", ".join(_RULES)
    if len(rules) > 1:
        refuse(f"expected one of {known}, but {' and '.join(rules)} are given")
    unknown = [str(key) for key in mapping if key not in _RULES]
    near = next((near for key in unknown if (near := suggestion(key, [*_RULES, *CELL_KEYS]))), None)
    if rules:
        refuse(f"unknown key beside {rules[0]}: {', '.join(unknown)}; what belongs to it stands below it")
    given = f", not {', '.join(unknown)}" if unknown else ""
    refuse(f"expected one of {known}, or dh and polygons of pyCSEP's dictionary of cells{given}", near)


def _global(mapping: _Mapping, folder: Folder) -> GlobalRegion:
    spec = _validated(GlobalRegion, mapping)
    with _below("cell_size"), _refusing():
        check_box(WORLD, spec.cell_size)
    return spec


def _box(mapping: _Mapping, folder: Folder) -> BoxRegion:
    spec = _validated(BoxRegion, mapping)
    with _refusing():
        check_box((spec.west, spec.east, spec.south, spec.north), spec.cell_size)
    return spec


def _quadtree(mapping: _Mapping, folder: Folder) -> RegionSpec:
    allowed = {
        "catalog": ("catalog", "threshold", "zoom", "format"),
        "file": ("file",),
        "quadkeys": ("quadkeys",),
        "zoom": ("zoom",),
    }
    form = next((form for form in allowed if form in mapping), None)
    if form is None:
        every = ("zoom", "quadkeys", "file", "catalog")
        near = next((near for key in mapping if (near := suggestion(str(key), every))), None)
        refuse("expected one of zoom, quadkeys, file, or catalog with threshold", near)
    for key in mapping:
        if key not in allowed[form]:
            with _below(str(key)):
                _refuse_key(str(key), list(allowed[form]))
    if form == "zoom":
        return _validated(ZoomRegion, mapping)
    if form == "quadkeys":
        spec = _validated(QuadkeyRegion, mapping)
        with _below("quadkeys"), _refusing():
            tiles_of_quadkeys(spec.quadkeys)
        return spec
    with _below(form):
        text = mapping[form]
        if not isinstance(text, str):
            refuse("expected the name of a file")
        if form == "file":
            return FileRegion(path=folder.existing_file(text, "a file of quadkeys, one a line"))
        path = _catalog(text, folder)
    others = {key: value for key, value in mapping.items() if key != "catalog"}
    return _validated(CatalogQuadtree, {**others, "path": path}, names={"catalog": "path"})


def _catalog(text: str, folder: Folder) -> str:
    if not is_dataset(text):
        return folder.existing_file(text, "a catalog")
    known = [PREFIX + name for name, dataset in DATASETS.items() if dataset.kind == "catalog"]
    if text not in known:
        refuse_word("catalog in pycsep", text, known)
    return text


def _aftershock(mapping: _Mapping, folder: Folder) -> AftershockRegion:
    return _validated(AftershockRegion, _with_source(mapping, folder))


def _polygon(mapping: _Mapping, folder: Folder) -> MaskedRegion:
    return _validated(MaskedRegion, _with_source(mapping, folder), names={"corners": "polygon"})


def _with_source(mapping: _Mapping, folder: Folder) -> _Mapping:
    """Read the region from which cells are taken, where one is named."""
    if "within" not in mapping:
        return mapping
    with _below("within"):
        source = _region(mapping["within"], folder)
        quadtree = isinstance(source, NamedRegion) and source.name == "california_quadtree_region"
        if quadtree or source.kind in ("quadkeys", "zoom", "catalog_quadtree", "aftershock", "polygon"):
            refuse("expected a region of square cells: a name, a file, global, box, or a dictionary of cells")
    return {**mapping, "within": source}


_RULES: Final[dict[str, Callable[[_Mapping, Folder], RegionSpec]]] = {
    "global": _global,
    "box": _box,
    "aftershock": _aftershock,
    "polygon": _polygon,
    "quadtree": _quadtree,
}
_EXAMPLES: Final = {
    "global": "{global: {cell_size: 0.5}}",
    "box": "{box: {west: 170, east: 190, south: -48, north: -34, cell_size: 0.1}}",
    "aftershock": _FUNCTIONS["generate_aftershock_region"],
    "polygon": _FUNCTIONS["masked_region"],
    "quadtree": "{quadtree: {zoom: 7}}",
}


def _validated(shape: type[M], mapping: _Mapping, names: Mapping[str, str] | None = None) -> M:
    """Check a mapping against a specification, strictly; `names` gives the fields of keys named otherwise."""
    fields = {**{name: name for name in shape.model_fields if name != "kind"}, **(names or {})}
    keys = {field: key for key, field in fields.items()}  # the key that files have, where there are two
    for key in mapping:
        if key not in fields:
            with _below(str(key)):
                _refuse_key(str(key), sorted(set(keys.values())))
    values = {fields[str(key)]: _frozen(value) for key, value in mapping.items() if value is not None}
    try:
        return shape.model_validate(values, strict=True)
    except ValidationError as error:
        raise _moved(error, (), keys) from None


def _refuse_key(key: str, allowed: list[str]) -> None:
    near = suggestion(key, allowed)
    refuse("unknown key" if near else f"unknown key; known here: {', '.join(allowed)}", near)


def _frozen(value: object) -> object:
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value


@contextmanager
def _refusing() -> Iterator[None]:
    """Refuse what cannot be a region, in its own words."""
    try:
        yield
    except RegionError as error:
        refuse(str(error))


@contextmanager
def _below(key: str) -> Iterator[None]:
    """Say that what is wrong stands under a key."""
    try:
        yield
    except ValidationError as error:
        raise _moved(error, (key,), {}) from None
    except PydanticCustomError as error:
        raise _findings([{"type": error, "loc": (key,), "input": None}]) from None


def _moved(error: ValidationError, place: tuple[str, ...], keys: Mapping[str, str]) -> ValidationError:
    """Put the findings of a validation below a place, with keys as files have them."""
    return _findings([_detail(found, place, keys) for found in error.errors(include_url=False)])


def _findings(details: list[InitErrorDetails]) -> ValidationError:
    title = "region"
    return ValidationError.from_exception_data(title, details)


def _detail(found: ErrorDetails, place: tuple[str, ...], keys: Mapping[str, str]) -> InitErrorDetails:
    location = found["loc"]
    if location:
        location = (keys.get(str(location[0]), location[0]), *location[1:])
    kind: str | PydanticCustomError = found["type"]
    context: dict[str, Any] = found.get("ctx", {})
    message = None
    if len(location) > 1 and location[0] == "corners":
        message = "expected a corner as [longitude, latitude], from -180 to 360 and from -90 to 90 degrees"
        location = location[:2]
    elif kind == "missing":
        message = "this key is required"
    elif kind == "too_short" and context["min_length"] > 1:
        message = f"expected {context['min_length']} or more, got {context['actual_length']}"
    elif kind == "tuple_type":
        kind = "list_type"
    if message is not None:
        context = {"message": message, "near": None}
    if message is not None or kind == REFUSED:
        kind = PydanticCustomError(REFUSED, "{message}", context)
    return {"type": kind, "loc": (*place, *location), "input": found["input"], "ctx": context}


class _Shown:
    """The key for editors: what may be written, which is not how it is recorded."""

    def __get_pydantic_json_schema__(
        self, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        mapping = {"type": "object", "additionalProperties": False}
        number, text = {"type": "number"}, {"type": "string"}
        point = {"type": "array", "items": number, "minItems": 2, "maxItems": 2}

        def shape(required: list[str], **keys: JsonSchemaValue) -> JsonSchemaValue:
            return {**mapping, "properties": keys, "required": required}

        rules = {
            "global": shape([], cell_size=number),
            "box": shape(
                ["west", "east", "south", "north", "cell_size"],
                **dict.fromkeys(("west", "east", "south", "north", "cell_size"), number),
            ),
            "aftershock": shape(
                ["magnitude", "longitude", "latitude"],
                **dict.fromkeys(("magnitude", "longitude", "latitude", "num_radii"), number),
                within={},
            ),
            "polygon": shape(["corners", "within"], corners={"type": "array", "items": point}, within={}),
            "quadtree": shape(
                [],
                zoom={"type": "integer"},
                quadkeys={"type": "array", "items": text},
                file=text,
                catalog=text,
                format=text,
                threshold={"type": "integer"},
            ),
        }
        cells = shape(["dh"], **{key: {} for key in CELL_KEYS})
        ruled = [shape([rule], **{rule: inner}) for rule, inner in rules.items()]
        return {"anyOf": [{"enum": list(REGION_NAMES)}, text, cells, *ruled]}


#: Where the cells of the experiment come from.
RegionPlace = Annotated[RegionSpec, BeforeValidator(_read_region), _Shown()]
