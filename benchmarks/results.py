"""``RESULTS.md``: one section for each benchmark, written anew by it and left alone by the others."""

from pathlib import Path
from typing import Final

FILE: Final = Path(__file__).with_name("RESULTS.md")
_TITLE: Final = "# How fast the tests are, beside pyCSEP\n"


def write_section(heading: str, text: str) -> None:
    """Put a section in place of the one with the same heading, or behind the others."""
    old = FILE.read_text(encoding="utf-8") if FILE.exists() else _TITLE
    title, *sections = old.split("\n## ")
    others = [section.strip() for section in sections]
    new = f"{heading}\n\n{text.strip()}"
    place = next((n for n, section in enumerate(others) if section.split("\n", 1)[0] == heading), len(others))
    others[place : place + 1] = [new]
    FILE.write_text("\n\n## ".join([title.strip(), *others]) + "\n", encoding="utf-8")
