"""Maps as figures: what is drawn where, of which colour, and what is said of cells that expect nothing."""

import io
import math
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from dashboard._rates import summed_rates
from dashboard._theme import DARK, LIGHT, Theme
from dashboard.figures.events import MOST_OUTSIDE, SeenEvents, event_gains, seen_events
from dashboard.figures.ground import height_for_any_width, outline_of
from dashboard.figures.maps import MapLayout, gain_map, rate_map, rate_range, ratio_map, shown_rates
from dashboard.figures.pixels import pixels_of
from forequake.catalogs import Events
from forequake.errors import CorruptRecord
from forequake.regions import Region
from forequake.regions.grids import box_region
from forequake.windows import TimeWindow

START = datetime(2024, 1, 1, tzinfo=UTC)
WINDOW = TimeWindow(start=START, end=START + timedelta(days=10))
REGION = box_region("box", (10.0, 12.0, 44.0, 45.0), 0.5)  # 4 x 2 cells
PIXELS = pixels_of(REGION)


def events(*rows: tuple[float, float, float, float, float]) -> Events:
    """Make events of (day, longitude, latitude, depth, magnitude)."""
    day, longitude, latitude, depth, magnitude = np.array(rows, dtype=np.float64).reshape(-1, 5).T
    start = int(START.timestamp() * 1e6)
    return Events(
        time_us=start + (day * 86_400e6).astype(np.int64),
        longitude=longitude,
        latitude=latitude,
        depth_km=depth,
        magnitude=magnitude,
        event_id=np.array([f"e{number}<" for number in range(len(rows))]),
    )


CATALOG = events(
    (-1.0, 10.1, 44.1, 5.0, 6.0),  # before the window
    (1.0, 10.1, 44.1, 5.0, 4.0),
    (2.0, 11.9, 44.9, 10.0, 5.5),
    (3.0, 11.9, 44.9, 10.0, 3.0),  # too small
    (4.0, 11.9, 44.9, 40.0, 5.0),  # too deep
    (5.0, 10.6, 44.2, 40.0, 3.5),  # both
    (6.0, 30.0, 44.2, 10.0, 7.0),  # beyond the map
    (12.0, 10.1, 44.1, 5.0, 6.0),  # after it
)


def seen(region: Region = REGION, catalog: Events = CATALOG) -> SeenEvents:
    return seen_events(
        catalog,
        window=WINDOW,
        region=region,
        magnitude_min=4.0,
        depth_km=(0.0, 30.0),
        pixels=pixels_of(region),
    )


def layout(theme: Theme = LIGHT, region: Region = REGION) -> MapLayout:
    return MapLayout(pixels=pixels_of(region), seen=seen(region), theme=theme)


def traces(figure: Any) -> dict[str, Any]:
    return {trace.name: trace for trace in figure.data}


def test_events_count_or_say_why_they_do_not() -> None:
    found = seen()
    assert found.counted.magnitude.tolist() == [4.0, 5.5]
    assert found.outside.magnitude.tolist() == [5.0, 3.5, 3.0]
    assert found.reasons == ("depth", "magnitude, depth", "magnitude")
    gap = Region(name="gap", origins=REGION.origins[1:], cell_size=0.5)
    assert "region" in seen(gap).reasons
    large = found.from_magnitude(5.0)
    assert (large.counted.magnitude.tolist(), large.outside.magnitude.tolist()) == ([5.5], [5.0])
    assert (large.reasons, large.n_outside) == (("depth",), 1)


def test_of_very_many_events_outside_the_largest_are_drawn() -> None:
    many = events(*((1.0, 10.1, 44.1, 5.0, magnitude) for magnitude in np.linspace(1, 3.9, 3000)))
    found = seen(catalog=many)
    assert (len(found.outside), found.n_outside) == (MOST_OUTSIDE, 3000)
    assert found.outside.magnitude.min() == pytest.approx(1 + 2.9 / 2999 * 1000)


