"""From chat completions to responses: the object, and the events of its stream."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from chat_api.errors import UpstreamBroken
from chat_api.services.response_objects import blank_response, usage_of
from chat_api.services.response_output import CallItem, ContentItem, Item
from chat_api.services.response_parts import no_padding, padding
from chat_api.upstreams.base import JsonObject

INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}
"""Why an answer is not whole, by its `finish_reason`."""


class ResponseBuilder:
    """Makes one response of the chunks of a chat completion, or of a whole one.

    Call `begin`, `feed` for each chunk, and one of `finish`, `fail` and `cancel`. The events that
    they return have OpenAI's order and keys, numbered from 0 without a gap, and do not change any
    more. At each moment `response` is the object as it stands.

    Args:
        request: a loaded `ResponseRequestSchema`, its values given back in the response.
        created_at: UTC epoch seconds.
        background: it is `queued` until `begin`.
        store: whether it is stored, which it tells.
    """

    def __init__(
        self,
        request: JsonObject,
        *,
        response_id: str,
        created_at: int,
        previous_response_id: str | None = None,
        conversation_id: str | None = None,
        background: bool = False,
        store: bool = True,
    ) -> None:
        self._object = blank_response(request) | {
            "id": response_id,
            "created_at": created_at,
            "status": "queued" if background else "in_progress",
            "background": background,
            "previous_response_id": previous_response_id,
            "store": store,
        }
        if conversation_id is not None:
            self._object["conversation"] = {"id": conversation_id}
        options = request.get("stream_options") or {}
        self._pad = no_padding if options.get("include_obfuscation") is False else padding
        self._items: list[Item] = []
        self._calls: dict[Any, CallItem] = {}
        self._finish_reason: str | None = None
        self._next_number = 0

    @property
    def response(self) -> JsonObject:
        """The response as it stands; its own copy of what may still change."""
        return {**self._object, "output": [item.as_object() for item in self._items]}

    def begin(self) -> list[JsonObject]:
        """The events before the first chunk. Until that names the model, it is the request's."""
        events = [self._told("created")]
        if self._object["status"] == "queued":
            events.append(self._told("queued"))
            self._object["status"] = "in_progress"
        return self._numbered([*events, self._told("in_progress")])

    def feed(self, chunk: JsonObject) -> list[JsonObject]:
        """The events that a chunk makes; [] for one that says nothing new.

        Raises:
            UpstreamBroken: it goes on with a call whose arguments were whole.
        """
        self._note(chunk)
        events: list[JsonObject] = []
        for choice in chunk.get("choices") or ():
            if choice.get("index", 0) == 0:
                self._finish_reason = choice.get("finish_reason") or self._finish_reason
                events += self._take(choice.get("delta") or {}, _logprobs(choice))
        return self._numbered(events)

    def feed_whole(self, completion: JsonObject) -> list[JsonObject]:
        """The events of a whole chat completion, as if it were a single chunk."""
        choice = completion["choices"][0]
        message = dict(choice["message"])
        message["tool_calls"] = [
            {**call, "index": number} for number, call in enumerate(message.get("tool_calls") or ())
        ]
        return self.feed({**completion, "choices": [{**choice, "index": 0, "delta": message}]})

    def finish(self) -> list[JsonObject]:
        """The last events of an answer that the upstream ended."""
        reason = INCOMPLETE.get(self._finish_reason or "")
        events: list[JsonObject] = []
        thought_only = all(item.kind == "reasoning" for item in self._items)
        if not self._items or (thought_only and not reason):
            events += self._say("message", "output_text", "")
        for item in self._items:
            if item.is_open:
                is_cut = reason and (item is self._items[-1] or not item.is_whole())
                events += item.close("incomplete" if is_cut else "completed")
        if reason:
            self._object |= {"status": "incomplete", "incomplete_details": {"reason": reason}}
        else:
            self._object |= {"status": "completed", "completed_at": int(time.time())}
        if self._object["service_tier"] == "auto":
            self._object["service_tier"] = "default"
        return self._numbered([*events, self._told(self._object["status"])])

    def fail(self, code: str, message: str) -> list[JsonObject]:
        """The last event of a response that will never be whole.

        Args:
            code: `server_error`, `rate_limit_exceeded`, or another that OpenAI documents.
            message: for the caller.
        """
        self._cut_off()
        self._object |= {"status": "failed", "error": {"code": code, "message": message}}
        return self._numbered([self._told("failed")])

    def cancel(self) -> None:
        """The caller wants no more of it. OpenAI has no event for that."""
        self._cut_off()
        self._object["status"] = "cancelled"

    def _take(self, delta: JsonObject, logprobs: Sequence[Any]) -> list[JsonObject]:
        events: list[JsonObject] = []
        if thought := _text(delta, "reasoning_content") or _text(delta, "reasoning"):
            events += self._say("reasoning", "reasoning_text", thought)
        text = _text(delta, "content")
        if text or logprobs:
            events += self._say("message", "output_text", text, logprobs)
        if refusal := _text(delta, "refusal"):
            events += self._say("message", "refusal", refusal)
        for fragment in delta.get("tool_calls") or ():
            events += self._add_to_call(fragment)
        return events

    def _say(
        self, kind: str, part: str, piece: str, logprobs: Sequence[Any] = ()
    ) -> list[JsonObject]:
        """A piece of text, for the last item if that is of this kind, else for a new one."""
        events: list[JsonObject] = []
        item = self._items[-1] if self._items else None
        if not isinstance(item, ContentItem) or item.kind != kind:
            item = ContentItem(kind, len(self._items))
            events += self._begin_item(item)
        return events + item.say(part, piece, logprobs, self._pad)

    def _add_to_call(self, fragment: JsonObject) -> list[JsonObject]:
        events: list[JsonObject] = []
        function = fragment.get("function") or {}
        name, piece = _text(function, "name"), _text(function, "arguments")
        index, call_id = fragment.get("index", 0), _text(fragment, "id")
        call = self._calls.get(index)
        if call is None or _is_another(call, call_id, name, piece):
            call = self._calls[index] = CallItem(len(self._items), call_id, name)
            events += self._begin_item(call)
        call.name = call.name or name
        if call.is_open:
            return events + call.add(piece, self._pad)
        if piece.strip():
            raise UpstreamBroken("The upstream went on with a tool call that was whole.")
        return events

    def _begin_item(self, item: Item) -> list[JsonObject]:
        """Close the items before it, in their order, as far as they are whole."""
        events: list[JsonObject] = []
        for before in self._items:
            if before.is_open and not before.is_whole():
                break
            if before.is_open:
                events += before.close("completed")
        self._items.append(item)
        return [*events, item.begin()]

    def _cut_off(self) -> None:
        for item in self._items:
            if item.is_open:
                item.cut_off()

    def _note(self, chunk: JsonObject) -> None:
        """What chunks say about the answer as a whole."""
        if model := _text(chunk, "model"):
            self._object["model"] = model
        if tier := _text(chunk, "service_tier"):
            self._object["service_tier"] = tier
        self._object["usage"] = usage_of(chunk.get("usage")) or self._object["usage"]

    def _told(self, name: str) -> JsonObject:
        return {"type": f"response.{name}", "response": self.response}

    def _numbered(self, events: list[JsonObject]) -> list[JsonObject]:
        first = self._next_number
        self._next_number += len(events)
        return [
            {"type": event["type"], "sequence_number": number, **event}
            for number, event in enumerate(events, first)
        ]


def _text(given: JsonObject, name: str) -> str:
    """The text there; nothing where there is none, or nonsense."""
    value = given.get(name)
    return value if isinstance(value, str) else ""


def _logprobs(choice: JsonObject) -> list[Any]:
    told = choice.get("logprobs")
    return (told.get("content") or []) if isinstance(told, dict) else []


def _is_another(call: CallItem, call_id: str, name: str, piece: str) -> bool:
    """Whether a fragment begins a call of its own, though it has another one's index: some
    upstreams give all of them the index 0, or none, and some no ids either."""
    if call_id:
        return bool(name) and call_id != call.call_id
    return bool(name and piece.strip()) and call.is_whole()
