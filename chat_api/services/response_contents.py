"""From the content of a response's items to that of a chat's messages."""

from __future__ import annotations

from collections.abc import Sequence

from chat_api.upstreams.base import JsonObject


def chat_content(content: str | Sequence[JsonObject]) -> str | list[JsonObject]:
    """A text, or parts as chat completions call them. A lone text is plain: every upstream
    takes that."""
    if isinstance(content, str):
        return content
    parts = [_chat_part(part) for part in content]
    if len(parts) == 1 and parts[0].keys() == {"type", "text"}:
        return str(parts[0]["text"])
    return parts or ""


def _chat_part(part: JsonObject) -> JsonObject:
    kind = part["type"]
    if kind == "input_image":
        image = {"url": part["image_url"], "detail": part.get("detail")}
        told = {"type": "image_url", "image_url": _without_nulls(image)}
    elif kind == "input_file":
        file = {"filename": part.get("filename"), "file_data": part["file_data"]}
        told = {"type": "file", "file": _without_nulls(file)}
    elif kind == "input_audio":
        told = {"type": kind, "input_audio": part["input_audio"]}
    elif kind == "refusal":
        told = {"type": kind, "refusal": part["refusal"]}
    else:
        told = {"type": "text", "text": part["text"]}
    if part.get("prompt_cache_breakpoint") is not None:
        told["prompt_cache_breakpoint"] = part["prompt_cache_breakpoint"]
    return told


def _without_nulls(value: JsonObject) -> JsonObject:
    return {name: inner for name, inner in value.items() if inner is not None}
