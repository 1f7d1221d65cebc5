"""The page about regions: each of its examples is read, and makes a region."""

import re
from pathlib import Path

import pytest
import yaml
from pydantic import TypeAdapter

from forequake.config._files import Folder
from forequake.config._regions import RegionPlace
from forequake.datasets import is_dataset, locate_dataset
from forequake.regions import REGION_NAMES, RegionSpec, build_region

PAGE = (Path(__file__).parents[2] / "docs" / "regions.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
#: The first build of these takes seconds, and other tests look at them.
SLOW = ("italy", "california", "0.1}}\n")


@pytest.mark.parametrize("text", EXAMPLES, ids=range(len(EXAMPLES)))
def test_examples_make_regions(text: str, tmp_path: Path) -> None:
    (tmp_path / "cells.txt").write_text("1 2\n1 3\n")
    spec: RegionSpec = TypeAdapter(RegionPlace).validate_python(
        yaml.safe_load(text)["region"], context=Folder(root=tmp_path)
    )
    if not any(word in text for word in SLOW):
        region = build_region(
            spec, lambda name: locate_dataset(name) if is_dataset(name) else tmp_path / name
        )
        assert len(region) > 1


def test_every_name_is_on_the_page() -> None:
    assert len(EXAMPLES) > 8
    assert [
        name for name in REGION_NAMES if f"`{name}`" not in PAGE and f"region: {name}\n" not in PAGE
    ] == []
