"""Waiting for the upstream and for the caller's leaving at once."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import time
from collections.abc import Iterator

import pytest

from chat_api.errors import CallerGone
from chat_api.upstreams.ends import BOTH, WRITABLE
from chat_api.upstreams.waiting import Caller
from tests.upstreams.helpers import Visitor, after, soon
from tests.upstreams.wire import reset


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Our socket to an upstream, and the upstream's end of it."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


Pair = tuple[socket.socket, socket.socket]


def test_what_is_ready_is_said_at_once(visitor: Visitor, pair: Pair) -> None:
    ours, theirs = pair
    theirs.send(b"x")
    with soon():
        for events in ((), (WRITABLE,), (BOTH,)):
            assert visitor.caller.wait(10, ours, *events) is True


def test_nothing_ready_is_false_after_the_time(visitor: Visitor, pair: Pair) -> None:
    start = time.monotonic()
    assert visitor.caller.wait(0.05, pair[0]) is False
    assert time.monotonic() - start >= 0.05


@pytest.mark.parametrize("seconds", [0.0, -5.0])
def test_no_time_left_is_only_a_look(visitor: Visitor, pair: Pair, seconds: float) -> None:
    with soon():
        assert visitor.caller.wait(seconds, pair[0]) is False
        assert visitor.caller.wait(seconds) is False
        assert Caller().wait(seconds) is False


def test_an_upstream_that_hangs_up_shows_as_readable(visitor: Visitor, pair: Pair) -> None:
    pair[1].close()
    assert visitor.caller.wait(10, pair[0]) is True


def test_an_unconnected_socket_shows_as_readable_too(visitor: Visitor) -> None:
    with socket.socket() as unconnected:  # all that poll says of it is POLLHUP
        assert visitor.caller.wait(10, unconnected) is True


def test_an_error_shows_as_readable_to_who_waits_to_write(raw_pair: Pair, visitor: Visitor) -> None:
    reset(raw_pair[1])
    assert visitor.caller.wait(10, raw_pair[0], WRITABLE) is True


@pytest.fixture
def raw_pair() -> Iterator[Pair]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = socket.create_connection(listener.getsockname())
        theirs, _ = listener.accept()
    with ours, theirs:
        yield ours, theirs


@pytest.mark.parametrize("with_upstream", [True, False])
def test_a_caller_who_leaves_ends_the_wait(
    visitor: Visitor, pair: Pair, with_upstream: bool
) -> None:
    with soon(), after(0.05, visitor.leave), pytest.raises(CallerGone):
        visitor.caller.wait(10, pair[0] if with_upstream else None)


def test_a_caller_who_left_stays_gone(visitor: Visitor, pair: Pair) -> None:
    visitor.leave()
    pair[1].send(b"x")
    for _ in range(2):
        with pytest.raises(CallerGone):
            visitor.caller.wait(10, pair[0])


def test_half_closed_counts_as_gone(visitor: Visitor) -> None:
    visitor.own_end.shutdown(socket.SHUT_WR)
    with pytest.raises(CallerGone):
        visitor.caller.wait(10)


def test_a_reset_counts_as_gone(raw_pair: Pair) -> None:
    reset(raw_pair[1])
    with pytest.raises(CallerGone):
        Caller(raw_pair[0]).wait(10)


def test_a_pipelined_byte_is_not_leaving(visitor: Visitor, pair: Pair) -> None:
    visitor.own_end.send(b"G")
    with after(0.1, lambda: pair[1].send(b"x")):
        assert visitor.caller.wait(10, pair[0]) is True
    assert visitor.server_end.recv(10) == b"G", "it was only peeked at"


def test_a_pipelined_byte_does_not_make_the_wait_spin(visitor: Visitor) -> None:
    visitor.own_end.send(b"G")
    start, busy = time.monotonic(), time.thread_time()
    for seconds in (0.2, 0.1):
        assert visitor.caller.wait(seconds) is False
    assert time.monotonic() - start >= 0.3
    assert time.thread_time() - busy < 0.1


@pytest.mark.parametrize("with_upstream", [True, False])
def test_a_caller_who_pipelined_and_leaves_is_noticed(
    raw_pair: Pair, pair: Pair, with_upstream: bool
) -> None:
    ours, theirs = raw_pair
    caller, upstream = Caller(ours), pair[0] if with_upstream else None
    theirs.send(b"G")
    assert caller.wait(0.05, upstream) is False
    with soon(), after(0.05, theirs.close), pytest.raises(CallerGone):
        caller.wait(10, upstream)


def test_of_one_at_a_unix_socket_the_next_write_tells(visitor: Visitor, pair: Pair) -> None:
    visitor.own_end.send(b"G")
    assert visitor.caller.wait(0, pair[0]) is False
    visitor.leave()
    assert visitor.caller.wait(0.05, pair[0]) is False


def test_bytes_read_by_somebody_else_meanwhile_are_no_leaving(visitor: Visitor) -> None:
    visitor.own_end.send(b"G")
    thief = RacingSocket(fileno=os.dup(visitor.server_end.fileno()))
    with thief:
        assert Caller(thief).wait(0.05) is False


def test_a_caller_who_seems_readable_for_ever_holds_up_nothing(
    visitor: Visitor, pair: Pair
) -> None:
    visitor.own_end.send(b"G")
    with UnreadableSocket(fileno=os.dup(visitor.server_end.fileno())) as unreadable, soon():
        assert Caller(unreadable).wait(0.05, pair[0]) is False
        pair[1].send(b"x")
        assert Caller(unreadable).wait(10, pair[0]) is True


class UnreadableSocket(socket.socket):
    """Which has something to read, as it says, and then has not."""

    def recv(self, size: int, flags: int = 0) -> bytes:
        raise BlockingIOError


class RacingSocket(socket.socket):
    """Whose byte was taken between the poll and the look."""

    def recv(self, size: int, flags: int = 0) -> bytes:
        super().recv(100)
        return super().recv(size, flags)


def test_without_a_socket_only_time_and_upstream_count(pair: Pair) -> None:
    start = time.monotonic()
    assert Caller().wait(0.05) is False
    assert time.monotonic() - start >= 0.05
    pair[1].send(b"x")
    assert Caller().wait(10, pair[0]) is True


def test_a_closed_caller_socket_is_like_none(visitor: Visitor, pair: Pair) -> None:
    visitor.server_end.close()
    assert visitor.caller.wait(0.05, pair[0]) is False


def test_a_caller_over_tls_is_not_watched(pair: Pair) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    secured = context.wrap_socket(pair[0], do_handshake_on_connect=False)
    with secured:
        pair[1].close()
        assert Caller(secured).wait(0.05) is False


def test_descriptors_above_1023_can_be_waited_for(many_descriptors: None) -> None:
    ours, theirs = socket.socketpair()
    visitor = Visitor()
    with ours, theirs, contextlib.closing(visitor):
        assert min(ours.fileno(), visitor.server_end.fileno()) > 1023
        assert visitor.caller.wait(0.01, ours) is False
        theirs.send(b"x")
        assert visitor.caller.wait(10, ours) is True
        visitor.leave()
        with pytest.raises(CallerGone):
            visitor.caller.wait(10, ours)
