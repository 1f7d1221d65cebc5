"""Writes a forecast of the day after."""

import good

good.write(good.catalogs("2020-01-03"))
