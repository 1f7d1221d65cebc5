"""QuakeML as ObsPy and services write it, and files that mean harm."""

import math
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forequake.catalogs import read_source
from forequake.catalogs.quakeml import read_quakeml
from forequake.errors import CatalogError

HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<q:quakeml xmlns="http://quakeml.org/xmlns/bed/1.2" xmlns:q="http://quakeml.org/xmlns/quakeml/1.2" '
    'xmlns:catalog="http://anss.org/xmlns/catalog/0.1">\n<eventParameters publicID="smi:local/all">\n'
)
TAIL = "</eventParameters></q:quakeml>\n"


def _origin(name: str = "o1", time: str = "2019-07-06T03:19:53.040000Z", depth: str = "8000.0") -> str:
    deep = f"<depth><value>{depth}</value></depth>" if depth else ""
    return (
        f'<origin publicID="smi:local/{name}"><time><value>{time}</value></time>'
        f"<longitude><value>-117.5993</value></longitude><latitude><value>35.7695</value></latitude>{deep}"
        "</origin>\n"
    )


def _magnitude(name: str, value: str, kind: str = "Mw", origin: str = "o1") -> str:
    return (
        f'<magnitude publicID="smi:local/{name}"><mag><value>{value}</value></mag><type>{kind}</type>'
        f"<originID>smi:local/{origin}</originID></magnitude>\n"
    )


def _event(*parts: str, name: str = "ci38457511") -> str:
    return f'<event publicID="smi:local/{name}"><type>earthquake</type>\n{"".join(parts)}</event>\n'


def _file(tmp_path: Path, *events: str) -> Path:
    path = tmp_path / "catalog.xml"
    path.write_text(HEAD + "".join(events) + TAIL)
    return path


def test_an_event_as_it_is_written(tmp_path: Path) -> None:
    found = read_quakeml(_file(tmp_path, _event(_origin(), _magnitude("m1", "7.1"))))
    assert found.events.times() == [datetime(2019, 7, 6, 3, 19, 53, 40_000, tzinfo=UTC)]
    assert found.events.longitude.tolist() == [-117.5993]
    assert found.events.latitude.tolist() == [35.7695]
    assert found.events.depth_km.tolist() == [8.0]
    assert found.events.magnitude.tolist() == [7.1]
    assert found.events.event_id.tolist() == ["smi:local/ci38457511"]
    assert found.event_type.tolist() == ["earthquake"]
    assert found.magnitude_type.tolist() == ["Mw"]
    assert found.notes == ()
    assert found.other_magnitudes == {}


def test_preferred_origin_and_magnitude(tmp_path: Path) -> None:
    origins = _origin("o1", depth="1000") + _origin("o2", depth="2000")
    magnitudes = (
        _magnitude("m1", "5.1", "ML", "o1")
        + _magnitude("m2", "5.2", "ML", "o2")
        + _magnitude("m3", "5.3", "mb", "o1")
        + _magnitude("m4", "5.4", "Mw", "o1")
    )
    preferred_origin = "<preferredOriginID>smi:local/o2</preferredOriginID>"
    preferred_magnitude = "<preferredMagnitudeID>smi:local/m4</preferredMagnitudeID>"
    found = read_quakeml(
        _file(
            tmp_path,
            _event(origins, magnitudes, preferred_origin, preferred_magnitude, name="both"),
            _event(preferred_origin, origins, magnitudes, name="origin only"),
            _event(origins, magnitudes, name="none"),
            _event(origins, magnitudes, preferred_origin.replace("o2", "gone"), name="dangling"),
        )
    )
    assert found.events.depth_km.tolist() == [2, 2, 1, 1]
    assert found.events.magnitude.tolist() == [5.4, 5.2, 5.1, 5.1]
    assert found.magnitude_type.tolist() == ["Mw", "ML", "ML", "ML"]
    # Of two local magnitudes the one of the preferred origin.
    assert found.other_magnitudes["ML"].tolist()[0] == 5.2
    assert np.isnan(found.other_magnitudes["ML"][1:]).all()
    assert found.other_magnitudes["mb"].tolist() == [5.3] * 4
    np.testing.assert_array_equal(found.other_magnitudes["Mw"], [np.nan, 5.4, 5.4, 5.4])


