"""What our server wants to reach: `must`, and what it would be proud of."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from benchmarks.results import Results, Value, added, cpu_a_message, median_of

OURS = "ours"


@dataclass(frozen=True)
class Goal:
    """A bound of one figure.

    Args:
        seen: the figure; None where it was not measured, or somebody's answers were wrong.
        at_least: whether more is better.
    """

    text: str
    seen: Callable[[Results], float | None]
    must: float
    proud: float
    at_least: bool = False

    def verdict(self, seen: float | None) -> str:
        """`PASS`, `FAIL`, `-` where nothing is known; `PASS +` for one to be proud of."""
        if seen is None:
            return "-"
        if self._reaches(seen, self.proud):
            return "PASS +"
        return "PASS" if self._reaches(seen, self.must) else "FAIL"

    def _reaches(self, seen: float, bound: float) -> bool:
        return seen >= bound if self.at_least else seen <= bound


def times(text: str, name: str, peer: str, must: float, proud: float) -> Goal:
    """How many times a peer's rate ours is."""

    def seen(results: Results) -> float | None:
        if results.failures[OURS, name] or results.failures[peer, name]:
            return None
        ours, theirs = results.middle(OURS, name), results.middle(peer, name)
        return ours / theirs if ours and theirs else None

    return Goal(text, seen, must, proud, at_least=True)


def ours(text: str, value: Value, must: float, proud: float, at_least: bool = False) -> Goal:
    """A figure of ours by itself."""
    return Goal(text, lambda results: value(results, OURS), must, proud, at_least)


GOALS = (
    times("whole replies, times LiteLLM's", "whole", "litellm", 12, 18),
    times("whole replies, times Portkey's", "whole", "portkey", 1.4, 2),
    times("whole replies, times Flask and the SDK", "whole", "plain", 3, 4.5),
    times("whole replies, of the ceiling", "whole", "socket", 0.5, 0.7),
    times("events, times LiteLLM's", "events", "litellm", 30, 50),
    times("events, times Portkey's", "events", "portkey", 1.5, 2.5),
    times("events, of the ceiling", "events", "socket", 0.5, 0.75),
    times("100 messages, times Flask and the SDK", "messages_100", "plain", 12, 20),
    ours("added to a whole reply, ms", added("one_whole", "one_whole"), 1.2, 0.7),
    ours("added to a first event, ms", added("one_first", "one_first"), 1.5, 0.9),
    ours("added at 300 streams, median, ms", added("paced_300_p50", "paced_300_p50"), 5, 2),
    ours("added at 300 streams, p99, ms", added("paced_300_p99", "paced_300_p50"), 40, 10),
    ours("added at 1,000 streams, median, ms", added("paced_1000_p50", "paced_300_p50"), 8, 3),
    ours("added at 1,000 streams, p99, ms", added("paced_1000_p99", "paced_300_p50"), 80, 25),
    ours("streams held, /health under 50 ms", median_of("held"), 1_500, 3_000, at_least=True),
    ours("memory a held stream, KB", median_of("paced_1000_kb"), 60, 25),
    ours("idle memory, two workers, MB", median_of("idle_mb"), 200, 130),
    ours("cold start, s", median_of("start_s"), 1.5, 0.9),
    ours("CPU a message of 1,000, µs", cpu_a_message, 6, 3),
)


def goal_lines(results: Results) -> Iterator[str]:
    """Yield the table of goals, a line each."""
    yield f"{'goal':<40}{'must':>10}{'proud of':>10}{'seen':>10}"
    for goal in GOALS:
        seen = goal.seen(results)
        sign = "≥" if goal.at_least else "≤"
        bounds = [f"{sign} {bound:,g}" for bound in (goal.must, goal.proud)]
        shown = "-" if seen is None else f"{seen:,.0f}" if seen >= 1_000 else f"{seen:.2f}"
        cells = "".join(f"{cell:>10}" for cell in (*bounds, shown))
        yield f"{goal.text:<40}{cells}  {goal.verdict(seen)}"
