"""Ending an exchange from elsewhere than where it is read."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from chat_api.errors import ChatApiError, UpstreamBroken
from chat_api.upstreams.exchange import Exchange
from chat_api.upstreams.transport import Transport
from chat_api.upstreams.waiting import Caller
from tests.upstreams.helpers import eventually, soon
from tests.upstreams.wire import FOREVER, OK, RawServer, ask, post, read_to_end, receive, until_left

Transports = Callable[..., Transport]
Servers = Callable[..., RawServer]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n"


class Reader(threading.Thread):
    """Reads an exchange to its end, as another greenlet would; keeps the error it met."""

    def __init__(self, exchange: Exchange) -> None:
        super().__init__(daemon=True)
        self.failure: ChatApiError | None = None
        self._exchange = exchange
        self.start()

    def run(self) -> None:
        try:
            read_to_end(self._exchange)
        except ChatApiError as failure:
            self.failure = failure


@contextlib.contextmanager
def hanging_upstream(raw: Servers, data: bytes) -> Iterator[tuple[RawServer, threading.Event]]:
    was_left = threading.Event()

    def serve(connection: socket.socket, number: int) -> None:
        receive(connection)
        connection.sendall(data)
        until_left(connection)
        was_left.set()

    yield raw(serve), was_left


@pytest.mark.parametrize("data", [b"", HEAD, HEAD + b"some"])
def test_close_wakes_who_reads(raw: Servers, transport_to: Transports, data: bytes) -> None:
    with hanging_upstream(raw, data) as (server, was_left):
        exchange = Exchange(transport_to(server.url), post(), Caller())
        reader = Reader(exchange)
        time.sleep(0.05)
        exchange.close()
        reader.join(5)  # of itself its wait ends after 10
        assert isinstance(reader.failure, UpstreamBroken)
        assert was_left.wait(10)


def test_close_before_the_end_gives_the_upstream_up(raw: Servers, transport_to: Transports) -> None:
    with hanging_upstream(raw, HEAD + b"some") as (server, was_left):
        transport = transport_to(server.url)
        exchange = Exchange(transport, post(), Caller())
        assert exchange.wait_head(FOREVER) and exchange.read(FOREVER) == b"some"
        exchange.close()
        exchange.close()
        assert was_left.wait(10)
        with pytest.raises(UpstreamBroken, match="closed"):
            exchange.read(FOREVER)


def test_an_exchange_closed_before_its_head_says_so(raw: Servers, transport_to: Transports) -> None:
    with hanging_upstream(raw, b"") as (server, was_left):
        exchange = Exchange(transport_to(server.url), post(), Caller())
        exchange.close()
        with pytest.raises(UpstreamBroken, match="closed"):
            exchange.wait_head(FOREVER)
        assert was_left.wait(10)


def test_a_connection_that_the_upstream_reset_can_be_closed(
    raw: Servers, transport_to: Transports
) -> None:
    with hanging_upstream(raw, HEAD + b"some") as (server, _):
        exchange = Exchange(transport_to(server.url), post(), Caller())
        assert exchange.wait_head(FOREVER)
        server.close()
        exchange.close()


@pytest.mark.parametrize("framing", [b"0\r\n\r\n", None])
def test_finish_takes_in_the_framing_that_is_there(
    raw: Servers, transport_to: Transports, framing: bytes | None
) -> None:
    """It never waits: where the framing is not there yet, the connection is given up."""

    def serve(connection: socket.socket, number: int) -> None:
        while receive(connection):
            head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            connection.sendall(head + b"4\r\nlast\r\n")
            was_read.wait(5)
            if framing:
                connection.sendall(framing)
            was_sent.set()

    was_read, was_sent = threading.Event(), threading.Event()
    server = raw(serve)
    transport = transport_to(server.url)
    for _ in range(2):
        was_read.clear()
        was_sent.clear()
        exchange = Exchange(transport, post(), Caller())
        assert exchange.wait_head(FOREVER)
        body = b""
        while body != b"last":
            body += exchange.read(FOREVER) or b""
        was_read.set()
        assert was_sent.wait(5)
        with soon():
            exchange.finish()
            exchange.close()
            exchange.finish()
    assert server.connections == (1 if framing else 2)


def test_close_while_a_stale_connection_is_replaced_leaves_nothing_behind(
    raw: Servers, transport_to: Transports, server_tls: ssl.SSLContext, trusted: None
) -> None:
    """The new connection's handshake takes long; meanwhile the exchange is closed."""
    requests: list[bytes] = []

    def serve(connection: socket.socket, number: int) -> None:
        if number:
            go_on.wait(5)
        with server_tls.wrap_socket(connection, server_side=True) as secured:
            requests.append(receive(secured))
            if requests[-1] and number == 0:
                secured.sendall(OK)
                receive(secured)

    go_on = threading.Event()
    server = raw(serve)
    transport = transport_to(f"https://127.0.0.1:{server.port}")
    assert ask(transport) == (200, b"ok")
    exchange = Exchange(transport, post(b"second"), Caller())
    reader = Reader(exchange)
    assert eventually(lambda: server.connections == 2)
    exchange.close()
    go_on.set()
    reader.join(5)
    assert isinstance(reader.failure, UpstreamBroken)
    server.close()
    assert post(b"second") not in requests, "nobody waits for an answer to it"
