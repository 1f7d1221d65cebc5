"""Writes a good forecast, and deletes all that it finds in its folder."""

from pathlib import Path

import good

for file in Path.cwd().glob("*.py"):
    file.unlink()
good.write()
