"""GCMT from the project's own files: an archive, months, and quick solutions."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from forequake.catalogs.queries import Patience, QueryBounds, gcmt, query
from forequake.catalogs.source_events import SourceEvents
from forequake.errors import CatalogError, CatalogUnavailable
from tests.catalogs.queries.event_services import Service, status

#: As the project writes it (Tohoku, 2011); time, place and name are filled in.
EVENT = (
    "PDE  {date} {time} {latitude:6.2f} {longitude:7.2f}  29.0 0.0 0.0 NEAR EAST COAST OF HONSH\n"
    "{name:16} B:  0    0   0 S:  0    0   0 M:164  392 300 CMT: 1 TRIHD: 70.0\n"
    "CENTROID:     69.8 0.1  37.52 0.01  143.05 0.01  20.0  0.0 FIX  S-20110311155115\n"
    "29  1.730 0.006 -0.281 0.005 -1.450 0.005  2.120 0.068  4.550 0.067 -0.657 0.004\n"
    "V10   5.305 55 295   0.014  0 205  -5.319 35 115   5.312 203 10   88  25 80   90\n"
)
ARCHIVE = "/catalog/jan76_dec20.ndk"
QUICK = "/catalog/NEW_QUICK/qcmt.ndk"
NOW = datetime(2021, 5, 20, tzinfo=UTC)


class _Clock(datetime):
    @classmethod
    def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
        return NOW


def _ndk(*moments: str, longitude: float = 142.37, latitude: float = 38.3) -> bytes:
    events = []
    for moment in moments:
        day, time = moment.split(" ")
        name = "C" + "".join(sign for sign in moment if sign.isdigit())[:12] + "A"
        events.append(EVENT.format(date=day, time=time, longitude=longitude, latitude=latitude, name=name))
    return "".join(events).encode()


@pytest.fixture
def files(service: Service, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Give what the project has in May 2021: months up to February."""
    monkeypatch.setattr(gcmt, "datetime", _Clock)
    service.files |= {
        ARCHIVE: _ndk("1976/01/01 01:29:39.6", "2011/03/11 05:46:23.0", "2020/12/31 23:59:60.0"),
        "/catalog/NEW_MONTHLY/2021/jan21.ndk": _ndk("2021/01/05 10:00:00.5"),
        "/catalog/NEW_MONTHLY/2021/feb21.ndk": _ndk("2021/02/05 10:00:00.5"),
        QUICK: _ndk("2021/02/05 10:00:00.9", "2021/03/02 10:00:00.9", "2021/05/19 10:00:00.9"),
    }
    return service.files


def _ask(service: Service, patience: Patience, start: str, end: str, **limits: object) -> SourceEvents:
    bounds = QueryBounds(
        datetime.fromisoformat(start).replace(tzinfo=UTC),
        datetime.fromisoformat(end).replace(tzinfo=UTC),
        **limits,  # type: ignore[arg-type]
    )
    return query("gcmt", bounds, address=service.url + "/catalog", patience=patience)


def test_an_old_span_needs_the_archive_alone(
    service: Service, patience: Patience, files: dict[str, bytes]
) -> None:
    found = _ask(service, patience, "2011-01-01", "2012-01-01", magnitude_min=5.95)
    assert service.paths == [ARCHIVE]
    assert found.events.times() == [datetime(2011, 3, 11, 5, 46, 23, tzinfo=UTC)]
    assert found.events.event_id.tolist() == ["C201103110546A"]
    # log10(5.312e22 N m) = 22.7253
    assert found.events.magnitude[0] == pytest.approx(2 / 3 * (22.7253 - 9.1), abs=1e-4)
    assert found.magnitude_type.tolist() == ["Mw"]
    assert found.events.depth_km.tolist() == [29.0]
    assert found.notes[0] == "GCMT: 1 events from 2011-01-01T00:00:00Z to 2012-01-01T00:00:00Z (1 request)"
    assert found.notes[1].startswith(f"GCMT: read jan76_dec20.ndk of {service.url}/catalog/ at 2021")


def test_archive_months_and_quick_solutions_together(
    service: Service, patience: Patience, files: dict[str, bytes]
) -> None:
    found = _ask(service, patience, "2020-12-01", "2021-12-31")
    assert [str(moment)[:21] for moment in found.events.times()] == [
        "2021-01-01 00:00:00+0",
        "2021-01-05 10:00:00.5",
        "2021-02-05 10:00:00.5",
        "2021-03-02 10:00:00.9",
        "2021-05-19 10:00:00.9",
    ]
    months = [f"/catalog/NEW_MONTHLY/2021/{month}21.ndk" for month in ("jan", "feb", "mar", "apr", "may")]
    assert service.paths == [ARCHIVE, *months, QUICK]
    assert "4 files, jan76_dec20.ndk to NEW_QUICK/qcmt.ndk, of http" in found.notes[1]
    assert found.notes[2] == ("GCMT: events from 2021-03-01 on are quick solutions, which are preliminary")


