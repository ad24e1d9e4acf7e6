"""A little of everything that callers do, and an upstream for it: what memory is measured with."""

from __future__ import annotations

import json
import uuid
from typing import Any, NamedTuple

from tests.fakes import chunk, frame
from tests.integration.doors import (
    API_CHAT,
    ASK,
    CHAT,
    CHAT_STREAM,
    RESPONSES,
    RESPONSES_STREAM,
    V1,
    V1_STREAM,
    Door,
)
from tests.scripted import Exchange, answer_plainly

KEY = "canary-of-the-callers"
KEYED = {"x-api-key": KEY, "Content-Type": "application/json"}
REFUSED, BROKEN = "Refuse this.", "Break off."


class Asked(NamedTuple):
    """A request and the status that it gets."""

    path: str
    body: bytes | None = None
    status: int = 200
    headers: dict[str, str] = KEYED

    @property
    def method(self) -> str:
        return "GET" if self.body is None else "POST"


def at(door: Door, prompt: str | None = None, status: int = 200, **more: Any) -> Asked:
    """A request at a door."""
    return Asked(door.path, json.dumps(door.body(prompt, **more)).encode(), status)


WHOLE = (
    at(V1),
    at(CHAT),
    at(RESPONSES),
    at(V1, store=True),
    at(V1, n=2),
    Asked("/v1/embeddings", b'{"model": "m", "input": ["a", "b"]}'),
    Asked("/api/sessions", b"{}", 201),
    at(V1, REFUSED, 400),
    at(CHAT, REFUSED, 400),
    at(V1, messages="no list", status=400),
    Asked("/chat", b"{no JSON", 400),
    Asked("/v1/nowhere", b"{}", 404),
    Asked("/chat", status=405),
    at(V1)._replace(status=401, headers={**KEYED, "x-api-key": "wrong"}),
    Asked("/health"),
    Asked("/health/live"),
    Asked("/metrics"),
)
STREAMED = (
    at(V1_STREAM),
    at(V1_STREAM, store=True),
    at(CHAT_STREAM),
    at(ASK),
    at(API_CHAT),
    at(RESPONSES_STREAM),
    at(CHAT_STREAM, BROKEN),
    at(V1_STREAM, REFUSED, 400),
)


def once(asked: Asked) -> Asked:
    """The request under an `Idempotency-Key` that no other has, where it could have one."""
    if asked in STREAMED or not asked.path.startswith("/v1"):
        return asked
    return asked._replace(headers={**asked.headers, "Idempotency-Key": uuid.uuid4().hex})


def answer(exchange: Exchange) -> None:
    """As `answer_plainly`, but for what is to be refused, or to break off."""
    if REFUSED.encode() in exchange.raw:
        exchange.reply(400, {"error": {"message": "No.", "type": "invalid_request_error"}})
    elif BROKEN.encode() in exchange.raw:
        exchange.start_stream()
        exchange.chunk(frame(chunk({"role": "assistant", "content": "Hel"})))
        exchange.connection.close()
    else:
        answer_plainly(exchange)
