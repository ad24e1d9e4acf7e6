"""How deeply JSON is nested."""

from __future__ import annotations

from typing import Any


def is_deeper(value: Any, text: bytes | bytearray | str, most: int) -> bool:
    """Whether a value is nested deeper than so many levels.

    Args:
        text: what it was parsed from. With as few brackets it cannot be, and nearly all have few.
    """
    brackets = (b"{", b"[") if isinstance(text, (bytes, bytearray)) else ("{", "[")
    if sum(map(text.count, brackets)) <= most:  # type: ignore[arg-type]
        return False
    # Level by level, since recursion is what deep nesting breaks.
    level = [value]
    for _ in range(most):
        level = [
            child
            for parent in level
            for child in (parent.values() if type(parent) is dict else parent)
            if type(child) is dict or type(child) is list
        ]
        if not level:
            return False
    return True
