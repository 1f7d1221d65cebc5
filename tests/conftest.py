"""What every test relies on: nothing of the user's own folders or settings is read or written."""

from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(autouse=True, scope="session")
def _own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Put the user's data, cache and configuration folders into a temporary one for the whole session."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("DATA", "CACHE", "CONFIG", "STATE"):
            patch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))
        for name in (
            "FOREQUAKE_STORE",
            "FOREQUAKE_HOME",
            "PREFECT_API_URL",
            "PREFECT_HOME",
            "PREFECT_PROFILE",
        ):
            patch.delenv(name, raising=False)
        yield home
