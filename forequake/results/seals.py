"""Records of forecasts as they came: what was sealed for a window of an experiment, and when."""

from datetime import UTC, datetime, timedelta
from typing import ClassVar, Final, Literal, Self

from pydantic import Field

from forequake.keys import KeyInputs, KeyTemplate
from forequake.quantities import Sha256, UtcDatetime
from forequake.results._record import BlobRef, Record
from forequake.results.inputs import ModelRunRecord, ProspectiveStatus
from forequake.results.runs import ForecastSource
from forequake.windows import TimeWindow

__all__ = ["SealOrigin", "SealRecord", "seal_key"]

#: ``folder``: a file that others put there; ``store``: sealed in another store; ``program``: made here;
#: ``withdrawal``: somebody asked for a new forecast in the place of the sealed one.
SealOrigin = Literal["folder", "store", "program", "withdrawal"]


class _SealInputs(KeyInputs):
    what = "seal"

    experiment: str
    model: str
    window: TimeWindow
    number: int


_EPOCH: Final = datetime.fromtimestamp(0, UTC)
#: Every field varies: no place has to be checked again for its key.
_SEAL: Final = KeyTemplate(
    _SealInputs(
        experiment="", model="", window=TimeWindow(start=_EPOCH, end=_EPOCH + timedelta(days=1)), number=1
    ),
    *_SealInputs.model_fields,
)


def seal_key(experiment: str, model: str, window: TimeWindow, number: int) -> Sha256:
    """Give the key of the seal of a number, counted from 1 for each model and window of an experiment."""
    return _SEAL.key(experiment=experiment, model=model, window=window, number=number)


class SealRecord(Record):
    """What came for a window of a model in an experiment: one line of a list that only grows.

    The key is that of the place and the number. Since a store never overwrites, of several who write at once
    the first one is the line, and the others see it. Which line counts follows from all of them (see
    `forequake.seals`).

    Attributes
    ----------
    number
        Place in the list, from 1.
    origin, name
        Where it came from, and the file's name with the ending by which it is read.
    content, size
        SHA-256 and number of the file's bytes.
    source
        What the forecast is read from; None where it cannot be used.
    file
        The file's bytes; None where it cannot be used.
    fault
        Why it cannot be used, for those who sent it.
    arrived_at, sealed_at
        When forequake saw it first, and when its bytes were safe in the store.
    modified_at
        The file's own time: a claim of whoever wrote it.
    changed_at
        When the file system saw the file change last; together with `modified_at` it tells a file that is
        still the same without reading it.
    inputs
        Key of all that a program made it from.
    run
        Of that program.
    function
        The function whose answer the file is, where it was one.
    prospective
        How it stands to the window.
    """

    kind: Literal["seal"] = "seal"
    circumstances: ClassVar[frozenset[str]] = frozenset(
        {"name", "arrived_at", "sealed_at", "modified_at", "changed_at", "run", "prospective"}
    )

    experiment: str
    model: str
    window: TimeWindow
    number: int = Field(ge=1)
    origin: SealOrigin
    name: str = ""
    content: Sha256 | None = None
    size: int = Field(default=0, ge=0)
    source: ForecastSource | None = None
    file: BlobRef | None = None
    fault: str | None = None
    arrived_at: UtcDatetime
    sealed_at: UtcDatetime
    modified_at: UtcDatetime | None = None
    changed_at: UtcDatetime | None = None
    inputs: Sha256 | None = None
    run: ModelRunRecord | None = None
    function: str | None = None
    prospective: ProspectiveStatus

    @property
    def blobs(self) -> tuple[Sha256, ...]:
        """The blob of the file."""
        return () if self.file is None else (self.file.sha256,)

    @property
    def place(self) -> tuple[str, str, TimeWindow]:
        """The experiment, the model and the window."""
        return self.experiment, self.model, self.window

    @classmethod
    def at(cls, experiment: str, model: str, window: TimeWindow, number: int, **fields: object) -> Self:
        """Make the record of a place and a number."""
        inputs = _SealInputs(experiment=experiment, model=model, window=window, number=number)
        place = {"experiment": experiment, "model": model, "window": window, "number": number}
        return cls.model_validate({"key": inputs.key, "canon": inputs.canon, **place, **fields})
