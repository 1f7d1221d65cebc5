"""Takes more and more memory."""

import time

held = []
while True:
    held.append(b"x" * (16 << 20))
    time.sleep(0.005)
