"""What all stored records share, and the label that says whose value a record is."""

from datetime import UTC, datetime
from typing import ClassVar, Final, Self

from pydantic import BaseModel, ConfigDict, model_validator

from forequake.keys import KeyInputs, KeyTemplate, key_of
from forequake.quantities import Sha256, UtcDatetime
from forequake.windows import TimeWindow

__all__ = ["BlobRef", "Label", "Record", "RecordModel"]


class RecordModel(BaseModel):
    """Frozen and strict about names; infinities are text in JSON, since JSON has no other place for them."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")


class Record(RecordModel):
    """An immutable value under its key.

    Records are shared between experiments, so none of them names an experiment, a model or a window unless
    that is its very content.

    Attributes
    ----------
    key
        SHA-256 of `canon`.
    canon
        The canonical text of everything that decided the value (see `forequake.keys`).
    schema_version
        The version of the record's shape, not of its meaning.
    """

    #: The shape that this forequake writes; a store upgrades older ones and refuses newer ones.
    current_schema: ClassVar[int] = 1
    #: Fields in which two records of one key may differ: when, where and how fast, never what.
    circumstances: ClassVar[frozenset[str]] = frozenset()

    key: Sha256
    canon: str
    schema_version: int = 1

    @model_validator(mode="after")
    def _key_is_of_canon(self) -> Self:
        if key_of(self.canon) != self.key:
            message = f"the key {self.key} is not the hash of the record's canonical text"
            raise ValueError(message)
        return self

    @property
    def blobs(self) -> tuple[Sha256, ...]:
        """The blobs that the record refers to, which must not be swept away."""
        return ()


class BlobRef(RecordModel):
    """Bytes that a store keeps outside its records, named by the SHA-256 of their uncompressed content."""

    sha256: Sha256
    size: int


class _SlotInputs(KeyInputs):
    what = "slot"

    experiment: str
    test: str
    model: str
    reference: str | None
    start: UtcDatetime
    end: UtcDatetime


_EPOCH: Final = datetime.fromtimestamp(0, UTC)
#: Every field varies: no place has to be checked again for its key.
_SLOT: Final = KeyTemplate(
    _SlotInputs(experiment="", test="", model="", reference=None, start=_EPOCH, end=_EPOCH),
    *_SlotInputs.model_fields,
)


class Label(RecordModel):
    """Whose value it is: the place of one result in one experiment.

    Attributes
    ----------
    test, model, reference
        Names as the experiment gives them; `reference` is None for tests of one model.
    """

    experiment: str
    test: str
    model: str
    reference: str | None = None
    window: TimeWindow

    @property
    def slot(self) -> Sha256:
        """The identity of the place, under which its values follow one another."""
        return _SLOT.key(
            experiment=self.experiment,
            test=self.test,
            model=self.model,
            reference=self.reference,
            start=self.window.start,
            end=self.window.end,
        )
