"""What the goals make of what was seen."""

from __future__ import annotations

import pytest

from benchmarks.goals import GOALS, Goal, goal_lines, ours, times
from benchmarks.results import Results, added, cpu_a_message, median_of


@pytest.mark.parametrize(
    ("seen", "verdict"), [(None, "-"), (2.9, "FAIL"), (3.0, "PASS"), (4.4, "PASS"), (4.5, "PASS +")]
)
def test_a_rate_must_be_high(seen: float | None, verdict: str) -> None:
    goal = Goal("replies", lambda results: seen, must=3, proud=4.5, at_least=True)
    assert goal.verdict(seen) == verdict


@pytest.mark.parametrize(("seen", "verdict"), [(1.3, "FAIL"), (1.2, "PASS"), (0.7, "PASS +")])
def test_a_time_must_be_low(seen: float, verdict: str) -> None:
    assert Goal("added", lambda results: seen, must=1.2, proud=0.7).verdict(seen) == verdict


def test_rates_are_compared_by_their_medians() -> None:
    results = Results()
    for value in (900, 1_000, 5_000):
        results.add("ours", "whole", value)
    results.add("plain", "whole", 250)
    assert times("", "whole", "plain", 3, 4.5).seen(results) == 4


@pytest.mark.parametrize("wrong", ["ours", "plain"])
def test_a_rate_with_wrong_answers_in_it_is_none(wrong: str) -> None:
    results = Results()
    results.add("ours", "whole", 1_000)
    results.add("plain", "whole", 250)
    results.fail(wrong, "events", 3)
    assert times("", "whole", "plain", 3, 4.5).seen(results) == 4
    results.fail(wrong, "whole", 1)
    assert times("", "whole", "plain", 3, 4.5).seen(results) is None


def test_the_upstreams_own_time_is_taken_off() -> None:
    results = Results()
    results.add("upstream", "p50", 250)
    results.add("upstream", "p99", 259)
    results.add("ours", "p99", 262)
    # Off its median: what made some of its own answers late is not known to be the machine's doing.
    assert ours("", added("p99", "p50"), 40, 10).seen(results) == 12


def test_a_message_costs_what_a_thousand_cost_above_one() -> None:
    results = Results()
    results.add("ours", "whole_cpu", 500)
    assert cpu_a_message(results, "ours") is None
    results.add("ours", "messages_1000_cpu", 500 + 2 * 999)
    assert cpu_a_message(results, "ours") == 2


def test_each_goal_is_a_line_also_where_nothing_was_measured() -> None:
    lines = list(goal_lines(Results()))
    assert len(lines) == 1 + len(GOALS) and all(line.endswith("-") for line in lines[1:])
    results = Results()
    results.add("ours", "start_s", 1.1)
    (line,) = [line for line in goal_lines(results) if line.startswith("cold start")]
    assert line.split()[3:] == ["≤", "1.5", "≤", "0.9", "1.10", "PASS"]


def test_every_goal_asks_more_of_the_proud() -> None:
    for goal in GOALS:
        assert (goal.proud > goal.must) == goal.at_least, goal.text


def test_a_median_of_nothing_is_none() -> None:
    assert median_of("whole")(Results(), "ours") is None
