"""Several tasks for one reader."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from chat_api import errors
from chat_api.services.parallel import MOST_WAITING, Branches, Emit, Task
from chat_api.upstreams.waiting import Caller

AT_ONCE_SECONDS = 10.0
FOREVER = float("inf")


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """A caller's connection: our end and theirs."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def say(*items: str) -> Task[str]:
    def task(caller: Caller, emit: Emit[str]) -> None:
        for item in items:
            emit(item)

    return task


class Waiter:
    """A task that waits for an upstream that never answers."""

    def __init__(self) -> None:
        self.waits = threading.Event()
        self.left = threading.Event()

    def __call__(self, caller: Caller, emit: Emit[str]) -> None:
        near, far = socket.socketpair()
        with near, far:
            self.waits.set()
            try:
                caller.wait(30, near)
            except errors.CallerGone:
                self.left.set()
                raise


def test_all_items_arrive_with_their_branchs_number() -> None:
    branches = Branches(Caller(), [say("a", "b"), say(), say("c")])
    found = []
    while not branches.ended:
        found += branches.read(FOREVER)
    assert sorted(found) == [(0, "a"), (0, "b"), (2, "c")]
    assert branches.read(FOREVER) == []
    branches.close()


def test_nothing_arrives_until_the_time_is_over() -> None:
    waiter = Waiter()
    branches = Branches(Caller(), [waiter])
    started = time.monotonic()
    assert branches.read(started + 0.2) == []
    assert time.monotonic() - started >= 0.2
    assert not branches.ended
    branches.close()


def test_a_failure_is_the_readers_and_closing_calls_the_others_off() -> None:
    waiters = [Waiter(), Waiter()]

    def fail(caller: Caller, emit: Emit[str]) -> None:
        for waiter in waiters:
            waiter.waits.wait()
        raise errors.UpstreamFailed("x")

    branches = Branches(Caller(), [*waiters, fail])
    with pytest.raises(errors.UpstreamFailed):
        branches.read(FOREVER)
    branches.close()
    branches.close()
    assert all(waiter.left.wait(AT_ONCE_SECONDS) for waiter in waiters)


def test_the_reader_notices_that_the_caller_left(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = pair
    waiter = Waiter()
    branches = Branches(Caller(ours), [waiter, say()])
    waiter.waits.wait()
    theirs.close()
    with pytest.raises(errors.CallerGone):
        branches.read(FOREVER)
    branches.close()
    assert waiter.left.wait(AT_ONCE_SECONDS)


def test_a_slow_reader_holds_up_the_branches() -> None:
    said = []

    def talk(caller: Caller, emit: Emit[str]) -> None:
        for number in range(MOST_WAITING * 3):
            emit(str(number))
            said.append(number)

    branches = Branches(Caller(), [talk])
    while len(said) < MOST_WAITING:
        time.sleep(0.01)
    time.sleep(0.1)
    assert len(said) == MOST_WAITING
    found = []
    while not branches.ended:
        found += branches.read(FOREVER)
    assert [item for _, item in found] == [str(number) for number in range(MOST_WAITING * 3)]
    branches.close()


def test_a_branch_held_up_leaves_when_it_is_called_off() -> None:
    left: list[BaseException] = []

    def talk(caller: Caller, emit: Emit[str]) -> None:
        try:
            for number in range(MOST_WAITING * 3):
                emit(str(number))
        except errors.CallerGone as gone:
            left.append(gone)
            raise

    branches = Branches(Caller(), [talk, talk])
    time.sleep(0.1)
    branches.close()
    deadline = time.monotonic() + 10
    while len(left) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    with pytest.raises(errors.CallerGone):
        branches.read(FOREVER)
