"""Writes a forecast that is larger than it may be."""

import good

good.write(good.catalogs("2020-01-02") * 1000)
