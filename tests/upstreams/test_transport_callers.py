"""Callers who leave: the upstream is told at once, whatever it was about to do."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

import pytest

from chat_api.errors import CallerGone
from chat_api.upstreams.exchange import Exchange
from chat_api.upstreams.transport import Transport
from tests.upstreams.helpers import Visitor, after, eventually, soon
from tests.upstreams.wire import OK, RawServer, ask, post, receive, until_left

Transports = Callable[..., Transport]
Servers = Callable[..., RawServer]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n"


class Hangs:
    """Says something and no more; knows whether it was left."""

    def __init__(self, data: bytes, on_asked: Callable[[], None] = lambda: None) -> None:
        self.was_left = threading.Event()
        self._data = data
        self._on_asked = on_asked

    def __call__(self, connection: socket.socket, number: int) -> None:
        receive(connection)
        connection.sendall(self._data)
        self._on_asked()
        until_left(connection)
        self.was_left.set()


@pytest.mark.parametrize("data", [b"", b"HTTP/1.1 2", HEAD, HEAD + b"some"])
def test_a_caller_who_leaves_ends_the_exchange(
    raw: Servers, transport_to: Transports, visitor: Visitor, data: bytes
) -> None:
    upstream = Hangs(data)
    transport = transport_to(raw(upstream).url)
    with soon(), after(0.05, visitor.leave), pytest.raises(CallerGone):
        ask(transport, post(), visitor.caller)
    assert upstream.was_left.wait(10)


def test_a_caller_who_half_closes_is_gone_too(
    raw: Servers, transport_to: Transports, visitor: Visitor
) -> None:
    upstream = Hangs(b"")
    transport = transport_to(raw(upstream).url)
    visitor.own_end.shutdown(socket.SHUT_WR)
    with soon(), pytest.raises(CallerGone):
        ask(transport, post(), visitor.caller)
    assert upstream.was_left.wait(10)


def test_a_caller_who_sends_the_next_request_early_gets_the_answer(
    raw: Servers, transport_to: Transports, visitor: Visitor
) -> None:
    def serve(connection: socket.socket, number: int) -> None:
        receive(connection)
        asked.set()
        go_on.wait(5)
        connection.sendall(OK)

    asked, go_on = threading.Event(), threading.Event()
    transport = transport_to(raw(serve).url)
    visitor.own_end.send(b"G")
    with after(0.1, go_on.set):
        assert ask(transport, post(), visitor.caller) == (200, b"ok")
    assert visitor.server_end.recv(10) == b"G"


def test_a_caller_who_left_is_noticed_on_a_replaced_connection(
    raw: Servers, transport_to: Transports, visitor: Visitor
) -> None:
    def serve(connection: socket.socket, number: int) -> None:
        if number == 0:
            receive(connection)
            connection.sendall(OK)
            receive(connection)
        else:
            upstream(connection, number)

    upstream = Hangs(b"", visitor.leave)
    server = raw(serve)
    transport = transport_to(server.url)
    ask(transport)
    with soon(), pytest.raises(CallerGone):
        ask(transport, post(), visitor.caller)
    assert upstream.was_left.wait(10) and server.connections == 2


def test_one_callers_leaving_is_nothing_to_the_others(
    raw: Servers, transport_to: Transports, visitor: Visitor
) -> None:
    upstream = Hangs(b"")

    def serve(connection: socket.socket, number: int) -> None:
        if number == 0:
            upstream(connection, number)
        else:
            receive(connection)
            upstream.was_left.wait(5)
            connection.sendall(OK)

    server = raw(serve)
    transport = transport_to(server.url)
    staying: list[tuple[int, bytes]] = []
    leaving = Exchange(transport, post(), visitor.caller)
    assert eventually(lambda: server.connections == 1)
    other = threading.Thread(target=lambda: staying.append(ask(transport)))
    other.start()
    visitor.leave()
    with pytest.raises(CallerGone):
        leaving.wait_head(float("inf"))
    leaving.close()
    other.join(5)
    assert staying == [(200, b"ok")]
