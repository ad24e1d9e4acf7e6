"""The budget: what each figure costs today, by Python's version, in tests/cost/budget.json."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from benchmarks.cost.counting import Cost

PATH = Path(__file__).resolve().parents[2] / "tests/cost/budget.json"
MARGIN = 0.05
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
"""Each compiles to other instructions."""

Figures = Mapping[str, Cost]


def read() -> dict[str, Cost] | None:
    """The budget for this Python, None where nobody has made one."""
    written = json.loads(PATH.read_text()).get(VERSION)
    return written and {name: Cost(**cost) for name, cost in written.items()}


def write(figures: Figures) -> None:
    """Keep the figures as the budget for this Python."""
    budgets = json.loads(PATH.read_text()) if PATH.exists() else {}
    budgets[VERSION] = {name: cost._asdict() for name, cost in figures.items()}
    PATH.write_text(json.dumps(budgets, indent=2) + "\n")


def differences(budget: Figures, seen: Figures) -> list[str]:
    """What is not within the margin of its budget, a line each: what became cheaper, too, or the
    next change could waste it unseen."""
    if budget.keys() != seen.keys():
        return [f"The budget is for {sorted(budget)}, measured were {sorted(seen)}."]
    return [
        f"{name}: {counted:,g} {unit}, budget {allowed:,g} ({counted / allowed - 1:+.1%})"
        for name in budget
        for unit, allowed, counted in zip(Cost._fields, budget[name], seen[name], strict=True)
        if abs(counted - allowed) > MARGIN * allowed
    ]
