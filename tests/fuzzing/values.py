"""What stands where something else belongs: JSON values from plain to wild, and odd texts."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import dataclass
from random import Random
from typing import Any


@dataclass(frozen=True)
class Raw:
    """Bytes that stand in a body as they are, where Python has no such value."""

    text: bytes


NUMBERS = [
    *(0, -1, 1, 16, 17, 2.5, -0.0, 1e-320, 1e308, -1e308, True),
    *(2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1, 2**64, -(2**63) - 1, 10**300),
    *map(Raw, (b"1e400", b"-0", b"1E+2", b"01", b"1.", b"+1", b"NaN", b"-Infinity", b"9" * 5000)),
]
TEXTS = [
    "",
    " \t\n\u3000",
    "Hi",
    "user",
    "\x00",
    "a\x00b\x1f\x7f\x85",
    "\ud800",
    "x\udfff\ud83d",
    "🙂👩‍👩‍👧‍👦",
    "שלום \u202e abc \u202c",
    "e\u0301\u0327" * 50,
    "\ufeff\ufffe\uffff",
    "\u2028\u2029",
    "../../etc/passwd",
    "'; DROP TABLE sessions; --",
    "{{7*7}}${7*7}<script>",
    "%s%n%00%0d%0a",
    "data: [DONE]\n\n",
    "http://127.0.0.1:1/",
    "data:image/png;base64,AAAA",
    "x" * 257,
    "x" * 70_000,
]
DEEP = [
    Raw(b"[" * depth + b"1" + b"]" * depth) for depth in (50, 96, 97, 98, 99, 100, 101, 5_000)
] + [Raw(b'{"a":' * depth + b"1" + b"}" * depth) for depth in (97, 98, 99, 100, 5_000)]
SHAPES: list[Any] = [None, [], {}, [[]], [None], [{}], {"": ""}, {"type": "text"}, [1, "a", {}]]
BROKEN = [Raw(b""), Raw(b"undefined"), Raw(b"'a'"), Raw(b'"\\x"'), Raw(b'"\xff\xfe"'), Raw(b'"\t"')]

KINDS = ([*NUMBERS], [*TEXTS], [*SHAPES], [*DEEP], [*BROKEN])
WEIGHTS = (8, 8, 8, 2, 1)
"""Much of it is JSON after all: what is none comes no further than the parser."""


def wild(rng: Random) -> Any:
    """A value of any kind, the caller's own to change."""
    return deepcopy(rng.choice(rng.choices(KINDS, WEIGHTS)[0]))


def written(value: Any) -> bytes:
    """As JSON, with whatever is `Raw` in it."""
    if isinstance(value, Raw):
        return value.text
    if isinstance(value, dict):
        return b"{%b}" % b",".join(written(key) + b":" + written(value[key]) for key in value)
    if isinstance(value, list):
        return b"[%b]" % b",".join(map(written, value))
    return json.dumps(value).encode()
