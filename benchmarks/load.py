"""As much as a server can do: callers who ask again as soon as they have their answer."""

from dataclasses import dataclass
from pathlib import Path

from benchmarks.callers import Seen, call, http_request
from benchmarks.processes import cpu_seconds
from benchmarks.replies import EVENTS, marks, request_body
from benchmarks.results import Results
from benchmarks.targets import Target


@dataclass(frozen=True)
class Load:
    """One thing to measure: what is sent, over how many connections, and what is counted."""

    name: str
    connections: int
    messages: int = 1
    stream: bool = False
    share: float = 1.0
    """How much of the time it gets."""
    every_round: bool = True

    @property
    def per_reply(self) -> int:
        """How much one reply counts: its events when it is streamed."""
        return EVENTS if self.stream else 1


LOADS = (
    Load("whole", 32),
    Load("events", 32, stream=True),
    Load("messages_100", 8, 100, share=0.5),
    Load("messages_10", 8, 10, share=0.5, every_round=False),
    Load("messages_1000", 4, 1_000, share=0.5, every_round=False),
)


def call_on_and_on(target: Target, load: Load, seconds: float, folder: Path) -> Seen:
    """Load a server for some seconds, and until the last answer that was begun then is whole: what
    is under way counts, or a slow server would lose by it."""
    request = http_request(target, request_body(load.messages, load.stream))
    expected = marks(load.stream)
    return call(target, request, expected, folder, callers=load.connections, stop=seconds)


def measure_load(load: Load, seconds: int, folder: Path, results: Results, target: Target) -> str:
    """Keep the rate, and the CPU that the server took for each: `NAME_cpu`, microseconds.

    Returns:
        An example of what went wrong, "" where nothing did.
    """
    before = cpu_seconds(target.session)
    seen = call_on_and_on(target, load, load.share * seconds, folder)
    used = cpu_seconds(target.session) - before
    results.fail(target.name, load.name, seen.failures)
    counted = len(seen.wholes) * load.per_reply
    results.add(target.name, load.name, counted / seen.seconds)
    if counted:
        results.add(target.name, f"{load.name}_cpu", used / counted * 1e6)
    return seen.example if seen.failures else ""
