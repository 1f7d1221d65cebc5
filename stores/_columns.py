"""Columns of results from the fields of latest rows, and as bytes."""

import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, get_args

import numpy as np

from forequake.errors import CorruptRecord
from forequake.results import Quantiles, Side
from stores._latest import Latest, latest_fields
from stores.columns import CODES, NUMBERS, OUTCOMES, WHOLE, Form, ResultColumns, joined
from stores.exchange import ResultRow

__all__ = [
    "FIELDS",
    "PIECE",
    "columns_of",
    "columns_of_rows",
    "from_bytes",
    "pieces",
    "sealed",
    "to_bytes",
    "unsealed",
]

#: What columns take of latest rows, in the order of the fields of `columns_of`.
FIELDS: Final = (
    *("model", "reference", "start_us", "end_us", "evaluation", "kind", "side", "alpha", "outcome"),
    *("reason", "quantiles", "n_obs", "statistic", "n_fore", "information_gain"),
    *("interval_low", "interval_high", "bound_us", "computed_us"),
)
#: So many results are read, and kept, in one piece.
PIECE: Final = 25_000
#: How the bytes begin: what another version of forequake kept is not read.
_MAGIC: Final = b"fqkept3\n"
#: Above, zstd takes longer than it saves.
_LEVEL: Final = 3
_QUANTILES: Final = {
    model.model_fields["kind"].default: tuple(name for name in model.model_fields if name != "kind")
    for model in get_args(get_args(Quantiles)[0])
}
_DTYPES: Final = {
    **dict.fromkeys((*CODES,), "<i4"),
    **dict.fromkeys(("starts", "ends", *WHOLE), "<i8"),
    **dict.fromkeys(NUMBERS, "<f8"),
}


def columns_of(experiment: str, test: str, chunks: Iterable[Sequence[Sequence[Any]]]) -> ResultColumns | None:
    """Put latest rows of a test into columns; None where there is none.

    Parameters
    ----------
    chunks
        Rows in any order, each the values of `FIELDS`; those of one chunk are in memory at once.

    Raises
    ------
    CorruptRecord
        Where a field does not hold what a row has there.
    """
    parts = []
    for chunk in chunks:
        if chunk:
            try:
                parts.append(_part(experiment, test, chunk))
            except (ValueError, TypeError, KeyError, OverflowError) as error:
                message = f"a latest row of {test!r} cannot be read ({error}); check the store with repair"
                raise CorruptRecord(message) from error
    return joined(parts) if parts else None


def columns_of_rows(rows: Iterable[ResultRow]) -> list[ResultColumns]:
    """Put rows of one experiment into columns, those of each test together."""
    tests: dict[tuple[str, str], list[list[Any]]] = {}
    for row in rows:
        fields = latest_fields(Latest(row, row.run_no))
        place = row.label.experiment, row.label.test
        tests.setdefault(place, []).append([fields[name] for name in FIELDS])
    found = [columns_of(*place, [chunk]) for place, chunk in tests.items()]
    return [each for each in found if each is not None]


def _part(experiment: str, test: str, rows: Sequence[Sequence[Any]]) -> ResultColumns:
    fields = dict(zip(FIELDS, zip(*rows, strict=True), strict=True))
    models, model = _coded(fields["model"])
    references, reference = _coded(fields["reference"])
    reasons, reason = _coded(fields["reason"])
    spans, window = _coded(zip(fields["start_us"], fields["end_us"], strict=True))
    forms, form = _coded(
        zip(*(fields[name] for name in ("evaluation", "kind", "side", "alpha")), strict=True)
    )
    words, outcome = _coded(fields["outcome"])
    places = {each.value: place for place, each in enumerate(OUTCOMES)}
    read = json.loads(f"[{','.join('null' if text is None else text for text in fields['quantiles'])}]")
    kinds, kind = _coded(None if each is None else each["kind"] for each in read)
    names = dict.fromkeys(name for each in kinds for name in _QUANTILES[each])
    numbers = ("statistic", "n_fore", "information_gain", "interval_low", "interval_high")
    return ResultColumns(
        experiment=experiment,
        test=test,
        models=tuple(models),
        references=tuple(references),
        reasons=tuple(reasons),
        quantile_kinds=tuple(kinds),
        forms=tuple(Form(name, sort, Side(side), float(alpha)) for name, sort, side, alpha in forms),
        starts=np.array([start for start, _ in spans], dtype=np.int64),
        ends=np.array([end for _, end in spans], dtype=np.int64),
        model=model,
        reference=reference,
        window=window,
        form=form,
        outcome=np.array([places[word] for word in words], dtype=np.int32)[outcome],
        reason=reason,
        quantile_kind=kind,
        n_observed=np.array(fields["n_obs"], dtype=np.int64),
        bound=np.array(fields["bound_us"], dtype=np.int64),
        computed=np.array(fields["computed_us"], dtype=np.int64),
        **{own: np.array(fields[name], dtype=np.float64) for own, name in zip(NUMBERS, numbers, strict=True)},
        quantiles={
            name: np.array([None if each is None else each.get(name) for each in read], dtype=np.float64)
            for name in names
        },
    )


