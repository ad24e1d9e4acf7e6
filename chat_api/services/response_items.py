"""From a response's items to a chat's messages, and back."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from typing import Any

from chat_api.errors import InvalidRequest
from chat_api.services.response_contents import chat_content
from chat_api.upstreams.base import JsonObject

PREFIXES = {
    "message": "msg",
    "function_call": "fc",
    "function_call_output": "fco",
    "reasoning": "rs",
}
"""How the ids of items begin, by type."""


def new_id(kind: str) -> str:
    """An id for an item of that type."""
    return f"{PREFIXES[kind]}_{secrets.token_hex(24)}"


def input_items(given: str | list[JsonObject]) -> list[JsonObject]:
    """A request's `input` as full items: each with `id`, `type`, and its content in parts.

    Args:
        given: as a loaded `ResponseRequestSchema` has it; it is not changed.

    Returns:
        The items in their order. References to other items stay references.
    """
    if isinstance(given, str):
        given = [{"role": "user", "content": given}]
    return [_full_item(item) for item in given]


def messages_of(items: Iterable[JsonObject]) -> list[JsonObject]:
    """The messages of a chat completion that say the same.

    Raises:
        InvalidRequest: a call without its output, an output without its call, or a reference
            that nobody resolved.
    """
    said = _Conversation()
    for item in items:
        said.add(item)
    return said.messages()


def items_of(messages: Sequence[JsonObject]) -> list[JsonObject]:
    """The messages of a session as items."""
    items: list[JsonObject] = []
    for message in messages:
        if message["role"] == "tool":
            output = {"call_id": message["tool_call_id"], "output": message["content"]}
            items.append({"type": "function_call_output", **output})
            continue
        if message.get("content"):
            said = {"role": message["role"], "content": message["content"]}
            items.append({"type": "message", **said})
        for call in message.get("tool_calls") or ():
            items.append({"type": "function_call", "call_id": call["id"], **call["function"]})
    return items


def _full_item(item: JsonObject) -> JsonObject:
    kind = item.get("type") or ("message" if "role" in item else "item_reference")
    if kind == "item_reference":
        return {**item, "type": kind}
    full = {"id": item.get("id") or new_id(kind), "type": kind}
    if kind != "reasoning":
        full["status"] = item.get("status") or "completed"
    full |= {name: value for name, value in item.items() if name not in full}
    if kind == "message":
        full["content"] = _parts(item["role"], item["content"])
    return full


def _parts(role: str, content: Any) -> Any:
    if not isinstance(content, str):
        return content
    if role == "assistant":
        return [{"type": "output_text", "text": content, "annotations": [], "logprobs": []}]
    return [{"type": "input_text", "text": content}]


class _Conversation:
    """Messages while they are put together. What the model said in one go (its reasoning, its
    text, its calls) are several items and one message; the outputs of calls must stand right
    after the message that makes them, wherever their items do."""

    def __init__(self) -> None:
        self._turns: list[list[JsonObject]] = []
        self._outputs: dict[str, list[JsonObject]] = {}  # where an output goes, by call id
        self._unanswered: dict[str, None] = {}  # call ids in the order of their calls
        self._reasoning: list[str] = []
        self._speaking: JsonObject | None = None  # the assistant's message that may still grow

    def add(self, item: JsonObject) -> None:
        """Take the next item."""
        kind = item["type"]
        if kind == "reasoning":
            self._reasoning += _thoughts(item)
        elif kind == "function_call":
            self._add_call(item)
        elif kind == "function_call_output":
            self._add_output(item)
        elif kind == "message":
            self._add_message(item)
        else:
            raise InvalidRequest(f"Item with id '{item.get('id')}' not found.", "input")

    def messages(self) -> list[JsonObject]:
        """All of them, in order."""
        for call_id in self._unanswered:
            text = f"No tool output found for function call {call_id}."
            raise InvalidRequest(text, "input")
        return [message for turn in self._turns for message in turn]

    def _add_message(self, item: JsonObject) -> None:
        content = chat_content(item["content"])
        if item["role"] != "assistant":
            self._reasoning = []  # the model said nothing after it
            self._turns.append([{"role": item["role"], "content": content}])
            self._speaking = None
        elif self._speaking and "tool_calls" in self._speaking:
            # A text after calls, before their outputs: between the two no message may stand.
            self._speaking["content"] = _joined(self._speaking["content"], content)
            self._think()
        else:
            self._speak(content)

    def _add_call(self, item: JsonObject) -> None:
        speaking = self._speaking or self._speak(None)
        self._think()
        function = {"name": item["name"], "arguments": item["arguments"]}
        call_id = item["call_id"]
        calls = speaking.setdefault("tool_calls", [])
        calls.append({"id": call_id, "type": "function", "function": function})
        self._outputs[call_id] = self._turns[-1]
        self._unanswered[call_id] = None

    def _add_output(self, item: JsonObject) -> None:
        call_id = item["call_id"]
        turn = self._outputs.get(call_id)
        if turn is None:
            text = f"No tool call found for function call output with call_id {call_id}."
            raise InvalidRequest(text, "input")
        content = chat_content(item["output"])
        turn.append({"role": "tool", "tool_call_id": call_id, "content": content})
        self._unanswered.pop(call_id, None)
        self._speaking = None

    def _speak(self, content: Any) -> JsonObject:
        """Begin a message of the assistant's, with the reasoning that led to it."""
        self._speaking = {"role": "assistant", "content": content}
        self._turns.append([self._speaking])
        self._think()
        return self._speaking

    def _think(self) -> None:
        """Give the assistant's message the reasoning that came before this part of it."""
        if self._speaking and self._reasoning:
            before = self._speaking.get("reasoning_content")
            thoughts = ([before] if before else []) + self._reasoning
            self._speaking["reasoning_content"] = "\n\n".join(thoughts)
            self._reasoning = []


def _thoughts(item: JsonObject) -> list[str]:
    parts = item.get("content") or item.get("summary") or ()
    return [part["text"] for part in parts if part["text"]]


def _joined(before: Any, after: Any) -> Any:
    if before is None:
        return after
    return [*_listed(before), *_listed(after)]


def _listed(content: Any) -> list[JsonObject]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content
