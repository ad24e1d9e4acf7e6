"""What the pool keeps, and for how long."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable

import pytest

from chat_api.upstreams.transport import MAX_IDLE_CONNECTIONS, MAX_IDLE_SECONDS, Transport
from tests.upstreams.helpers import Clock
from tests.upstreams.wire import OK, RawServer, ask, receive

Transports = Callable[..., Transport]
Servers = Callable[..., RawServer]


def serve_ok(connection: socket.socket, number: int) -> None:
    while receive(connection):
        connection.sendall(OK)


def test_no_more_connections_are_kept_than_allowed(transport_to: Transports) -> None:
    transport = transport_to("http://127.0.0.1:9")
    with contextlib.ExitStack() as stack:
        for _ in range(MAX_IDLE_CONNECTIONS):
            transport.give_back(stack.enter_context(socket.socket()))
        extra = stack.enter_context(socket.socket())
        transport.give_back(extra)
        assert extra.fileno() == -1
        transport.close()


def test_connections_that_nobody_needs_any_more_are_closed(
    transport_to: Transports, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(lambda: 0.0)  # it stands still otherwise
    monkeypatch.setattr(time, "monotonic", clock)
    transport = transport_to("http://127.0.0.1:9")
    with socket.socket() as older, socket.socket() as old, socket.socket() as new:
        for sock, age in ((older, 1), (old, MAX_IDLE_SECONDS - 0.5), (new, 0)):
            transport.give_back(sock)
            clock.advance(age)
        assert older.fileno() == -1
        assert old.fileno() != -1 and new.fileno() != -1
        transport.close()


def test_close_closes_what_is_idle_and_the_transport_goes_on(
    raw: Servers, transport_to: Transports
) -> None:
    server = raw(serve_ok)
    transport = transport_to(server.url)
    for _ in range(2):
        assert ask(transport) == (200, b"ok")
        transport.close()
    assert server.connections == 2
