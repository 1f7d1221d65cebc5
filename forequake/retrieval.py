"""Records of an experiment's catalogs: which events were found, where and when."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from forequake.catalogs import CatalogSpec, Events
from forequake.experiments import Experiment
from forequake.keys import KeyInputs, bytes_digest
from forequake.quantities import Sha256, now
from forequake.results import BlobRef, CatalogRetrieval, CatalogSnapshot

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
    snapshot, data = _snapshot(events)
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


def _snapshot(events: Events) -> tuple[CatalogSnapshot, bytes]:
    """Give the record of a catalog and the bytes of its blob."""
    data = events.to_bytes()
    inputs = events.inputs
    times = events.take(np.array([0, -1])).times() if len(events) else [None, None]
    record = CatalogSnapshot(
        key=inputs.key,
        canon=inputs.canon,
        n_events=len(events),
        first=times[0],
        last=times[1],
        events=BlobRef(sha256=bytes_digest(data), size=len(data)),
    )
    return record, data
