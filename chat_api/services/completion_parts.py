"""A whole chat completion of the chunks of a streamed one."""

from __future__ import annotations

from typing import Any

from chat_api.upstreams.base import JsonObject

SAID_ONCE = ("role", "id", "type", "name")
"""Texts that are not continued by the next fragment: some servers repeat them."""


class Assembly:
    """Takes chunks as they come; vendor's fields are taken along."""

    def __init__(self) -> None:
        self._base: JsonObject = {}
        self._choices: dict[int, JsonObject] = {}

    def add(self, chunk: JsonObject) -> None:
        """One more chunk, that `ChatStream` has let through."""
        for name, value in chunk.items():
            if name not in ("choices", "usage", "obfuscation") and value is not None:
                self._base[name] = value
        for part in chunk["choices"]:
            self._add_choice(part)

    def completion(self, usage: JsonObject | None) -> JsonObject:
        """All that came, as `POST /v1/chat/completions` would have answered it."""
        choices = [self._choices[index] for index in sorted(self._choices)]
        for choice in choices:
            message = choice["message"]
            calls = message.get("tool_calls")
            if calls:
                message["content"] = message["content"] or None
                for call in calls:
                    call.pop("index", None)
        whole = {**self._base, "object": "chat.completion", "choices": choices}
        return {**whole, "usage": usage}

    def _add_choice(self, part: JsonObject) -> None:
        index = part.get("index", 0)
        fresh = {
            "index": index,
            "message": {"role": "assistant", "content": None, "refusal": None},
            "logprobs": None,
            "finish_reason": None,
        }
        choice = self._choices.setdefault(index, fresh)
        for name, value in part.items():
            if name == "delta":
                _merge(choice["message"], value or {})
            elif name == "logprobs" and value is not None:
                choice["logprobs"] = choice["logprobs"] or {}
                _merge(choice["logprobs"], value)
            elif value is not None:
                choice[name] = value


def _merge(whole: JsonObject, part: JsonObject) -> None:
    """Texts are continued, lists go on, objects are merged; null says nothing."""
    for name, value in part.items():
        before = whole.get(name)
        if value is None or before is None:
            whole[name] = _copied(value) if before is None else before
        elif isinstance(value, str) and isinstance(before, str):
            whole[name] = before if name in SAID_ONCE else before + value
        elif isinstance(value, dict) and isinstance(before, dict):
            _merge(before, value)
        elif isinstance(value, list) and isinstance(before, list):
            _extend(before, value)
        else:
            whole[name] = value


def _extend(whole: list[Any], parts: list[Any]) -> None:
    """Go on with a list. Parts that tell their index (tool calls) go into the one of that index."""
    by_index = {part.get("index"): part for part in whole if isinstance(part, dict)}
    for part in parts:
        known = by_index.get(part.get("index")) if isinstance(part, dict) else None
        if known is not None and part.get("index") is not None:
            _merge(known, part)
        else:
            whole.append(_copied(part))


def _copied(value: Any) -> Any:
    """What may be changed later without changing the chunk, whose events have not all left."""
    if isinstance(value, dict):
        return {name: _copied(each) for name, each in value.items()}
    return [_copied(each) for each in value] if isinstance(value, list) else value
