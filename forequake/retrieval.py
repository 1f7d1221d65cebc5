"""Records of an experiment's catalogs: which events were found, where and when."""

from dataclasses import dataclass
from typing import Literal

from forequake.catalogs import CatalogSpec, Events
from forequake.experiments import Experiment, snapshot_of
from forequake.keys import KeyInputs
from forequake.quantities import Sha256, now
from forequake.results import CatalogRetrieval, CatalogSnapshot

__all__ = ["RetrievedCatalog", "retrieve_catalogs"]


class _RetrievalInputs(KeyInputs):
    what = "retrieval"

    source: str
    purpose: str
    retrieved_at: str
    snapshot: Sha256


@dataclass(frozen=True)
class RetrievedCatalog:
    """A catalog as an experiment found it: when and where, which events, and the bytes of their blob."""

    retrieval: CatalogRetrieval
    snapshot: CatalogSnapshot
    data: bytes


def retrieve_catalogs(experiment: Experiment) -> list[RetrievedCatalog]:
    """Record that the experiment's catalogs were read now, and which snapshots that gave."""
    found = [_retrieved(experiment.config.catalog, "testing", experiment.events)]
    if experiment.config.input_catalog is not None and experiment.learning is not None:
        found.append(_retrieved(experiment.config.input_catalog, "learning", experiment.learning))
    return found


def _retrieved(
    spec: CatalogSpec, purpose: Literal["learning", "testing"], events: Events
) -> RetrievedCatalog:
    snapshot, data = snapshot_of(events)
    moment = now()
    inputs = _RetrievalInputs(
        source=spec.title,
        purpose=purpose,
        retrieved_at=moment.isoformat(timespec="microseconds"),
        snapshot=snapshot.key,
    )
    retrieval = CatalogRetrieval(
        key=inputs.key,
        canon=inputs.canon,
        source=spec.title,
        purpose=purpose,
        retrieved_at=moment,
        snapshot=snapshot.key,
    )
    return RetrievedCatalog(retrieval, snapshot, data)
