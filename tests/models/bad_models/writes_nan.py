"""Writes magnitudes that are no numbers."""

import good

good.write(good.catalogs("2020-01-02").replace(",5.0,", ",nan,"))
