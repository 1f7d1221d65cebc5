"""What tests of stores share."""

from pathlib import Path

import pytest


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Give the place of a database that is not there yet."""
    return tmp_path / "results.sqlite"


@pytest.fixture
def url(path: Path) -> str:
    return f"sqlite:///{path}"
