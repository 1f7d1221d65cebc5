"""How long pages stay with what they have read of an experiment under way."""

from datetime import UTC, datetime, timedelta

from dashboard._tokens import SeenTokens, held_for
from forequake.results import RunState
from stores import ExperimentSummary

NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)


def summary(token: int, n_results: int, state: RunState = RunState.RUNNING) -> ExperimentSummary:
    return ExperimentSummary(
        name="large", record_key="0" * 64, n_results=n_results, n_runs=1, last_run_state=state, token=token
    )


def token(seen: SeenTokens, after: float, found: ExperimentSummary) -> int:
    return held_for([found], seen, NOON + timedelta(seconds=after))[0].token


def test_the_token_of_a_large_experiment_under_way_is_held() -> None:
    seen: SeenTokens = {}
    assert token(seen, 0, summary(1, 500_000)) == 1
    assert token(seen, 30, summary(2, 500_000)) == 1
    assert token(seen, 49, summary(3, 500_000)) == 1
    assert token(seen, 51, summary(4, 500_000)) == 4
    assert token(seen, 52, summary(5, 500_000)) == 4


def test_an_experiment_that_has_ended_is_read_at_once() -> None:
    seen: SeenTokens = {}
    assert token(seen, 0, summary(1, 500_000)) == 1
    assert token(seen, 4, summary(2, 500_000, RunState.COMPLETED)) == 2


def test_a_small_one_is_followed_closely() -> None:
    seen: SeenTokens = {}
    assert token(seen, 0, summary(1, 9_000)) == 1
    assert token(seen, 0.5, summary(2, 9_000)) == 2
