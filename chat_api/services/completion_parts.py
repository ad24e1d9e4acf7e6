"""A whole chat completion of the chunks of a streamed one.

Upstreams are many, and some write nonsense: what is not of the type that it should be counts as not
there, as in `response_chunks`.
"""

from __future__ import annotations

from typing import Any

from chat_api.services.response_chunks import delta_of, objects_at
from chat_api.upstreams.base import JsonObject

SAID_ONCE = ("role", "id", "type", "name")
"""Texts that are not continued by the next fragment: some servers repeat them."""
OURS = ("index", "message", "delta", "logprobs")
"""Fields of a choice that are put together here; the others are taken as they come."""
CONTINUED = (str, list, dict)


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
        """All that came, as `POST /v1/chat/completions` would have answered it. Once."""
        choices = [_joined(self._choices[index]) for index in sorted(self._choices)]
        for choice in choices:
            message = choice["message"]
            if calls := message.pop("tool_calls", None):
                for call in calls:
                    call.pop("index", None)
                message |= {"content": message["content"] or None, "tool_calls": calls}
        whole = {**self._base, "object": "chat.completion", "choices": choices}
        return {**whole, "usage": usage}

    def _add_choice(self, part: JsonObject) -> None:
        index = _index_of(part) or 0
        fresh = {
            "index": index,
            "message": {"role": "assistant", "content": None, "refusal": None},
            "logprobs": None,
            "finish_reason": None,
        }
        choice = self._choices.setdefault(index, fresh)
        delta = delta_of(part)
        if "tool_calls" in delta:
            delta = {**delta, "tool_calls": list(objects_at(delta, "tool_calls")) or None}
        _merge(choice["message"], delta)
        if isinstance(logprobs := part.get("logprobs"), dict):
            choice["logprobs"] = choice["logprobs"] or {}
            _merge(choice["logprobs"], logprobs)
        for name, value in part.items():
            if name not in OURS and value is not None:
                choice[name] = value


class _Text:
    """A text that goes on: joined once, since with each piece anew all of a long answer would be
    copied thousands of times."""

    def __init__(self, *pieces: str) -> None:
        self.pieces = list(pieces)


def _merge(whole: JsonObject, part: JsonObject) -> None:
    """Texts are continued, lists go on, objects are merged; null says nothing, and neither does a
    number where there is something of these."""
    for name, value in part.items():
        before = whole.get(name)
        if value is None or before is None:
            whole[name] = _copied(value) if before is None else before
        elif isinstance(value, str) and isinstance(before, _Text):
            before.pieces.append(value)
        elif isinstance(value, str) and isinstance(before, str):
            whole[name] = before if name in SAID_ONCE else _Text(before, value)
        elif isinstance(value, dict) and isinstance(before, dict):
            _merge(before, value)
        elif isinstance(value, list) and isinstance(before, list):
            _extend(before, value)
        elif isinstance(value, CONTINUED) or not isinstance(before, (*CONTINUED, _Text)):
            whole[name] = _copied(value)


def _extend(whole: list[Any], parts: list[Any]) -> None:
    """Go on with a list. Parts that tell their index (tool calls) go into the one of that index."""
    by_index: dict[int, JsonObject] | None = None
    for part in parts:
        index = _index_of(part)
        if index is not None and by_index is None:  # not for log probabilities: those are many
            by_index = {found: each for each in whole if (found := _index_of(each)) is not None}
        known = by_index.get(index) if by_index and index is not None else None
        if known is not None:
            _merge(known, part)
        else:
            whole.append(_copied(part))


def _index_of(part: Any) -> int | None:
    index = part.get("index") if isinstance(part, dict) else None
    return index if type(index) is int else None


def _copied(value: Any) -> Any:
    """What may be changed later without changing the chunk, whose events have not all left."""
    if isinstance(value, dict):
        return {name: _copied(each) for name, each in value.items()}
    return [_copied(each) for each in value] if isinstance(value, list) else value


def _joined(value: Any) -> Any:
    """The same with its texts in one piece."""
    if isinstance(value, _Text):
        return "".join(value.pieces)
    if isinstance(value, dict):
        return {name: _joined(each) for name, each in value.items()}
    return [_joined(each) for each in value] if isinstance(value, list) else value
