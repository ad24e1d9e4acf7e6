"""OpenAI's chat completions, stored where that is asked for."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator

import orjson

from chat_api.errors import InvalidRequest
from chat_api.services.clients import Client
from chat_api.services.completion_parts import Assembly
from chat_api.services.gateway import Gateway
from chat_api.services.kept_streams import KeptStream, within_bounds
from chat_api.services.stored_completions import StoredCompletions
from chat_api.services.streams import ChatStream
from chat_api.upstreams.base import Completion, Event, JsonObject

ID = re.compile(r"[A-Za-z0-9_.:-]{1,128}")  # what can be asked for in a path
MOST_BYTES = 4_194_304
"""Of a conversation that is stored."""
OURS = ("store", "metadata")
"""What is done here then, and told to no upstream."""


class ChatCompletions:
    """Answers, and has those remembered that were asked for with `store`."""

    def __init__(self, gateway: Gateway, stored: StoredCompletions) -> None:
        self._gateway = gateway
        self._stored = stored

    def complete(self, request: JsonObject, client: Client) -> Completion:
        """The whole answer; stored before this returns, where that was asked for.

        Args:
            request: a loaded `ChatCompletionRequestSchema`.

        Raises:
            InvalidRequest: the conversation is too long to be stored.
            StoreUnavailable: the answer is not stored.
            As `Gateway.complete`.
        """
        if not request.get("store"):
            return self._gateway.complete(request, client)
        completion = named(self._gateway.complete(_asked(request), client))
        self._stored.remember(request, completion.data, client)
        return completion

    def stream(self, request: JsonObject, client: Client) -> ChatStream | StoredStream:
        """The streamed answer; stored before its last event, where that was asked for."""
        if not request.get("store"):
            return self._gateway.stream(request, client)
        return StoredStream(
            self._gateway.stream(_asked(request), client), self._stored, request, client
        )


class StoredStream(KeptStream):
    """A stream whose completion is stored."""

    def __init__(
        self,
        stream: ChatStream,
        stored: StoredCompletions,
        request: JsonObject,
        client: Client,
    ) -> None:
        super().__init__(stream)
        self._stored = stored
        self._request = request
        self._client = client
        self._id = _new_id()

    @property
    def shows_usage(self) -> bool:
        """See `ChatStream.shows_usage`."""
        return self._stream.shows_usage

    def __iter__(self) -> Iterator[list[Event]]:
        assembly = Assembly()
        for events in within_bounds(self._stream):
            shown = [self._named(event) for event in events]
            for event in shown:
                assembly.add(event.data)
            yield shown
        with self._keeping():
            completion = assembly.completion(self._stream.usage)
            self._stored.remember(self._request, completion, self._client)

    def _named(self, event: Event) -> Event:
        if _has_id(event.data):
            return event
        return Event(None, {**event.data, "id": self._id})


def named(completion: Completion) -> Completion:
    """A completion by whose id it can be asked for: not every server gives one."""
    if _has_id(completion.data):
        return completion
    data = {**completion.data, "id": _new_id()}
    return Completion(orjson.dumps(data), data, completion.headers)


def _has_id(data: JsonObject) -> bool:
    given = data.get("id")
    return isinstance(given, str) and ID.fullmatch(given) is not None


def _new_id() -> str:
    return f"chatcmpl-{secrets.token_hex(16)}"


def _asked(request: JsonObject) -> JsonObject:
    """What goes upstream of a request whose answer is to be stored.

    Raises:
        InvalidRequest: the conversation is too long for that; nobody was asked.
    """
    if len(orjson.dumps(request["messages"])) > MOST_BYTES:
        text = f"`messages` must not be longer than {MOST_BYTES} bytes with `store`."
        raise InvalidRequest(text, "messages", "string_above_max_length")
    return {name: value for name, value in request.items() if name not in OURS}
