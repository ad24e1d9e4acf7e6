"""OpenAI's Responses, made of chat completions, so on every upstream."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from chat_api.errors import ChatApiError, InvalidRequest
from chat_api.services.clients import Client
from chat_api.services.finding import there
from chat_api.services.gateway import Gateway
from chat_api.services.kept_streams import KeptStream, within_bounds
from chat_api.services.paging import page
from chat_api.services.response_replay import EventReplay
from chat_api.services.response_requests import in_our_words
from chat_api.services.response_runs import BackgroundRuns
from chat_api.services.response_turns import Turn, Turns, failure_code
from chat_api.services.streams import ChatStream
from chat_api.stores.pages import Page
from chat_api.stores.response_base import Item, ResponseStore, StoredResponse
from chat_api.upstreams.base import JsonObject

KIND = "Response"
SHORT_FORM = {"input", "model", "instructions", "temperature"}


class ResponseService:
    """Makes responses, and finds those that are stored."""

    def __init__(
        self, gateway: Gateway, turns: Turns, runs: BackgroundRuns, store: ResponseStore
    ) -> None:
        self._gateway = gateway
        self._turns = turns
        self._runs = runs
        self._store = store

    def create(self, request: JsonObject, client: Client, *, is_kept: bool) -> JsonObject:
        """A response, whole; of a background one what it is now. Stored before this returns.

        Args:
            request: a loaded `ResponseRequestSchema`.
            is_kept: whether it is stored, where the request does not say otherwise.

        Raises:
            As `Turns.begin`, `Turns.keep` and `Gateway.complete`.
        """
        turn = self._turns.begin(request, client, is_kept=_is_kept(request, is_kept))
        if request.get("background"):
            turn.tell_dropped()
            return self._runs.start(turn)
        with in_our_words():
            completion = self._gateway.complete(turn.body, client)
        turn.tell_dropped()
        turn.builder.begin()
        turn.builder.feed_whole(completion.data)
        turn.builder.finish()
        self._turns.keep(turn)
        return turn.response

    def stream(self, request: JsonObject, client: Client) -> ResponseStream | EventReplay:
        """A response's events as it is made. Raises as `create` does, until the upstream has begun
        to answer."""
        turn = self._turns.begin(request, client, is_kept=_is_kept(request, True))
        if request.get("background"):
            turn.tell_dropped()
            self._runs.start(turn)
            return self._runs.follow(turn.id, client)
        with in_our_words():
            stream = self._gateway.stream(turn.streamed_body, client)
        turn.tell_dropped()
        return ResponseStream(stream, turn, self._turns)

    def retrieve(self, response_id: str, client: Client) -> JsonObject:
        """A stored response.

        Raises:
            ObjectNotFound, StoreUnavailable
        """
        return self._stored(response_id, client).body

    def replay(self, response_id: str, query: JsonObject, client: Client) -> EventReplay:
        """The events of a background response: those that were, then those that come.

        Args:
            query: a loaded `ReplaySchema`.

        Raises:
            ObjectNotFound, StoreUnavailable
            InvalidRequest: it did not run in the background, or never had so many events.
        """
        if not self._stored(response_id, client).is_background:
            text = "Only a response that was created with `background` can be streamed again."
            raise InvalidRequest(text, "stream", "invalid_value")
        after, is_padded = query.get("starting_after", -1), query["include_obfuscation"]
        return self._runs.follow(response_id, client, after, is_padded=is_padded)

    def cancel(self, response_id: str, client: Client) -> JsonObject:
        """Stop a background response; one that has ended stays as it is.

        Raises:
            ObjectNotFound, StoreUnavailable
            InvalidRequest: it did not run in the background.
        """
        if not self._stored(response_id, client).is_background:
            text = "Only a response that was created with `background` can be cancelled."
            raise InvalidRequest(text, "response_id", "invalid_value")
        return there(self._runs.cancel(response_id, client), KIND, response_id)

    def delete(self, response_id: str, client: Client) -> JsonObject:
        """Remove a response. One that runs is stopped.

        Raises:
            ObjectNotFound, StoreUnavailable
        """
        there(self._store.delete(response_id, client.owner) or None, KIND, response_id)
        return {"id": response_id, "object": "response", "deleted": True}

    def input_items(self, response_id: str, query: JsonObject, client: Client) -> JsonObject:
        """What a response was asked, as a page of items.

        Args:
            query: a loaded `PageSchema`.

        Raises:
            ObjectNotFound, StoreUnavailable, InvalidRequest
        """

        def read(wanted: Page) -> list[Item]:
            found = self._store.input_items(response_id, client.owner, wanted)
            return there(found, KIND, response_id)

        return page(query, read)

    def _stored(self, response_id: str, client: Client) -> StoredResponse:
        return there(self._runs.settled(response_id, client), KIND, response_id)


class ResponseStream(KeptStream):
    """The events of a response, in the batches in which they came; [] as with `ChatStream`. Who
    sees the last one can go on from it."""

    def __init__(self, stream: ChatStream, turn: Turn, turns: Turns) -> None:
        super().__init__(stream)
        self._turn = turn
        self._turns = turns

    def __iter__(self) -> Iterator[list[JsonObject]]:
        builder = self._turn.builder
        yield builder.begin()
        for batch in within_bounds(self._stream):
            events = [event for chunk in batch for event in builder.feed(chunk.data)]
            if events or not batch:
                yield events
            else:
                self.is_heard = False
        yield builder.finish()
        with self._keeping():
            self._turns.keep(self._turn)
        yield builder.end()

    def fail(self, error: ChatApiError) -> list[JsonObject]:
        """The last events of a response that broke off, which is stored as such where that can
        be."""
        events = self._turn.builder.fail(failure_code(error), str(error))
        with contextlib.suppress(ChatApiError):  # the caller is told of the failure in any case
            self._turns.keep_failed(self._turn)
        return events


def is_short(request: JsonObject) -> bool:
    """Whether a request asks for so little that the short form says all."""
    given = {name for name, value in request.items() if value is not None}
    return given <= SHORT_FORM and isinstance(request["input"], str)


def short_form(response: JsonObject) -> JsonObject:
    """A response as the text in it."""
    messages = [item for item in response["output"] if item["type"] == "message"]
    parts = [part for message in messages for part in message["content"]]
    text = "".join(part.get("text") or part.get("refusal") or "" for part in parts)
    return {"model": response["model"], "output": {"role": "assistant", "content": text}}


def _is_kept(request: JsonObject, by_default: bool) -> bool:
    stored = request.get("store")
    return by_default if stored is None else bool(stored)
