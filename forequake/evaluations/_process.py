"""The parent's side of the worker process: starts it, talks to it, and starts it anew where it died."""

import atexit
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Final

from numpy.typing import NDArray

import forequake
from forequake.errors import EvaluationError
from forequake.evaluations._adapt import Simulated
from forequake.evaluations._messages import Message, read_message, write_message
from forequake.evaluations.inputs import Observation

__all__ = ["likelihood_test", "w_test", "worker_pid"]

_ATTEMPTS: Final = 2


class _Worker:
    """One process that answers one request at a time, started when it is first needed.

    Plain pipes rather than `multiprocessing`: nothing of the caller's main module is imported again, nothing
    is shared, and the worker ends when its pipe does, however the parent died.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    def ask(self, header: Mapping[str, object], arrays: Mapping[str, NDArray[Any]]) -> Message:
        """Send a request and wait for its reply; a worker that died is replaced once.

        Raises
        ------
        EvaluationError
            Where the computation failed, or two workers died over it.
        """
        words = ""
        with self._lock:
            for _ in range(_ATTEMPTS):
                reply = self._exchange(header, arrays)
                if reply is not None:
                    break
                words = self.stop(patience_s=1.0)
            else:
                message = f"the worker process died {_ATTEMPTS} times over {header['test']}: {words}"
                raise EvaluationError(message)
        if "error" in reply[0]:
            message = f"{header['test']} could not be computed: {reply[0]['error']}"
            raise EvaluationError(message)
        return reply

    def _exchange(self, header: Mapping[str, object], arrays: Mapping[str, NDArray[Any]]) -> Message | None:
        """Give the reply, or None where the worker died."""
        requests, replies = self._pipes()
        try:
            write_message(requests, header, arrays)
            return read_message(replies)
        except (OSError, EOFError, ValueError):
            return None
        except BaseException:
            # After an interrupt the reply is still to come, and would be taken for that of the next request.
            self.stop()
            raise

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        """Start the worker where none runs; give the pipes of its requests and replies."""
        if self._process is None:
            try:
                self._process, self._log = _start()
            except OSError as error:
                message = f"the worker process for the tests cannot be started: {error}"
                raise EvaluationError(message) from error
        requests, replies = self._process.stdin, self._process.stdout
        if requests is None or replies is None:
            message = "the worker process was started without pipes"
            raise EvaluationError(message)
        return requests, replies

    def stop(self, patience_s: float = 0.0) -> str:
        """End the worker, at the latest after `patience_s`; give the last line that it printed."""
        process, log = self._process, self._log
        self._process = self._log = None
        if process is None or log is None:
            return ""
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            code = process.wait(patience_s)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        with log:
            log.seek(0)
            lines = log.read().decode(errors="replace").split("\n")
        said = next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
        return f"{said} (exit code {code})"

    def let_go(self) -> None:
        """After a fork, in the child: close the copies of the pipes, so that the worker sees them end."""
        if self._process is not None:
            for pipe in (self._process.stdin, self._process.stdout, self._log):
                if pipe is not None:
                    pipe.close()
            self._process.returncode = 0  # it is the parent's child: there is nothing to wait for here


def _start() -> "tuple[subprocess.Popen[bytes], IO[bytes]]":
    """Start a worker; give it with the file of what it prints."""
    root = str(Path(forequake.__file__).resolve().parents[1])
    paths = [root, os.environ.get("PYTHONPATH", "")]
    log = tempfile.TemporaryFile()  # noqa: SIM115  # lives as long as the worker
    try:
        process = subprocess.Popen(
            # -P: no file of the working directory may shadow a module.
            [sys.executable, "-P", "-m", "forequake.evaluations._worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            bufsize=0,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in paths if path)},
            start_new_session=True,  # Ctrl-C in the terminal does not reach it
        )
    except OSError:
        log.close()
        raise
    return process, log


_worker = _Worker()


def _after_fork() -> None:
    global _worker  # the lock may be held by a thread that the fork left behind
    _worker.let_go()
    _worker = _Worker()


def _at_exit() -> None:
    _worker.stop()


os.register_at_fork(after_in_child=_after_fork)
atexit.register(_at_exit)


def worker_pid() -> int | None:
    """Give the process id of this process's worker, or None where none runs."""
    return _worker.pid


def likelihood_test(
    rates: NDArray[Any], observation: Observation, *, num_simulations: int, seed: int
) -> Simulated:
    """Compute the L-test in the worker process; as `_adapt.likelihood_test`."""
    header, arrays = _worker.ask(
        {
            "test": "poisson_likelihood",
            "num_simulations": num_simulations,
            "seed": seed,
            **_cells(observation),
        },
        {"rates": rates, **_arrays(observation)},
    )
    return Simulated(
        statistic=float(header["statistic"]), quantile=float(header["quantile"]), sample=arrays["sample"]
    )


def w_test(rates: NDArray[Any], reference: NDArray[Any], observation: Observation) -> tuple[float, float]:
    """Compute the W-test in the worker process; as `_adapt.w_test`."""
    header, _ = _worker.ask(
        {"test": "poisson_w", **_cells(observation)},
        {"rates": rates, "reference": reference, **_arrays(observation)},
    )
    return float(header["z"]), float(header["p"])


def _cells(observation: Observation) -> dict[str, object]:
    return {"region": observation.region.name, "cell_size": observation.region.cell_size}


def _arrays(observation: Observation) -> dict[str, NDArray[Any]]:
    events = observation.events
    return {
        "cells": observation.region.cells,
        "magnitudes": observation.magnitudes,
        "longitude": events.longitude,
        "latitude": events.latitude,
        "magnitude": events.magnitude,
    }
