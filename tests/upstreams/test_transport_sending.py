"""Large requests, and upstreams that do not take them as one would like."""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from collections.abc import Callable

import pytest

from chat_api.errors import CallerGone, UpstreamTimeout, UpstreamUnreachable
from chat_api.upstreams.exchange import Exchange
from chat_api.upstreams.transport import Transport
from chat_api.upstreams.waiting import Caller
from tests.upstreams.helpers import Clock, SlowlyServedCaller, Visitor, after, soon
from tests.upstreams.wire import OK, RawServer, ask, hold, post, receive, reset, until_left

Transports = Callable[..., Transport]
Servers = Callable[..., RawServer]
LARGE = post(b"0123456789" * 1_000_000)
TOO_LARGE = b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno"


def test_a_slow_reader_gets_ten_megabytes_whole(raw: Servers, transport_to: Transports) -> None:
    digest = hashlib.sha256()

    def serve(connection: socket.socket, number: int) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        size = 0
        while size < len(LARGE):
            piece = connection.recv(200_000)
            digest.update(piece)
            size += len(piece)
            time.sleep(0.001)
        connection.sendall(OK)

    transport = transport_to(raw(serve).url)
    assert ask(transport, LARGE) == (200, b"ok")
    assert digest.digest() == hashlib.sha256(LARGE).digest()


def test_a_reader_that_pauses_less_than_the_time_out_is_waited_for(
    raw: Servers, transport_to: Transports, clock: Clock
) -> None:
    def serve(connection: socket.socket, number: int) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        receive(connection)
        connection.sendall(OK)

    transport, caller = transport_to(raw(serve).url, silence=10), SlowlyServedCaller(clock, 6)
    assert ask(transport, post(bytes(30_000_000)), caller) == (200, b"ok")
    assert caller.pauses > 1, "all of them together are longer than the time-out"


def answer_and_close(connection: socket.socket) -> None:
    connection.sendall(TOO_LARGE)


def answer_and_half_close(connection: socket.socket) -> None:
    connection.sendall(TOO_LARGE)
    connection.shutdown(socket.SHUT_WR)
    until_left(connection)


def answer_and_stop_reading(connection: socket.socket) -> None:
    connection.sendall(TOO_LARGE)
    hold(connection)


@pytest.mark.parametrize(
    "answer", [answer_and_close, answer_and_half_close, answer_and_stop_reading]
)
def test_an_answer_that_comes_while_we_send_is_heard(
    raw: Servers, transport_to: Transports, answer: Callable[[socket.socket], None]
) -> None:
    def serve(connection: socket.socket, number: int) -> None:
        connection.recv(1000)
        answer(connection)

    server = raw(serve)
    transport = transport_to(server.url)
    with soon():
        assert ask(transport, LARGE) == (413, b"no")
        assert ask(transport, LARGE) == (413, b"no")
    assert server.connections == 2, "with half a request in it, no connection is used again"


def test_an_answer_in_pieces_while_we_send_is_heard_whole(
    raw: Servers, transport_to: Transports
) -> None:
    def serve(connection: socket.socket, number: int) -> None:
        connection.recv(1000)
        for piece in (TOO_LARGE[:7], TOO_LARGE[7:30], TOO_LARGE[30:]):
            connection.sendall(piece)
            time.sleep(0.03)
        until_left(connection)

    assert ask(transport_to(raw(serve).url), LARGE) == (413, b"no")


@pytest.mark.parametrize("interim", [b"100 Continue", b"102 Processing"])
def test_an_interim_response_while_we_send_does_not_stop_us(
    raw: Servers, transport_to: Transports, interim: bytes
) -> None:
    received: list[bytes] = []

    def serve(connection: socket.socket, number: int) -> None:
        head = connection.recv(1000)
        connection.sendall(b"HTTP/1.1 %b\r\n\r\n" % interim)
        time.sleep(0.05)
        received.append(head + receive_rest(connection, len(LARGE) - len(head)))
        connection.sendall(OK)
        until_left(connection)

    transport = transport_to(raw(serve).url)
    assert ask(transport, LARGE) == (200, b"ok")
    assert received == [LARGE]


def receive_rest(connection: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size and (piece := connection.recv(1_048_576)):
        data += piece
    return bytes(data)


@pytest.mark.parametrize("seconds", [0.0, 0.1])
def test_an_upstream_that_hangs_up_while_we_send_is_unreachable(
    raw: Servers, transport_to: Transports, seconds: float
) -> None:
    def serve(connection: socket.socket, number: int) -> None:
        connection.recv(1000)
        time.sleep(seconds)
        reset(connection)

    server = raw(serve)
    with pytest.raises(UpstreamUnreachable):
        ask(transport_to(server.url), LARGE)
    assert server.connections == 1


@pytest.mark.parametrize("reads_on", [True, False])
def test_an_upstream_that_half_closes_while_we_send_is_unreachable(
    raw: Servers, transport_to: Transports, visitor: Visitor, reads_on: bool
) -> None:
    """It cannot answer any more. (The caller who leaves is there to end a wait without end.)"""

    def serve(connection: socket.socket, number: int) -> None:
        connection.recv(1000)
        connection.shutdown(socket.SHUT_WR)
        until_left(connection) if reads_on else hold(connection)

    transport = transport_to(raw(serve).url)
    with after(5, visitor.leave), pytest.raises(UpstreamUnreachable):
        ask(transport, LARGE, visitor.caller)


def test_an_upstream_that_takes_nothing_is_a_time_out(
    raw: Servers, transport_to: Transports
) -> None:
    server = raw(lambda connection, number: hold(connection))
    with soon(), pytest.raises(UpstreamTimeout, match="took nothing"):
        ask(transport_to(server.url, silence=0.15), LARGE)


def test_a_caller_who_leaves_while_we_send_ends_it(
    raw: Servers, transport_to: Transports, visitor: Visitor
) -> None:
    left, seen = threading.Event(), threading.Event()

    def serve(connection: socket.socket, number: int) -> None:
        left.wait(5)
        until_left(connection)
        seen.set()

    transport = transport_to(raw(serve).url)
    with soon(), after(0.1, visitor.leave), pytest.raises(CallerGone):
        Exchange(transport, LARGE, visitor.caller)
    left.set()
    assert seen.wait(10), "the upstream does not see that nobody waits"


def test_a_large_request_and_a_large_answer_do_not_lock_each_other(
    raw: Servers, transport_to: Transports
) -> None:
    large = b"x" * 5_000_000

    def serve(connection: socket.socket, number: int) -> None:
        while receive(connection):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(large))
            connection.sendall(large)

    server = raw(serve)
    transport = transport_to(server.url)
    assert [ask(transport, LARGE, Caller()) for _ in range(2)] == [(200, large)] * 2
    assert server.connections == 1
