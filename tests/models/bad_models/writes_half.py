"""Writes half a file."""

import good

text = good.catalogs("2020-01-02")
good.write(text[: len(text) // 2 + 7])
