"""A request costs what it did before: calls and instructions, which no busy machine changes."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from benchmarks.cost.budget import PATH, VERSION, differences, read
from benchmarks.cost.counting import Cost, cost_of
from tests.servers import ROOT

RENEW = "`make cost` makes what was counted the budget; say in the commit why it is what it is now"


def counted(hash_seed: int) -> dict[str, Cost]:
    """In a process of its own: what other tests have changed or filled would count."""
    seen = subprocess.run(
        [sys.executable, "-m", "benchmarks.cost"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONHASHSEED": str(hash_seed)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert seen.returncode == 0, seen.stderr
    return {name: Cost(**cost) for name, cost in json.loads(seen.stdout).items()}


@pytest.fixture(scope="module")
def figures() -> dict[str, Cost]:
    return counted(hash_seed=0)


def test_a_request_costs_what_its_budget_says(figures: dict[str, Cost]) -> None:
    budget = read()
    if budget is None:
        pytest.skip(f"{PATH.name} has nothing for Python {VERSION}; `make cost` adds it")
    found = differences(budget, figures)
    assert not found, "\n".join([*found, RENEW])


def test_the_same_is_counted_in_every_process(figures: dict[str, Cost]) -> None:
    assert counted(hash_seed=1) == figures


def test_the_budget_has_this_projects_python() -> None:
    wanted = (ROOT / ".python-version").read_text().strip()
    assert wanted in json.loads(PATH.read_text())


@pytest.mark.parametrize(
    ("calls", "instructions", "told"),
    [
        (105, 1_050, []),
        (95, 950, []),
        (106, 1_000, ["a request: 106 calls, budget 100 (+6.0%)"]),
        (94, 1_000, ["a request: 94 calls, budget 100 (-6.0%)"]),
        (100, 1_051, ["a request: 1,051 instructions, budget 1,000 (+5.1%)"]),
    ],
)
def test_a_twentieth_more_or_less_is_told(calls: int, instructions: int, told: list[str]) -> None:
    budget = {"a request": Cost(100, 1_000)}
    assert differences(budget, {"a request": Cost(calls, instructions)}) == told


def test_a_figure_that_is_only_on_one_side_is_told() -> None:
    (told,) = differences({"a": Cost(1, 1)}, {"b": Cost(1, 1)})
    assert told == "The budget is for ['a'], measured were ['b']."


def test_calls_of_python_and_of_c_are_counted() -> None:
    def work() -> None:
        for number in range(10):
            abs(number)

    cost = cost_of(work)
    assert cost.calls == 1 + 10  # `work` itself and `abs`; to make a `range` is no call
    assert cost.instructions > 10 * 4
