"""What was seen, and what of it is shown."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

UPSTREAM = "upstream"
"""The name of the fake upstream itself, measured without a server before it."""


class Results:
    """Numbers by server and name, one a round, and what went wrong."""

    def __init__(self) -> None:
        self.values: dict[tuple[str, str], list[float]] = defaultdict(list)
        self.failures: dict[tuple[str, str], int] = defaultdict(int)

    def add(self, server: str, name: str, value: float) -> None:
        """Keep one round's number."""
        self.values[server, name].append(value)

    def fail(self, server: str, measure: str, count: int) -> None:
        """Keep how many answers were wrong or missing while that was measured."""
        self.failures[server, measure] += count

    def middle(self, server: str, name: str) -> float | None:
        """The median of all rounds."""
        seen = self.values.get((server, name))
        return median(seen) if seen else None

    def failed(self, server: str) -> int:
        """How many answers of a server were wrong or missing, in everything."""
        return sum(count for (name, _), count in self.failures.items() if name == server)


Value = Callable[[Results, str], float | None]


@dataclass(frozen=True)
class Figure:
    """A column: what is shown of each server."""

    title: str
    value: Value
    digits: int = 0


def median_of(name: str) -> Value:
    """The median as it was measured."""
    return lambda results, server: results.middle(server, name)


def added(name: str, base: str) -> Value:
    """The median above what the upstream by itself takes, whose own median is `base`."""

    def value(results: Results, server: str) -> float | None:
        seen, own = results.middle(server, name), results.middle(UPSTREAM, base)
        return None if seen is None or own is None or server == UPSTREAM else seen - own

    return value


def cpu_a_message(results: Results, server: str) -> float | None:
    """Microseconds of CPU for each message of a long conversation, above a short request."""
    long, short = results.middle(server, "messages_1000_cpu"), results.middle(server, "whole_cpu")
    return None if long is None or short is None else (long - short) / 999


TABLES = {
    "throughput": (
        Figure("replies/s", median_of("whole")),
        Figure("events/s", median_of("events")),
        Figure("CPU µs/reply", median_of("whole_cpu")),
        Figure("CPU µs/event", median_of("events_cpu"), 1),
    ),
    "conversations": (
        Figure("10 messages/s", median_of("messages_10")),
        Figure("100 messages/s", median_of("messages_100")),
        Figure("1,000 messages/s", median_of("messages_1000")),
        Figure("CPU µs/message", cpu_a_message, 1),
    ),
    "added to the upstream's own time, ms": (
        Figure("whole", added("one_whole", "one_whole"), 2),
        Figure("first event", added("one_first", "one_first"), 2),
        Figure("300 streams: p50", added("paced_300_p50", "paced_300_p50"), 1),
        Figure("p99", added("paced_300_p99", "paced_300_p50"), 1),
        Figure("1,000: p50", added("paced_1000_p50", "paced_300_p50"), 1),
        Figure("p99", added("paced_1000_p99", "paced_300_p50"), 1),
    ),
    "held streams and footprint": (
        Figure("300: % whole", median_of("paced_300_whole")),
        Figure("CPU µs/event", median_of("paced_300_cpu"), 1),
        Figure("KB/stream", median_of("paced_300_kb")),
        Figure("idle MB", median_of("idle_mb")),
        Figure("start s", median_of("start_s"), 2),
    ),
}
"""Title of each table and its columns."""