def test_a_span_in_the_future_is_empty(service: Service, patience: Patience, files: dict[str, bytes]) -> None:
    found = _ask(service, patience, "2021-06-01", "2021-07-01")
    assert len(found) == 0
    assert service.paths == []
    assert "read nothing of" in found.notes[1]


def test_before_the_catalog_begins(service: Service, patience: Patience, files: dict[str, bytes]) -> None:
    found = _ask(service, patience, "1960-01-01", "1977-01-01")
    assert len(found) == 1
    assert found.notes[2] == "GCMT: the catalog begins on 1976-01-01"


def test_events_outside_are_left_out(service: Service, patience: Patience, files: dict[str, bytes]) -> None:
    files[ARCHIVE] = b"".join(
        _ndk(f"2011/03/1{day} 05:46:23.0", longitude=longitude, latitude=latitude)
        for day, (longitude, latitude) in enumerate([(179, 0), (-179, 0), (170, 0), (179, 9)])
    )
    box = (175.0, -175.0, -5.0, 5.0)
    names = _ask(service, patience, "2011-01-01", "2012-01-01", box=box).events.event_id.tolist()
    assert names == ["C201103100546A", "C201103110546A"]
    assert len(_ask(service, patience, "2011-01-01", "2012-01-01", depth_km=(0, 28))) == 0
    assert len(_ask(service, patience, "2011-01-01", "2012-01-01", depth_km=(0, 29))) == 4
    assert len(_ask(service, patience, "2011-01-01", "2012-01-01", depth_km=(30, 90))) == 0
    assert len(_ask(service, patience, "2011-01-01", "2012-01-01", magnitude_min=9.3)) == 0


def test_a_month_that_is_missing_is_no_empty_month(
    service: Service, patience: Patience, files: dict[str, bytes]
) -> None:
    del files["/catalog/NEW_MONTHLY/2021/jan21.ndk"]
    with pytest.raises(CatalogError, match="GCMT has no file for 2021-01, but one for 2021-02"):
        _ask(service, patience, "2021-01-01", "2021-03-31")


def test_quick_solutions_that_begin_too_late_leave_a_gap(
    service: Service, patience: Patience, files: dict[str, bytes]
) -> None:
    files[QUICK] = _ndk("2021/05/01 10:00:00.9")
    with pytest.raises(
        CatalogError, match="no file for 2021-03, and its quick solutions begin only at 2021-05"
    ):
        _ask(service, patience, "2021-01-01", "2021-05-20")


def test_no_catalog_at_the_address(service: Service, patience: Patience) -> None:
    with pytest.raises(CatalogError, match="GCMT refuses the request with 404 Not Found"):
        _ask(service, patience, "2011-01-01", "2012-01-01")


@pytest.mark.parametrize("kept", [-40, -90, 0])
def test_a_file_that_is_cut_is_fetched_again(
    service: Service, patience: Patience, files: dict[str, bytes], kept: int
) -> None:
    service.faults = [status(200, files[ARCHIVE][:kept])]
    assert len(_ask(service, patience, "2011-01-01", "2012-01-01")) == 1
    assert service.paths == [ARCHIVE, ARCHIVE]
    service.faults = [status(200, files[ARCHIVE][:kept])] * 4
    with pytest.raises(CatalogUnavailable, match="its answer cannot be used: its ndk file") as caught:
        _ask(service, patience, "2011-01-01", "2012-01-01")
    assert "answer.ndk" not in str(caught.value)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_same_events_as_pycseps_reader_of_the_same_file(
    service: Service, patience: Patience, files: dict[str, bytes], tmp_path: Path
) -> None:
    from csep.utils.readers import ndk

    path = tmp_path / "archive.ndk"
    path.write_bytes(files[ARCHIVE])
    theirs = ndk(str(path))
    ours = _ask(service, patience, "1976-01-01", "2021-01-01").events
    assert len(theirs) == len(ours) == 3
    # pyCSEP cuts off tenths of a second and numbers the events.
    assert [time // 1_000_000 * 1000 for time in ours.time_us.tolist()] == [row[1] for row in theirs]
    columns = [ours.latitude, ours.longitude, ours.depth_km, ours.magnitude]
    assert [column.tolist() for column in columns] == [[row[n] for row in theirs] for n in (2, 3, 4, 5)]


def test_months_follow_each_other_through_years() -> None:
    start = datetime(2022, 11, 30, 23, tzinfo=UTC)
    months = list(gcmt._months(QueryBounds(start, start + timedelta(days=99))))
    assert [f"{month:%Y-%m-%d}" for month in months] == [
        "2022-11-01",
        "2022-12-01",
        "2023-01-01",
        "2023-02-01",
        "2023-03-01",
    ]
