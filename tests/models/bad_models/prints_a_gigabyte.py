"""Prints a gigabyte and writes a good forecast."""

import os

import good

for _ in range(1024):
    os.write(1, b"x" * (1 << 20))
good.write()
print("\ndone")
