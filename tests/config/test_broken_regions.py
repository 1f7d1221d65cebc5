"""Mistakes in regions, magnitudes and depths: one each, found alone, in its line, under its key."""

from collections.abc import Callable

import pytest

BINS = "  mag_min: 4.0\n  mag_max: 8.0\n  mag_bin: 0.1\n"

#: What is replaced, by what, the key and the line that are blamed, what is said, and what is suggested.
BROKEN: dict[str, tuple[str, ...]] = {
    "no region": ("  region: region.txt\n", "", "region_config.region", "region_config:", "required"),
    "region file missing": (
        "region.txt",
        "regin.txt",
        "region_config.region",
        "region: regin.txt",
        "no such file",
        "region.txt",
    ),
    "region name misspelt": (
        "region.txt",
        "italy_csp_region",
        "region_config.region",
        "region: italy_csp_region",
        "no such region",
        "italy_csep_region",
    ),
    "region a mapping": (
        "region: region.txt",
        "region: {dh: 0.1}",
        "region_config.region",
        "region: {dh: 0.1}",
        "a dictionary of cells needs",
    ),
    "region a polygon": (
        "region.txt",
        "csep:relm_testing_polygon",
        "region_config.region",
        "region: csep:relm_testing_polygon",
        "list of cells",
    ),
    "magnitudes the wrong way": (
        "mag_min: 4.0",
        "mag_min: 9.0",
        "region_config.mag_max",
        "mag_max: 8.0",
        "greater than mag_min, 9.0",
    ),
    "one magnitude": (
        "mag_max: 8.0",
        "mag_max: 4",
        "region_config.mag_max",
        "mag_max: 4",
        "greater than mag_min",
    ),
    "no width of bins": ("  mag_bin: 0.1\n", "", "region_config.mag_bin", "region_config:", "required"),
    "width zero": ("mag_bin: 0.1", "mag_bin: 0", "region_config.mag_bin", "mag_bin: 0", "greater than 0"),
    "width negative": (
        "mag_bin: 0.1",
        "mag_bin: -0.1",
        "region_config.mag_bin",
        "mag_bin: -0.1",
        "greater than 0",
    ),
    "width infinite": ("mag_bin: 0.1", "mag_bin: .inf", "region_config.mag_bin", "mag_bin: .inf", "finite"),
    "width as a power of ten": (
        "mag_bin: 0.1",
        "mag_bin: 1e-1",
        "region_config.mag_bin",
        "mag_bin: 1e-1",
        "powers of ten as 1.0e-5",
    ),
    "width tiny": (
        "mag_bin: 0.1",
        "mag_bin: 1.0e-300",
        "region_config.mag_bin",
        "mag_bin: 1.0e-300",
        "more than 10000 bins",
    ),
    "no whole number of bins": (
        "mag_max: 8.0",
        "mag_max: 8.06",
        "region_config.mag_max",
        "mag_max: 8.06",
        "near are 8 and 8.1",
    ),
    "magnitude as text": (
        "mag_min: 4.0",
        "mag_min: '4.0'",
        "region_config.mag_min",
        "mag_min: '4.0'",
        "without quotes",
    ),
    "magnitude that is none": (
        "mag_max: 8.0",
        "mag_max: 80",
        "region_config.mag_max",
        "mag_max: 80",
        "12 or less",
    ),
    "edges that fall": (
        BINS,
        "  magnitudes: [4.0, 5.0, 4.5]\n",
        "region_config.magnitudes",
        "magnitudes: [4.0, 5.0, 4.5]",
        "4.5 follows 5",
    ),
    "edges of several widths": (
        BINS,
        "  magnitudes: [4.0, 5.0, 5.5]\n",
        "region_config.magnitudes",
        "magnitudes: [4.0, 5.0, 5.5]",
        "bins of one width only",
    ),
    "edges and a width": (
        BINS,
        "  magnitudes: [4.0, 5.0]\n  mag_bin: 0.5\n",
        "region_config.mag_bin",
        "mag_bin: 0.5",
        "listed in magnitudes are 1 wide",
    ),
    "edges and another least": (
        BINS,
        "  magnitudes: [4.0, 5.0]\n  mag_min: 4.5\n",
        "region_config.mag_min",
        "mag_min: 4.5",
        "first edge of magnitudes is 4",
    ),
    "no edges": (
        BINS,
        "  magnitudes: []\n",
        "region_config.magnitudes",
        "magnitudes: []",
        "must not be empty",
    ),
    "depths the wrong way": (
        "depth_min: 0",
        "depth_min: 80",
        "region_config.depth_max",
        "depth_max: 70",
        "not be less than depth_min",
    ),
    "depths that say something else": (
        "depth_max: 70",
        "depth_max: 70\n  depths: [0, 30]",
        "region_config.depths",
        "depths: [0, 30]",
        "depth_max says 70, and this says 30",
    ),
    "one depth": (
        "depth_max: 70",
        "depths: [0]",
        "region_config.depths",
        "depths: [0]",
        "a pair [depth_min, depth_max]",
    ),
    "both depths the wrong way": (
        "  depth_min: 0\n  depth_max: 70\n",
        "  depths: [70, 0]\n",
        "region_config.depths",
        "depths: [70, 0]",
        "not be less than depth_min, which is 70",
    ),
    "depth in metres": (
        "depth_max: 70",
        "depth_max: 70000",
        "region_config.depth_max",
        "depth_max: 70000",
        "7000 or less",
    ),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_one_mistake_makes_one_problem_in_its_place(
    broken: tuple[str, ...], told_alone: Callable[..., None]
) -> None:
    told_alone(*broken)
