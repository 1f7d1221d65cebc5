"""Canonical texts and their hashes.

The texts were written by hand from the rules in `forequake.keys`, the hashes made from them by sha256sum: a
change that alters one of them would make every store forget what it has.
"""

import hashlib
import json
import math
import unicodedata
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum
from typing import Annotated, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from forequake.evaluations import TestParameters, derive_seed
from forequake.evaluations.inputs import ResultInputs
from forequake.forecast_inputs import ForecastInputs
from forequake.forecasts import UniformInputs
from forequake.forecasts.references.learned import LearnedInputs
from forequake.keys import (
    ADDED_LATER,
    KeyInputs,
    KeyTemplate,
    array_digest,
    bytes_digest,
    canonical_text,
    key_of,
)
from forequake.results import Label
from forequake.windows import TimeWindow


class _Nothing(KeyInputs):
    what = "nothing"


class _Second(KeyInputs):
    what = "nothing"
    v = 2


class _Free(KeyInputs):
    what = "free"

    x: Any


class _Typed(KeyInputs):
    what = "typed"

    rate: float
    count: int
    name: str = "default"


class _Moment(KeyInputs):
    what = "moment"

    at: datetime


class _Grown(KeyInputs):
    what = "grown"

    a: int
    later: Annotated[int, ADDED_LATER] = 3
    things: Annotated[list[int], ADDED_LATER] = Field(default_factory=list)


class _Colour(Enum):
    RED = "red"


class _Inner(BaseModel):
    b: float
    a: tuple[int, ...]


_WINDOW = TimeWindow(start=datetime(2019, 7, 6, 3, 20, tzinfo=UTC), end=datetime(2019, 7, 13, tzinfo=UTC))
_A, _B, _C, _D = ("a" * 64, "b" * 64, "c" * 64, "d" * 64)
_LABEL = Label(experiment="Italy", test="N", model="ETAS", window=_WINDOW)
_PARIS = timezone(timedelta(hours=2))

