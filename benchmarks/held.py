"""How many slow streams one worker of ours holds while it answers others at once."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.callers import Seen, call, percentile
from benchmarks.checks import warm_up
from benchmarks.native import upstream
from benchmarks.paced import call_paced
from benchmarks.replies import PAUSE_MS, write_replies
from benchmarks.results import Results
from benchmarks.targets import Target, server

FIRST, COUNTS = 1_000, (1_500, 3_000)
BEGIN_A_SECOND = {1_000: 250, 1_500: 350, 3_000: 600}
EVENTS = 40
"""Of a stream, which lasts ten seconds: all must have begun long before the first ends."""
SECONDS = EVENTS * PAUSE_MS / 1000
HEALTH_SECONDS = 0.05
PROBES_A_SECOND = 100


def measure_held(folder: Path, results: Results) -> str:
    """1,000 streams, as `paced_1000_…`. Then the greatest number of which all came whole while 99
    of 100 callers of `/health`, who came once all had begun, had their answers within 50 ms, as
    `held`.

    Returns:
        What stood in the way of a greater number, "" where nothing did.
    """
    replies = folder / "held"
    replies.mkdir()
    write_replies(replies, EVENTS)
    with upstream(folder, replies) as (port, _):
        # 3,000 are above the limit that is its default.
        with server("ours", port, folder, MAX_STREAMS="4000") as target:
            warm_up(target, folder)
            _hold(results, target, FIRST, folder)
            results.add("ours", "held", 0)
            for count in COUNTS:
                if problem := _hold_and_probe(results, target, count, folder):
                    return f"{count:,} streams: {problem}"
                results.values["ours", "held"] = [count]
    return ""


def _hold(results: Results, target: Target, count: int, folder: Path) -> Seen:
    rate = BEGIN_A_SECOND[count]
    return call_paced(results, target, folder, count=count, begin_a_second=rate, events=EVENTS)


def _hold_and_probe(results: Results, target: Target, count: int, folder: Path) -> str:
    with ThreadPoolExecutor(1) as beside:
        probes = beside.submit(_probe, target, count / BEGIN_A_SECOND[count], folder)
        streams = _hold(results, target, count, folder)
        health = probes.result()
    if streams.failures:
        return f"{streams.failures:,} were not whole, e.g. {streams.example}"
    slow = percentile(health.wholes, 0.99) if health.wholes else float("inf")
    if health.failures or slow > HEALTH_SECONDS:
        return f"/health: {health.failures} failed, p99 {slow * 1e3:.0f} ms"
    return ""


def _probe(target: Target, ramp: float, folder: Path) -> Seen:
    """Callers of `/health` from when all streams have begun until the first ends."""
    time.sleep(ramp)
    seconds = SECONDS - ramp
    request = f"GET /health HTTP/1.1\r\nHost: 127.0.0.1:{target.port}\r\n\r\n".encode()
    count = int(seconds * PROBES_A_SECOND)
    return call(target, request, '"status"', folder, callers=count, ramp=seconds, each=1)
