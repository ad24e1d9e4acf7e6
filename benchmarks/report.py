"""The tables, the ratios and the JSON."""

import os
import platform
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from benchmarks.goals import GOALS
from benchmarks.results import TABLES, UPSTREAM, Figure, Results
from benchmarks.targets import SERVERS

LABELS = {name: server.label for name, server in SERVERS.items()} | {
    UPSTREAM: "the fake upstream itself"
}
NAME_WIDTH = 38


def cell(value: float | None, digits: int) -> str:
    """A number as a table shows it."""
    return "-" if value is None else f"{value:,.{digits}f}"


def row(label: str, figures: Sequence[Figure], cells: Sequence[str], note: str = "") -> str:
    """Lay one line of a table out."""
    widths = [max(9, len(figure.title)) + 2 for figure in figures]
    columns = "".join(f"{text:>{width}}" for text, width in zip(cells, widths, strict=True))
    return f"{label:<{NAME_WIDTH}}{columns}{note}".rstrip()


def table(
    title: str, figures: Sequence[Figure], results: Results, names: Sequence[str]
) -> Iterator[str]:
    """Yield the lines of one table: medians, then ours divided by each of the others."""
    shown = {name: [figure.value(results, name) for figure in figures] for name in names}
    shown = {name: values for name, values in shown.items() if any(v is not None for v in values)}
    if not shown:
        return
    yield row(title, figures, [figure.title for figure in figures])
    for name, values in shown.items():
        wrong = results.failed(name)
        note = f"  FAILED: {wrong:,} wrong or missing answers" if wrong else ""
        cells = [cell(v, figure.digits) for v, figure in zip(values, figures, strict=True)]
        yield row(LABELS[name], figures, cells, note)
    ours = shown.get("ours")
    for name, values in shown.items():
        if ours and name not in ("ours", UPSTREAM):
            ratios = [a / b if a and b else None for a, b in zip(ours, values, strict=True)]
            cells = [cell(ratio, 2) for ratio in ratios]
            yield row(f"  ours / {LABELS[name]}", figures, cells)
    yield ""


def tables(results: Results, names: Sequence[str]) -> Iterator[str]:
    """Yield the lines of all of them."""
    for title, figures in TABLES.items():
        yield from table(title, figures, results, names)


def machine() -> dict[str, Any]:
    """Where and when that was measured."""
    return {
        "cores": os.cpu_count(),
        "processor": platform.machine(),
        "python": platform.python_version(),
        "kernel": platform.release().split("-")[0],
        "day": datetime.now(UTC).date().isoformat(),
    }


def as_json(results: Results, names: Sequence[str], skipped: dict[str, str]) -> dict[str, Any]:
    """Return everything that was seen, each round by itself."""
    return {
        "machine": machine(),
        "servers": {
            name: {
                "label": LABELS[name],
                "failures": results.failed(name),
                "rounds": {
                    figure: [round(value, 3) for value in values]
                    for (server, figure), values in results.values.items()
                    if server == name
                },
            }
            for name in names
        },
        "skipped": skipped,
        "goals": [
            {
                "goal": goal.text,
                "must": goal.must,
                "proud_of": goal.proud,
                "seen": None if seen is None else round(seen, 3),
                "verdict": goal.verdict(seen),
            }
            for goal in GOALS
            for seen in [goal.seen(results)]
        ],
    }
