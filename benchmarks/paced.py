"""The time of single answers: of one caller alone, and of hundreds of streams at once."""

import time
from pathlib import Path

from benchmarks.callers import Seen, call, http_request, percentile
from benchmarks.processes import cpu_seconds, memory_bytes
from benchmarks.replies import PACED_EVENTS, PAUSE_MS, marks, request_body
from benchmarks.results import Results
from benchmarks.targets import Target

ALONE = 100
"""Answers of a caller who is alone."""


def measure_alone(folder: Path, results: Results, target: Target) -> str:
    """One caller, one connection: milliseconds until an answer is whole (`one_whole`), and until
    the first event of a stream (`one_first`).

    Returns:
        An example of what went wrong, "" where nothing did.
    """
    example = ""
    for name, stream in (("one_whole", False), ("one_first", True)):
        request = http_request(target, request_body(stream=stream))
        seen = call(target, request, marks(stream), folder, each=ALONE)
        results.fail(target.name, name, seen.failures)
        example = example or seen.example
        if seen.wholes:
            times = seen.firsts if stream else seen.wholes
            results.add(target.name, name, percentile(times, 0.5) * 1e3)
    return example


def call_paced(
    results: Results,
    target: Target,
    folder: Path,
    *,
    count: int,
    begin_a_second: int,
    events: int = PACED_EVENTS,
) -> Seen:
    """So many streams that come token by token: milliseconds to the first event, the share that
    came whole, the memory that each took, and the CPU for an event (`paced_COUNT_…`)."""
    ramp = count / begin_a_second
    memory, cpu = memory_bytes(target.session), cpu_seconds(target.session)
    grown: list[float] = []

    def weigh() -> None:
        time.sleep(ramp + PAUSE_MS / 1000 * events / 4)  # all have begun, not many have ended
        grown.append((memory_bytes(target.session) - memory) / count)

    request = http_request(target, request_body(paced=True))
    seen = call(
        target,
        request,
        marks(stream=True, count=events),
        folder,
        callers=count,
        ramp=ramp,
        each=1,
        meanwhile=weigh,
    )
    name = f"paced_{count}"
    results.fail(target.name, name, seen.failures)
    results.add(target.name, f"{name}_whole", 100 * len(seen.wholes) / count)
    results.add(target.name, f"{name}_kb", max(0.0, grown[0] / 1024))
    if seen.firsts:
        used = (cpu_seconds(target.session) - cpu) / (len(seen.wholes) * events)
        results.add(target.name, f"{name}_cpu", used * 1e6)
        results.add(target.name, f"{name}_p50", percentile(seen.firsts, 0.5) * 1e3)
        results.add(target.name, f"{name}_p99", percentile(seen.firsts, 0.99) * 1e3)
    return seen


def measure_paced(folder: Path, results: Results, target: Target) -> str:
    """300 of them, begun within a second."""
    return call_paced(results, target, folder, count=300, begin_a_second=300).example
