"""The JSON that upstreams send, as far as it can be sent on."""

from __future__ import annotations

from typing import Any

import orjson

from chat_api.nesting import is_deeper

MOST_DEPTH = 200
"""orjson reads 1,024 levels and writes 254; ours around an upstream's are a few."""
SHORTEST_DEEP = 2 * MOST_DEPTH
"""Shorter JSON is not nested that deeply."""


def loads(text: bytes | bytearray | str) -> Any:
    """The value that it stands for.

    Raises:
        orjson.JSONDecodeError: it is no JSON, or nested too deeply.
    """
    value = orjson.loads(text)
    if len(text) > SHORTEST_DEEP and is_deeper(value, text, MOST_DEPTH):
        raise orjson.JSONDecodeError("nested too deeply", "", 0)
    return value
