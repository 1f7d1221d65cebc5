"""Writes a forecast of the other side of the Earth."""

import good

good.write(good.catalogs("2020-01-02").replace(",0.5,5.0", ",-40.5,5.0"))
