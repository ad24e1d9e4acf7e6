"""The same over TLS, where a socket has a memory of its own."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from chat_api.errors import CallerGone, UpstreamBroken, UpstreamTimeout, UpstreamUnreachable
from chat_api.upstreams.exchange import Exchange
from chat_api.upstreams.transport import Transport
from chat_api.upstreams.waiting import Caller
from tests.scripted import Exchange as Served
from tests.scripted import ScriptedUpstream
from tests.upstreams.helpers import Visitor, after, soon
from tests.upstreams.wire import (
    FOREVER,
    OK,
    RawServer,
    ask,
    hold,
    post,
    read_to_end,
    receive,
    until_left,
)

Transports = Callable[..., Transport]
Servers = Callable[..., RawServer]
pytestmark = pytest.mark.usefixtures("trusted")


def test_a_connection_is_used_again(
    scripted_tls: ScriptedUpstream, transport_to: Transports
) -> None:
    transport = transport_to(scripted_tls.url)
    for _ in range(5):
        assert ask(transport)[0] == 200
    assert (scripted_tls.connections, len(scripted_tls.exchanges)) == (1, 5)


def test_a_stale_connection_is_replaced(
    raw: Servers, transport_to: Transports, server_tls: ssl.SSLContext
) -> None:
    def serve(connection: socket.socket, number: int) -> None:
        receive(connection)
        connection.sendall(OK)
        receive(connection)  # and ends without a byte

    server = raw(serve, server_tls)
    transport = transport_to(server.url)
    assert [ask(transport) for _ in range(2)] == [(200, b"ok")] * 2
    assert server.connections == 2


def test_a_connection_closed_while_idle_is_not_used(
    raw: Servers, transport_to: Transports, server_tls: ssl.SSLContext
) -> None:
    def serve(connection: ssl.SSLSocket, number: int) -> None:
        receive(connection)
        connection.sendall(OK)
        if number == 0:
            with contextlib.suppress(OSError):
                connection.settimeout(0.01)
                connection.unwrap()  # says good-bye, and waits in vain for ours
            said.set()
            connection.settimeout(5)
        until_left(connection)

    said = threading.Event()
    server = raw(serve, server_tls)
    transport = transport_to(server.url)
    assert ask(transport) == (200, b"ok")
    assert said.wait(5)
    assert ask(transport) == (200, b"ok")
    assert server.connections == 2


def test_a_slow_upstream_is_waited_for(
    scripted_tls: ScriptedUpstream, transport_to: Transports
) -> None:
    def script(exchange: Served) -> None:
        go_on.acquire(timeout=5)
        exchange.start_stream()
        go_on.acquire(timeout=5)
        exchange.chunk(b"late")
        exchange.send(b"0\r\n\r\n")

    go_on = threading.Semaphore(0)
    scripted_tls.script = script
    transport = transport_to(scripted_tls.url)
    with contextlib.closing(Exchange(transport, post(), Caller())) as exchange:
        assert not exchange.wait_head(time.monotonic() + 0.02)
        go_on.release()
        assert exchange.wait_head(FOREVER)
        assert exchange.read(time.monotonic() + 0.02) is None
        go_on.release()
        assert read_to_end(exchange) == b"late"
    go_on.release(2)
    assert ask(transport) == (200, b"late")
    assert scripted_tls.connections == 1


def test_large_bodies_pass_both_ways(
    scripted_tls: ScriptedUpstream, transport_to: Transports
) -> None:
    scripted_tls.script = lambda exchange: exchange.reply(200, exchange.raw[::-1])
    large = bytes(range(250)) * 20_000
    assert ask(transport_to(scripted_tls.url), post(large)) == (200, large[::-1])


def test_what_tls_has_in_its_memory_is_not_waited_for(
    raw: Servers, transport_to: Transports, server_tls: ssl.SSLContext
) -> None:
    """Records are read whole; the socket shows nothing when a part of one is left inside."""

    def serve(connection: socket.socket, number: int) -> None:
        receive(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 80000\r\n\r\n" + b"x" * 80_000)
        until_left(connection)

    transport = transport_to(raw(serve, server_tls).url)
    assert ask(transport) == (200, b"x" * 80_000)


def test_an_early_refusal_of_a_large_request_is_heard(
    raw: Servers, transport_to: Transports, server_tls: ssl.SSLContext
) -> None:
    def serve(connection: socket.socket, number: int) -> None:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
        hold(connection)

    transport = transport_to(raw(serve, server_tls).url)
    assert ask(transport, post(b"x" * 10_000_000)) == (413, b"no")


def test_silence_is_a_time_out(
    raw: Servers, transport_to: Transports, server_tls: ssl.SSLContext
) -> None:
    server = raw(lambda connection, number: until_left(connection), server_tls)
    with soon(), pytest.raises(UpstreamTimeout):
        ask(transport_to(server.url, silence=0.15))


def test_a_truncated_answer_is_broken(
    raw: Servers, transport_to: Transports, server_tls: ssl.SSLContext
) -> None:
    def serve(connection: ssl.SSLSocket, number: int) -> None:
        receive(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nsome")

    with pytest.raises(UpstreamBroken):
        ask(transport_to(raw(serve, server_tls).url))


def test_a_caller_who_leaves_ends_the_exchange(
    raw: Servers, transport_to: Transports, server_tls: ssl.SSLContext, visitor: Visitor
) -> None:
    def serve(connection: socket.socket, number: int) -> None:
        receive(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nsome")
        until_left(connection)
        was_left.set()

    was_left = threading.Event()
    transport = transport_to(raw(serve, server_tls).url)
    with contextlib.closing(Exchange(transport, post(), visitor.caller)) as exchange:
        assert exchange.wait_head(FOREVER) and exchange.read(FOREVER) == b"some"
        with soon(), after(0.05, visitor.leave), pytest.raises(CallerGone):
            exchange.read(FOREVER)
    assert was_left.wait(10)


def test_close_from_elsewhere_ends_the_exchange(
    raw: Servers, transport_to: Transports, server_tls: ssl.SSLContext
) -> None:
    server = raw(lambda connection, number: until_left(connection), server_tls)
    exchange = Exchange(transport_to(server.url), post(), Caller())
    with soon(), after(0.05, exchange.close), pytest.raises(UpstreamBroken):
        exchange.wait_head(FOREVER)


def test_without_trust_nothing_is_sent(
    scripted_tls: ScriptedUpstream,
    transport_to: Transports,
    strangers: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(strangers))
    with pytest.raises(UpstreamUnreachable):
        ask(transport_to(scripted_tls.url))
    assert scripted_tls.exchanges == []