_GOLDEN: list[tuple[KeyInputs, str, str]] = [
    (
        _Nothing(),
        '{"in":{},"v":1,"what":"nothing"}',
        "031540ef442af946f0bfd680e837987531ffd8515b56fded852e0ec3e6e72bfe",
    ),
    (
        _Second(),
        '{"in":{},"v":2,"what":"nothing"}',
        "f781c7e8c705b1284c358c04334ddc8807e574a3c162e1a27d9a83bd4c6aa48d",
    ),
    (
        _Typed(rate=1, count=1),
        '{"in":{"count":1,"name":"default","rate":1.0},"v":1,"what":"typed"}',
        "f69e76bc6a1c462a99ccc9ade2d7a5bd9bcba98c44f38afc19f213dc0ad6fa1a",
    ),
    (
        _Typed(rate=-0.0, count=-0, name=""),
        '{"in":{"count":0,"name":"","rate":0.0},"v":1,"what":"typed"}',
        "3653be2024ba06689ac98acd5de02721d2d33199e512d58ff89b3dc71d0a2267",
    ),
    (
        _Free(x=[0.1 + 0.2, 1e16, 1e-7, 5e-324, 1.7976931348623157e308, 123456789.125]),
        '{"in":{"x":[0.30000000000000004,1e+16,1e-07,5e-324,1.7976931348623157e+308,123456789.125]},'
        '"v":1,"what":"free"}',
        "d26e8264bea0297fc70096438c8344c11e55534d96d724d4981bd578032abd69",
    ),
    (
        _Free(x=[2**64, -1, True, False, None]),
        '{"in":{"x":[18446744073709551616,-1,true,false,null]},"v":1,"what":"free"}',
        "ddf8279f8ef692c36d76b19a621c0894deb906e0a3163d6973a16dd275688e71",
    ),
    (
        _Free(x='L\'Aquila "2009" \\ \n\t\u0001 \u2028 🌍'),
        '{"in":{"x":"L\'Aquila \\"2009\\" \\\\ \\n\\t\\u0001 \u2028 🌍"},"v":1,"what":"free"}',
        "b470fb4bef14975974a8be24d2ea56a84d19b98f9310ed68ac4a5939991db13c",
    ),
    (
        _Free(x="Me\u0301xico"),
        '{"in":{"x":"M\u00e9xico"},"v":1,"what":"free"}',
        "c733e4d466538f1abb24fad1953f3b79c0ad3609007dd77ee34072d95b499bd8",
    ),
    (
        _Moment(at=datetime(2019, 7, 6, 5, 19, 53, 40001, tzinfo=_PARIS)),
        '{"in":{"at":"2019-07-06T03:19:53.040001Z"},"v":1,"what":"moment"}',
        "fc1492083fc7a15a442a6b3071bc67ce32dbd61091bb2a18e008131cf7698510",
    ),
    (
        _Moment(at=datetime(1906, 4, 18, tzinfo=UTC)),
        '{"in":{"at":"1906-04-18T00:00:00.000000Z"},"v":1,"what":"moment"}',
        "40963834a30d29aaec6d2e75b4fc352cdc359bdd7de17dc91e5ba585a2599ff8",
    ),
    (
        _Free(x={"b", "a", "é", "Z"}),
        '{"in":{"x":["Z","a","b","é"]},"v":1,"what":"free"}',
        "d06ac73c9be3d3fc1880dddd4072644f5131e28359c8a21c583c45dc519a2c4f",
    ),
    (
        _Free(x=(3, [1, 2], ())),
        '{"in":{"x":[3,[1,2],[]]},"v":1,"what":"free"}',
        "22d7c7f137b813f8606152ba3305cdc7ecf59998ad1707b201b130ea2e17bbdc",
    ),
    (
        _Free(x={"b": {"d": 1, "c": 2.0}, "a": None, "Z": []}),
        '{"in":{"x":{"Z":[],"a":null,"b":{"c":2.0,"d":1}}},"v":1,"what":"free"}',
        "4ac218fc7bdcd9661621678b040d922442b73c8b77338c48fa715b276abb07c0",
    ),
    (
        _Free(x=_Inner(b=2, a=(1, 2))),
        '{"in":{"x":{"a":[1,2],"b":2.0}},"v":1,"what":"free"}',
        "5793b7601b1ef108ea06bb1953372c6484ff551e2990a28cb14540103798ca53",
    ),
    (
        _Free(x=[_Colour.RED, np.float64(0.1), np.array([1.0, -2.5])]),
        '{"in":{"x":["red",0.1,"9d50815fd119460f6c7c06724d504661d5bd42c9fd53cde6c2f891822e9ed803"]},"v":1,"what":"free"}',
        "442174a0a5fee0eddba1e0f0721e7c045a3c6414067611a96c2fadecafd71e6a",
    ),
    (
        _Grown(a=1),
        '{"in":{"a":1},"v":1,"what":"grown"}',
        "a1dfb57187a10efe27008ba339f7c55604cd3ece51e525a62beaffd8e2c5e765",
    ),
    (
        _Grown(a=1, later=4, things=[1]),
        '{"in":{"a":1,"later":4,"things":[1]},"v":1,"what":"grown"}',
        "4638951a6d72081118c3610e75a82c9accdd0680d1dca6da1a8e0b4f73abd2d7",
    ),
    (
        ForecastInputs(content=_A, reader="dat 1", region=_B, magnitudes=(4, 4.1), scale=0.25),
        f'{{"in":{{"content":"{_A}","magnitudes":[4.0,4.1],"reader":"dat 1","region":"{_B}","scale":0.25}},'
        '"v":1,"what":"forecast"}',
        "cf33c242b20ec3e2e34a36e91b90e7a6e64928ca34ee7830f1da03372dd3036d",
    ),
    (
        ResultInputs(
            test="poisson_number",
            parameters=TestParameters(),
            kernel_version=1,
            forecast=_A,
            catalog=_B,
            region=_C,
            magnitudes=(4.0,),
        ),
        f'{{"in":{{"catalog":"{_B}","forecast":"{_A}","kernel_version":1,"magnitudes":[4.0],'
        f'"parameters":{{"alpha":0.05,"num_simulations":null}},"reference":null,"region":"{_C}","seed":null,'
        '"test":"poisson_number"},"v":1,"what":"result"}',
        "c09c73407fed71e50e05d99962aefc7c2f2b82f474b5da9971421c760949e570",
    ),
    (
        ResultInputs(
            test="poisson_spatial",
            parameters=TestParameters(alpha=0.01, num_simulations=1000),
            kernel_version=2,
            forecast=_A,
            catalog=_B,
            region=_C,
            magnitudes=(4.0, 4.5),
            seed=123456,
        ),
        f'{{"in":{{"catalog":"{_B}","forecast":"{_A}","kernel_version":2,"magnitudes":[4.0,4.5],'
        f'"parameters":{{"alpha":0.01,"num_simulations":1000}},"reference":null,"region":"{_C}",'
        '"seed":123456,"test":"poisson_spatial"},"v":1,"what":"result"}',
        "ac1365fd99f86c5d8ed0a1b597955412df4b04897c2a13583c59e2dd1155e588",
    ),
    (
        ResultInputs(
            test="poisson_paired_t",
            parameters=TestParameters(),
            kernel_version=1,
            forecast=_A,
            reference=_D,
            catalog=_B,
            region=_C,
            magnitudes=(4.0,),
        ),
        f'{{"in":{{"catalog":"{_B}","forecast":"{_A}","kernel_version":1,"magnitudes":[4.0],'
        f'"parameters":{{"alpha":0.05,"num_simulations":null}},"reference":"{_D}","region":"{_C}",'
        '"seed":null,"test":"poisson_paired_t"},"v":1,"what":"result"}',
        "36fc2a927155754d1b472cc99e0ac82b34a0e82c61c20617017a5b4d55b0da7d",
    ),
    (
        UniformInputs(total=35.4, b_value=1),
        '{"in":{"b_value":1.0,"total":35.4},"v":1,"what":"uniform_reference"}',
        "2f99600b16746306ddf81924ae82213b38c8d30655271842299a689e85386d54",
    ),
    (
        LearnedInputs(
            mag_min=4.95,
            count=12,
            b_value=None,
            mag_bin=0.1,
            magnitudes=_B,
            kernel="power_law",
            neighbours=6,
            bandwidth_km=None,
            background=0.01,
            smoothing=1,
            places=_A,
        ),
        '{"in":{"b_value":null,"background":0.01,"bandwidth_km":null,"count":12,"kernel":"power_law",'
        f'"mag_bin":0.1,"mag_min":4.95,"magnitudes":"{_B}","neighbours":6,"places":"{_A}",'
        '"smoothing":1,"version":1},"v":1,"what":"learned_reference"}',
        "0dc31959d110be26fb24ab017ad1bb9751e39ef8fa30d6ddf31467487fb4364a",
    ),
]
_SLOT_TEXT = (
    '{"in":{"end":"2019-07-13T00:00:00.000000Z","experiment":"Italy","model":"ETAS","reference":null,'
    '"start":"2019-07-06T03:20:00.000000Z","test":"N"},"v":1,"what":"slot"}'
)
_SLOT = "0e0bb2796367beef24cbd3e93b5f6c76f582c7c367f46878bd76433962348757"
_SEED_TEXT = (
    '{"in":{"parameters":{"alpha":0.05,"num_simulations":1000},"seed":42,"test":"poisson_spatial",'
    '"window":{"end":"2019-07-13T00:00:00.000000Z","start":"2019-07-06T03:20:00.000000Z"}},'
    '"v":1,"what":"seed"}'
)


