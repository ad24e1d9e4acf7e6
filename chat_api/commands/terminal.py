"""What may be printed."""

from __future__ import annotations

CONTROLS = dict.fromkeys({*range(32), *range(127, 160)} - {ord("\n"), ord("\t")})


def printable(text: str) -> str:
    """A text of somebody else's (a model's, a server's) without the characters that have a
    terminal do things."""
    return text.translate(CONTROLS)
