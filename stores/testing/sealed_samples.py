"""Valid seals for tests."""

from datetime import timedelta

from forequake.results import BlobRef, ForecastSource, ProspectiveStatus, SealRecord
from stores.testing.samples import sample_window

__all__ = ["sample_seal"]


def sample_seal(file: BlobRef, number: int = 1, *, window: int = 0) -> SealRecord:
    """Give a forecast whose file came in a folder an hour before its window."""
    span = sample_window(window)
    moment = span.start - timedelta(hours=1)
    return SealRecord.at(
        "sample",
        "model",
        span,
        number,
        origin="folder",
        name=f"model_{number}.csv",
        content=file.sha256,
        size=file.size,
        source=ForecastSource(content=file.sha256, reader="gridded-csv 1"),
        file=file,
        arrived_at=moment,
        sealed_at=moment,
        modified_at=moment - timedelta(minutes=number),
        prospective=ProspectiveStatus.PROSPECTIVE,
    )
