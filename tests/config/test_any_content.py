"""Whatever stands in the files, reading ends with an experiment or with problems, never otherwise."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forequake.config import ExperimentConfig, load_experiment
from forequake.errors import ConfigError

Write = Callable[..., Path]

_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.dates(),
    st.datetimes(),
    st.sampled_from(
        ["Model A", "region.txt", "models", "csep:x", "query_bsi", "1 year", "9999-12-31", "../"]
    ),
)
_KEYS = st.sampled_from(
    ["path", "func", "seed", "horizon", "time_windows", "magnitudes", "kind", "Model A", ""]
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3),
    max_leaves=5,
)


def _places(data: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    below: list[tuple[Any, ...]] = []
    if isinstance(data, dict | list):
        for key in data if isinstance(data, dict) else range(len(data)):
            below += _places(data[key], (*path, key))
    return [path, *below] if path else below


def _loads_or_tells(folder: Path) -> None:
    try:
        config = load_experiment(folder).config
    except ConfigError as error:
        problems, told = error.problems, str(error)
    else:
        assert ExperimentConfig.model_validate_json(config.model_dump_json()) == config
        return
    assert problems
    assert all(problem.message and problem.file is not None for problem in problems)
    assert len(told.splitlines()) >= len(problems)


@pytest.fixture
def base(write: Write) -> tuple[Path, Any]:
    folder = write()
    return folder, yaml.safe_load((folder / "config.yml").read_text())


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(draw=st.data())
def test_any_value_in_any_place(draw: st.DataObject, base: tuple[Path, Any]) -> None:
    folder, original = base
    data = copy.deepcopy(original)
    for _ in range(draw.draw(st.integers(1, 3))):
        *above, last = draw.draw(st.sampled_from(_places(data)))
        holder = data
        for key in above:
            holder = holder[key]
        holder[last] = draw.draw(_VALUES)
    (folder / "config.yml").write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")

    _loads_or_tells(folder)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(draw=st.data())
def test_any_damage_of_the_text(draw: st.DataObject, base: tuple[Path, Any]) -> None:
    folder, original = base
    content = yaml.safe_dump(original).encode()
    start = draw.draw(st.integers(0, len(content)))
    end = draw.draw(st.integers(start, min(len(content), start + 20)))
    put = draw.draw(
        st.binary(max_size=6) | st.text(alphabet="[]{}:&*!#- \n\t'\"", max_size=6).map(str.encode)
    )
    (folder / "config.yml").write_bytes(content[:start] + put + content[end:])

    _loads_or_tells(folder)
