"""How far a regular expression may go back and forth over a text, known before it is used.

`re` tries one way through a pattern after the other. `(a+)+` has more of them over 30 characters
than anybody can wait for, and while `re` tries, its worker does nothing else.
"""

from __future__ import annotations

import re
from math import prod
from re import _parser  # type: ignore[attr-defined] # nothing public reads patterns
from typing import Any

LONGEST_TEXT = 512
MOST_WAYS = 1_000_000
"""Tried in some 5 ms. Two repeats of open length have a quarter of them, three 134 times them."""


def is_bounded(pattern: re.Pattern[str]) -> bool:
    """Whether it has no more than `MOST_WAYS` ways for a text of `LONGEST_TEXT` characters."""
    return _ways(_parser.parse(pattern.pattern, pattern.flags & ~re.UNICODE)) <= MOST_WAYS


def _ways(items: Any) -> int:
    """At most so many ways lead through these items, one behind the other."""
    return min(prod(_ways_through(str(kind), what) for kind, what in items), MOST_WAYS + 1)


def _ways_through(kind: str, what: Any) -> int:
    match kind:
        case "BRANCH":
            return sum(map(_ways, what[1]))
        case "GROUPREF_EXISTS":
            return sum(_ways(items) for items in what[1:] if items is not None)
        case "MAX_REPEAT" | "MIN_REPEAT":
            low, high = (min(int(times), LONGEST_TEXT) for times in what[:2])
            return int((high - low + 1) * _ways(what[2]) ** high)
        case "SUBPATTERN" | "ASSERT" | "ASSERT_NOT":
            return _ways(what[-1])
        case "ATOMIC_GROUP" | "POSSESSIVE_REPEAT":  # never gone back into
            inside = _ways(what if kind == "ATOMIC_GROUP" else what[2])
            return inside if inside > MOST_WAYS else 1
        case _:
            return 1
