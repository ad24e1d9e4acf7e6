"""How a refusal names the field that it is about."""

from __future__ import annotations

from collections.abc import Iterable


def error_path(keys: Iterable[str | int]) -> str:
    """The path of a field as OpenAI writes it, e.g. `messages[2].content`."""
    path = ""
    for key in keys:
        path += f"[{key}]" if isinstance(key, int) else f".{key}" if path else key
    return path
