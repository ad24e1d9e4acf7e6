"""Callers without a library: requests on connections of their own, replies as they come."""

from __future__ import annotations

import http.client
import json
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, NamedTuple, TypeVar

from tests.servers import Exchange, ScriptedUpstream, Server

PATIENCE_SECONDS = 20.0
"""For what must come but need not hurry: a busy machine is no failure."""

MESSAGES = [{"role": "user", "content": "Hi"}]
OPENAI_ERROR_KEYS = {"message", "type", "param", "code"}

T = TypeVar("T")


class Door(NamedTuple):
    """One way to ask for a chat: a path, streamed or whole."""

    path: str
    streamed: bool

    @property
    def openai(self) -> bool:
        return self.path.startswith("/v1/")

    def body(self, **extra: Any) -> dict[str, Any]:
        """The smallest request."""
        if self.path.startswith("/chat"):
            return {"message": "Hi", **extra}
        if self.path == "/ask":
            return {"messages": MESSAGES, **extra}
        if self.path == "/v1/responses":
            return {"input": "Hi", **extra}
        return {"messages": MESSAGES, **({"stream": True} if self.streamed else {}), **extra}

    def error_text(self, body: bytes) -> str:
        """The text of an error reply, or of an error event's data, in this family's shape."""
        found = json.loads(body)
        error = found["content"] if self.path == "/ask" and "content" in found else found["error"]
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
RESPONSES = Door("/v1/responses", streamed=False)
DOORS = (CHAT, CHAT_STREAM, V1, V1_STREAM, ASK, RESPONSES)
STREAMED = (CHAT_STREAM, V1_STREAM)


def door_name(value: Any) -> str | None:
    """For pytest's `ids`."""
    return (
        f"{value.path}{' streamed' if value == V1_STREAM else ''}" if type(value) is Door else None
    )


class Reply(NamedTuple):
    """A whole reply."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Call:
    """One request under way. Leaving the `with` block is leaving the server."""

    def __init__(
        self,
        server: Server,
        path: str,
        body: Any = None,
        *,
        method: str = "POST",
        headers: dict[str, str] | None = None,
    ) -> None:
        self.id = uuid.uuid4().hex
        self._connection = http.client.HTTPConnection(
            "127.0.0.1", server.port, timeout=PATIENCE_SECONDS
        )
        self._reply: http.client.HTTPResponse | None = None
        raw = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Content-Type": "application/json", "X-Request-ID": self.id, **(headers or {})}
        try:
            self._connection.request(method, path, raw, sent)
        except BaseException:
            self._connection.close()
            raise

    def __enter__(self) -> Call:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.leave()

    @property
    def reply(self) -> http.client.HTTPResponse:
        """Its status and headers; waits for them."""
        if self._reply is None:
            self._reply = self._connection.getresponse()
        return self._reply

    def whole(self) -> Reply:
        """The reply to its end."""
        reply = self.reply
        return Reply(reply.status, reply.headers, reply.read())

    def frame(self) -> bytes:
        """The next event or comment, blank line included; b"" at the end."""
        lines = []
        while line := self.reply.readline():
            lines.append(line)
            if line == b"\n":
                break
        return b"".join(lines)

    def frames(self) -> list[bytes]:
        """All that is still to come."""
        return list(iter(self.frame, b""))

    def leave(self) -> None:
        """Close the connection, whatever is still to come."""
        if self._reply is not None:
            self._reply.close()
        self._connection.close()


def ask(server: Server, door: Door, **extra: Any) -> Reply:
    """The whole reply to the smallest request."""
    return send(server, door.path, door.body(**extra))


def send(server: Server, path: str, body: Any = None, **options: Any) -> Reply:
    """The whole reply to a request."""
    with Call(server, path, body, **options) as call:
        return call.whole()


def get(server: Server, path: str) -> Reply:
    """The whole reply to a GET."""
    return send(server, path, method="GET")


def exchange_raw(server: Server, data: bytes) -> bytes:
    """What comes back for these bytes until the server closes."""
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE_SECONDS) as caller:
        caller.sendall(data)
        return b"".join(iter(lambda: caller.recv(65_536), b""))


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


def log_line(server: Server, call: Call) -> dict[str, Any]:
    """The log's line on a request; waits for it."""

    def find() -> dict[str, Any] | None:
        lines = [line for line in server.log().splitlines() if call.id in line]
        return json.loads(lines[0]) if lines else None

    return wait_for(find)


def wait_for(look: Callable[[], T | None], seconds: float = PATIENCE_SECONDS) -> T:
    """What `look` finds, as soon as it finds something true."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.01)
    return found


class Stage:
    """A scripted upstream for one test: what it shall do, and what it was asked since."""

    def __init__(self, upstream: ScriptedUpstream) -> None:
        self._upstream = upstream
        self._before = len(upstream.exchanges)

    def play(self, *scripts: Callable[[Exchange], None]) -> None:
        """Answer the first request by the first script, and so on; the last one goes on."""
        asked: Iterator[Callable[[Exchange], None]] = iter(scripts)
        current = scripts[-1]
        self._upstream.script = lambda exchange: next(asked, current)(exchange)

    @property
    def exchanges(self) -> list[Exchange]:
        return self._upstream.exchanges[self._before :]

    def exchange(self) -> Exchange:
        """The first one; waits for it."""
        return wait_for(lambda: self.exchanges and self.exchanges[0] or None)
