"""Coastlines: where land is known to end, and what a box leaves of them."""

import numpy as np

from dashboard.coast import Box, lines_in

CALIFORNIA: Box = (-125.4, -113.1, 31.5, 43.0)
ITALY: Box = (5.5, 19.0, 36.0, 48.0)
NEW_ZEALAND: Box = (165.0, 185.0, -48.0, -34.0)
WORLD: Box = (-180.0, 180.0, -90.0, 90.0)


def nearest(box: Box, longitude: float, latitude: float) -> float:
    """Give the distance in degrees from a place to the nearest point of a coast."""
    points = lines_in(box)
    return float(np.nanmin(np.hypot(points[:, 0] - longitude, points[:, 1] - latitude)))


def test_known_capes_lie_on_the_coast() -> None:
    assert nearest(CALIFORNIA, -120.47, 34.45) < 0.06  # Point Conception
    assert nearest(CALIFORNIA, -124.41, 40.44) < 0.08  # Cape Mendocino
    assert nearest(ITALY, 18.36, 39.80) < 0.06  # Santa Maria di Leuca
    assert nearest(NEW_ZEALAND, 178.55, -37.69) < 0.06  # East Cape
    assert nearest(NEW_ZEALAND, 360 - 176.5, -44.0) < 0.6  # Chatham Island, beyond the date line


def test_a_box_of_land_has_no_coast_but_may_have_a_border() -> None:
    assert len(lines_in((-120.0, -116.0, 36.0, 38.0))) == 0
    assert len(lines_in((5.5, 12.0, 45.5, 47.0), "borders")) > 20


def test_what_is_given_lies_in_the_box_or_one_step_outside() -> None:
    for box in (CALIFORNIA, ITALY, NEW_ZEALAND):
        points = lines_in(box)
        points = points[~np.isnan(points[:, 0])]
        west, east, south, north = box
        inside = (points >= (west - 1, south - 1)).all() and (points <= (east + 1, north + 1)).all()
        assert inside
        assert 50 < len(points) < 3000


def test_the_world_is_drawn_with_few_points_and_no_line_along_its_edges() -> None:
    points = lines_in(WORLD)
    assert len(points) < 35_000
    assert np.nanmin(points[:, 1]) > -89.9
    ends = np.isnan(points[:, 0])
    steps = np.abs(np.diff(points[:, 0]))[~(ends[1:] | ends[:-1])]
    assert steps.max() < 20  # nothing runs from one side of the map to the other
