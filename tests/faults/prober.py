"""`python -m tests.faults.prober PORT`: asks for `/health` again and again until its standard input
ends, and prints how many seconds each answer took, `inf` where there was none.

A process of its own: a thread beside hundreds of callers would measure how long it waits for them.
"""

from __future__ import annotations

import http.client
import select
import sys
import time

PAUSE_SECONDS = 0.02
PATIENCE_SECONDS = 20


def seconds_taken(port: int) -> float:
    """Until the answer was whole."""
    started = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    try:
        connection.request("GET", "/health")
        reply = connection.getresponse()
        reply.read()
        return time.monotonic() - started if reply.status == 200 else float("inf")
    except (OSError, http.client.HTTPException):
        return float("inf")
    finally:
        connection.close()


def main() -> None:
    port = int(sys.argv[1])
    while True:
        sys.stdout.write(f"{seconds_taken(port)}\n")
        sys.stdout.flush()
        if select.select([sys.stdin], [], [], PAUSE_SECONDS)[0]:
            return


if __name__ == "__main__":
    main()