def test_what_an_event_may_lack(tmp_path: Path) -> None:
    plain = '<event publicID="smi:local/plain">' + _origin(depth="") + _magnitude("m", "3").replace("Mw", "")
    found = read_quakeml(
        _file(
            tmp_path,
            plain + "</event>",
            _event(_magnitude("m", "3"), name="nowhere"),
            _event(_origin(), name="no magnitude"),
            _event(_origin(), _magnitude("m", ""), name="an empty magnitude"),
        )
    )
    assert found.events.event_id.tolist() == ["smi:local/plain"]
    assert math.isnan(found.events.depth_km[0])
    assert found.event_type.tolist() == [""]
    assert found.magnitude_type.tolist() == [""]
    assert [note.partition(": ")[2] for note in found.notes] == [
        "2 events have no magnitude and were left out",
        "1 event has no origin and was left out",
    ]


def test_no_events_at_all(tmp_path: Path) -> None:
    assert len(read_quakeml(_file(tmp_path))) == 0


def test_names_of_other_namespaces_are_passed_over(tmp_path: Path) -> None:
    """USGS adds ids of its own; an event or a magnitude of another namespace is not QuakeML's."""
    strange = '<catalog:magnitude publicID="x"><mag><value>9</value></mag></catalog:magnitude>'
    written = _event(strange, _origin(), _magnitude("m", "4.5")).replace(
        "<event ", '<event catalog:eventid="38457511" catalog:eventsource="ci" '
    )
    found = read_quakeml(_file(tmp_path, written, f"<catalog:event>{_origin()}</catalog:event>"))
    assert found.events.magnitude.tolist() == [4.5]


def test_it_is_found_by_the_format_and_by_its_first_lines(tmp_path: Path) -> None:
    path = _file(tmp_path, _event(_origin(), _magnitude("m", "4.5")))
    assert len(read_source(path, "quakeml")) == 1
    assert len(read_source(path, None)) == 1


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_files_that_obspy_writes_are_read_as_obspy_reads_them(tmp_path: Path) -> None:
    from obspy import UTCDateTime, read_events
    from obspy.core import event as obspy

    generator = np.random.default_rng(1)
    written = []
    for n in range(40):
        origins = [
            obspy.Origin(
                time=UTCDateTime(2019, 7, 6) + float(generator.uniform(0, 1e6)),
                longitude=float(generator.uniform(-180, 180)),
                latitude=float(generator.uniform(-90, 90)),
                depth=float(generator.uniform(-2000, 600_000)),
            )
            for _ in range(1 + n % 3)
        ]
        magnitudes = [
            obspy.Magnitude(
                mag=float(generator.uniform(2, 8)),
                magnitude_type=("ML", "mb", "Mwc")[m],
                origin_id=origins[m % len(origins)].resource_id,
            )
            for m in range(1 + n % 3)
        ]
        one = obspy.Event(
            origins=origins, magnitudes=magnitudes, event_type=("earthquake", "explosion")[n % 2]
        )
        one.preferred_origin_id = origins[-1].resource_id
        one.preferred_magnitude_id = magnitudes[-1].resource_id
        written.append(one)
    path = tmp_path / "obspy.xml"
    obspy.Catalog(written).write(str(path), format="QUAKEML")

    found = read_quakeml(path)
    theirs: list[Any] = sorted(read_events(str(path)), key=lambda event: event.preferred_origin().time)
    origins_read = [event.preferred_origin() for event in theirs]
    assert found.events.time_us.tolist() == [origin.time.ns // 1000 for origin in origins_read]
    assert found.events.longitude.tolist() == [origin.longitude for origin in origins_read]
    assert found.events.latitude.tolist() == [origin.latitude for origin in origins_read]
    assert found.events.depth_km.tolist() == [origin.depth / 1000 for origin in origins_read]
    assert found.events.magnitude.tolist() == [event.preferred_magnitude().mag for event in theirs]
    assert found.magnitude_type.tolist() == [event.preferred_magnitude().magnitude_type for event in theirs]
    assert found.event_type.tolist() == [event.event_type for event in theirs]
    assert found.events.event_id.tolist() == [str(event.resource_id) for event in theirs]
    for kind in ("ML", "mb"):
        others = [
            [one.mag for one in event.magnitudes[:-1] if one.magnitude_type == kind] for event in theirs
        ]
        expected = [values[0] if values else math.nan for values in others]
        np.testing.assert_array_equal(found.other_magnitudes[kind], expected)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not a whole XML file"),
        ("nothing", "not a whole XML file"),
        (HEAD + _event(_origin(), _magnitude("m", "4")), "not a whole XML file"),
        ((HEAD + _event(_origin(), _magnitude("m", "4")))[:-30], "not a whole XML file"),
        ("<html><body/></html>", "expected QuakeML 1.2 .* got html of no namespace"),
        (
            HEAD.replace("quakeml/1.2", "quakeml/2.0") + TAIL,
            "got quakeml of http://quakeml.org/xmlns/quakeml/2",
        ),
        (
            HEAD + _event(_origin(time="yesterday"), _magnitude("m", "4")) + TAIL,
            r"xml:5: the time 'yesterday'",
        ),
        (HEAD + _event(_origin(time=""), _magnitude("m", "4")) + TAIL, r"xml:5: the time ''"),
        (
            HEAD + _event(_origin(), _magnitude("m", "big")) + TAIL,
            r"xml:6: the magnitude 'big' is not a number",
        ),
        (
            HEAD + _event(_origin(depth="9e9"), _magnitude("m", "4")) + TAIL,
            "xml:5: the depth in metres '9e9'",
        ),
        (
            HEAD + _event(_origin().replace("35.7695", "-117"), _magnitude("m", "4")) + TAIL,
            "the latitude '-117' is not between -90 and 90",
        ),
        (
            HEAD + _event(_origin().replace("35.7695", ""), _magnitude("m", "4")) + TAIL,
            "xml:5: the event has no latitude",
        ),
    ],
)
def test_files_that_cannot_be_used(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "catalog.xml"
    path.write_text(text)
    with pytest.raises(CatalogError, match=words) as caught:
        read_quakeml(path)
    assert str(path) in str(caught.value)


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="cannot be read"):
        read_quakeml(tmp_path / "none.xml")


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))


