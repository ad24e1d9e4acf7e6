"""From chat completions to responses: the object, and the events of its stream."""

from __future__ import annotations

import time

from chat_api.services.response_chunks import as_chunk, delta_of, logprobs_of, text_at
from chat_api.services.response_objects import blank_response, usage_of
from chat_api.services.response_output import Output
from chat_api.services.response_parts import no_padding, padding
from chat_api.upstreams.base import JsonObject

INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}
"""Why an answer is not whole, by its `finish_reason`."""


class ResponseBuilder:
    """Makes one response of the chunks of a chat completion, or of a whole one.

    Call `begin`, `feed` for each chunk, and then `finish` and `end`, or `fail`, or `cancel`. `fail`
    may come behind `finish`: what could not be stored has failed. The events that they return have
    OpenAI's order and keys, numbered from 0 without a gap, and do not change any more. At each
    moment `response` is the object as it stands.

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
        is_padded = options.get("include_obfuscation") is not False
        self._output = Output(padding if is_padded else no_padding)
        self._finish_reason = ""
        self._next_number = 0

    @property
    def response(self) -> JsonObject:
        """The response as it stands; its own copy of what may still change."""
        return {**self._object, "output": self._output.as_list()}

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
                self._finish_reason = text_at(choice, "finish_reason") or self._finish_reason
                events += self._output.take(delta_of(choice), logprobs_of(choice))
        return self._numbered(events)

    def feed_whole(self, completion: JsonObject) -> list[JsonObject]:
        """The events of a whole chat completion, as if it were a single chunk."""
        return self.feed(as_chunk(completion))

    def finish(self) -> list[JsonObject]:
        """The events of an answer that the upstream ended, but for the very last one."""
        reason = INCOMPLETE.get(self._finish_reason)
        events = self._output.close(is_cut=reason is not None)
        if reason:
            self._object |= {"status": "incomplete", "incomplete_details": {"reason": reason}}
        else:
            self._object |= {"status": "completed", "completed_at": int(time.time())}
        if self._object["service_tier"] == "auto":
            self._object["service_tier"] = "default"
        return self._numbered(events)

    def end(self) -> list[JsonObject]:
        """The last event, which says how it ended: for when that can be relied on."""
        return self._numbered([self._told(self._object["status"])])

    def fail(self, code: str, message: str) -> list[JsonObject]:
        """The last event of a response that will never be whole.

        Args:
            code: `server_error`, `rate_limit_exceeded`, or another that OpenAI documents.
            message: for the caller.
        """
        self._output.cut_off()
        self._object |= {"status": "failed", "error": {"code": code, "message": message}}
        self._object |= {"completed_at": None, "incomplete_details": None}
        return self._numbered([self._told("failed")])

    def _note(self, chunk: JsonObject) -> None:
        """What chunks say about the answer as a whole."""
        if model := text_at(chunk, "model"):
            self._object["model"] = model
        if tier := text_at(chunk, "service_tier"):
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
