"""Which of two sockets is ready, in gevent's loop and in a plain thread."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import gevent
import pytest

from chat_api.upstreams.ends import BOTH, READABLE, WRITABLE, End, Ends, LoopEnds, PolledEnds
from tests.upstreams.helpers import soon


class Sockets:
    """Ours to an upstream and to a caller, and the far end of each."""

    def __init__(self, opened: ExitStack) -> None:
        self.upstream, self.far_upstream = map(opened.enter_context, socket.socketpair())
        self.caller, self.far_caller = map(opened.enter_context, socket.socketpair())


@pytest.fixture
def sockets() -> Iterator[Sockets]:
    with ExitStack() as opened:
        yield Sockets(opened)


@pytest.fixture(params=[LoopEnds, PolledEnds])
def ends(request: pytest.FixtureRequest) -> Ends:
    made: Ends = request.param()
    return made


@pytest.mark.parametrize("seconds", [0.0, 10.0])
def test_the_one_that_is_ready_is_told(ends: Ends, sockets: Sockets, seconds: float) -> None:
    def ready(events: int) -> End | None:
        return ends.wait(sockets.upstream, events, sockets.caller, seconds)

    with soon():
        assert ready(WRITABLE) is ready(BOTH) is End.UPSTREAM
        sockets.far_upstream.send(b"x")
        assert ready(READABLE) is ready(BOTH) is End.UPSTREAM
        sockets.far_caller.send(b"x")
        assert ready(READABLE) is ready(WRITABLE) is End.CALLER, "it comes first"
        sockets.caller.recv(1)
        assert ready(READABLE) is End.UPSTREAM
        sockets.upstream.recv(1)
        assert ends.wait(sockets.upstream, READABLE, sockets.caller, 0) is None


@pytest.mark.parametrize("seconds", [0.0, 0.05])
def test_none_is_where_nothing_was_ready_in_time(
    ends: Ends, sockets: Sockets, seconds: float
) -> None:
    start = time.monotonic()
    assert ends.wait(sockets.upstream, READABLE, sockets.caller, seconds) is None
    assert ends.wait(None, READABLE, None, seconds) is None
    assert 2 * seconds - 0.02 <= time.monotonic() - start < 5  # both may round


def test_what_ran_before_takes_nothing_from_a_wait(ends: Ends) -> None:
    """By its own clock the loop has not noticed that half a second is over."""
    assert ends.wait(None, READABLE, None, 0.01) is None
    time.sleep(0.5)
    start = time.monotonic()
    assert ends.wait(None, READABLE, None, 0.3) is None
    assert 0.28 <= time.monotonic() - start < 5


def test_each_can_be_left_out(ends: Ends, sockets: Sockets) -> None:
    sockets.far_upstream.send(b"x")
    sockets.far_caller.send(b"x")
    assert ends.wait(sockets.upstream, READABLE, None, 10) is End.UPSTREAM
    assert ends.wait(None, READABLE, sockets.caller, 10) is End.CALLER


def test_who_hangs_up_is_ready_to_be_read(ends: Ends, sockets: Sockets) -> None:
    sockets.far_upstream.close()
    assert ends.wait(sockets.upstream, READABLE, sockets.caller, 10) is End.UPSTREAM
    sockets.far_caller.close()
    assert ends.wait(sockets.upstream, READABLE, sockets.caller, 10) is End.CALLER


def test_a_socket_with_the_number_of_a_closed_one_is_waited_for(ends: Ends) -> None:
    numbers = set()
    for _ in range(20):
        with ExitStack() as opened:
            sockets = Sockets(opened)
            numbers.add(sockets.upstream.fileno())
            assert ends.wait(sockets.upstream, READABLE, sockets.caller, 0.01) is None
            sockets.far_upstream.send(b"x")
            assert ends.wait(sockets.upstream, READABLE, sockets.caller, 10) is End.UPSTREAM
    assert len(numbers) < 20


def test_other_greenlets_run_meanwhile(sockets: Sockets) -> None:
    gevent.spawn_later(0.01, sockets.far_upstream.send, b"x")
    with soon():
        assert LoopEnds().wait(sockets.upstream, READABLE, sockets.caller, 10) is End.UPSTREAM


def test_a_wait_that_was_broken_off_is_over(sockets: Sockets) -> None:
    ends = LoopEnds()
    with pytest.raises(gevent.Timeout), gevent.Timeout(0.01):
        ends.wait(sockets.upstream, READABLE, sockets.caller, 10)
    sockets.far_caller.send(b"x")
    gevent.sleep(0)  # whoever still waited would be woken here
    assert ends.wait(sockets.upstream, READABLE, None, 0) is None
