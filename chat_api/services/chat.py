"""The plain chat: one message in, one text out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from chat_api.services.clients import Client
from chat_api.services.gateway import Gateway
from chat_api.services.streams import ChatStream
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
    """Chats on top of the gateway."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def complete(self, request: JsonObject, client: Client) -> Answer:
        """Answer one message.

        Args:
            request: a loaded `ChatRequestSchema`.
        """
        asked = _conversation(request)
        completion = self._gateway.complete(_body(request, asked), client)
        text = _text(completion.data["choices"][0]["message"])
        usage = completion.data.get("usage") or {}
        return Answer(
            response=text,
            model=str(completion.data.get("model") or client.record.model),
            conversation=[*asked, {"role": "assistant", "content": text}],
            usage={name: usage.get(name) for name in USAGE},
        )

    def stream(self, request: JsonObject, client: Client) -> ChatStream:
        """Answer one message in pieces; `pieces` has the text of each event."""
        return self._gateway.stream(_body(request, _conversation(request)), client)

    def ask(self, request: JsonObject, client: Client) -> ChatStream:
        """The next message of a conversation in pieces.

        Args:
            request: a loaded `AskRequestSchema`.
        """
        return self._gateway.stream(_body(request, request["messages"]), client)


USAGE = ("prompt_tokens", "completion_tokens", "total_tokens")


def pieces(events: list[Event]) -> Iterator[str]:
    """The text in a batch of events."""
    for event in events:
        for choice in event.data["choices"]:
            if text := _text(choice.get("delta")):
                yield text


def _text(message: Any) -> str:
    """What a message says; a refusal is said too."""
    if not isinstance(message, dict):
        return ""
    text = message.get("content") or message.get("refusal")
    return text if isinstance(text, str) else ""


def _conversation(request: JsonObject) -> list[JsonObject]:
    return [*request.get("messages", ()), {"role": "user", "content": request["message"]}]


def _body(request: JsonObject, messages: list[JsonObject]) -> JsonObject:
    given = {name: request[name] for name in PASSED_ON if request.get(name) is not None}
    return {"messages": messages, **given}
