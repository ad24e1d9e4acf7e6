"""Silence, and connections that break before, in and behind the head."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable

import pytest

from chat_api.errors import UpstreamBroken, UpstreamTimeout, UpstreamUnreachable
from chat_api.upstreams.ends import READABLE
from chat_api.upstreams.exchange import Exchange
from chat_api.upstreams.transport import Transport
from chat_api.upstreams.waiting import Caller
from tests.ports import free_port
from tests.upstreams.helpers import Clock, soon
from tests.upstreams.wire import (
    FOREVER,
    RawServer,
    ask,
    post,
    read_to_end,
    receive,
    reset,
    until_left,
)

Transports = Callable[..., Transport]
Servers = Callable[..., RawServer]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n"
CHUNKED_HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def sends_and(data: bytes, then: Callable[[socket.socket], None]) -> Callable[..., None]:
    def serve(connection: socket.socket, number: int) -> None:
        receive(connection)
        connection.sendall(data)
        then(connection)

    return serve


def close(connection: socket.socket) -> None:
    """Returning closes it."""


def half_close(connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_WR)
    until_left(connection)


@pytest.mark.parametrize("data", [b"", b"HTTP/1.1 200", HEAD, HEAD + b"some", CHUNKED_HEAD])
def test_silence_is_a_time_out_wherever_it_sets_in(
    raw: Servers, transport_to: Transports, data: bytes
) -> None:
    server = raw(sends_and(data, until_left))
    start = time.monotonic()
    with soon(), pytest.raises(UpstreamTimeout, match="silent"):
        ask(transport_to(server.url, silence=0.05))
    assert time.monotonic() - start >= 0.05


def test_a_wait_for_the_head_may_end_before_the_time_out(
    raw: Servers, transport_to: Transports, clock: Clock
) -> None:
    server = raw(sends_and(b"HTTP/1.1 2", until_left))
    transport = transport_to(server.url, silence=60)
    with contextlib.closing(Exchange(transport, post(), Caller())) as exchange:
        for _ in range(2):
            assert not exchange.wait_head(time.monotonic() + 0.03)
        clock.advance(60)
        with pytest.raises(UpstreamTimeout):
            exchange.wait_head(FOREVER)


def test_a_wait_for_the_body_may_end_before_the_time_out(
    raw: Servers, transport_to: Transports, clock: Clock
) -> None:
    server = raw(sends_and(HEAD + b"some", until_left))
    transport = transport_to(server.url, silence=60)
    with contextlib.closing(Exchange(transport, post(), Caller())) as exchange:
        assert exchange.wait_head(FOREVER)
        assert exchange.read(FOREVER) == b"some"
        for _ in range(2):
            assert exchange.read(time.monotonic() + 0.03) is None
        clock.advance(60)
        with pytest.raises(UpstreamTimeout):
            exchange.read(FOREVER)


class HearsNothing(Caller):
    """Whose waits end in vain, as one without time may among hundreds of sockets that are ready."""

    def wait(
        self, seconds: float, sock: socket.socket | None = None, events: int = READABLE
    ) -> bool:
        super().wait(1, sock, events)
        return sock is not None and events != READABLE


def test_what_has_come_is_read_before_anything_is_called_silent(
    raw: Servers, transport_to: Transports
) -> None:
    server = raw(sends_and(HEAD + b"x" * 20, until_left))
    transport = transport_to(server.url, silence=0.0)
    with contextlib.closing(Exchange(transport, post(), HearsNothing())) as exchange:
        assert exchange.wait_head(FOREVER)
        assert exchange.read(FOREVER) == b"x" * 20


def test_whoever_says_something_now_and_then_is_not_silent(
    raw: Servers, transport_to: Transports, clock: Clock
) -> None:
    def dribble(connection: socket.socket) -> None:
        for _ in range(5):
            wanted.acquire(timeout=5)
            clock.advance(20)
            connection.sendall(b"abcd")

    wanted = threading.Semaphore(0)
    server = raw(sends_and(HEAD, dribble))
    exchange = Exchange(transport_to(server.url, silence=30), post(), Caller())
    with contextlib.closing(exchange):
        assert exchange.wait_head(FOREVER)
        while not exchange.ended:
            wanted.release()
            assert exchange.read(FOREVER) == b"abcd"


def test_framing_alone_is_no_body(raw: Servers, transport_to: Transports) -> None:
    def go_on(connection: socket.socket) -> None:
        for piece in (b"3\r\n", b"abc\r\n0\r\n\r\n"):
            wanted.acquire(timeout=5)
            connection.sendall(piece)

    wanted = threading.Semaphore(0)
    server = raw(sends_and(CHUNKED_HEAD, go_on))
    transport = transport_to(server.url)
    with contextlib.closing(Exchange(transport, post(), Caller())) as exchange:
        assert exchange.wait_head(FOREVER)
        wanted.release()
        assert exchange.read(FOREVER) == b"" and not exchange.ended
        wanted.release()
        assert read_to_end(exchange) == b"abc" and exchange.ended


@pytest.mark.parametrize("end", [close, half_close, reset])
def test_an_end_before_the_first_byte_is_unreachable(
    raw: Servers, transport_to: Transports, end: Callable[[socket.socket], None]
) -> None:
    server = raw(sends_and(b"", end))
    with soon(), pytest.raises(UpstreamUnreachable, match="closed the connection"):
        ask(transport_to(server.url))


@pytest.mark.parametrize("end", [close, half_close, reset])
@pytest.mark.parametrize(
    "data", [b"H", HEAD[:-1], HEAD, HEAD + b"some", CHUNKED_HEAD + b"5\r\nHello\r\n"]
)
def test_an_end_in_the_middle_is_a_broken_answer(
    raw: Servers, transport_to: Transports, data: bytes, end: Callable[[socket.socket], None]
) -> None:
    server = raw(sends_and(data, end))
    with soon(), pytest.raises(UpstreamBroken, match="broke off"):
        ask(transport_to(server.url))
    assert server.connections == 1


def test_a_reset_is_no_end_of_a_body_without_length(raw: Servers, transport_to: Transports) -> None:
    server = raw(sends_and(b"HTTP/1.1 200 OK\r\n\r\nsome", reset))
    with pytest.raises(UpstreamBroken):
        ask(transport_to(server.url))


@pytest.mark.parametrize("data", [b"<html>", HEAD[:-2] + b"no header\r\n\r\n"])
def test_an_answer_that_is_not_http_is_broken(
    raw: Servers, transport_to: Transports, data: bytes
) -> None:
    server = raw(sends_and(data, until_left))
    with pytest.raises(UpstreamBroken, match="not HTTP"):
        ask(transport_to(server.url))


def test_nobody_listening_is_unreachable(transport_to: Transports) -> None:
    with pytest.raises(UpstreamUnreachable):
        ask(transport_to(f"http://127.0.0.1:{free_port()}"))


def test_a_stream_that_never_pauses_lets_others_run(
    raw: Servers, transport_to: Transports, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`time.sleep(0)` is where gevent's hub gets its turn."""
    turns: list[float] = []
    large = b"x" * 10_000_000
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(large)
    server = raw(sends_and(head + large, close))
    exchange = Exchange(transport_to(server.url), post(), Caller())
    time.sleep(0.1)  # the sockets' buffers are full now
    with contextlib.closing(exchange), monkeypatch.context() as patches:
        patches.setattr(time, "sleep", turns.append)
        assert exchange.wait_head(FOREVER)
        size = 0
        while size < len(large) and not turns:
            size += len(exchange.read(FOREVER) or b"")
            busy_until = time.monotonic() + 0.001
            while time.monotonic() < busy_until:
                pass  # as slow as a real reader, so that the socket always has data
    assert turns and set(turns) == {0}
