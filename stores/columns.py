"""The latest results of one test as columns: what tables and pictures of very many results are made from.

Rows of 25 models in 1,000 windows take 50 MB and a second to read; columns take 2 MB and milliseconds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from forequake.results import Label, Outcome, Quantiles, Side
from forequake.windows import TimeWindow
from stores._codec import from_us, to_us

__all__ = ["CODES", "NUMBERS", "OUTCOMES", "WHOLE", "Form", "ResultColumns", "joined"]

_Floats = NDArray[np.float64]
_Codes = NDArray[np.int32]

#: What the codes of outcomes count.
OUTCOMES: Final = tuple(Outcome)
#: The columns of codes, those of whole numbers, and those of other numbers besides the quantiles.
CODES: Final = ("model", "reference", "window", "form", "outcome", "reason", "quantile_kind")
WHOLE: Final = ("n_observed", "bound", "computed")
NUMBERS: Final = ("statistic", "n_forecast", "information_gain", "interval_low", "interval_high")
_QUANTILES: Final = TypeAdapter[Quantiles](Quantiles)
#: Columns of words, by the names of their codes.
_WORDS: Final = {
    "model": "models",
    "reference": "references",
    "form": "forms",
    "reason": "reasons",
    "quantile_kind": "quantile_kinds",
}


class Form(NamedTuple):
    """What results have in common that were computed by the same test.

    Attributes
    ----------
    test
        forequake's name of it.
    kind
        Of the results: ``consistency``, ``comparison`` or ``score``.
    """

    test: str
    kind: str
    side: Side
    alpha: float


@dataclass(frozen=True, eq=False)
class ResultColumns:
    """Latest results of one test of an experiment, in the order of window start and end, model, reference.

    A column of codes counts places in a tuple of words, which are sorted and all used; -1 stands for none. In
    a column of numbers NaN stands for none, and infinities are what they are.

    Attributes
    ----------
    experiment, test
        The experiment, and its name of the test.
    models, references, reasons, quantile_kinds, forms
        What the columns of these names, in the singular, count. There is one form where the experiment's
        files gave the name to one test at one level all the time.
    starts, ends : arrays of int64, shape (windows,)
        Of the windows, in microseconds since 1970, in order.
    outcome : array of int32, shape (rows,)
        Places in `OUTCOMES`.
    n_observed : array of int64, shape (rows,)
        Number of target events.
    bound, computed : arrays of int64, shape (rows,)
        When the value was bound to its place and when it was computed, in microseconds since 1970.
    statistic, n_forecast, information_gain, interval_low, interval_high : arrays of float64, shape (rows,)
        As in `ResultRow`.
    quantiles
        By the names of `forequake.results.Quantiles`, each an array of float64, shape (rows,).
    """

    experiment: str
    test: str
    models: tuple[str, ...]
    references: tuple[str, ...]
    reasons: tuple[str, ...]
    quantile_kinds: tuple[str, ...]
    forms: tuple[Form, ...]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    model: _Codes
    reference: _Codes
    window: _Codes
    form: _Codes
    outcome: _Codes
    reason: _Codes
    quantile_kind: _Codes
    n_observed: NDArray[np.int64]
    bound: NDArray[np.int64]
    computed: NDArray[np.int64]
    statistic: _Floats
    n_forecast: _Floats
    information_gain: _Floats
    interval_low: _Floats
    interval_high: _Floats
    quantiles: Mapping[str, _Floats]

    def __len__(self) -> int:
        """Give the number of results."""
        return len(self.model)

    @cached_property
    def windows(self) -> tuple[TimeWindow, ...]:
        """The windows, in order."""
        # They were valid when they were stored: to check 100,000 again takes a quarter of a second.
        return tuple(
            TimeWindow.model_construct(start=from_us(start), end=from_us(end))
            for start, end in zip(self.starts.tolist(), self.ends.tolist(), strict=True)
        )

    def label(self, place: int) -> Label:
        """Give the label of a result, by its place among the rows."""
        code = int(self.reference[place])
        return Label.model_construct(
            experiment=self.experiment,
            test=self.test,
            model=self.models[self.model[place]],
            reference=None if code < 0 else self.references[code],
            window=self.windows[self.window[place]],
        )

    def quantiles_at(self, place: int) -> Quantiles | None:
        """Give the quantiles of a result, by its place among the rows."""
        code = int(self.quantile_kind[place])
        if code < 0:
            return None
        given = {name: float(numbers[place]) for name, numbers in self.quantiles.items()}
        shown = {name: value for name, value in given.items() if not np.isnan(value)}
        return _QUANTILES.validate_python({"kind": self.quantile_kinds[code], **shown})

    def number(self, quantile: str) -> _Floats:
        """Give a quantile by its name; NaN where results have none of it. Shape (rows,)."""
        found = self.quantiles.get(quantile)
        return np.full(len(self), np.nan) if found is None else found

    def code_of(self, words: str, word: str) -> int:
        """Give the code of a word, such as of a model in ``models``; -2, which no result has, without one."""
        known: Sequence[str] = getattr(self, words)
        return known.index(word) if word in known else -2

    def of(self, model: str, reference: str | None) -> "ResultColumns":
        """Leave the results of a model against a reference, or against none."""
        code = -1 if reference is None else self.code_of("references", reference)
        return self.where((self.model == self.code_of("models", model)) & (self.reference == code))

    def in_window(self, window: TimeWindow) -> "ResultColumns":
        """Leave the results of one window."""
        found = (self.starts == to_us(window.start)) & (self.ends == to_us(window.end))
        return self.where(found[self.window])

    def where(self, chosen: NDArray[np.bool_]) -> "ResultColumns":
        """Leave some of the results; shape (rows,)."""
        return self.at(np.flatnonzero(chosen))

    def since(self, moment: datetime) -> "ResultColumns":
        """Leave the results of windows that start at a time or later."""
        first = int(np.searchsorted(self.starts, to_us(moment)))
        begin = int(np.searchsorted(self.window, first))
        return self if begin == 0 else self.at(np.arange(begin, len(self)))

    def at(self, places: NDArray[np.intp]) -> "ResultColumns":
        """Leave the results at places, which keep their order; words that none has any more go."""
        changed: dict[str, object] = {}
        for name in (*CODES, *WHOLE, *NUMBERS):
            changed[name] = getattr(self, name)[places]
        for name, words in _WORDS.items():
            used, codes = _used(np.asarray(changed[name]))
            known = getattr(self, words)
            changed |= {name: codes, words: tuple(known[code] for code in used)}
        used, changed["window"] = _used(np.asarray(changed["window"]))
        changed |= {"starts": self.starts[used], "ends": self.ends[used]}
        changed["quantiles"] = {name: numbers[places] for name, numbers in self.quantiles.items()}
        left: ResultColumns = replace(self, **changed)  # type: ignore[arg-type]  # each under its own name
        if "windows" in self.__dict__:  # made already
            left.__dict__["windows"] = tuple(self.windows[place] for place in used)
        return left


def joined(parts: Sequence[ResultColumns]) -> ResultColumns:
    """Put columns of one test together, into their order; each result is in one of the parts."""
    if len(parts) == 1:
        return _ordered(parts[0])
    changed: dict[str, object] = {}
    for name in (*NUMBERS, *WHOLE, "outcome"):
        changed[name] = np.concatenate([getattr(part, name) for part in parts])
    for name, words in _WORDS.items():
        known = sorted({word for part in parts for word in getattr(part, words)})
        place = {word: code for code, word in enumerate(known)}
        codes = [
            _recoded(getattr(part, name), [place[word] for word in getattr(part, words)]) for part in parts
        ]
        changed |= {name: np.concatenate(codes), words: tuple(known)}
    spans = np.concatenate([np.column_stack((part.starts, part.ends)) for part in parts])
    unique, inverse = np.unique(spans, axis=0, return_inverse=True)
    inverse = inverse.reshape(-1)
    begins = np.cumsum([0, *(len(part.starts) for part in parts)])
    windows = [inverse[begin + part.window] for begin, part in zip(begins[:-1], parts, strict=True)]
    changed["window"] = np.concatenate(windows).astype(np.int32)
    changed |= {"starts": unique[:, 0], "ends": unique[:, 1]}
    names = dict.fromkeys(name for part in parts for name in part.quantiles)
    changed["quantiles"] = {name: np.concatenate([part.number(name) for part in parts]) for name in names}
    return _ordered(replace(parts[0], **changed))  # type: ignore[arg-type]


def _ordered(columns: ResultColumns) -> ResultColumns:
    order = np.lexsort((columns.reference, columns.model, columns.window))
    return columns if bool(np.all(order[1:] > order[:-1])) else columns.at(order)


def _used(codes: NDArray[np.int32]) -> tuple[NDArray[np.intp], _Codes]:
    """Give the codes that occur, in order, and all codes as places among them."""
    there = np.zeros(int(codes.max(initial=-1)) + 1, dtype=np.bool_)
    there[codes[codes >= 0]] = True
    used = np.flatnonzero(there)
    return used, _recoded(codes, (np.cumsum(there) - 1).tolist())


def _recoded(codes: _Codes, places: Sequence[int]) -> _Codes:
    """Give other codes for codes; -1, for none, stays."""
    return np.array([*places, -1], dtype=np.int32)[codes]