@pytest.mark.parametrize(("inputs", "text", "key"), _GOLDEN, ids=[text[:40] for _, text, _ in _GOLDEN])
def test_golden_texts_and_hashes(inputs: KeyInputs, text: str, key: str) -> None:
    assert inputs.canon == text
    assert inputs.key == key


def test_there_are_twenty_golden_texts_with_twenty_hashes() -> None:
    assert len({key for _, _, key in _GOLDEN}) == len(_GOLDEN) >= 20


def test_the_slot_of_a_label() -> None:
    assert _LABEL.slot == _SLOT
    assert hashlib.sha256(_SLOT_TEXT.encode()).hexdigest() == _SLOT
    elsewhere = _LABEL.model_copy(
        update={"window": TimeWindow.from_id("2019-07-06T05:20:00+02:00_2019-07-13T00:00:00Z")}
    )
    assert elsewhere.slot == _SLOT


def test_a_seed_is_four_bytes_of_its_text() -> None:
    seed = derive_seed(42, "poisson_spatial", TestParameters(num_simulations=1000), _WINDOW)
    assert seed == int("97f32e04", 16)
    assert hashlib.sha256(_SEED_TEXT.encode()).hexdigest()[:8] == "97f32e04"


def test_an_array_is_its_dtype_shape_and_little_endian_bytes() -> None:
    little = np.array([1.0, -2.5])
    # "<f8(2,)" and the doubles 3ff0000000000000 and c004000000000000, least byte first.
    content = b"<f8(2,)" + bytes.fromhex("000000000000f03f" + "00000000000004c0")
    assert (
        array_digest(little)
        == bytes_digest(content)
        == "9d50815fd119460f6c7c06724d504661d5bd42c9fd53cde6c2f891822e9ed803"
    )
    assert array_digest(little.astype(">f8")) == array_digest(little)
    assert array_digest(np.array([1.0, 0.0, -2.5])[::2]) == array_digest(little)
    assert array_digest(little.reshape(2, 1)) != array_digest(little)
    assert array_digest(little.astype(np.float32)) != array_digest(little)
    column = np.asfortranarray([[1, 2], [3, 4]])
    assert array_digest(column) == array_digest(np.ascontiguousarray(column))