def _coded(values: Iterable[Any]) -> tuple[list[Any], Any]:
    """Give the values that occur, sorted, and for each its place among them; None has the place -1."""
    first: dict[Any, int] = {None: -1}
    codes = np.array([first.setdefault(value, len(first) - 1) for value in values], dtype=np.int32)
    del first[None]
    known = sorted(first)
    place = np.full(len(known) + 1, -1, dtype=np.int32)
    for code, value in enumerate(known):
        place[first[value]] = code
    return known, place[codes]


# --- as bytes ----------------------------------------------------------------------------------------------


def pieces(columns: ResultColumns) -> Iterator[ResultColumns]:
    """Cut columns into pieces of `PIECE` results."""
    for begin in range(0, len(columns), PIECE):
        yield columns.at(np.arange(begin, min(begin + PIECE, len(columns))))


def to_bytes(columns: ResultColumns) -> bytes:
    """Write columns as `from_bytes` reads them; those in which nothing stands are left out."""
    arrays = {name: getattr(columns, name) for name in _DTYPES}
    arrays |= {f"quantiles.{name}": numbers for name, numbers in columns.quantiles.items()}
    there = {name: array for name, array in arrays.items() if not _is_empty(array)}
    head = {
        "rows": len(columns),
        "experiment": columns.experiment,
        "test": columns.test,
        "outcomes": [outcome.value for outcome in OUTCOMES],
        **{name: list(getattr(columns, name)) for name in ("models", "references", "reasons")},
        "quantile_kinds": list(columns.quantile_kinds),
        "forms": [list(form) for form in columns.forms],
        "quantiles": list(columns.quantiles),
        "arrays": [[name, len(array)] for name, array in there.items()],
    }
    body = [array.astype(_dtype(name), copy=False).tobytes() for name, array in there.items()]
    text = json.dumps(head, separators=(",", ":")).encode()
    return sealed(b"".join([len(text).to_bytes(8, "little"), text, *body]))


def from_bytes(data: bytes) -> ResultColumns | None:
    """Read columns; None where they were written by another version, or are damaged."""
    content = unsealed(data)
    if content is None:
        return None
    begin = 8 + int.from_bytes(content[:8], "little")
    head = json.loads(content[8:begin])
    if head["outcomes"] != [outcome.value for outcome in OUTCOMES]:
        return None
    arrays = {name: np.full(head["rows"], np.nan) for name in NUMBERS}
    arrays |= {name: np.full(head["rows"], -1, dtype=np.int32) for name in CODES}
    arrays |= {f"quantiles.{name}": np.full(head["rows"], np.nan) for name in head["quantiles"]}
    for name, length in head["arrays"]:
        arrays[name] = np.frombuffer(content, dtype=_dtype(name), count=length, offset=begin)
        begin += arrays[name].nbytes
    words: dict[str, Any] = {
        name: tuple(head[name]) for name in ("models", "references", "reasons", "quantile_kinds")
    }
    columns: dict[str, Any] = {name: arrays[name] for name in _DTYPES}
    return ResultColumns(
        experiment=head["experiment"],
        test=head["test"],
        forms=tuple(Form(test, kind, Side(side), alpha) for test, kind, side, alpha in head["forms"]),
        **words,
        **columns,
        quantiles={name: arrays[f"quantiles.{name}"] for name in head["quantiles"]},
    )


def _dtype(name: str) -> str:
    return _DTYPES.get(name, "<f8")


def _is_empty(array: Any) -> bool:
    """Tell whether nothing stands in a column of codes or numbers."""
    if array.dtype.kind == "f":
        return bool(np.isnan(array).all())
    return array.dtype == np.int32 and bool((array == -1).all())


def sealed(content: bytes) -> bytes:
    """Compress bytes, with what tells whether they were damaged."""
    import pyarrow

    packed = pyarrow.Codec("zstd", compression_level=_LEVEL).compress(content, asbytes=True)
    numbers = (len(content), zlib.crc32(packed))
    return b"".join([_MAGIC, *(number.to_bytes(8, "little") for number in numbers), packed])


def unsealed(data: bytes) -> bytes | None:
    """Give back what was compressed; None where another version did it, or the bytes are damaged."""
    import pyarrow

    begin = len(_MAGIC) + 16
    packed = data[begin:]
    size, check = (int.from_bytes(data[at : at + 8], "little") for at in (len(_MAGIC), len(_MAGIC) + 8))
    if not data.startswith(_MAGIC) or zlib.crc32(packed) != check:
        return None
    content: bytes = pyarrow.Codec("zstd").decompress(packed, decompressed_size=size, asbytes=True)
    return content
