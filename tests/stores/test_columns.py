"""Columns of results as bytes, and put together."""

import itertools

import numpy as np
import pytest

from forequake.errors import CorruptRecord
from forequake.results import Outcome, Quantiles, Side
from stores._columns import FIELDS, columns_of, from_bytes, sealed, to_bytes, unsealed
from stores.columns import CODES, NUMBERS, WHOLE, ResultColumns, joined
from stores.testing import sample_window

_EVERY_KIND = [
    '{"kind":"tails","delta1":0.1,"delta2":0.95}',
    '{"kind":"lower","q":0.0}',
    '{"kind":"student_t","t":-1.5,"t_critical":2.0,"p":0.2}',
    '{"kind":"wilcoxon","p":0.5}',
    '{"kind":"kolmogorov","p":0.5}',
    '{"kind":"p_value","p":0.5}',
    '{"kind":"adjusted","p":0.1,"p_adjusted":0.4,"family":4}',
    '{"kind":"batch","t":1.0,"t_critical":2.0,"p":0.1,"p_adjusted":0.4,"w_p":null,"w_p_adjusted":null,"family":4}',
    None,
]


def a_row(number: int, **changes: object) -> tuple[object, ...]:
    start = 1_577_836_800_000_000 + 10**12 * (number // 3)
    fields = {
        "model": f"m{number % 3}",
        "reference": None,
        "start_us": start,
        "end_us": start + 10**11,
        "evaluation": "poisson_spatial",
        "kind": "consistency",
        "side": Side.LOWER.value,
        "alpha": 0.05,
        "outcome": Outcome.PASSED.value,
        "reason": None,
        "quantiles": _EVERY_KIND[number % len(_EVERY_KIND)],
        "n_obs": number,
        "statistic": -float("inf") if number % 5 == 0 else None if number % 5 == 1 else 0.1 * number,
        "n_fore": 0.1 * number,
        "information_gain": None,
        "interval_low": None,
        "interval_high": None,
        "bound_us": start + 10**12 + number,
        "computed_us": start + 10**12 - number,
    }
    return tuple((fields | changes)[name] for name in FIELDS)


def columns(*rows: tuple[object, ...], chunk: int = 1000) -> ResultColumns:
    found = columns_of("sample", "S", [rows[begin : begin + chunk] for begin in range(0, len(rows), chunk)])
    assert found is not None
    return found


def same(one: ResultColumns, other: ResultColumns | None) -> None:
    assert other is not None
    for name in (
        "experiment",
        "test",
        "models",
        "references",
        "reasons",
        "quantile_kinds",
        "forms",
        "windows",
    ):
        assert getattr(one, name) == getattr(other, name)
    for name in (*CODES, *NUMBERS, *WHOLE, "starts", "ends"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), strict=True)
    for name in {*one.quantiles, *other.quantiles}:
        np.testing.assert_array_equal(one.number(name), other.number(name), strict=True)


ROWS = [
    *(a_row(number) for number in range(30)),
    a_row(4, reference="m0", reason="ü: no events", outcome=Outcome.UNDEFINED.value),
    a_row(4, reference="m2", evaluation="another", alpha=0.01, interval_low=-1.0, interval_high=2.0),
]


def test_columns_come_back_from_bytes_to_the_last_bit() -> None:
    written = columns(*ROWS)
    same(written, from_bytes(to_bytes(written)))
    assert {name for kind in Quantiles.__args__[0].__args__ for name in kind.model_fields} - {"kind"} == set(
        written.quantiles
    )
    one = columns(a_row(3))
    same(one, from_bytes(to_bytes(one)))


def test_rows_in_any_order_and_pieces_give_the_same_columns() -> None:
    whole = columns(*ROWS)
    same(whole, columns(*reversed(ROWS), chunk=7))
    same(whole, joined([whole.at(np.arange(begin, begin + 8)) for begin in (24, 0, 16, 8)]))
    assert all(
        (first.start, first.end) < (second.start, second.end)
        for first, second in itertools.pairwise(whole.windows)
    )


def test_a_part_of_columns_has_only_its_own_words() -> None:
    whole = columns(*ROWS)
    part = whole.where(whole.model == whole.code_of("models", "m1"))
    same(part, columns(*(row for row in ROWS if row[0] == "m1")))
    assert (part.models, part.references, len(part.forms)) == (("m1",), ("m0", "m2"), 2)
    nothing = whole.where(whole.model == whole.code_of("models", "unknown"))
    assert (len(nothing), nothing.models, nothing.windows) == (0, (), ())
    later = whole.since(whole.windows[4].start)
    assert later.windows == whole.windows[4:]
    assert len(whole.since(sample_window(10_000).start)) == 0


def test_bytes_that_are_damaged_or_of_another_version_are_not_read() -> None:
    data = to_bytes(columns(*ROWS))
    for spoiled in (b"", data[:40], data[:-1], data[:60] + b"\0" + data[61:], b"fqkept2\n" + data[8:]):
        assert from_bytes(spoiled) is None
    assert unsealed(sealed(b"")) == b""


@pytest.mark.parametrize(
    "changes",
    [
        {"outcome": "strange"},
        {"side": "above"},
        {"quantiles": '{"kind":"strange"}'},
        {"quantiles": '{"kind":'},
        {"n_obs": "many"},
        {"bound_us": None},
        {"statistic": "high"},
        {"start_us": 10**30},
    ],
    ids=lambda changes: str(changes),
)
def test_a_field_that_cannot_be_read_is_damage(changes: dict[str, object]) -> None:
    with pytest.raises(CorruptRecord, match="'S'"):
        columns(a_row(0), a_row(1, **changes))
