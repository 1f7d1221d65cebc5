"""Turns of two programs beside each other, and ``RESULTS.md``, whose sections benchmarks write anew."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["FILE", "TABLE_HEAD", "Turns", "cpu_ms", "median_cpu_ms", "write_section"]

FILE: Final = Path(__file__).with_name("RESULTS.md")
_TITLE: Final = "# How fast the tests are, beside pyCSEP\n"

#: The head of the table that rows of `Turns` belong to.
TABLE_HEAD: Final = """\
| test | simulations | turns | pyCSEP ms | forequake ms | ratio | quartiles | floor ms | by floor |
| --- | ---: | ---: | ---: | ---: | ---: | --- | ---: | ---: |"""

_Given = TypeVar("_Given")


def cpu_ms(call: Callable[[], _Given]) -> tuple[float, _Given]:
    """Give the CPU time of a call in milliseconds, and what it gave."""
    start = time.process_time_ns()
    given = call()
    return (time.process_time_ns() - start) / 1e6, given


def median_cpu_ms(call: Callable[[], object], times: int = 21) -> float:
    """Give the median of so many calls in milliseconds of CPU time."""
    return float(np.median([cpu_ms(call)[0] for _ in range(times)]))


@dataclass(frozen=True, eq=False)
class Turns:
    """What pyCSEP and forequake took in turn.

    Attributes
    ----------
    name
        Of the test, or of the suite.
    times : array of float64, shape (2, turns)
        Milliseconds of CPU time, pyCSEP's first.
    floor
        What no computation can go below, in milliseconds.
    simulations
        0 for tests without.
    """

    name: str
    times: NDArray[np.float64]
    floor: float
    simulations: int = 0

    @classmethod
    def together(cls, name: str, parts: Sequence["Turns"]) -> "Turns":
        """Add tests up to a suite, turn by turn."""
        return cls(
            name=name,
            times=np.sum([part.times for part in parts], axis=0),
            floor=sum(part.floor for part in parts),
            simulations=max(part.simulations for part in parts),
        )

    def row(self) -> str:
        """Print ``ratio NAME VALUE``; give the row of the table."""
        ratios = self.times[0] / self.times[1]
        low, middle, high = np.percentile(ratios, [25, 50, 75])
        print(f"ratio {self.name.replace(' ', '_')} {middle:.1f}", flush=True)
        theirs, ours = np.median(self.times, axis=1)
        quartiles = f"{low:.1f} to {high:.1f}" if len(ratios) > 1 else ""
        return (
            f"| {self.name} | {self.simulations or ''} | {len(ratios)} | {theirs:.1f} | {ours:.2f} | "
            f"{middle:.1f} | {quartiles} | {self.floor:.2f} | {ours / self.floor:.1f} |"
        )


def write_section(heading: str, text: str) -> None:
    """Put a section in place of the one with the same heading, or behind the others."""
    old = FILE.read_text(encoding="utf-8") if FILE.exists() else _TITLE
    title, *sections = old.split("\n## ")
    others = [section.strip() for section in sections]
    new = f"{heading}\n\n{text.strip()}"
    place = next((n for n, section in enumerate(others) if section.split("\n", 1)[0] == heading), len(others))
    others[place : place + 1] = [new]
    FILE.write_text("\n\n## ".join([title.strip(), *others]) + "\n", encoding="utf-8")
