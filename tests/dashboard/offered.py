"""The files that a page offers, which browsers get only when their readers ask for them."""

from collections.abc import Callable
from typing import Any

import pytest
import streamlit as st

__all__ = ["Offers"]


class Offers:
    """Writes down what pages offer to download, while it is in Streamlit's place.

    Attributes
    ----------
    made
        By the names of files: what gives their contents.
    """

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.made: dict[str, Callable[[], bytes]] = {}
        patch.setattr(st, "download_button", self._offer)

    def _offer(self, label: str, data: Any, file_name: str, **_: Any) -> bool:
        assert label.startswith("Download")

        def content() -> bytes:
            made = data() if callable(data) else data
            return made.encode() if isinstance(made, str) else bytes(made)

        self.made[file_name] = content
        return False

    def of(self, name: str) -> bytes:
        """Give a file's content."""
        return self.made[name]()
