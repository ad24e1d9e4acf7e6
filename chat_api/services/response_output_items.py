"""The output items of a response while they grow: what each is, and what it tells of itself.

Their events have no `sequence_number` yet: that is the response's to give.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

import orjson

from chat_api.services.response_chunks import Fragment
from chat_api.services.response_items import new_id
from chat_api.services.response_parts import Pad, Part
from chat_api.upstreams.base import JsonObject


class Item:
    """What all items have.

    Args:
        kind: its `type`.
        index: its place in the output, from 0.
    """

    def __init__(self, kind: str, index: int) -> None:
        self.kind = kind
        self.is_open = True
        self.index = index
        self.id = new_id(kind)
        self.status = "in_progress"

    def begin(self) -> JsonObject:
        """The event that says it is there."""
        return self._item_event("added")

    def close(self, status: str) -> list[JsonObject]:
        """The events that say it is `completed` or `incomplete`."""
        events = self._last_events()
        self.is_open = False
        self.status = status
        return [*events, self._item_event("done")]

    def cut_off(self) -> None:
        """Mark it incomplete where it is, without a word: the response failed."""
        self.is_open = False
        self.status = "incomplete"

    def is_whole(self) -> bool:
        """Whether it may be closed when another item begins."""
        raise NotImplementedError

    def as_object(self) -> JsonObject:
        """The item as it stands."""
        raise NotImplementedError

    def _last_events(self) -> list[JsonObject]:
        """Those of its content, before its own last one."""
        raise NotImplementedError

    def _item_event(self, name: str) -> JsonObject:
        told = {"output_index": self.index, "item": self.as_object()}
        return {"type": f"response.output_item.{name}", **told}


class ContentItem(Item):
    """A `message`, or `reasoning`: parts of text, one after another."""

    def __init__(self, kind: str, index: int) -> None:
        super().__init__(kind, index)
        self._parts: list[Part] = []

    def say(self, kind: str, piece: str, logprobs: Sequence[Any], pad: Pad) -> list[JsonObject]:
        """A piece of text: the event of its delta, and those of a new part if it begins one.

        Args:
            kind: the part's.
            piece: an empty one without `logprobs` has no event of its own.
            logprobs: of the piece's tokens, as chat completions have them.
        """
        events = []
        if not self._parts or self._parts[-1].kind != kind:
            events += self._last_events()
            self._parts.append(Part(kind))
            events.append(self._event("content_part.added", part=self._parts[-1].as_object()))
        if piece or logprobs:
            told = self._parts[-1].add(piece, logprobs)
            events.append(self._event(f"{kind}.delta", **told, **pad(piece)))
        return events

    def annotate(self, annotation: JsonObject) -> list[JsonObject]:
        """What the text said last refers to. A refusal has no such thing."""
        if not self._parts or self._parts[-1].kind != "output_text":
            return []
        told = self._parts[-1].annotate(annotation)
        return [self._event("output_text.annotation.added", **told)]

    def is_whole(self) -> bool:
        """See `Item.is_whole`."""
        return True

    def as_object(self) -> JsonObject:
        """See `Item.as_object`."""
        content = [part.as_object() for part in self._parts]
        head = {"id": self.id, "type": self.kind}
        if self.kind == "reasoning":
            return {**head, "summary": [], "content": content, "status": self.status}
        return {**head, "status": self.status, "content": content, "role": "assistant"}

    def _last_events(self) -> list[JsonObject]:
        if not self._parts:
            return []
        part = self._parts[-1]
        return [
            self._event(f"{part.kind}.done", **part.whole()),
            self._event("content_part.done", part=part.as_object()),
        ]

    def _event(self, name: str, /, **told: Any) -> JsonObject:
        return {
            "type": f"response.{name}",
            "item_id": self.id,
            "output_index": self.index,
            "content_index": len(self._parts) - 1,
            **told,
        }


class CallItem(Item):
    """A call of one of the caller's functions.

    Args:
        call_id: the upstream's; made up where it gave none.
    """

    def __init__(self, index: int, call_id: str, name: str) -> None:
        super().__init__("function_call", index)
        self.call_id = call_id or f"call_{secrets.token_hex(12)}"
        self.name = name
        self._pieces: list[str] = []

    def add(self, piece: str, pad: Pad) -> list[JsonObject]:
        """A piece of its arguments: the event of its delta, if it says anything."""
        if not piece:
            return []
        self._pieces.append(piece)
        return [self._event("delta", delta=piece, **pad(piece))]

    def is_of(self, fragment: Fragment) -> bool:
        """Whether a fragment with the index of this call is a piece of it: some upstreams give
        all calls the same one, or none."""
        if fragment.call_id:
            return not fragment.name or fragment.call_id == self.call_id
        return not (fragment.name and fragment.arguments.strip() and self.is_whole())

    def is_whole(self) -> bool:
        """See `Item.is_whole`. The pieces of several calls may come mixed, and nothing says that
        a call is over; but behind a whole object nothing can follow."""
        try:
            return type(orjson.loads("".join(self._pieces))) is dict
        except orjson.JSONDecodeError:
            return False

    def as_object(self) -> JsonObject:
        """See `Item.as_object`."""
        return {
            "id": self.id,
            "type": self.kind,
            "status": self.status,
            "arguments": "".join(self._pieces),
            "call_id": self.call_id,
            "name": self.name,
        }

    def _last_events(self) -> list[JsonObject]:
        return [self._event("done", arguments="".join(self._pieces), name=self.name)]

    def _event(self, name: str, /, **told: Any) -> JsonObject:
        return {
            "type": f"response.function_call_arguments.{name}",
            "item_id": self.id,
            "output_index": self.index,
            **told,
        }
