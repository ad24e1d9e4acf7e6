"""Reaching an origin: addresses, refusals, time-outs, callers who do not wait."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from chat_api.errors import CallerGone, UpstreamTimeout, UpstreamUnreachable
from chat_api.upstreams.connection import Origin, connect
from chat_api.upstreams.waiting import Caller
from tests.ports import free_port
from tests.upstreams.helpers import Visitor, after, eventually, soon
from tests.upstreams.wire import RawServer, receive, until_left


@pytest.fixture
def server(raw: Callable[..., RawServer]) -> RawServer:
    return raw(lambda connection, number: until_left(connection))


@pytest.fixture
def full_backlog() -> Iterator[int]:
    """The port of a listener that lets nobody in any more: connecting hangs there."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def addresses(*ports: int) -> list[Any]:
    kind = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
    return [(*kind, ("127.0.0.1", port)) for port in ports]


def test_an_origin_is_what_the_url_says() -> None:
    assert Origin.of("http://api.test/v1", {}) == Origin("api.test", 80)
    assert Origin.of("http://[::1]:8080/v1", {}) == Origin("::1", 8080)
    secure = Origin.of("https://api.test/v1", {})
    assert (secure.host, secure.port, secure.proxy) == ("api.test", 443, None)
    assert secure.tls is not None and secure.tls.check_hostname


def test_connecting_gives_a_socket_that_never_blocks(server: RawServer) -> None:
    with connect(Origin("127.0.0.1", server.port), 5, Caller()) as sock:
        assert sock.getpeername() == ("127.0.0.1", server.port)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        with pytest.raises(BlockingIOError):
            sock.recv(1)


def test_localhost_is_found(server: RawServer) -> None:
    with connect(Origin("localhost", server.port), 5, Caller()) as sock:
        assert sock.getpeername()[1] == server.port


def test_each_address_of_a_name_is_tried(
    server: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = addresses(free_port(), free_port(), server.port)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with connect(Origin("localhost", 80), 5, Caller()) as sock:
        assert sock.getpeername()[1] == server.port


def test_an_address_that_hangs_leaves_time_for_the_next(
    server: RawServer, full_backlog: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = addresses(full_backlog, server.port)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with connect(Origin("localhost", 80), 0.4, Caller()) as sock:
        assert sock.getpeername()[1] == server.port


@pytest.mark.parametrize("found", [addresses(1, 2), []])
def test_a_name_none_of_whose_addresses_answers_is_unreachable(
    monkeypatch: pytest.MonkeyPatch, found: list[Any]
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(UpstreamUnreachable):
        connect(Origin("localhost", 80), 5, Caller())


def test_a_refused_connection_is_unreachable() -> None:
    with pytest.raises(UpstreamUnreachable, match="could not be reached"):
        connect(Origin("127.0.0.1", free_port()), 5, Caller())


@pytest.mark.parametrize("host", ["fe80::1%nowhere", ".bad", "a" * 64 + ".test"])
def test_a_host_that_is_none_is_unreachable(host: str) -> None:
    port = free_port()
    with pytest.raises(UpstreamUnreachable):
        connect(Origin(host, port), 5, Caller())


def test_an_upstream_that_lets_nobody_in_is_a_time_out(full_backlog: int) -> None:
    with soon(), pytest.raises(UpstreamTimeout, match="in time"):
        connect(Origin("127.0.0.1", full_backlog), 0.15, Caller())


def test_a_caller_who_leaves_while_connecting_ends_it(full_backlog: int, visitor: Visitor) -> None:
    with soon(), after(0.05, visitor.leave), pytest.raises(CallerGone):
        connect(Origin("127.0.0.1", full_backlog), 10, visitor.caller)


def test_the_other_end_sees_that_the_connection_was_closed(
    raw: Callable[..., RawServer],
) -> None:
    seen: list[bytes] = []
    server = raw(lambda connection, number: seen.append(receive(connection)))
    connect(Origin("127.0.0.1", server.port), 5, Caller()).close()
    assert eventually(lambda: seen == [b""])
