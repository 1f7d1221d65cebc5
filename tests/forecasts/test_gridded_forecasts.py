from pathlib import Path

import numpy as np
import pytest

from forequake.datasets import locate_dataset
from forequake.errors import ForecastError
from forequake.forecasts import fit_to_experiment, rates_from_file, read_forecast, uniform_rates
from forequake.regions import Region, named_region

REGION = Region("square", np.array([[0.0, 0.0], [1.0, 0.0]]), 1.0)
MAGNITUDES = np.array([6.0, 7.0])
ROWS = [
    "0 1 0 1 0 70 6 7 0.5 1",
    "0 1 0 1 0 70 7 8 0.05 1",
    "1 2 0 1 0 70 6 7 0.25 1",
    "1 2 0 1 0 70 7 8 0.025 1",
]
TABLE = (
    "lon_min, lon_max, lat_min, lat_max, depth_min, depth_max, 6.0, 7.0\n"
    "0, 1, 0, 1, 0, 70, 0.5, 0.05\n1, 2, 0, 1, 0, 70, 0.25, 0.025\n"
)
EXPECTED = [[0.5, 0.05], [0.25, 0.025]]


def _fit(
    tmp_path: Path, text: str, name: str = "model.dat"
) -> tuple[list[list[float]], dict[str, int | None]]:
    path = tmp_path / name
    path.write_text(text)
    fitted = fit_to_experiment(read_forecast(path), REGION, MAGNITUDES)
    return fitted.rates.tolist(), {finding.code: finding.count for finding in fitted.findings}


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 2, 1, 0], [0, 2, 1, 3]])
def test_rows_may_stand_in_any_order(tmp_path: Path, order: list[int]) -> None:
    text = "# heading\n" + "\n".join(ROWS[place] for place in order)
    assert _fit(tmp_path, text) == (EXPECTED, {})


def test_the_table_form_of_floatcsep(tmp_path: Path) -> None:
    assert _fit(tmp_path, TABLE, "model.csv") == (EXPECTED, {})


def test_corners_and_magnitudes_that_differ_by_rounding_are_the_same(tmp_path: Path) -> None:
    text = "\n".join(ROWS).replace("0 1 0 1", "0.00000000000001 1 0 0.9999999999999")
    assert _fit(tmp_path, text.replace(" 6 ", " 5.9999999999 "))[0] == EXPECTED


def test_what_a_reader_should_know_is_found(tmp_path: Path) -> None:
    text = "0 1 0 1 0 70 6 7 0 1\n1 2 0 1 0 70 6 7 0.5 0.1"
    rates, findings = _fit(tmp_path, text)
    assert rates == [[0, 0], [0.5, 0]]
    assert findings == {"zero_rates": 1, "flagged_rows": 1, "missing_top_magnitudes": 1}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "\n".join(ROWS[:3]),
            "1 of the region's 2 cells have no rate, first the one at 1, 0 for",
        ),
        ("\n".join(ROWS)[:-8], "model.dat:4: expected 10 columns, got 8; the file is cut short or damaged"),
        ("\n".join(ROWS).replace("0.25", "-0.25"), "1 rates are negative, first -0.25 in the cell at 1, 0"),
        ("\n".join(ROWS).replace("0.25", "nan"), "1 rates are not numbers, first nan in the cell at 1, 0"),
        ("\n".join(ROWS).replace("0.5 1", "1e308 1").replace("0.25 1", "1e308 1"), "add up to"),
        ("\n".join(ROWS).replace("0.25", "inf"), "1 rates are infinite, first inf"),
        ("\n".join([*ROWS, ROWS[0]]), "the cell at 0, 0 is given more than once for magnitude 6"),
        ("\n".join(ROWS).replace("1 2 0 1", "2 3 0 1"), "not cells of the region square .* another region"),
        ("\n".join(ROWS).replace("1 2 0 1", "1 1.5 0 0.5"), "not cells of the region square"),
        (
            "\n".join(ROWS).replace(" 7 8 ", " 6.5 8 "),
            "bins are not the experiment's: 2 bins from 6",
        ),
        ("\n".join(ROWS).replace("0.25", "many"), "cut short or damaged"),
        ("1 2 3\n", "expected 9 or 10 columns .* got 3"),
        ("", "the file has no rates"),
        ("# only words\n", "the file has no rates"),
    ],
)
def test_a_forecast_that_does_not_fit_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ForecastError, match=words):
        _fit(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (TABLE.replace("depth_max", "depth"), "headed by neither a magnitude nor a known word: 'depth'"),
        (TABLE.replace(" 7.0", " seven"), "neither a magnitude nor a known word: 'seven'"),
        (TABLE.replace("lat_max", "lat_mx"), "no column lat_max; is it 'lat_mx'?"),
        (TABLE.replace("6.0, 7.0", "7.0, 6.0"), "and increase; got"),
        (TABLE[:-7], "model.csv:3: '' is not a number; the file is cut short or damaged"),
        (TABLE.splitlines()[0], "no rates"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ForecastError, match=words):
        _fit(tmp_path, text, "model.csv")


def test_an_unknown_ending_gets_the_nearest_one(tmp_path: Path) -> None:
    with pytest.raises(
        ForecastError, match=r"no forecast reader for the ending '\.data'; did you mean '\.dat'\?"
    ):
        _fit(tmp_path, "", "model.data")


def test_uniform_rates_follow_area_and_gutenberg_richter() -> None:
    region = Region("two", np.array([[0.0, 0.0], [0.0, 60.0]]), 1.0)
    magnitudes = np.array([5.0, 6.0, 7.0])
    rates = uniform_rates(region, magnitudes, total=10, b_value=1).rates
    assert rates.sum() == pytest.approx(10, rel=1e-14)
    # The open last bin holds a hundredth of all, the first nine tenths.
    assert rates.sum(axis=0) == pytest.approx([9.0, 0.9, 0.1], rel=1e-12)
    # Zones of one degree shrink with the cosine of their middle latitude.
    ratio = np.cos(np.radians(60.5)) / np.cos(np.radians(0.5))
    assert rates[1, 0] / rates[0, 0] == pytest.approx(ratio, rel=1e-12)


@pytest.mark.slow
def test_the_published_forecasts_read_as_pycsep_reads_them(tmp_path: Path) -> None:
    import csep

    region = named_region("california_relm_region")
    magnitudes = np.round(4.95 + 0.1 * np.arange(41), 2)
    for name, total in (
        ("csep:helmstetter_mainshock", 21.128924168796416),
        ("csep:helmstetter_aftershock", 35.402430726026594),
    ):
        path = locate_dataset(name)
        ours = fit_to_experiment(read_forecast(path), region, magnitudes)
        theirs = csep.load_gridded_forecast(str(path))
        assert np.array_equal(ours.rates, theirs.data)
        assert ours.rates.sum() == total
        stored = tmp_path / "rates.npy"
        stored.write_bytes(ours.to_bytes())
        with stored.open("rb") as file:
            assert np.array_equal(rates_from_file(file), ours.rates)
    for name in ("csep:hires_ssm_italy", "csep:gear1_downsampled"):
        table = read_forecast(locate_dataset(name))
        theirs = csep.load_gridded_forecast(str(locate_dataset(name)))
        assert np.array_equal(table.rates, theirs.data)
        assert np.array_equal(table.magnitudes, theirs.magnitudes)
        assert np.array_equal(table.corners[:, [0, 2]], theirs.region.origins())
