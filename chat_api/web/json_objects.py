"""The JSON objects that requests bring: what is taken for one, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import orjson

from chat_api.errors import InvalidRequest
from chat_api.web.field_paths import error_path

MOST_DEPTH = 100
DIGITS_AS_0 = bytes.maketrans(b"123456789", b"000000000")
SHORTEST_BEYOND_64_BITS = b"0" * 19


def object_of(raw: bytes) -> dict[str, Any]:
    """The object in these bytes.

    Raises:
        InvalidRequest: they are no JSON object in UTF-8, or one that is nested too deeply, or one
            with a number that would not stay the same.
    """
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        # orjson refuses NaN, lone surrogates and numbers beyond a double by itself.
        raise InvalidRequest(f"The body is not valid JSON: {error}.", code="invalid_json") from None
    if type(value) is not dict:
        raise InvalidRequest("The body must be a JSON object.")
    if raw.count(b"{") + raw.count(b"[") > MOST_DEPTH:
        _check_depth(value)
    # Of 19 digits in a row every sixth byte shows three: a tenth of the cost of looking at all.
    if b"000" in raw[::6].translate(DIGITS_AS_0):
        _check_whole_numbers(raw)
    return value


def _check_depth(value: dict[str, Any]) -> None:
    """Level by level, since recursion is what deep nesting breaks."""
    level: list[Any] = [value]
    for _ in range(MOST_DEPTH):
        level = [
            child
            for container in level
            for child in (container.values() if type(container) is dict else container)
            if type(child) is dict or type(child) is list
        ]
        if not level:
            return
    raise InvalidRequest(f"The body is nested deeper than {MOST_DEPTH} levels.")


def _check_whole_numbers(raw: bytes) -> None:
    """Beyond 64 bits orjson makes a float of them, which is another number."""
    if SHORTEST_BEYOND_64_BITS in raw.translate(DIGITS_AS_0):
        found = _beyond_64_bits(json.loads(raw))
        if found is not None:
            path = error_path(found)
            text = f"`{path}` must not be a whole number beyond 64 bits."
            raise InvalidRequest(text, path, "invalid_value")


def _beyond_64_bits(value: Any) -> list[str | int] | None:
    """The keys that lead to the first such number. The value is known not to be nested deeply."""
    for key, child in value.items() if type(value) is dict else enumerate(value):
        kind = type(child)
        if kind is int:
            if not -(2**63) <= child < 2**64:
                return [key]
        elif (kind is dict or kind is list) and (found := _beyond_64_bits(child)) is not None:
            return [key, *found]
    return None
