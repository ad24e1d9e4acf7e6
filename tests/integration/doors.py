"""The ways to ask for a chat, and what is in the answers."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

OPENAI_ERROR_KEYS = {"message", "type", "param", "code"}
PING = b": ping\n\n"


class Door(NamedTuple):
    """One way to ask for a chat: a path, streamed or whole."""

    path: str
    streamed: bool

    @property
    def openai(self) -> bool:
        return self.path.startswith("/v1/")

    @property
    def keeps_statuses(self) -> bool:
        """What failed behind the server has statuses of its own here; else it is 400 or 500."""
        return self.path.startswith(("/v1/", "/api/"))

    @property
    def prompt(self) -> str:
        """What a request says here: an upstream can tell the doors apart by it."""
        return f"Hi at {self.path}{', streamed' if self.streamed else ''}"

    def body(self, prompt: str | None = None, **extra: Any) -> dict[str, Any]:
        """The smallest request."""
        text = prompt or self.prompt
        if self.openai and self.streamed:
            extra = {"stream": True, **extra}
        if self.path.startswith("/chat"):
            return {"message": text, **extra}
        if self.path == "/api/chat":
            return {"user_message": text, **extra}
        if self.path == "/v1/responses":
            return {"input": text, **extra}
        messages = [{"role": "user", "content": text}]
        return {"messages": messages, **extra}

    def error_text(self, body: bytes) -> str:
        """The text of an error reply, or of an error event's data, in this family's shape."""
        found = json.loads(body)
        name = {"/ask": "content", "/api/chat": "detail"}.get(self.path, "error")
        error = found[name if name in found else "error"]  # an event's is plain
        if not self.openai:
            assert isinstance(error, str)
            return error
        assert set(error) == OPENAI_ERROR_KEYS
        assert all(value is None or isinstance(value, str) for value in error.values())
        return str(error["message"])


CHAT = Door("/chat", streamed=False)
CHAT_STREAM = Door("/chat/stream", streamed=True)
V1 = Door("/v1/chat/completions", streamed=False)
V1_STREAM = Door("/v1/chat/completions", streamed=True)
ASK = Door("/ask", streamed=True)
"""Its pieces are bare text, so it is not among STREAMED."""
API_CHAT = Door("/api/chat", streamed=True)
"""As ASK."""
RESPONSES = Door("/v1/responses", streamed=False)
RESPONSES_STREAM = Door("/v1/responses", streamed=True)
"""Its events are a protocol of their own, so it is in neither list below."""
DOORS = (CHAT, CHAT_STREAM, V1, V1_STREAM, ASK, API_CHAT, RESPONSES)
EVERY_DOOR = (*DOORS, RESPONSES_STREAM)
STREAMED = (CHAT_STREAM, V1_STREAM)


def door_name(value: Any) -> str | None:
    """For pytest's `ids`."""
    return (
        f"{value.path}{' streamed' if value == V1_STREAM else ''}" if type(value) is Door else None
    )


def frames_of(body: bytes) -> list[bytes]:
    """The events and comments of a whole stream, blank lines included."""
    *frames, rest = body.split(b"\n\n")
    assert rest == b""
    return [frame + b"\n\n" for frame in frames]


def data_of(frames: list[bytes]) -> list[Any]:
    """The data of events, comments left out; `[DONE]` as text."""
    events = [frame[6:].strip() for frame in frames if frame.startswith(b"data: ")]
    return [event.decode() if event == b"[DONE]" else json.loads(event) for event in events]


def text_of(frames: list[bytes]) -> str:
    """The text that the events of either family carry."""
    pieces = []
    for data in data_of(frames):
        if isinstance(data, dict):
            pieces.append(data.get("content"))
            pieces += [choice["delta"].get("content") for choice in data.get("choices", ())]
    return "".join(piece or "" for piece in pieces)
