"""Starts a process that leaves its parent, its group and its session, and writes a good forecast."""

import os
import time

import good

if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(3600)
    os._exit(0)
os.wait()
good.write()
