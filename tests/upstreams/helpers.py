"""Callers who leave, clocks that jump, and what else the tests of this room share."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from chat_api.upstreams.ends import BOTH, READABLE
from chat_api.upstreams.waiting import Caller


class Clock:
    """`time.monotonic`, which a test can put forward."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._ahead = 0.0

    def advance(self, seconds: float) -> None:
        self._ahead += seconds

    def __call__(self) -> float:
        return self._now() + self._ahead


class HurriedCaller(Caller):
    """For whom every wait in vain is over at once: the clock is put forward instead.

    With `all_said`, that is so once the upstream has said all that it will say.
    """

    def __init__(self, clock: Clock, all_said: threading.Event | None = None) -> None:
        super().__init__()
        self.waits: list[float] = []
        self._clock = clock
        self._all_said = all_said

    def wait(
        self, seconds: float, sock: socket.socket | None = None, events: int = READABLE
    ) -> bool:
        if sock is not None and events != READABLE:
            return super().wait(seconds, sock, events)
        if self._all_said:
            self._all_said.wait(10)
        ready = super().wait(0, sock, events)
        if not ready:
            self.waits.append(round(max(0.0, seconds), 2))
            self._clock.advance(max(0.0, seconds))
        return ready


class SlowlyServedCaller(Caller):
    """Whose upstream pauses, by the clock, before it takes more of a request."""

    def __init__(self, clock: Clock, pause: float) -> None:
        super().__init__()
        self.pauses = 0
        self._clock = clock
        self._pause = pause

    def wait(
        self, seconds: float, sock: socket.socket | None = None, events: int = READABLE
    ) -> bool:
        if events == BOTH:
            self.pauses += 1
            self._clock.advance(self._pause)
            seconds -= self._pause
        return super().wait(seconds, sock, events)


class Visitor:
    """A caller with a real connection, of which the test holds the other end."""

    def __init__(self) -> None:
        self.server_end, self.own_end = socket.socketpair()
        self.caller = Caller(self.server_end)

    def leave(self) -> None:
        self.own_end.close()

    def close(self) -> None:
        self.server_end.close()
        self.own_end.close()


@contextlib.contextmanager
def after(seconds: float, action: Callable[[], object]) -> Iterator[None]:
    """Do something while the block runs; it is left out when the block ends before."""
    timer = threading.Timer(seconds, action)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()


@contextlib.contextmanager
def soon() -> Iterator[None]:
    """The block waits for nothing in vain: that would take 10 s, and a busy machine no 5."""
    start = time.monotonic()
    yield
    assert time.monotonic() - start < 5


def eventually(condition: Callable[[], object], seconds: float = 10.0) -> bool:
    """Whether it comes true within that time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


def open_sockets() -> set[str]:
    """The sockets that this process holds, by inode."""
    found = set()
    for descriptor in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # the listing's own descriptor is gone already
            found.add(os.readlink(descriptor))
    return {target for target in found if target.startswith("socket:")}
