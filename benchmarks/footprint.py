"""What a server takes before anybody asks it: seconds to the first answer, and memory."""

import time
from pathlib import Path

from benchmarks.processes import memory_bytes
from benchmarks.results import Results
from benchmarks.targets import server

WORKERS = 2
"""As ours has by default; Portkey's is one process in any case."""
SETTLE_SECONDS = 1.0


def measure_footprint(results: Results, name: str, upstream_port: int, folder: Path) -> None:
    """Start a server with nothing else under load, and end it: `start_s`, `idle_mb`.

    Raises:
        CannotRun: it did not come up.
    """
    with server(name, upstream_port, folder, WORKERS) as target:
        results.add(name, "start_s", target.seconds_to_start)
        time.sleep(SETTLE_SECONDS)  # the second worker may still be on its way
        results.add(name, "idle_mb", memory_bytes(target.session) / 1e6)