def test_rates_are_per_cell_or_per_area_and_day() -> None:
    per_pixel = PIXELS.sums(np.full(8, 0.5))
    assert (shown_rates(PIXELS, per_pixel, "cell", 10.0) == 0.5).all()
    density = shown_rates(PIXELS, per_pixel, "area", 10.0)
    assert density[0, 0] == pytest.approx(0.5 / PIXELS.area[0, 0] * 100 / 10)
    together = pixels_of(REGION, most=2)
    again = shown_rates(together, together.sums(np.full(8, 0.5)), "cell", 10.0)
    assert again == pytest.approx(0.5)


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_a_map_has_rates_coast_outline_and_events(theme: Theme) -> None:
    rates = PIXELS.sums(np.array([1e-3, 1e-2, 1e-1, 1.0, 0.0, 1e-3, 1e-3, 1e-3]))
    figure = rate_map(layout(theme), rates, "cell", rate_range(rates))
    heat, nothing = (trace for trace in figure.data if trace.type == "heatmap")
    assert (heat.zmin, heat.zmax) == (-3.0, 0.0)
    expected = np.where(rates > 0, np.log10(np.where(rates > 0, rates, 1.0)), np.nan)
    np.testing.assert_allclose(heat.z, expected, rtol=1e-6)
    ((row, column),) = np.argwhere(rates == 0)
    assert (nothing.x.tolist(), nothing.y.tolist()) == (
        PIXELS.longitude[column : column + 2].tolist(),
        PIXELS.latitude[row : row + 2].tolist(),
    )
    assert nothing.z.tolist() == [[1.0]]
    assert "expects none" in nothing.hovertemplate
    named = traces(figure)
    assert named["2 events in the test"].marker.symbol == "circle"
    assert named["3 outside of the test"].marker.symbol == "circle-open"
    assert "outside of the test: depth" in " ".join(named["3 outside of the test"].hovertext)
    assert "e1&lt;" in " ".join(named["2 events in the test"].hovertext)
    sizes = named["2 events in the test"].marker.size
    assert sizes[0] > sizes[1]  # the larger event, drawn first
    assert figure.layout.yaxis.scaleanchor == "x"
    assert figure.layout.yaxis.scaleratio == pytest.approx(1 / math.cos(math.radians(44.5)), rel=1e-3)


def test_cells_that_no_catalog_touched_are_named_so_and_a_map_of_nothing_has_no_bar() -> None:
    rates = np.zeros(PIXELS.shape)
    assert rate_range(rates) is None
    figure = rate_map(layout(), rates, "cell", None, n_catalogs=1000)
    assert "none in 1000 catalogs" in traces(figure)
    assert [trace.type for trace in figure.data].count("heatmap") == 1


def test_colours_reach_over_eight_decades_at_most_and_never_none() -> None:
    assert rate_range(np.array([1e-20, 1.0, 0.0, np.nan])) == (-8.0, 0.0)
    assert rate_range(np.array([1e-2]), np.array([1e-4])) == pytest.approx((-4.0, -2.0))
    assert rate_range(np.array([0.1])) == pytest.approx((-1.5, -0.5))


def test_the_ratio_is_symmetric_and_tells_apart_where_one_expects_none() -> None:
    ours = PIXELS.sums(np.array([10.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 1.0]))
    theirs = PIXELS.sums(np.array([1.0, 1.0, 1.0, 1.0, 0.0, 1.0, 0.0, 2.0]))
    figure = ratio_map(layout(), (ours, theirs), ("A", "B"))
    heat = figure.data[0]
    assert (heat.zmin, heat.zmax) == (-1.0, 1.0)
    assert heat.colorbar.ticktext == ("÷10", "equal", "×10")
    place = int(REGION.cells_of(10.1, 44.1)[0])
    assert place == 0
    assert heat.z[0, 0] == pytest.approx(1.0)
    other = ratio_map(layout(), (theirs, ours), ("B", "A")).data[0]
    np.testing.assert_allclose(other.z, -heat.z)
    assert {"both expect none", "only A expects any", "only B expects any"} <= set(traces(figure))


