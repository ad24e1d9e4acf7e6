"""The output of a response while it grows: which item a piece of the answer belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chat_api.errors import UpstreamBroken
from chat_api.services.response_chunks import (
    Fragment,
    annotations_of,
    content_of,
    fragments_of,
    text_at,
)
from chat_api.services.response_output_items import CallItem, ContentItem, Item
from chat_api.services.response_parts import Pad
from chat_api.upstreams.base import JsonObject


class Output:
    """The items of one response. Events have no `sequence_number` yet."""

    def __init__(self, pad: Pad) -> None:
        self._pad = pad
        self._items: list[Item] = []
        self._calls: dict[int, CallItem] = {}  # the last one of each index

    def as_list(self) -> list[JsonObject]:
        """The items as they stand."""
        return [item.as_object() for item in self._items]

    def take(self, delta: JsonObject, logprobs: Sequence[Any]) -> list[JsonObject]:
        """The events that a chunk's delta makes.

        Args:
            logprobs: of the delta's text, as chat completions have them.

        Raises:
            UpstreamBroken: it goes on with a call whose arguments were whole.
        """
        events: list[JsonObject] = []
        if thought := text_at(delta, "reasoning_content") or text_at(delta, "reasoning"):
            events += self._say("reasoning", "reasoning_text", thought)
        if text := content_of(delta):
            events += self._say("message", "output_text", text, logprobs)
        elif logprobs and (message := self._message()):
            # Of a token that is not a whole letter. (Those of calls and thoughts have no place.)
            events += message.say("output_text", "", logprobs, self._pad)
        for annotation in annotations_of(delta):
            if message := self._message():
                events += message.annotate(annotation)
        if refusal := text_at(delta, "refusal"):
            events += self._say("message", "refusal", refusal)
        for fragment in fragments_of(delta):
            events += self._add_to_call(fragment)
        return events

    def close(self, *, is_cut: bool) -> list[JsonObject]:
        """The last events of all items that are open, in their order.

        Args:
            is_cut: the answer ended early: the last item is incomplete, as is every call whose
                arguments are not whole.
        """
        events: list[JsonObject] = []
        thought_only = all(item.kind == "reasoning" for item in self._items)
        if not self._items or (thought_only and not is_cut):
            events += self._say("message", "output_text", "")
        for item in self._items:
            if item.is_open:
                is_part = is_cut and (item is self._items[-1] or not item.is_whole())
                events += item.close("incomplete" if is_part else "completed")
        return events

    def cut_off(self) -> None:
        """Mark all items that are open as incomplete, without a word."""
        for item in self._items:
            if item.is_open:
                item.cut_off()

    def _message(self) -> ContentItem | None:
        """The last item, if that is a message."""
        item = self._items[-1] if self._items else None
        return item if isinstance(item, ContentItem) and item.kind == "message" else None

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

    def _add_to_call(self, fragment: Fragment) -> list[JsonObject]:
        events: list[JsonObject] = []
        call = self._calls.get(fragment.index)
        if call is None or not call.is_of(fragment):
            call = CallItem(len(self._items), fragment.call_id, fragment.name)
            self._calls[fragment.index] = call
            events += self._begin_item(call)
        call.name = call.name or fragment.name
        if call.is_open:
            return events + call.add(fragment.arguments, self._pad)
        if fragment.arguments.strip():
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