def test_an_array_of_objects_is_refused() -> None:
    with pytest.raises(TypeError, match="no canonical bytes"):
        array_digest(np.array([object()]))


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (math.nan, ValueError, "nan"),
        ([{"a": math.inf}], ValueError, "inf"),
        (-math.inf, ValueError, "-inf"),
        (np.float64("nan"), ValueError, "nan"),
        (datetime(2020, 1, 1), ValueError, "without its zone"),  # noqa: DTZ001 - as it must not be
        ({"é": 1, "e\u0301": 2}, ValueError, "equal in NFC"),
        ({1: 2}, TypeError, "not text"),
        (object, TypeError, "no canonical form"),
        (b"bytes", TypeError, "no canonical form"),
        (1j, TypeError, "no canonical form"),
        (np.int64(1), TypeError, "no canonical form"),
    ],
    ids=str,
)
def test_what_has_no_canonical_form_is_refused(value: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        _ = _Free(x=value).key


def test_a_field_of_a_later_day_changes_no_old_key() -> None:
    assert _Grown(a=1).key == _Grown(a=1, later=3, things=[]).key
    assert _Grown(a=1, later=0).canon == '{"in":{"a":1,"later":0},"v":1,"what":"grown"}'


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@given(st.dictionaries(st.text().map(lambda text: unicodedata.normalize("NFC", text)), _VALUES, max_size=6))
def test_the_order_of_a_mapping_does_not_count(value: dict[str, Any]) -> None:
    try:
        text = _Free(x=value).canon
    except ValueError:
        return  # two inner keys that are equal in NFC, or half a surrogate pair
    assert _Free(x=dict(reversed(value.items()))).canon == text
    assert key_of(text) == bytes_digest(text.encode())


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_has_one_text_which_gives_it_back(value: float) -> None:
    text = canonical_text("f", 1, _Free(x=value))
    assert float(text[len('{"in":{"x":') : -len('},"v":1,"what":"f"}')]) == value
    assert (text == canonical_text("f", 1, _Free(x=-value))) is (value == 0)


@pytest.mark.parametrize(
    "inputs", [inputs for inputs, *_ in _GOLDEN], ids=lambda inputs: type(inputs).__name__
)
def test_a_template_gives_the_keys_of_the_inputs(inputs: KeyInputs) -> None:
    shown = _names_shown(inputs)
    values = {name: getattr(inputs, name) for name in shown}
    for varying in ((), shown[:1], shown[::2], shown):
        assert KeyTemplate(inputs, *varying).key(**values) == inputs.key


def _names_shown(inputs: KeyInputs) -> list[str]:
    return [name for name in type(inputs).model_fields if name in json.loads(inputs.canon)["in"]]


def test_a_template_refuses_a_field_that_the_text_would_leave_out() -> None:
    grown = _Grown(a=1, later=5)
    assert KeyTemplate(grown, "later").key(later=6) == _Grown(a=1, later=6).key
    with pytest.raises(ValueError, match="leaves later out"):
        KeyTemplate(grown, "later").key(later=3)
    with pytest.raises(ValueError, match="lacks one of later"):
        KeyTemplate(_Grown(a=1), "later")
