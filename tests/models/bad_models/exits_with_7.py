"""Writes a good forecast and says that it failed."""

import sys

import good

good.write()
print("the fit did not converge")
sys.exit(7)