def test_gains_are_drawn_up_and_down_and_infinite_ones_with_marks_of_their_own() -> None:
    catalog = events(*((day, 10.1, 44.1, 5.0, 5.0) for day in range(5)))
    found = seen(catalog=catalog)
    gains = event_gains(np.array([0.2, 0.1, 0.0, 0.1, 0.0]), 1.0, np.array([0.1, 0.2, 0.1, 0.0, 0.0]), 1.0)
    assert gains[:2] == pytest.approx([math.log(2), -math.log(2)])
    assert (gains[2], gains[3], math.isnan(gains[4])) == (-math.inf, math.inf, True)
    rates = np.full(PIXELS.shape, 0.1), np.full(PIXELS.shape, 1.0)
    figure = gain_map(MapLayout(PIXELS, found, LIGHT), gains, ("A", "B"), rates)
    assert figure.data[0].z == pytest.approx(-1.0)  # the ground: the second model expects more everywhere
    marks = {trace.marker.symbol: trace for trace in figure.data[1:] if trace.mode == "markers"}
    assert set(marks) == {"triangle-up", "triangle-down", "x", "star", "circle-open"}
    up = marks["triangle-up"].marker
    assert (up.cmin, up.cmax) == pytest.approx((-math.log(2), math.log(2)))
    west, east = figure.layout.xaxis.range
    assert west < 10.1 < east < 10.4  # the surroundings of the events, not the whole region
    assert "gain 0.693 nats" in marks["triangle-up"].hovertext[0]


def test_a_map_of_any_width_gets_the_height_of_its_region() -> None:
    figure = rate_map(layout(), np.ones(PIXELS.shape), "cell", (-1.0, 1.0))
    west, east, south, north = PIXELS.box
    margin = 0.03 * max(east - west, north - south)
    tall, wide = north - south + 2 * margin, east - west + 2 * margin
    shape = tall / (wide * math.cos(math.radians((south + north) / 2)))
    assert f"(100cqw - 60px) * {shape:.4f}, 580px" in height_for_any_width(figure)


def test_the_outline_goes_once_round_the_cells() -> None:
    lines = outline_of(PIXELS)
    ends = lines[~np.isnan(lines[:, 0])].reshape(-1, 2, 2)
    assert np.abs(ends[:, 1] - ends[:, 0]).sum() == pytest.approx(2 * (2.0 + 1.0))
    hole = np.delete(np.arange(8), 2)
    ring = outline_of(pixels_of(Region(name="ring", origins=REGION.origins[hole], cell_size=0.5)))
    ends = ring[~np.isnan(ring[:, 0])].reshape(-1, 2, 2)
    assert np.abs(ends[:, 1] - ends[:, 0]).sum() == pytest.approx(2 * (2.0 + 1.0) + 2 * 0.5)


def test_a_map_across_the_date_line_names_both_sides() -> None:
    region = box_region("box", (170.0, 190.0, -50.0, -30.0), 1.0)
    catalog = events((1.0, -175.0, -40.0, 5.0, 5.0))
    map_layout = MapLayout(pixels_of(region), seen(region, catalog), LIGHT)
    figure = rate_map(map_layout, np.ones((20, 20)), "cell", (-1.0, 1.0))
    assert traces(figure)["1 event in the test"].x.tolist() == [185.0]
    assert {"175°E", "180°", "175°W"} <= set(figure.layout.xaxis.ticktext)
    coast = traces(figure)["coast"].x
    assert np.nanmin(coast) > 165
    assert np.nanmax(coast) < 195


def test_the_sums_of_stored_rates_are_those_of_the_whole_array() -> None:
    rates = np.random.default_rng(1).random((700, 3))
    file = io.BytesIO()
    np.save(file, rates)
    cells, bins = np.array([0, 699, 5]), np.array([2, 0, 1])
    file.seek(0)
    sums = summed_rates(file, cells, bins, from_bin=1)
    np.testing.assert_allclose(sums.per_cell, rates[:, 1:].sum(axis=1))
    np.testing.assert_allclose(sums.per_bin, rates.sum(axis=0))
    assert sums.at_events.tolist() == rates[cells, bins].tolist()
    with pytest.raises(CorruptRecord, match="too early"):
        summed_rates(io.BytesIO(file.getvalue()[:-8]), cells, bins)
    with pytest.raises(CorruptRecord):
        summed_rates(io.BytesIO(b"no array at all"), cells, bins)
