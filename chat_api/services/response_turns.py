"""One response to be made: what it goes on from, what is asked, what of it is kept."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass

from chat_api.errors import (
    ChatApiError,
    InvalidRequest,
    ObjectNotFound,
    SessionNotFound,
    UpstreamRateLimited,
    UpstreamRefused,
)
from chat_api.services.clients import Client
from chat_api.services.context import fitted
from chat_api.services.conversations import Conversations
from chat_api.services.finding import there
from chat_api.services.gateway import Gateway
from chat_api.services.response_events import ResponseBuilder
from chat_api.services.response_items import items_of, messages_of
from chat_api.services.response_requests import completion_request, dropped_params
from chat_api.services.sessions import Sessions, check_length
from chat_api.stores.base import Session
from chat_api.stores.response_base import Item, ResponseRow, ResponseStore
from chat_api.upstreams.base import JsonObject


@dataclass(slots=True)
class Turn:
    """What is asked, and the response as it grows."""

    id: str
    """The response's."""
    request: JsonObject
    client: Client
    builder: ResponseBuilder
    body: JsonObject
    """Of the chat completion that answers."""
    input_items: list[Item]
    history: list[Item]
    session: Session | None
    conversation_id: str | None
    is_kept: bool

    @property
    def response(self) -> JsonObject:
        """The response as it stands."""
        return self.builder.response

    @property
    def streamed_body(self) -> JsonObject:
        """The same as `body` for a stream: its usage is shown to those only who ask for it."""
        return {**self.body, "stream_options": {"include_usage": True}}

    def tell_dropped(self) -> None:
        """Note on the call's record what of the request had no effect. Once an upstream is asked:
        whoever is asked begins that list anew."""
        record = self.client.record
        record.dropped_params = [*dropped_params(self.request), *record.dropped_params]

    @property
    def row(self) -> ResponseRow:
        """What of it is stored, as it stands."""
        response = self.response
        return ResponseRow(
            id=self.id,
            owner=self.client.owner,
            body=response,
            input_items=self.input_items,
            previous_id=response["previous_response_id"],
            conversation_id=self.conversation_id,
            is_background=response["background"],
        )

    @property
    def exchange(self) -> list[Item]:
        """What was asked and what was answered."""
        return [*self.input_items, *self.response["output"]]


class Turns:
    """Begins turns, and stores them when they have ended."""

    def __init__(
        self,
        gateway: Gateway,
        store: ResponseStore,
        conversations: Conversations,
        sessions: Sessions,
    ) -> None:
        self._gateway = gateway
        self._store = store
        self._conversations = conversations
        self._sessions = sessions

    def begin(self, request: JsonObject, client: Client, *, is_kept: bool) -> Turn:
        """A turn that nobody was asked for yet.

        Args:
            request: a loaded `ResponseRequestSchema`.

        Raises:
            InvalidRequest: no such previous response, or a tool's output without its call.
            ObjectNotFound: no such conversation or session, or item that is referred to.
            StoreUnavailable, ModelNotFound
        """
        previous_id = request.get("previous_response_id")
        named = request.get("conversation")
        conversation_id = named["id"] if isinstance(named, dict) else named
        history: list[Item] = []
        session = None
        if conversation_id is not None:
            history, session = self._conversation(conversation_id, client)
        elif previous_id is not None:
            history = self._previous(previous_id, client)
        asked = self._asked(request, client)
        messages = messages_of([*history, *asked])
        if session is not None or request.get("truncation") == "auto":
            room = self._gateway.context_tokens(request.get("model"), client)
            messages = fitted(messages, room)
        response_id = f"resp_{secrets.token_hex(24)}"
        builder = ResponseBuilder(
            {**request, "model": request.get("model") or self._gateway.default_model},
            response_id=response_id,
            created_at=int(time.time()),
            previous_response_id=previous_id,
            conversation_id=conversation_id,
            background=request.get("background") is True,
            store=is_kept,
        )
        return Turn(
            response_id,
            request,
            client,
            builder,
            completion_request(request, messages),
            input_items=asked,
            history=history,
            session=session,
            conversation_id=None if session else conversation_id,
            is_kept=is_kept,
        )

    def keep(self, turn: Turn) -> None:
        """Store a turn that has ended well, in its conversation or session too.

        Raises:
            ObjectNotFound, SessionNotFound: that was deleted meanwhile; nothing is stored.
            StoreUnavailable
        """
        self.keep_in_session(turn)
        if turn.is_kept:
            stored = self._store.put(turn.row) or None
            there(stored, "Conversation", str(turn.conversation_id), "conversation")
        elif turn.conversation_id is not None:
            self._conversations.extend(
                turn.conversation_id, turn.client, turn.exchange, "conversation"
            )

    def keep_failed(self, turn: Turn) -> None:
        """Store a turn that failed, so that its id, which was told, is known. It belongs to no
        conversation."""
        if turn.is_kept:
            self._store.put(turn.row)

    def keep_in_session(self, turn: Turn) -> None:
        """Store the exchange in its session, where it has one."""
        if turn.session is None:
            return
        # A call and its output may stand on either side of the border: translated together.
        before = len(messages_of(turn.history))
        exchange = messages_of([*turn.history, *turn.exchange])[before:]
        self._sessions.append(turn.session, turn.client, exchange)

    def _conversation(
        self, conversation_id: str, client: Client
    ) -> tuple[list[Item], Session | None]:
        """What was said in it; and the session, where the id is that of one."""
        if Conversations.is_id(conversation_id):
            return self._conversations.history(conversation_id, client), None
        try:
            session = self._sessions.get(conversation_id, client)
        except SessionNotFound:  # it was called a conversation
            raise ObjectNotFound("Conversation", conversation_id, "conversation") from None
        told = session.developer_message
        first = [] if told is None else [{"role": "developer", "content": told}]
        return items_of([*first, *session.messages]), session

    def _previous(self, previous_id: str, client: Client) -> list[Item]:
        items = self._store.history(previous_id, client.owner)
        if items is None:
            raise InvalidRequest(
                f"Previous response with id '{previous_id[:200]}' not found.",
                "previous_response_id",
                "previous_response_not_found",
            )
        return [item for item in items if not _is_broken_call(item)]

    def _asked(self, request: JsonObject, client: Client) -> list[Item]:
        """The request's own items, those it refers to among them."""
        items = self._conversations.full_items(request["input"], client, "input")
        if "conversation" in request:
            for index, item in enumerate(items):
                check_length(f"input[{index}]", str(item.get("content") or item.get("output")))
        return items


def failure_code(error: ChatApiError) -> str:
    """The `code` of a failed response: one of those that OpenAI documents."""
    if isinstance(error, UpstreamRateLimited):
        return "rate_limit_exceeded"
    is_refused = isinstance(error, UpstreamRefused) and error.status in (400, 413, 422)
    return "invalid_prompt" if is_refused else "server_error"


def _is_broken_call(item: Item) -> bool:
    """A call of a response that failed midway: its arguments are no JSON."""
    return item["type"] == "function_call" and item.get("status") == "incomplete"
