"""The tokens of an answer, as its upstream counted them."""

from __future__ import annotations

from typing import Any


def tokens(usage: Any, *path: str) -> int | None:
    """The count at that place of a completion's `usage`; None where there is none, or nonsense."""
    for name in path:
        usage = usage.get(name) if isinstance(usage, dict) else None
    return usage if type(usage) is int and usage >= 0 else None
