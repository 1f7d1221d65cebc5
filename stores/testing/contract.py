"""The suite that every kind of results store passes."""

import pytest

# Before they are imported: a failing test of the suite shows its values as any other test does.
pytest.register_assert_rewrite(
    *(
        f"stores.testing._contract_{part}"
        for part in (
            "base",
            "blobs",
            "care",
            "columns",
            "copy",
            "past",
            "queries",
            "records",
            "results",
            "timings",
            "work",
        )
    )
)

from stores.testing._contract_blobs import BlobsContract  # noqa: E402
from stores.testing._contract_care import CareContract, SharingContract  # noqa: E402
from stores.testing._contract_columns import ColumnsContract  # noqa: E402
from stores.testing._contract_copy import CopyContract  # noqa: E402
from stores.testing._contract_past import PastContract  # noqa: E402
from stores.testing._contract_queries import QueriesContract  # noqa: E402
from stores.testing._contract_records import RecordsContract  # noqa: E402
from stores.testing._contract_results import PublishContract  # noqa: E402
from stores.testing._contract_timings import TimingsContract  # noqa: E402
from stores.testing._contract_work import ClaimsContract, RunsContract  # noqa: E402

__all__ = ["ResultsStoreContract"]


class ResultsStoreContract(
    RecordsContract,
    PublishContract,
    QueriesContract,
    ColumnsContract,
    PastContract,
    RunsContract,
    TimingsContract,
    ClaimsContract,
    BlobsContract,
    CopyContract,
    CareContract,
    SharingContract,
):
    """All of `stores.base.ResultsStore`'s docstrings as tests.

    A kind of store passes it in a subclass that pytest collects, with two fixtures of its own: `url`, the
    address of a new and empty store, and `damage`, which changes what that store holds behind its back. Where
    the address has a password, `secret` names it. The store is opened by `open_store`, here as in the other
    processes of the suite. ::

        class TestMyStore(ResultsStoreContract):
            @pytest.fixture
            def url(self, tmp_path: Path) -> str:
                return f"my:///{tmp_path / 'results'}"

            @pytest.fixture
            def damage(self, url: str) -> Damage:
                return MyDamage(url)
    """
