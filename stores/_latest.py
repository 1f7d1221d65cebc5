"""The latest row of each slot as every store keeps it: a result in its place, field by field."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Final, NamedTuple

from pydantic import TypeAdapter, ValidationError

from forequake.errors import CorruptRecord
from forequake.results import Label, Quantiles
from forequake.windows import TimeWindow
from stores._codec import from_us, to_us
from stores.exchange import ResultRow

__all__ = ["LABEL", "Field", "Latest", "label_fields", "label_of", "latest_fields", "latest_of"]

#: What a store keeps in a field.
Field = str | int | float | None

#: The fields of a label, in the order of its canonical text.
LABEL: Final = ("experiment", "test", "model", "reference", "start_us", "end_us")

_QUANTILES: Final = TypeAdapter[Quantiles](Quantiles)


class Latest(NamedTuple):
    """A latest row, and which run bound its value."""

    row: ResultRow
    bound_run: int


def latest_fields(latest: Latest) -> dict[str, Field]:
    """Give a latest row field by field, without its slot."""
    row = latest.row
    low, high = (None, None) if row.interval is None else row.interval
    return {
        **label_fields(row.label),
        "key": row.key,
        "run_no": row.run_no,
        "bound_run": latest.bound_run,
        "bound_us": to_us(row.bound_at),
        "kind": row.kind,
        "evaluation": row.test,
        "statistic": row.statistic,
        "quantiles": None if row.quantiles is None else row.quantiles.model_dump_json(),
        "outcome": row.outcome.value,
        "reason": row.reason,
        "alpha": row.alpha,
        "side": row.side.value,
        "n_obs": row.n_observed,
        "n_fore": row.n_forecast,
        "information_gain": row.information_gain,
        "interval_low": low,
        "interval_high": high,
        "seed": row.seed,
        "computed_us": to_us(row.computed_at),
    }


def latest_of(slot: object, stored: Mapping[str, object]) -> Latest:
    """Read a latest row from its fields.

    Raises
    ------
    CorruptRecord
        Where they are not those of a row.
    """
    try:
        label = label_of(*(stored[name] for name in LABEL))
        fields = {name: value for name, value in stored.items() if name not in LABEL}
        bound_run = _whole(fields.pop("bound_run"))
        quantiles, low, high = (fields.pop(name) for name in ("quantiles", "interval_low", "interval_high"))
        row = ResultRow.model_validate(
            {
                "label": label,
                "bound_at": _time(fields.pop("bound_us")),
                "test": fields.pop("evaluation"),
                "quantiles": None if quantiles is None else _QUANTILES.validate_json(str(quantiles)),
                "n_observed": fields.pop("n_obs"),
                "n_forecast": fields.pop("n_fore"),
                "interval": None if low is None or high is None else (low, high),
                "computed_at": _time(fields.pop("computed_us")),
                **fields,
            }
        )
    except (ValidationError, KeyError) as error:
        message = f"the latest row of the slot {slot} cannot be read; check the store with repair"
        raise CorruptRecord(message) from error
    return Latest(row, bound_run)


def label_fields(label: Label) -> dict[str, str | int | None]:
    """Give a label field by field, as every table of places has it."""
    window = label.window
    return {
        "experiment": label.experiment,
        "test": label.test,
        "model": label.model,
        "reference": label.reference,
        "start_us": to_us(window.start),
        "end_us": to_us(window.end),
    }


def label_of(
    experiment: object, test: object, model: object, reference: object, start_us: object, end_us: object
) -> Label:
    """Read a label from its fields.

    Raises
    ------
    CorruptRecord
        Where they do not hold one.
    """
    try:
        return Label.model_validate(
            {
                "experiment": experiment,
                "test": test,
                "model": model,
                "reference": reference,
                "window": _window(_whole(start_us), _whole(end_us)),
            }
        )
    except ValidationError as error:
        message = (
            f"the label of {test!r}, {model!r} in {experiment!r} cannot be read: {error.error_count()} faults"
        )
        raise CorruptRecord(message) from error


@lru_cache(maxsize=4096)  # a window has a row for each test and model
def _window(start_us: int, end_us: int) -> TimeWindow:
    return TimeWindow(start=_time(start_us), end=_time(end_us))


def _time(microseconds: object) -> datetime:
    try:
        return from_us(_whole(microseconds))
    except OverflowError as error:
        message = f"{microseconds} microseconds are no time of this calendar"
        raise CorruptRecord(message) from error


def _whole(value: object) -> int:
    if not isinstance(value, int):
        message = f"{value!r} stands where a whole number should"
        raise CorruptRecord(message)
    return value
