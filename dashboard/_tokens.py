"""When pages notice that results have changed.

Answers about a large experiment are kept at the end of its run. Until then each change of its token has them
counted anew, which takes seconds where there are half a million results. So pages of an experiment under way
stay with a token for a while, the longer the larger it is.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from forequake.results import RunState
from stores import ExperimentSummary

__all__ = ["SeenTokens", "held_for"]

#: For each so many results an experiment's token is held for a second: of 50,000 for 5 s.
_RESULTS_A_SECOND: Final = 10_000
#: Tokens change more often than anybody looks; what is that young is new to nobody.
_LEAST: Final = timedelta(seconds=1)

#: The token of each experiment that pages go by, and when they began to.
SeenTokens = dict[str, tuple[int, datetime]]


def held_for(
    summaries: Iterable[ExperimentSummary], seen: SeenTokens, at: datetime
) -> list[ExperimentSummary]:
    """Give experiments with the tokens that pages go by, and note them.

    Parameters
    ----------
    seen
        Changed here.
    at
        When the experiments were read.
    """
    return [_held(summary, seen, at) for summary in summaries]


def _held(summary: ExperimentSummary, seen: SeenTokens, at: datetime) -> ExperimentSummary:
    token, since = seen.get(summary.name, (summary.token, at))
    hold = timedelta(seconds=summary.n_results / _RESULTS_A_SECOND)
    under_way = summary.last_run_state is RunState.RUNNING
    if under_way and hold > _LEAST and at - since < hold:
        seen[summary.name] = token, since
        return summary.model_copy(update={"token": token})
    seen[summary.name] = summary.token, at
    return summary
