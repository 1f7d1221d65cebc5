"""Calling a user's own test with what it needs, and saying what went wrong where it does not answer."""

import ast
import sys
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Final, Self

from pydantic import JsonValue

from forequake.errors import EvaluationError
from forequake.evaluations.evaluated import Evaluated
from forequake.evaluations.inputs import Observation, ResultInputs
from forequake.evaluations.kernels import PreparedForecast
from forequake.evaluations.own_tests.answers import read_answer
from forequake.evaluations.own_tests.handover import CalledForecast, hand_over
from forequake.evaluations.registry import TESTS
from forequake.processes import Ending, FunctionProcess, Limits
from forequake.quantities import Sha256

__all__ = ["OwnTests"]

_INTERFACE: Final = Path(__file__).with_name("_interface.py")
#: So much of the end of what a function printed goes into the message of its failure.
_MOST_PRINTED: Final = 300
#: What is said of a file that is not there, since only declared ones are.
_DECLARE: Final = "; a file that it needs beside itself must stand in func_kwargs: {files: [...]}"


class OwnTests:
    """The processes in which the own tests of an experiment run: one for each set of files.

    Parameters
    ----------
    stop
        Where it is set, a call that is under way is ended.
    """

    def __init__(self, stop: threading.Event | None = None) -> None:
        self._stop = stop
        self._processes: dict[tuple[str, tuple[tuple[str, Sha256], ...]], FunctionProcess] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def close(self) -> None:
        """End all processes and remove their folders."""
        while self._processes:
            self._processes.popitem()[1].close()

    def evaluate(
        self,
        inputs: ResultInputs,
        files: Mapping[str, bytes],
        limits: Limits,
        forecast: CalledForecast,
        observation: Observation,
        *,
        reference: CalledForecast | None = None,
    ) -> Evaluated:
        """Compute one result.

        Parameters
        ----------
        inputs
            With `ResultInputs.own`.
        files
            What the files of the test hold, by their paths.

        Raises
        ------
        EvaluationError
            Where the function cannot be imported, fails, breaks a limit, or gives something else than it
            should; the message has its file and name.
        Interrupted
            Where `stop` was set meanwhile.
        """
        began = perf_counter()
        own, definition, alpha = inputs.own, TESTS[inputs.test], inputs.parameters.alpha
        if own is None:
            message = f"{inputs.test} is no test of a user's own"
            raise EvaluationError(message)
        file, _, name = own.function.rpartition(":")
        process = self._process(file, own.files, files)
        called = {"forecast": (inputs.forecast, forecast)}
        if reference is not None and inputs.reference is not None:
            called["reference"] = (inputs.reference, reference)
        payload: dict[str, JsonValue] = {
            "arrays": {**hand_over(process.scratch, inputs, observation, called)},
            "forecasts": {role: _n_catalogs(one) for role, (_, one) in called.items()},
            "window": [own.window.start.isoformat(), own.window.end.isoformat()],
            "seed": inputs.seed,
            "alpha": alpha,
            "arguments": own.arguments,
        }
        told = _answer_of(process.call(name, payload, limits), own.function, limits)
        answer = read_answer(definition.kind, told, alpha=alpha, function=own.function)
        sample = answer.numbers.sample
        evaluated = Evaluated.of(
            definition,
            answer.numbers,
            alpha=alpha,
            n_observed=len(observation.events),
            n_forecast=forecast.total,
            n_reference=None if reference is None else reference.total,
            seed=inputs.seed,
            num_simulations=None if sample is None else len(sample),
            seconds=perf_counter() - began,
        )
        return replace(evaluated, side=answer.side, rule=answer.rule)

    def _process(
        self, file: str, digests: Mapping[str, Sha256], files: Mapping[str, bytes]
    ) -> FunctionProcess:
        place = file, tuple(sorted(digests.items()))
        if place not in self._processes:
            self._processes[place] = FunctionProcess(
                files, file, _INTERFACE, preload=_packages(files), stop=self._stop
            )
        return self._processes[place]


def _n_catalogs(forecast: CalledForecast) -> int | None:
    return None if isinstance(forecast, PreparedForecast) else forecast.counted.n_catalogs


def _packages(files: Mapping[str, bytes]) -> list[str]:
    """List the packages that Python files import at their top, without those and the standard library."""
    found: dict[str, None] = {}
    known = {Path(name).stem for name in files} | sys.stdlib_module_names
    for name, data in files.items():
        if not name.endswith(".py"):
            continue
        try:
            tree = ast.parse(data)
        except (SyntaxError, ValueError):  # told by the call
            continue
        for node in tree.body:
            match node:
                case ast.Import(names=names):
                    found |= {alias.name: None for alias in names}
                case ast.ImportFrom(module=str(module), level=0):
                    found[module] = None
                case _:
                    pass
    return [name for name in found if name.partition(".")[0] not in known]


def _answer_of(ending: Ending, function: str, limits: Limits) -> dict[str, JsonValue]:
    """Give what a function answered, or say why it did not.

    Raises
    ------
    EvaluationError
        Where there is no answer.
    """
    if ending.kind == "answer" and isinstance(ending.value, dict):
        told = ending.value.get("answer")
        if isinstance(told, dict):
            return told
        message = f"{function} gave {ending.value.get('unfit')}"
        raise EvaluationError(message)
    lines = [f"{function} {_why(ending, function, limits)}", *(f"  {line}" for line in ending.trace)]
    if ending.output:
        printed = ending.output[-_MOST_PRINTED:]
        lines.append(f"  It printed at the end: {printed}")
    raise EvaluationError("\n".join(lines))


def _why(ending: Ending, function: str, limits: Limits) -> str:
    missing = ending.detail.startswith(("ModuleNotFoundError", "FileNotFoundError"))
    match ending.kind:
        case "import":
            file = function.rpartition(":")[0]
            return f"was not called: {file} cannot be imported: {ending.detail}{_DECLARE if missing else ''}"
        case "call":
            return f"raised {ending.detail}{_DECLARE if missing else ''}"
        case "exit":
            return f"ended its process with the exit code {ending.detail} in place of an answer"
        case "signal":
            hint = " (the memory of the machine may be used up)" if ending.detail == "SIGKILL" else ""
            return f"was killed by {ending.detail}{hint}"
        case "timeout":
            return f"took longer than timeout_s allows, {limits.seconds:g} s, and was ended"
        case "memory":
            error = f": {ending.detail}" if ending.detail else ""
            return f"needed more memory than memory_mb allows, {limits.memory_mb} MB{error}"
        case "processes":
            return "started more processes than are allowed, and was ended with them"
        case "lost":
            return f"lost the process that it ran in{': ' if ending.detail else ''}{ending.detail}"
        case _:
            return f"wrote something else where its answer goes: {ending.detail!r}"
