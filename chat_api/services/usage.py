"""The tokens of an answer, as its upstream counted them."""

from __future__ import annotations

from typing import Any

MOST_TOKENS = 2**63 - 1
"""Above it a count is nonsense, and two of them could not be added and written: whole numbers in
our JSON have 64 bits."""


def tokens(usage: Any, *path: str) -> int | None:
    """The count at that place of a completion's `usage`; None where there is none, or nonsense."""
    for name in path:
        usage = usage.get(name) if isinstance(usage, dict) else None
    return usage if type(usage) is int and 0 <= usage <= MOST_TOKENS else None
