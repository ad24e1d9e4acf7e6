"""The TLS handshake: whom we trust, how long we wait."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable

import pytest
import trustme

from chat_api.errors import CallerGone, UpstreamTimeout, UpstreamUnreachable
from chat_api.upstreams.connection import Origin, connect
from chat_api.upstreams.waiting import Caller
from tests.upstreams.helpers import Visitor, after, soon
from tests.upstreams.wire import RawServer, Serve, reset, until_left


def hang(connection: socket.socket, number: int) -> None:
    until_left(connection)


def test_a_trusted_certificate_makes_a_connection(
    raw: Callable[..., RawServer], server_tls: ssl.SSLContext, trusted: None
) -> None:
    server = raw(hang, server_tls)
    with connect(Origin.of(server.url, {}), 5, Caller()) as sock:
        assert isinstance(sock, ssl.SSLSocket)
        assert sock.version() in ("TLSv1.2", "TLSv1.3")
        assert not sock.getblocking()


def test_an_unknown_authority_is_not_trusted(
    raw: Callable[..., RawServer], server_tls: ssl.SSLContext
) -> None:
    server = raw(hang, server_tls)
    with pytest.raises(UpstreamUnreachable) as caught:
        connect(Origin.of(server.url, {}), 5, Caller())
    assert isinstance(caught.value.__cause__, ssl.SSLCertVerificationError)


def test_a_certificate_of_another_name_is_not_trusted(
    raw: Callable[..., RawServer], authority: trustme.CA, trusted: None
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("other.test").configure_cert(context)
    server = raw(hang, context)
    with pytest.raises(UpstreamUnreachable) as caught:
        connect(Origin.of(server.url, {}), 5, Caller())
    assert isinstance(caught.value.__cause__, ssl.SSLCertVerificationError)


def talk_plainly(connection: socket.socket, number: int) -> None:
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    until_left(connection)


def close_at_once(connection: socket.socket, number: int) -> None:
    connection.recv(1)


def reset_at_once(connection: socket.socket, number: int) -> None:
    connection.recv(1)
    reset(connection)


@pytest.mark.parametrize("serve", [talk_plainly, close_at_once, reset_at_once])
def test_who_does_not_speak_tls_is_unreachable(raw: Callable[..., RawServer], serve: Serve) -> None:
    server = raw(serve)
    with pytest.raises(UpstreamUnreachable):
        connect(Origin.of(f"https://127.0.0.1:{server.port}", {}), 5, Caller())


def test_a_silent_handshake_is_a_time_out(raw: Callable[..., RawServer]) -> None:
    server = raw(hang)
    with soon(), pytest.raises(UpstreamTimeout):
        connect(Origin.of(f"https://127.0.0.1:{server.port}", {}), 0.15, Caller())


def test_a_caller_who_leaves_during_the_handshake_ends_it(
    raw: Callable[..., RawServer], visitor: Visitor
) -> None:
    server = raw(hang)
    origin = Origin.of(f"https://127.0.0.1:{server.port}", {})
    with soon(), after(0.05, visitor.leave), pytest.raises(CallerGone):
        connect(origin, 10, visitor.caller)
