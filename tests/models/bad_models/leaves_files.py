"""Leaves files where all may write, and writes a good forecast."""

import os
from pathlib import Path

import good

for folder in ("/tmp", "/dev/shm"):
    Path(folder, f"forequake-bad-model-{os.getuid()}").write_text("left")
good.write()
