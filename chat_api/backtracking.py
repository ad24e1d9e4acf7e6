"""How far a regular expression may go back and forth over a text, known before it is used.

`re` tries one way through a pattern after the other. `(a+)+` has more of them over 30 characters
than anybody can wait for, and while `re` tries, its worker does nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from re import _parser  # type: ignore[attr-defined] # nothing public reads patterns
from typing import Any, NamedTuple

LONGEST_TEXT = 512
MOST_STEPS = 2_000_000
"""Made in 30 ms at worst. Two repeats of open length take a quarter of them, three far more."""


class Effort(NamedTuple):
    """What a part of a pattern may take, at most."""

    ways: int
    """How many lead through it: what is behind it is tried for each."""
    steps: int
    """How many characters are compared on all of them, from one place in the text."""


def is_bounded(pattern: re.Pattern[str]) -> bool:
    """Whether it needs no more than `MOST_STEPS` for a text of `LONGEST_TEXT` characters."""
    effort = _effort(_parser.parse(pattern.pattern, pattern.flags & ~re.UNICODE))
    return effort.ways + effort.steps <= MOST_STEPS


def _effort(items: Any) -> Effort:
    """Of items one behind the other: each is walked once for each way through those before it."""
    ways, steps = 1, 0
    for kind, what in items:
        item = _effort_of(str(kind), what)
        steps += ways * item.steps
        ways *= item.ways
        ways, steps = min(ways, MOST_STEPS + 1), min(steps, MOST_STEPS + 1)
    return Effort(ways, steps)


def _effort_of(kind: str, what: Any) -> Effort:
    match kind:
        case "BRANCH":
            return _either(what[1])
        case "GROUPREF_EXISTS":
            return _either(items for items in what[1:] if items is not None)
        case "MAX_REPEAT" | "MIN_REPEAT":
            low, high = _times(what)
            inside = _effort(what[2])
            ways = inside.ways**high
            # What has a choice in it is entered anew each time, which takes longer than a letter.
            entered = inside.steps + 2 if inside.ways > 1 else max(1, inside.steps)
            return Effort((high - low + 1) * ways, entered * max(high, ways))
        case "POSSESSIVE_REPEAT":  # never gone back into
            low, high = _times(what)
            inside = _effort(what[2])
            return Effort(1, max(1, inside.steps) * max(high, inside.ways**low))
        case "ATOMIC_GROUP":  # nor is this
            return Effort(1, _effort(what).steps)
        case "SUBPATTERN" | "ASSERT" | "ASSERT_NOT":
            inside = _effort(what[-1])
            return Effort(inside.ways, inside.steps + 2)  # its bounds are noted each time
        case "GROUPREF":
            return Effort(1, LONGEST_TEXT)
        case _:
            return Effort(1, 1)


def _either(branches: Iterable[Any]) -> Effort:
    efforts = [_effort(items) for items in branches]
    return Effort(sum(each.ways for each in efforts), sum(each.steps for each in efforts))


def _times(what: Any) -> tuple[int, int]:
    low, high = (min(int(times), LONGEST_TEXT) for times in what[:2])
    return low, high
