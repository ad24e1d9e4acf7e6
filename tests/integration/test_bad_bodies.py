"""Bodies that are refused before they are read: too large, broken off, of another type."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from tests.integration.doors import CHAT, DOORS, V1, Door, door_name
from tests.integration.stage import Stage
from tests.integration.wire import PATIENCE_SECONDS, Call, Reply, assert_refused, exchange_raw, send
from tests.servers import Server

pytestmark = pytest.mark.usefixtures("unharmed")

LIMIT = 1000
"""MAX_BODY_BYTES of the server `small`."""


def sized(door: Door, size: int) -> bytes:
    """A request of exactly so many bytes."""
    empty = len(json.dumps(door.body("x" * 1)).encode()) - 1
    return json.dumps(door.body("x" * (size - empty))).encode()


def read_reply(caller: socket.socket) -> Reply:
    reply = http.client.HTTPResponse(caller)
    try:
        reply.begin()
        return Reply(reply.status, reply.headers, reply.read())
    finally:
        reply.close()


@pytest.fixture
def caller(small: Server) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", small.port), PATIENCE_SECONDS) as caller:
        yield caller


def head(door: Door, *lines: str) -> bytes:
    start = [f"POST {door.path} HTTP/1.1", "Host: x", "Content-Type: application/json", *lines]
    return "\r\n".join([*start, "", ""]).encode()


def test_a_body_at_the_limit_is_taken_and_one_above_is_not(small: Server) -> None:
    with contextlib.ExitStack() as stack:
        taken = [stack.enter_context(Call(small, door.path, sized(door, LIMIT))) for door in DOORS]
        for door in DOORS:
            reply = send(small, door.path, sized(door, LIMIT + 1))
            assert_refused(door, reply, 413)
            assert reply.headers["Connection"] == "close"
        assert {call.whole().status for call in taken} == {500, 502}, "its upstream is dead"


@pytest.mark.parametrize("door", [CHAT, V1], ids=door_name)
def test_a_declared_size_is_refused_before_a_byte_of_it_came(
    caller: socket.socket, door: Door
) -> None:
    caller.sendall(head(door, "Content-Length: 200000000"))
    assert_refused(door, read_reply(caller), 413)
    assert caller.recv(1) == b"", "the connection is closed"


def test_who_asks_first_is_refused_too(caller: socket.socket) -> None:
    caller.sendall(head(V1, "Content-Length: 200000000", "Expect: 100-continue"))
    assert_refused(V1, read_reply(caller), 413)


@pytest.mark.parametrize("door", [CHAT, V1], ids=door_name)
def test_a_chunked_body_is_refused_as_soon_as_it_is_too_large(
    caller: socket.socket, door: Door
) -> None:
    caller.sendall(head(door, "Transfer-Encoding: chunked"))
    caller.sendall(b"190\r\n" + b" " * 400 + b"\r\n")
    caller.sendall(b"400\r\n" + b" " * 1024 + b"\r\n")  # and it does not end
    assert_refused(door, read_reply(caller), 413)
    assert caller.recv(1) == b"", "the connection is closed"


@pytest.mark.parametrize("declared", [True, False], ids=["declared", "chunked"])
def test_who_sends_on_can_read_the_refusal_all_the_same(
    caller: socket.socket, declared: bool
) -> None:
    """Closed at once, TCP would answer what is still sent with a reset: few clients read on."""
    framing = "Content-Length: 200000" if declared else "Transfer-Encoding: chunked"
    started = time.monotonic()
    caller.sendall(head(V1, framing))
    try:
        for _ in range(20):
            caller.sendall(b"2710\r\n" + b"x" * 10_000 + b"\r\n")
            time.sleep(0.01)
    except OSError:  # a busy machine may need longer for this than the second the server reads on
        assert time.monotonic() - started >= 1.0
    assert_refused(V1, read_reply(caller), 413)


def test_spaces_count_too(caller: socket.socket) -> None:
    """Cut off at the limit it would be whole JSON."""
    whole = json.dumps(V1.body()).encode()
    padded = whole + b" " * 2000
    caller.sendall(head(V1, "Transfer-Encoding: chunked"))
    caller.sendall(b"%x\r\n%b\r\n0\r\n\r\n" % (len(padded), padded))
    assert_refused(V1, read_reply(caller), 413)


def test_a_chunked_body_of_exactly_the_limit_is_taken(caller: socket.socket) -> None:
    caller.sendall(head(V1, "Transfer-Encoding: chunked"))
    caller.sendall(b"%x\r\n%b\r\n0\r\n\r\n" % (LIMIT, sized(V1, LIMIT)))
    assert read_reply(caller).status == 502, "its upstream is dead"


def test_a_chunked_body_within_the_limit_is_taken(relay: Server, stage: Stage) -> None:
    whole = json.dumps(V1.body()).encode()
    pieces = b"".join(b"%x\r\n%b\r\n" % (1, whole[at : at + 1]) for at in range(len(whole)))
    request = head(V1, "Transfer-Encoding: chunked", "Connection: close") + pieces + b"0\r\n\r\n"
    assert exchange_raw(relay, request).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("door", [CHAT, V1], ids=door_name)
def test_a_body_that_breaks_off_is_no_defect_of_ours(
    relay: Server, stage: Stage, door: Door
) -> None:
    for framing in ("Content-Length: 500", "Transfer-Encoding: chunked"):
        with socket.create_connection(("127.0.0.1", relay.port), PATIENCE_SECONDS) as caller:
            caller.sendall(head(door, framing) + b'10\r\n{"message": "Hi"')
            caller.shutdown(socket.SHUT_WR)
            assert_refused(door, read_reply(caller))
    assert stage.exchanges == []


def test_what_came_of_a_body_is_no_request_though_it_is_whole_json(relay: Server) -> None:
    post = b"POST /api/sessions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    with socket.create_connection(("127.0.0.1", relay.port), PATIENCE_SECONDS) as caller:
        caller.sendall(post + b"Content-Length: 500\r\n\r\n{}")
        caller.shutdown(socket.SHUT_WR)
        reply = read_reply(caller)
    assert reply.status == 400 and b"did not come whole" in reply.body


TYPES = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]


@pytest.mark.parametrize("door", [CHAT, V1], ids=door_name)
@pytest.mark.parametrize("kind", [*TYPES, "application/jsonp", "json"])
def test_a_body_of_another_type_is_refused(
    relay: Server, stage: Stage, kind: str, door: Door
) -> None:
    reply = send(relay, door.path, door.body(), headers={"Content-Type": kind})
    assert_refused(door, reply, 415)


@pytest.mark.parametrize(
    "kind", ["application/json; charset=utf-8", "Application/JSON", "a/b+json"]
)
def test_json_by_another_name_is_taken(relay: Server, stage: Stage, kind: str) -> None:
    reply = send(relay, V1.path, V1.body(), headers={"Content-Type": kind})
    assert reply.status == 200


def test_an_image_of_50_megabytes_is_refused_in_openais_words(relay: Server, stage: Stage) -> None:
    image: Any = f"data:image/png;base64,{'A' * 50_000_000}"
    part: Any = {"type": "input_image", "image_url": image, "detail": "low"}
    chat_part: Any = {"type": "image_url", "image_url": {"url": image}}
    with openai.OpenAI(base_url=f"{relay.url}/v1", api_key="any", max_retries=0) as sdk:
        for call in (
            lambda: sdk.responses.create(input=[{"role": "user", "content": [part]}]),
            lambda: sdk.chat.completions.create(
                model="gpt-4o", messages=[{"role": "user", "content": [chat_part]}]
            ),
        ):
            with pytest.raises(openai.APIStatusError) as caught:
                call()
            assert (caught.value.status_code, caught.value.code) == (413, "request_too_large")
    assert stage.exchanges == []
