"""Starts more and more processes."""

import os
import time

for _ in range(4):
    os.fork()
time.sleep(3600)
