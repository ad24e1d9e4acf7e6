"""The table, the ratios and the goals."""

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmarks.load import FIGURES, Figure, Measured
from benchmarks.processes import Target

# (server, figure) -> one measurement a round
Results = dict[tuple[str, str], list[Measured]]


@dataclass(frozen=True)
class Goal:
    """The least ratio of ours to a peer that we want to see."""

    figure: str
    peer: str
    least: float


GOALS = (
    Goal("whole", "urllib3", 0.75),
    Goal("whole", "plain", 3.0),
    Goal("events", "urllib3", 1.0),
    Goal("events", "plain", 8.0),
    Goal("messages", "plain", 12.0),
)


def middle(results: Results, server: str, figure: str) -> float:
    """Return the median rate of all rounds, or 0 where nothing was measured."""
    rates = [measured.rate for measured in results.get((server, figure), [])]
    return median(rates) if rates else 0.0


def failures(results: Results, server: str) -> int:
    """Return how many answers of a server were wrong or missing, in all rounds."""
    return sum(m.failures for (name, _), seen in results.items() if name == server for m in seen)


def ratio(results: Results, figure: str, peer: str) -> float | None:
    """Return ours divided by a peer's, or None when one is unknown or gave wrong answers."""
    if failures(results, "ours") or failures(results, peer):
        return None
    ours, theirs = middle(results, "ours", figure), middle(results, peer, figure)
    return ours / theirs if ours and theirs else None


def row(label: str, cells: list[str], note: str = "") -> str:
    """Lay one line of the table out."""
    widths = [max(10, len(figure.title)) for figure in FIGURES]
    columns = "".join(f"  {cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
    return f"{label:<32}{columns}{note}".rstrip()


def table(results: Results, targets: list[Target]) -> Iterator[str]:
    """Yield the lines of the table: absolute medians, then ours divided by each of the others."""
    yield row("median of all rounds", [figure.title for figure in FIGURES])
    for target in targets:
        wrong = failures(results, target.name)
        note = f"  FAILED: {wrong:,} wrong or missing answers" if wrong else ""
        rates = [f"{middle(results, target.name, figure.name):,.0f}" for figure in FIGURES]
        yield row(target.label, rates, note)
    peers = [target for target in targets if target.name not in ("ours", "upstream")]
    if not peers or not any(target.name == "ours" for target in targets):
        return
    yield ""
    yield row("ours divided by", [""] * len(FIGURES))
    for peer in peers:
        ratios = [ratio(results, figure.name, peer.name) for figure in FIGURES]
        yield row(peer.label, ["-" if r is None else f"{r:.2f}" for r in ratios])


def goals(results: Results) -> Iterator[tuple[Goal, float, bool]]:
    """Yield each goal both of whose sides were measured, the ratio seen, and whether it is met."""
    for goal in GOALS:
        seen = ratio(results, goal.figure, goal.peer)
        if seen is not None:
            yield goal, seen, seen >= goal.least


def goal_lines(results: Results) -> Iterator[str]:
    """Yield one line a goal."""
    titles = {figure.name: figure.title for figure in FIGURES}
    for goal, seen, met in goals(results):
        word = "pass" if met else "FAIL"
        yield f"{word}  {titles[goal.figure]}, ours / {goal.peer}: {seen:.2f} (goal {goal.least})"


def as_json(results: Results, targets: list[Target], rounds: int, seconds: int) -> dict[str, Any]:
    """Return everything that was seen, each round by itself."""

    def one(target: Target, figure: Figure) -> dict[str, Any]:
        seen = results.get((target.name, figure.name), [])
        return {
            "median": round(middle(results, target.name, figure.name), 1),
            "rounds": [round(measured.rate, 1) for measured in seen],
            "failures": sum(measured.failures for measured in seen),
        }

    return {
        "rounds": rounds,
        "seconds": seconds,
        "servers": {t.name: {f.name: one(t, f) for f in FIGURES} for t in targets},
        "goals": [
            {"figure": g.figure, "peer": g.peer, "least": g.least, "seen": round(s, 2), "met": met}
            for g, s, met in goals(results)
        ],
    }
