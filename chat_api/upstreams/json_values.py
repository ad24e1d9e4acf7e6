"""The JSON of others, as far as it can be written again."""

from __future__ import annotations

from typing import Any

import orjson

MOST_DEPTH = 200
"""orjson reads 1,024 levels and writes 254."""
SPARE = 50
"""More than is ever put around an upstream's JSON."""
SHORTEST_DEEP = 2 * MOST_DEPTH
"""Shorter JSON is not nested that deeply."""


def loads(text: bytes | bytearray) -> Any:
    """The value that it stands for.

    Raises:
        orjson.JSONDecodeError: it is no JSON, or nested too deeply: 200 levels are not, 254 are.
    """
    value = orjson.loads(text)
    if len(text) > SHORTEST_DEEP and text.count(b"{") + text.count(b"[") > MOST_DEPTH:
        _check_depth(value)
    return value


def _check_depth(value: Any) -> None:
    """By writing it: looking at each level takes ten times as long."""
    for _ in range(SPARE):
        value = [value]
    try:
        orjson.dumps(value)
    except orjson.JSONEncodeError:
        raise orjson.JSONDecodeError("nested too deeply", "", 0) from None
