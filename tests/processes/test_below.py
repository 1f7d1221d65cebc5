"""Looking for processes that end while they are looked for."""

import subprocess
import threading
import time

from forequake.processes.below import descendants


def test_processes_that_end_meanwhile_disturb_nobody() -> None:
    end = time.monotonic() + 0.5

    def come_and_go() -> None:
        while time.monotonic() < end:
            subprocess.run(["sh", "-c", "true & true & wait"], check=True)

    threads = [threading.Thread(target=come_and_go) for _ in range(3)]
    for thread in threads:
        thread.start()
    seen = 0
    while time.monotonic() < end:
        seen = max(seen, len(descendants()))
    for thread in threads:
        thread.join()
    assert seen > 0
