"""Bodies that nobody reads: on a path that is none, of another type, with a GET. The server does
not read them to their end either."""

from __future__ import annotations

import socket

import pytest

from tests.integration.test_bad_bodies import read_reply
from tests.integration.wire import PATIENCE_SECONDS
from tests.servers import Server

MEGABYTE = b"100000\r\n" + b" " * 1_048_576 + b"\r\n"
UNREAD = [
    ("POST", "/nope", "application/json", 404),
    ("POST", "/v1/nope", "application/json", 404),
    ("POST", "/chat", "text/plain", 415),
    ("PUT", "/chat", "application/json", 405),
    ("GET", "/health", "application/json", 200),
]

pytestmark = [
    pytest.mark.usefixtures("unharmed"),
    pytest.mark.parametrize(("method", "path", "kind", "status"), UNREAD),
]


def begin(server: Server, method: str, path: str, kind: str, framing: str) -> socket.socket:
    caller = socket.create_connection(("127.0.0.1", server.port), PATIENCE_SECONDS)
    head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\n{framing}\r\n\r\n"
    caller.sendall(head.encode())
    return caller


def test_one_that_says_it_is_too_large_is_refused_wherever_it_goes(
    relay: Server, method: str, path: str, kind: str, status: int
) -> None:
    with begin(relay, method, path, kind, "Content-Length: 200000000") as caller:
        reply = read_reply(caller)
        assert (reply.status, reply.headers["Connection"]) == (413, "close")
        assert caller.recv(1) == b""


def test_one_without_an_end_ends_with_its_connection(
    relay: Server, method: str, path: str, kind: str, status: int
) -> None:
    with begin(relay, method, path, kind, "Transfer-Encoding: chunked") as caller:
        with pytest.raises(OSError):  # the server hangs up
            for _ in range(100):
                caller.sendall(MEGABYTE)


def test_a_large_one_is_answered_and_its_connection_closed(
    relay: Server, method: str, path: str, kind: str, status: int
) -> None:
    with begin(relay, method, path, kind, "Content-Length: 100000") as caller:
        caller.sendall(b" " * 100_000)
        reply = read_reply(caller)
        assert (reply.status, reply.headers["Connection"]) == (status, "close")


def test_a_small_one_leaves_the_connection_open(
    relay: Server, method: str, path: str, kind: str, status: int
) -> None:
    with begin(relay, method, path, kind, "Content-Length: 1000") as caller:
        caller.sendall(b" " * 1_000)
        assert read_reply(caller).status == status
        caller.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert read_reply(caller).status == 200
