"""Connections that died in the pool: the request goes again on a new one, once, and only when
no byte had come back."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

import pytest

from chat_api.errors import UpstreamBroken, UpstreamUnreachable
from chat_api.upstreams.transport import MAX_IDLE_SECONDS, Transport
from chat_api.upstreams.waiting import Caller
from tests.upstreams.helpers import Clock, soon
from tests.upstreams.wire import OK, RawServer, ask, post, receive, reset, until_left

Transports = Callable[..., Transport]
Servers = Callable[..., RawServer]
End = Callable[[socket.socket], None]

REFUSAL = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno"


class FirstConnectionEnds:
    """Answers once on its first connection, and then treats the second request there as
    `second` says; every further connection is played by `later`."""

    def __init__(self, second: End, later: End | None = None) -> None:
        self.requests: list[bytes] = []
        self._second = second
        self._later = later

    def __call__(self, connection: socket.socket, number: int) -> None:
        if number and self._later:
            self._later(connection)
            return
        while request := receive(connection):
            self.requests.append(request)
            connection.sendall(OK)
            if number == 0:
                self._second(connection)
                return


def read_and_close(connection: socket.socket) -> None:
    receive(connection)


def read_and_reset(connection: socket.socket) -> None:
    receive(connection)
    reset(connection)


def read_little_and_reset(connection: socket.socket) -> None:
    connection.recv(1000)
    reset(connection)


@pytest.mark.parametrize("second", [read_and_close, read_and_reset, read_little_and_reset])
def test_a_connection_that_ends_as_the_request_arrives_is_replaced(
    raw: Servers, transport_to: Transports, second: End
) -> None:
    serve = FirstConnectionEnds(second)
    server = raw(serve)
    transport = transport_to(server.url)
    assert ask(transport) == (200, b"ok")
    assert ask(transport, post(b'{"n":2}')) == (200, b"ok")
    assert ask(transport, post(b'{"n":3}')) == (200, b"ok")
    assert server.connections == 2, "the new one is kept in its turn"
    assert serve.requests == [post(), post(b'{"n":2}'), post(b'{"n":3}')]


@pytest.mark.parametrize("second", [read_and_close, read_little_and_reset])
def test_a_large_request_goes_again_whole(
    raw: Servers, transport_to: Transports, second: End
) -> None:
    serve = FirstConnectionEnds(second)
    server = raw(serve)
    transport = transport_to(server.url)
    large = post(b"x" * 10_000_000)
    assert [ask(transport), ask(transport, large)] == [(200, b"ok")] * 2
    assert server.connections == 2 and serve.requests[1] == large


def refuse_and_wait(connection: socket.socket) -> None:
    connection.recv(1000)
    connection.sendall(REFUSAL)
    until_left(connection)


def refuse_and_close(connection: socket.socket) -> None:
    connection.recv(1000)
    connection.sendall(REFUSAL)
    connection.shutdown(socket.SHUT_WR)
    until_left(connection)


@pytest.mark.parametrize("later", [refuse_and_wait, refuse_and_close])
def test_a_large_request_may_be_refused_while_it_goes_again(
    raw: Servers, transport_to: Transports, later: End
) -> None:
    server = raw(FirstConnectionEnds(read_little_and_reset, later))
    transport = transport_to(server.url)
    ask(transport)
    with soon():
        assert ask(transport, post(b"x" * 20_000_000)) == (413, b"no")


@pytest.mark.parametrize("later", [read_and_close, read_and_reset])
def test_it_goes_again_once_only(raw: Servers, transport_to: Transports, later: End) -> None:
    server = raw(FirstConnectionEnds(read_and_close, later))
    transport = transport_to(server.url)
    ask(transport)
    with pytest.raises(UpstreamUnreachable):
        ask(transport)
    assert server.connections == 2


def test_a_new_connection_that_cannot_be_made_is_unreachable(
    raw: Servers, transport_to: Transports
) -> None:
    server = raw(FirstConnectionEnds(lambda connection: None))
    transport = transport_to(server.url)
    ask(transport)
    server.close()
    with pytest.raises(UpstreamUnreachable):
        ask(transport)


@pytest.mark.parametrize("end", [lambda connection: None, reset])
def test_a_byte_that_came_back_forbids_it(raw: Servers, transport_to: Transports, end: End) -> None:
    def answer_a_little(connection: socket.socket) -> None:
        receive(connection)
        connection.sendall(b"HTTP/1.1 200")
        end(connection)

    server = raw(FirstConnectionEnds(answer_a_little))
    transport = transport_to(server.url)
    ask(transport)
    with pytest.raises(UpstreamBroken):
        ask(transport)
    assert server.connections == 1


@pytest.mark.parametrize("end", [read_and_close, read_and_reset])
def test_a_new_connection_that_ends_is_not_tried_again(
    raw: Servers, transport_to: Transports, end: End
) -> None:
    server = raw(lambda connection, number: end(connection))
    with pytest.raises(UpstreamUnreachable):
        ask(transport_to(server.url))
    assert server.connections == 1


def hang_up(connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_RDWR)


def half_close(connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_WR)


def speak_unasked(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.parametrize("act", [hang_up, half_close, reset, speak_unasked])
def test_a_connection_that_is_not_quiet_while_idle_is_not_used(
    raw: Servers, transport_to: Transports, act: End
) -> None:
    def while_idle(connection: socket.socket) -> None:
        idle.wait(5)
        act(connection)
        done.set()
        until_left(connection)

    idle, done = threading.Event(), threading.Event()
    serve = FirstConnectionEnds(while_idle)
    server = raw(serve)
    transport = transport_to(server.url)
    ask(transport)
    idle.set()
    assert done.wait(5)
    assert ask(transport) == (200, b"ok")
    assert server.connections == 2 and len(serve.requests) == 2


@pytest.mark.parametrize(("seconds", "kept"), [(-10, True), (1, False)])
def test_a_connection_idle_for_too_long_is_not_used(
    raw: Servers, transport_to: Transports, clock: Clock, seconds: float, kept: bool
) -> None:
    server = raw(FirstConnectionEnds(until_left))
    transport = transport_to(server.url)
    ask(transport)
    clock.advance(MAX_IDLE_SECONDS + seconds)
    sock, reused = transport.take(Caller())
    sock.close()
    assert reused is kept


def test_a_caller_whose_request_went_again_once_is_told_the_next_time(
    raw: Servers, transport_to: Transports
) -> None:
    """Its next try finds idle connections again, which others left behind meanwhile."""

    def every_second_ends(connection: socket.socket, number: int) -> None:
        receive(connection)
        connection.sendall(OK)
        receive(connection)  # and no answer

    server = raw(every_second_ends)
    transport, caller = transport_to(server.url), Caller()
    assert ask(transport) == (200, b"ok")
    assert ask(transport, caller=caller) == (200, b"ok")
    with pytest.raises(UpstreamUnreachable):
        ask(transport, caller=caller)
    assert ask(transport) == (200, b"ok")
    assert server.connections == 3
