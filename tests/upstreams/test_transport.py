"""The pool, and exchanges that go well."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable

import pytest

from chat_api.errors import ChatApiError
from chat_api.upstreams.exchange import Exchange
from chat_api.upstreams.transport import Transport
from chat_api.upstreams.waiting import Caller
from tests.scripted import Exchange as Served
from tests.scripted import ScriptedUpstream
from tests.upstreams.helpers import open_sockets
from tests.upstreams.wire import FOREVER, OK, RawServer, ask, post, read_to_end, receive, reset

Transports = Callable[..., Transport]
Servers = Callable[..., RawServer]


def serve_ok(connection: socket.socket, number: int) -> None:
    while receive(connection):
        connection.sendall(OK)


def test_an_exchange_gives_status_headers_and_body(
    scripted: ScriptedUpstream, transport_to: Transports
) -> None:
    scripted.script = lambda exchange: exchange.reply(418, b"teapot", "X-Kind: short\r\n")
    transport = transport_to(scripted.url)
    with contextlib.closing(Exchange(transport, post(b'{"a":1}'), Caller())) as exchange:
        assert read_to_end(exchange) == b"teapot"
        assert exchange.status == 418
        assert exchange.headers["x-kind"] == "short"
        assert exchange.read(FOREVER) == b"", "the end stays the end"
    assert scripted.exchanges[0].raw == b'{"a":1}'


def test_nothing_is_opened_before_the_first_request(
    scripted: ScriptedUpstream, transport_to: Transports
) -> None:
    transport_to(scripted.url)
    assert scripted.connections == 0


def test_a_connection_is_used_again(scripted: ScriptedUpstream, transport_to: Transports) -> None:
    transport = transport_to(scripted.url)
    for _ in range(5):
        assert ask(transport)[0] == 200
    assert (scripted.connections, len(scripted.exchanges)) == (1, 5)


def test_exchanges_at_once_have_a_connection_each(raw: Servers, transport_to: Transports) -> None:
    server = raw(serve_ok)
    transport = transport_to(server.url)
    for _ in range(2):
        exchanges = [Exchange(transport, post(), Caller()) for _ in range(3)]
        for exchange in exchanges:
            assert read_to_end(exchange) == b"ok"
            exchange.close()
    assert server.connections == 3


def test_closing_twice_does_not_lend_a_connection_twice(
    raw: Servers, transport_to: Transports
) -> None:
    server = raw(serve_ok)
    transport = transport_to(server.url)
    exchange = Exchange(transport, post(), Caller())
    read_to_end(exchange)
    exchange.close()
    exchange.close()
    test = [Exchange(transport, post(), Caller()) for _ in range(2)]
    assert [read_to_end(exchange) for exchange in test] == [b"ok", b"ok"]
    assert server.connections == 2
    for exchange in test:
        exchange.close()


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        OK + b"surplus",
        OK + OK,
    ],
)
def test_a_connection_that_is_not_clean_is_not_used_again(
    raw: Servers, transport_to: Transports, answer: bytes
) -> None:
    def serve(connection: socket.socket, number: int) -> None:
        while receive(connection):
            connection.sendall(answer)

    server = raw(serve)
    transport = transport_to(server.url)
    assert [ask(transport) for _ in range(2)] == [(200, b"ok")] * 2
    assert server.connections == 2


def test_a_body_may_go_on_until_the_end_of_the_connection(
    raw: Servers, transport_to: Transports
) -> None:
    def serve(connection: socket.socket, number: int) -> None:
        receive(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 300_000)

    server = raw(serve)
    transport = transport_to(server.url)
    assert [ask(transport) for _ in range(2)] == [(200, b"x" * 300_000)] * 2
    assert server.connections == 2


def test_a_redirect_is_not_followed(scripted: ScriptedUpstream, transport_to: Transports) -> None:
    scripted.script = lambda exchange: exchange.reply(307, b"", f"Location: {scripted.url}\r\n")
    assert ask(transport_to(scripted.url)) == (307, b"")
    assert len(scripted.exchanges) == 1


def test_a_body_comes_as_the_socket_brings_it(
    scripted: ScriptedUpstream, transport_to: Transports
) -> None:
    def script(exchange: Served) -> None:
        exchange.start_stream()
        for piece in (b"one", b"two"):
            go_on.acquire(timeout=5)
            exchange.chunk(piece)
        exchange.send(b"0\r\n\r\n")

    go_on = threading.Semaphore(0)
    scripted.script = script
    transport = transport_to(scripted.url)
    with contextlib.closing(Exchange(transport, post(), Caller())) as exchange:
        assert exchange.wait_head(FOREVER)
        assert not exchange.ended
        assert exchange.read(time.monotonic()) is None, "there is nothing yet"
        go_on.release()
        assert exchange.read(FOREVER) == b"one"
        go_on.release()
        assert read_to_end(exchange) == b"two"


def test_descriptors_above_1023_work(
    many_descriptors: None, scripted: ScriptedUpstream, transport_to: Transports
) -> None:
    transport = transport_to(scripted.url)
    assert ask(transport)[0] == 200
    sock, reused = transport.take(Caller())
    assert reused and sock.fileno() > 1023
    sock.close()


def test_nothing_stays_open_whatever_happens(raw: Servers, transport_to: Transports) -> None:
    answers = [OK, b"nonsense\r\n\r\n", b"HTTP/1.1 200", b"", OK[:-1], OK + b"surplus"]

    def serve(connection: socket.socket, number: int) -> None:
        if receive(connection):
            connection.sendall(answers[number % len(answers)])
            if number % 2:
                reset(connection)

    server = raw(serve)
    before = open_sockets()
    transport = transport_to(server.url, silence=1)
    for _ in range(5 * len(answers)):
        with contextlib.suppress(ChatApiError):
            ask(transport)
    transport.close()
    server.close()
    assert open_sockets() <= before
