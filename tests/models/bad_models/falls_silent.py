"""Says something, and then nothing more."""

import time

print("step 1", flush=True)
time.sleep(3600)
