"""How fast the tests are, beside pyCSEP in the same process, into ``RESULTS.md``. Run by ``make bench``.

pyCSEP and forequake take turns with the same inputs, in one thread. Times are CPU times; a line ``ratio NAME
VALUE`` gives the median over the turns of pyCSEP's time by forequake's. The floor is what no computation can
go below: drawing the random numbers and reading the rates, or the simulated events, once.

All of it takes half an hour, nearly all of which is pyCSEP's.
"""

import argparse
import os
import platform
import tempfile
import warnings
from pathlib import Path
from typing import Final

os.environ.update(
    OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1"
)  # before NumPy is loaded

import numpy as np

from benchmarks.catalog_tests import catalog_rows, landers
from benchmarks.gridded_tests import CASES, gridded_case, gridded_rows, parts_of_conditional_likelihood
from benchmarks.results import TABLE_HEAD, write_section
from benchmarks.threads import thread_rows

_MADE: Final = (
    f"Made by `make bench` on {platform.machine()} with Python {platform.python_version()} and NumPy "
    f"{np.__version__}."
)
_READ: Final = """\
CPU time of one thread in milliseconds: medians of so many turns, in which pyCSEP and forequake run one after
the other on the same inputs, and the median and quartiles of pyCSEP's time by forequake's in a turn."""
_GRIDDED: Final = f"""{_MADE}
{_READ}

forequake puts the events on the grid and computes the sums of the forecast anew for each test; in a run of an
experiment all tests of a forecast share them. Events are drawn from the forecast. The floor of a test is the
time to draw its random numbers and to sum the rates once. For the binary tests and Brier pyCSEP takes up to
half a minute each, on the global grid minutes, so that these have fewer turns."""
_PARTS: Final = f"""{_MADE}
CPU time in milliseconds, medians of 21 runs each.

The random numbers and the sum of the rates are the floor. On the small grids most of the rest are the bins
of some 20,000 numbers, the cumulative sum, the logarithms of the rates that were drawn, and what any result
costs: checks, the quantiles of the sample, the record. On the global grid it is the cumulative sum, which
has to be pyCSEP's to the last digit and so cannot be added in any order
(`forequake/evaluations/kernels/cumulative.py`), and the bins of 100,000 numbers among 8 million. L draws a
number of events for each catalog in between, one catalog after the other. S and M sum the rates over one
dimension; for them, N, T and W, pyCSEP does little more itself, and forequake's time is the reading of the
rates and what any result costs."""
_CATALOGS: Final = f"""{_MADE}
{_READ}

The forecast is UCERF3's 10,000 catalogs after Landers; one of them, of about the mean size, is what was
observed. Both start from the events in memory. pyCSEP counts each catalog's events in cells or bins whenever
a test looks at it, and its mean rates once, which is its "counting"; forequake counts all events once for all
tests, which is its own. The floor is the time to draw the random numbers and to read the cell, bin and
catalog of each event once. The rest is adding up by catalog."""
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
        "--slow-turns",
        type=int,
        default=3,
        help="of binary tests and Brier, for which pyCSEP takes up to half a minute",
    )
    parser.add_argument(
        "--slowest-turns",
        type=int,
        default=1,
        help="of the same on the global grid, where it takes minutes; 0: none",
    )
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # pyCSEP's about few events
    np.seterr(all="ignore")
    rows: list[str] = []
    parts: dict[str, dict[str, float]] = {}
    for name in (name for name in options.cases if name in CASES):
        case = gridded_case(name)
        rows += gridded_rows(
            case,
            turns=options.turns,
            slow_turns=options.slow_turns,
            slowest_turns=options.slowest_turns,
        )
        parts[name] = parts_of_conditional_likelihood(case)
    if rows:
        write_section("Tests of gridded forecasts", "\n".join([_GRIDDED, "", TABLE_HEAD, *rows]))
        write_section("The parts of the CL-test", "\n".join([_PARTS, "", *_parts_table(parts)]))
    if "landers" in options.cases:
        with tempfile.TemporaryDirectory() as folder:
            found = catalog_rows(landers(Path(folder)), turns=options.turns)
            text = [_CATALOGS, "", TABLE_HEAD, *found]
        write_section("Tests of catalog-based forecasts", "\n".join(text))
    if "threads" in options.cases:
        write_section("Two threads", "\n".join([_THREADS, "", *thread_rows(options.turns)]))


def _parts_table(parts: dict[str, dict[str, float]]) -> list[str]:
    names = next(iter(parts.values()))
    return [
        f"| part | {' | '.join(parts)} |",
        f"| --- |{' ---: |' * len(parts)}",
        *(f"| {name} | {' | '.join(f'{case[name]:.2f}' for case in parts.values())} |" for name in names),
    ]


if __name__ == "__main__":
    main()
