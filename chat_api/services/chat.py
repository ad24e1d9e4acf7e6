"""The plain chat: one message in, one text out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from chat_api.errors import UpstreamBroken
from chat_api.services.clients import Client
from chat_api.services.gateway import Gateway
from chat_api.services.kept_streams import KeptStream, within_bounds
from chat_api.services.sessions import Sessions, check_length, exchange_of, prompt
from chat_api.services.streams import ChatStream
from chat_api.services.usage import tokens
from chat_api.stores.base import Session
from chat_api.upstreams.base import Event, JsonObject

PASSED_ON = ("model", "temperature", "max_tokens")
"""Fields that go upstream as they came. What the caller left out is left out there too."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer; `conversation` is the history with this exchange."""

    response: str
    model: str
    conversation: list[JsonObject]
    usage: JsonObject


class ChatService:
    """Chats on top of the gateway; with a `session_id` the history comes from the store, and the
    exchange goes there."""

    def __init__(self, gateway: Gateway, sessions: Sessions) -> None:
        self._gateway = gateway
        self._sessions = sessions

    def complete(self, request: JsonObject, client: Client) -> Answer:
        """Answer one message. In a session the exchange is stored before this returns.

        Args:
            request: a loaded `ChatRequestSchema`.
        """
        session = self._session(request, client)
        completion = self._gateway.complete(self._prompted(request, session, client), client)
        choice = completion.data["choices"][0]
        text = _text(choice["message"])
        exchange = exchange_of(request["message"], text)
        if session:
            if not choice.get("finish_reason"):
                raise UpstreamBroken("The upstream did not finish its answer.")
            self._sessions.append(session, client, exchange)
        history = session.messages if session else request.get("messages", ())
        usage = completion.data.get("usage")
        return Answer(
            response=text,
            model=str(completion.data.get("model") or client.record.model),
            conversation=[*history, *exchange],
            usage={name: tokens(usage, name) for name in USAGE},
        )

    def stream(self, request: JsonObject, client: Client) -> ChatStream | RecordedStream:
        """Answer one message in pieces; `pieces` has the text of each event."""
        session = self._session(request, client)
        stream = self._gateway.stream(self._prompted(request, session, client), client)
        if session is None:
            return stream
        return RecordedStream(stream, self._sessions, session, client, request["message"])

    def ask(self, request: JsonObject, client: Client) -> ChatStream:
        """The next message of a conversation in pieces.

        Args:
            request: a loaded `AskRequestSchema`.
        """
        return self._gateway.stream(_body(request, request["messages"]), client)

    def _session(self, request: JsonObject, client: Client) -> Session | None:
        session_id = request.get("session_id")
        if session_id is None:
            return None
        check_length("message", request["message"])
        return self._sessions.get(session_id, client)

    def _prompted(self, request: JsonObject, session: Session | None, client: Client) -> JsonObject:
        asked = request["message"]
        if session:
            room = self._gateway.context_tokens(request.get("model"), client)
            messages = prompt(session.developer_message, session.exchanges, asked, room)
        else:
            messages = [*request.get("messages", ()), {"role": "user", "content": asked}]
        return _body(request, messages)


class RecordedStream(KeptStream):
    """A stream whose exchange is stored in its session."""

    def __init__(
        self, stream: ChatStream, sessions: Sessions, session: Session, client: Client, asked: str
    ) -> None:
        super().__init__(stream)
        self._sessions = sessions
        self._session = session
        self._client = client
        self._asked = asked

    @property
    def session_id(self) -> str:
        """Where the exchange will be."""
        return self._session.id

    @property
    def model(self) -> str | None:
        """See `ChatStream.model`."""
        return self._stream.model

    @property
    def usage(self) -> JsonObject | None:
        """See `ChatStream.usage`."""
        return self._stream.usage

    def __iter__(self) -> Iterator[list[Event]]:
        said: list[str] = []
        for events in within_bounds(self._stream):
            said += pieces(events)
            yield events
        with self._keeping():
            exchange = exchange_of(self._asked, "".join(said))
            self._sessions.append(self._session, self._client, exchange)


USAGE = ("prompt_tokens", "completion_tokens", "total_tokens")


def pieces(events: list[Event]) -> Iterator[str]:
    """The text in a batch of events."""
    for event in events:
        for choice in event.data["choices"]:
            if text := _text(choice.get("delta")):
                yield text


def _body(request: JsonObject, messages: list[JsonObject]) -> JsonObject:
    given = {name: request[name] for name in PASSED_ON if request.get(name) is not None}
    return {"messages": messages, **given}


def _text(message: Any) -> str:
    """What a message says; a refusal is said too."""
    if not isinstance(message, dict):
        return ""
    text = message.get("content") or message.get("refusal")
    return text if isinstance(text, str) else ""
