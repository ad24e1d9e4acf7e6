"""Callers without a library: requests on connections of their own, replies as they come."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import struct
import time
import uuid
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, NamedTuple, TypeVar

from tests.integration.doors import Door, frames_of
from tests.servers import Server

PATIENCE_SECONDS = 20.0
"""For what must come but need not hurry: a busy machine is no failure."""

T = TypeVar("T")


class Reply(NamedTuple):
    """A whole reply."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Call:
    """One request under way. Leaving the `with` block is leaving the server.

    Args:
        source: the address of this machine that it comes from, where it matters.
    """

    def __init__(
        self,
        server: Server,
        path: str,
        body: Any = None,
        *,
        method: str = "POST",
        headers: dict[str, str] | None = None,
        patience_seconds: float = PATIENCE_SECONDS,
        source: str | None = None,
    ) -> None:
        self.id = uuid.uuid4().hex
        self._server = server
        self._connection = http.client.HTTPConnection(
            "127.0.0.1",
            server.port,
            timeout=patience_seconds,
            source_address=(source, 0) if source else None,
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
        found = Reply(reply.status, reply.headers, reply.read())
        self._server.told(bytes(found.headers) + found.body)
        return found

    def frame(self) -> bytes:
        """The next event or comment, blank line included; b"" at the end."""
        lines = []
        while line := self.reply.readline():
            lines.append(line)
            if line == b"\n":
                break
        return b"".join(lines)

    def frames(self) -> list[bytes]:
        """All that is still to come.

        Raises:
            http.client.IncompleteRead: the connection broke off (`frame` keeps quiet about that).
        """
        return frames_of(self.reply.read())

    def reset_when_left(self) -> None:
        """Leave with a reset, as a process that is killed with unread bytes does."""
        linger = struct.pack("ii", 1, 0)
        self._connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    def leave(self) -> None:
        """Close the connection, whatever is still to come."""
        if self._reply is not None:
            self._reply.close()
        self._connection.close()


def ask(server: Server, door: Door, **extra: Any) -> Reply:
    """The whole reply to the smallest request."""
    return send(server, door.path, door.body(**extra))


def ask_at(doors: Iterable[Door], server: Server, **extra: Any) -> list[tuple[Door, Reply]]:
    """As `ask` at each of the doors, at the same time."""
    with contextlib.ExitStack() as stack:
        calls = [
            (door, stack.enter_context(Call(server, door.path, door.body(**extra))))
            for door in doors
        ]
        return [(door, call.whole()) for door, call in calls]


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
        return server.told(b"".join(iter(lambda: caller.recv(65_536), b"")))


def assert_refused(door: Door, reply: Reply, status: int = 400) -> str:
    """The reply has what every reply has, in its family's shape; returns its text."""
    assert reply.status == status, reply.body
    assert reply.headers["Content-Type"] == "application/json"
    assert reply.headers["X-Request-ID"]
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert reply.headers["Access-Control-Allow-Origin"] == "*"
    if door.openai:
        assert reply.json["error"]["type"] == "invalid_request_error"
    return door.error_text(reply.body)


def log_line(server: Server, call: Call) -> dict[str, Any]:
    """The log's line on a request; waits for it."""

    def find() -> dict[str, Any] | None:
        lines = [line for line in server.log().splitlines(keepends=True) if call.id in line]
        return json.loads(lines[0]) if lines and lines[0].endswith("\n") else None

    return wait_for(find)


def wait_for(look: Callable[[], T | None], seconds: float = PATIENCE_SECONDS) -> T:
    """What `look` finds, as soon as it finds something true."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.01)
    return found


def both_workers(server: Server) -> list[int]:
    """The process ids of two workers; the second one may come a little after the first."""
    return wait_for(lambda: workers if len(workers := server.workers()) == 2 else None)
