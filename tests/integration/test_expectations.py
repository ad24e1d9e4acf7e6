"""`Expect: 100-continue`: the body is asked for when it is wanted, and else refused at once."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator

import pytest

from tests.integration.doors import CHAT, V1, Door, door_name
from tests.integration.stage import Stage
from tests.integration.test_bad_bodies import read_reply
from tests.integration.wire import PATIENCE_SECONDS, assert_refused
from tests.servers import Server

pytestmark = pytest.mark.usefixtures("unharmed")

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
CHUNKED = "Transfer-Encoding: chunked"


@pytest.fixture
def caller(relay: Server, stage: Stage) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", relay.port), PATIENCE_SECONDS) as caller:
        yield caller


def head(
    path: str, framing: str, method: str = "POST", kind: str = "application/json", http: str = "1.1"
) -> bytes:
    lines = [f"{method} {path} HTTP/{http}", "Host: x", f"Content-Type: {kind}", framing]
    return "\r\n".join([*lines, "Expect: 100-continue", "", ""]).encode()


def body(door: Door, size: int = 0) -> bytes:
    return json.dumps(door.body("Hi" + "!" * size)).encode()


def chunked(raw: bytes) -> bytes:
    return b"%x\r\n%b\r\n0\r\n\r\n" % (len(raw), raw)


@pytest.mark.parametrize("size", [0, 100_000, 3_000_000])
@pytest.mark.parametrize("door", [CHAT, V1], ids=door_name)
def test_a_body_is_asked_for_and_read(caller: socket.socket, door: Door, size: int) -> None:
    raw = body(door, size)
    for _ in range(2):  # the connection goes on
        caller.sendall(head(door.path, f"Content-Length: {len(raw)}"))
        assert caller.recv(1_000) == CONTINUE
        caller.sendall(raw)
        assert read_reply(caller).status == 200


def test_a_chunked_one_is_asked_for_once(caller: socket.socket) -> None:
    raw = chunked(body(V1))
    caller.sendall(head(V1.path, CHUNKED))
    assert caller.recv(1_000) == CONTINUE
    for start in range(0, len(raw), 20):
        caller.sendall(raw[start : start + 20])
    reply = caller.recv(1_000)
    assert reply.startswith(b"HTTP/1.1 200 ")


REFUSED = {
    "too large": (V1, 413, head(V1.path, "Content-Length: 200000000")),
    "too large, at another door": (CHAT, 413, head(CHAT.path, "Content-Length: 200000000")),
    "of a wrong type": (V1, 415, head(V1.path, "Content-Length: 9", kind="text/plain")),
    "chunked, of a wrong type": (V1, 415, head(V1.path, CHUNKED, kind="text/plain")),
    "for no route": (V1, 404, head("/v1/nope", "Content-Length: 9")),
    "of a wrong method": (CHAT, 405, head(CHAT.path, "Content-Length: 9", method="PUT")),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_refused_is_never_asked_for(caller: socket.socket, kind: str) -> None:
    door, status, request = REFUSED[kind]
    caller.sendall(request)
    first = caller.recv(12, socket.MSG_PEEK | socket.MSG_WAITALL)
    assert first == b"HTTP/1.1 %d" % status
    reply = read_reply(caller)
    assert_refused(door, reply, status)
    # The body may come or not; nobody could tell it from the next request.
    assert reply.headers["Connection"] == "close"
    assert caller.recv(1) == b""


def test_who_has_no_key_is_never_asked(mock_server: Server) -> None:
    with socket.create_connection(("127.0.0.1", mock_server.port), PATIENCE_SECONDS) as caller:
        caller.sendall(head(V1.path, "Content-Length: 100"))
        assert caller.recv(12, socket.MSG_PEEK | socket.MSG_WAITALL) == b"HTTP/1.1 401"
        reply = read_reply(caller)
        assert_refused(V1, reply, 401)
        assert reply.headers["Connection"] == "close"


def test_who_does_not_wait_is_served_too(caller: socket.socket) -> None:
    raw = body(V1)
    for _ in range(2):
        caller.sendall(head(V1.path, f"Content-Length: {len(raw)}") + raw)
        assert read_reply(caller).status == 200


def test_http_1_0_knows_no_such_answer(caller: socket.socket) -> None:
    raw = body(V1)
    caller.sendall(head(V1.path, f"Content-Length: {len(raw)}", http="1.0"))
    caller.sendall(raw)
    assert caller.recv(12, socket.MSG_WAITALL) == b"HTTP/1.0 200"
