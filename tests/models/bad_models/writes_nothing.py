"""Ends well, and its forecast has another name."""

from pathlib import Path

import good

Path("forecasts/forecast.csv").write_text(good.catalogs("2020-01-02"))
