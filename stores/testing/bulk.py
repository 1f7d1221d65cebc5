"""Very many results in a store, for measuring: copies of a few, so that the store's own work prevails."""

import json
from collections.abc import Iterator

from forequake.keys import key_of
from forequake.results import EvaluationRecord, Label
from stores.base import ResultsStore
from stores.exchange import Binding, RunRef
from stores.testing.samples import sample_experiment, sample_result, sample_run, sample_window

__all__ = ["fill_bulk"]

_MODELS = 10
_TESTS = ("N", "T", "W")
#: Results of one window.
_PER_WINDOW = _MODELS * len(_TESTS)


def fill_bulk(
    store: ResultsStore, count: int, *, first_window: int = 0, experiment: str = "bulk", batch: int = 1000
) -> int:
    """Begin a run, and put and publish results of ten models by three tests, window by window.

    Unlike `fill_store` it draws no numbers and puts no whole distributions: a million results are a matter of
    minutes. Every result has a key of its own.

    Parameters
    ----------
    count
        Number of results; full windows are written.
    first_window
        Where the windows begin, as in `sample_window`.

    Returns
    -------
    int
        Number of windows.
    """
    config = sample_experiment(experiment)
    store.put([config])
    run = store.begin_run(sample_run(config))
    ref = RunRef(id=run.id, experiment=experiment, run_no=run.run_no)
    windows = -(-count // _PER_WINDOW)
    results: list[EvaluationRecord] = []
    bindings: list[Binding] = []
    for label, result in _labelled(experiment, first_window, windows):
        results.append(result)
        bindings.append(Binding.model_construct(label=label, key=result.key))
        if len(results) == batch:
            store.put(results)
            store.publish(ref, bindings)
            results, bindings = [], []
    store.put(results)
    store.publish(ref, bindings)
    return windows


def _labelled(experiment: str, first: int, windows: int) -> Iterator[tuple[Label, EvaluationRecord]]:
    samples = {test: sample_result(3, test=test) for test in _TESTS}
    for number in range(first, first + windows):
        window = sample_window(number)
        for model in range(_MODELS):
            for test in _TESTS:
                text = {"in": {"model": model, "test": test, "window": number}, "v": 1, "what": "bulk"}
                canon = json.dumps(text, separators=(",", ":"))
                changed = {"canon": canon, "key": key_of(canon), "n_forecast": 1.0 + model + number / 4096}
                label = Label.model_construct(
                    experiment=experiment,
                    test=test,
                    model=f"model-{model}",
                    reference=None if test == "N" else "model-0",
                    window=window,
                )
                yield label, samples[test].model_copy(update=changed)
