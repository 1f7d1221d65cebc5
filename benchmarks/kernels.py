"""How fast the tests are, beside pyCSEP in the same process, into ``RESULTS.md``. Run by ``make bench``.

pyCSEP and forequake take turns with the same inputs, in one thread. Times are CPU times; a line ``ratio NAME
VALUE`` gives the median over the turns of pyCSEP's time by forequake's. The floor is what no computation can
go below: drawing the random numbers and reading the rates, or the simulated events, once.

All of it takes half an hour, nearly all of which is pyCSEP's. Each case has a section of its own, which is
written when it is done.
"""

import argparse
import os
import platform
import tempfile
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Final

os.environ.update(
    OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1"
)  # before NumPy is loaded

import numpy as np

from benchmarks.catalog_tests import catalog_rows, landers
from benchmarks.gridded_tests import (
    CASES,
    GriddedCase,
    binary_rows,
    gridded_case,
    parts_of_conditional_likelihood,
    poisson_rows,
)
from benchmarks.results import TABLE_HEAD, write_section
from benchmarks.threads import thread_rows

_MADE: Final = (
    f"Made by `make bench` on {platform.machine()} with Python {platform.python_version()} and NumPy "
    f"{np.__version__}."
)
_WAY: Final = """\
pyCSEP and forequake run one after the other in one process, with one thread, on the same inputs and with
the same seed. Times are CPU times in milliseconds, medians of so many turns; the ratio is the median over
the turns of pyCSEP's time by forequake's, with quartiles. What takes pyCSEP half a minute or more has
fewer turns. The floor is what no computation can go below: drawing the random numbers of the test and
reading the rates, or the simulated events, once; the last column is forequake's time divided by it.

**Gridded forecasts.** Both must come to the same quantiles. Events are drawn from the forecast. forequake
puts them on the grid and computes the sums of the forecast anew for each test; in a run of an experiment
all tests of a forecast share them.

What is there beside the floor: on the small grids the bins of some 20,000 random numbers, the cumulative
sum, the logarithms of the rates that were drawn, and what any result costs: checks, the quantiles of the
sample, the record. On the global grid the cumulative sum, which has to be pyCSEP's to the last digit and
so cannot be added in any order (`forequake/evaluations/kernels/cumulative.py`), and the bins of 100,000
numbers among 8 million. L draws a number of events for each catalog in between, one catalog after the
other. The binary tests draw events anew that fall into bins which are active already, and Brier needs the
probability of an event in every bin. For N, T, W, S and M pyCSEP does little more than it must, and
forequake's time is the reading of the rates and what any result costs.

**Catalog-based forecasts.** UCERF3's 10,000 catalogs after Landers; one of them, of about the mean size,
is what was observed. Both start from the events in memory. pyCSEP counts each catalog's events in cells or
bins whenever a test looks at it, and its mean rates once, which is its "counting"; forequake counts all
events once for all tests, which is its own. Beside the floor there is adding up by catalog."""
_THREADS: Final = f"""{_MADE}
Wall time in milliseconds: medians of turns in which one thread and two compute the same block of tests of one
prepared forecast, and the median and quartiles of their ratio. Their numbers are the same.

NumPy's large steps (random numbers, sorts, searches, sums, logarithms, values by their places) let go of
Python's lock; what holds it are the steps in Python between them, such as the loop over the catalogs of L."""


def main() -> None:
    """Measure, print the ratios, and write them down."""
    cases = (*CASES, "landers", "threads")
    parser = argparse.ArgumentParser(description="Measure the tests of forecasts beside pyCSEP.")
    parser.add_argument("--cases", nargs="+", choices=cases, default=list(cases))
    parser.add_argument("--turns", type=int, default=9)
    parser.add_argument(
        "--slow-turns", type=int, default=3, help="of binary tests and Brier, half a minute each in pyCSEP"
    )
    parser.add_argument(
        "--slowest-turns", type=int, default=1, help="of the same on the global grid, where it takes minutes"
    )
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # pyCSEP's about few events
    np.seterr(all="ignore")
    write_section("How this is measured", _WAY)
    if "landers" in options.cases:
        with tempfile.TemporaryDirectory() as folder:
            _write_table("Landers, 10,000 catalogs", catalog_rows(landers(Path(folder)), turns=options.turns))
    if "threads" in options.cases:
        write_section("Two threads", "\n".join([_THREADS, "", *thread_rows(options.turns)]))
    chosen = [gridded_case(name) for name in CASES if name in options.cases]
    for case in chosen:
        _write_table(_title(case), [*poisson_rows(case, options.turns), *_parts(case)])
    for case in chosen:
        turns = options.slowest_turns if case.name == "global" else options.slow_turns
        if turns:
            _write_table(f"{_title(case)}: binary tests", binary_rows(case, turns))


def _title(case: GriddedCase) -> str:
    grid = f"{len(case.region)} x {len(case.magnitudes)}"
    return f"{case.name.capitalize()}, {grid}, {len(case.events)} events"


def _parts(case: GriddedCase) -> list[str]:
    """Give a second table: what the parts of CL take."""
    parts = parts_of_conditional_likelihood(case)
    rows = [f"| {name} | {took:.2f} |" for name, took in parts.items()]
    return ["", "| part of CL | ms, median of 21 |", "| --- | ---: |", *rows]


def _write_table(heading: str, rows: Iterable[str]) -> None:
    write_section(heading, "\n".join([_MADE, "", TABLE_HEAD, *rows]))


if __name__ == "__main__":
    main()
