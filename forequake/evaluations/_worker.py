"""The worker process: computes the tests that change what belongs to a whole process.

``python -m forequake.evaluations._worker`` reads requests from its standard input and writes replies to its
standard output until the input ends. It is started by `forequake.evaluations._process`, never by hand.
"""

import os
import select
import signal
import threading
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forequake.catalogs import Events
from forequake.evaluations._messages import Message, read_message, write_message
from forequake.evaluations.inputs import Observation
from forequake.regions import Region

__all__ = ["main"]


def main() -> None:
    """Answer requests until the parent closes the pipe or dies."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's affair
    warnings.simplefilter("ignore")  # pyCSEP warns of few events; the outcome says it
    with (
        os.fdopen(os.dup(0), "rb", buffering=0) as requests,
        os.fdopen(os.dup(1), "wb", buffering=0) as replies,
    ):
        _keep_off_the_pipes()
        threading.Thread(target=_end_with_parent, args=(requests.fileno(),), daemon=True).start()
        while (message := read_message(requests)) is not None:
            header, arrays = _answer(message)
            try:
                write_message(replies, header, arrays)
            except BrokenPipeError:
                return


def _keep_off_the_pipes() -> None:
    """Send what libraries print to standard error, and let nothing else read the requests."""
    os.dup2(2, 1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)


def _end_with_parent(requests: int) -> None:
    """End at once when the last writer of the requests is gone, also in the middle of a computation."""
    hang_up = select.poll()
    hang_up.register(requests, 0)
    while not hang_up.poll():
        pass
    os._exit(0)


def _answer(message: Message) -> Message:
    from forequake.evaluations import _adapt  # not at the top: what it prints must not reach the pipe

    header, arrays = message
    observation = _observation(header, arrays)
    try:
        if header["test"] == "poisson_likelihood":
            found = _adapt.likelihood_test(
                arrays["rates"], observation, num_simulations=header["num_simulations"], seed=header["seed"]
            )
            return {"statistic": found.statistic, "quantile": found.quantile}, {"sample": found.sample}
        z, p = _adapt.w_test(arrays["rates"], arrays["reference"], observation)
    except _adapt.FAILURES as error:
        return {"error": f"{type(error).__name__}: {error}"}, {}
    return {"z": z, "p": p}, {}


def _observation(header: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> Observation:
    size = len(arrays["longitude"])
    region = Region.from_cells(arrays["cells"], name=header["region"], cell_size=header["cell_size"])
    events = Events(
        time_us=np.zeros(size, dtype=np.int64),
        longitude=arrays["longitude"],
        latitude=arrays["latitude"],
        depth_km=np.zeros(size),
        magnitude=arrays["magnitude"],
        event_id=np.zeros(size, dtype="U1"),
    )
    return Observation(region=region, magnitudes=arrays["magnitudes"], events=events)


if __name__ == "__main__":
    main()
