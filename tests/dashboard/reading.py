"""What a page that Streamlit's test runner ran has said and drawn."""

import json
from typing import Any

from streamlit.testing.v1 import AppTest

__all__ = ["figures", "words"]

_KINDS = ("markdown", "caption", "header", "subheader", "info", "warning", "error", "code")


def words(app: AppTest) -> str:
    """Join all that a page says, as Markdown shows it, without the marks before letters."""
    elements: list[Any] = [element for kind in _KINDS for element in app.get(kind)]
    blocks: Any = app.get("html")
    said = [*(str(element.value) for element in elements), *(str(block.proto.body) for block in blocks)]
    return "\n".join(said).replace("\\", "")


def figures(app: AppTest) -> list[dict[str, Any]]:
    """Give the figures of a page, as it sends them to browsers."""
    charts: Any = app.get("plotly_chart")
    return [json.loads(chart.proto.spec) for chart in charts]
