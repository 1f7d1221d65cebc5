"""Several workers at once give what one gives, and make nothing twice.

By four workers: ``python -m tests.flows.several_workers``.
"""

from pathlib import Path

import pytest

from tests.flows.several_workers import run_by

pytestmark = [pytest.mark.prefect, pytest.mark.slow]


def test_two_workers_make_the_forecasts_and_results_of_one(prefect_api: str, tmp_path: Path) -> None:
    made = []
    for workers in (1, 2):
        folder = tmp_path / str(workers)
        folder.mkdir()
        made.append(run_by(workers, folder))
    one, two = made
    assert one.forecasts == two.forecasts
    assert one.results == two.results
    assert one.bound == two.bound
    assert len(one.forecasts) == one.programs == two.programs == 8
    assert one.computed == two.computed == len(one.results) == 8
    assert one.environments == two.environments == 1