@pytest.mark.parametrize(
    "declaration",
    [
        f'<!DOCTYPE q [<!ENTITY l0 "ha">{LAUGHS}]>',
        '<!DOCTYPE q [<!ENTITY l11 SYSTEM "file://{secret}">]>',
        '<!DOCTYPE q SYSTEM "file://{secret}">',
        '<!DOCTYPE q PUBLIC "-//A//B" "http://127.0.0.1:9/never.dtd">',
        '<!DOCTYPE q [<!ENTITY % l SYSTEM "file://{secret}"> %l;]>',
    ],
)
def test_entities_and_foreign_files_are_not_read(tmp_path: Path, declaration: str) -> None:
    secret = tmp_path / "secret"
    secret.write_text("sesame")
    text = HEAD + _event(_origin(), _magnitude("m", "4"), "<text>&l11;</text>", name="&l11;") + TAIL
    path = tmp_path / "catalog.xml"
    path.write_text(text.replace("\n", "\n" + declaration.replace("{secret}", str(secret)) + "\n", 1))
    with pytest.raises(CatalogError) as caught:
        read_quakeml(path)
    assert "document type declaration" in str(caught.value) or "not a whole XML file" in str(caught.value)
    assert "sesame" not in str(caught.value)


def test_a_large_file_is_read_in_little_memory(tmp_path: Path) -> None:
    """10 MB with 2,000 events, of which each has picks that nobody needs here."""
    picks = '<pick publicID="p"><comment><text>an arrival that nobody needs</text></comment></pick>\n' * 60
    path = tmp_path / "large.xml"
    with path.open("w") as file:
        file.write(HEAD)
        event = _event(_origin(), _magnitude("m", "4"), picks)
        file.writelines(event for _ in range(2_000))
        file.write(TAIL)
    assert path.stat().st_size > 9_000_000
    code = (
        "import resource, sys\nfrom pathlib import Path\n"
        "from forequake.catalogs.quakeml import read_quakeml\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "assert len(read_quakeml(Path(sys.argv[1]))) == 2000\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    done = subprocess.run([sys.executable, "-c", code, path], check=True, capture_output=True, text=True)
    scale = 1 if sys.platform == "linux" else 1024
    assert int(done.stdout) / scale < 8_000
