"""Several calls upstream at once, for one caller."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from chat_api.errors import CallerGone
from chat_api.upstreams.waiting import Caller

MOST_WAITING = 64
"""Items that wait to be read before the branches have to: a slow caller holds up the upstream."""
LONGEST_WAIT_SECONDS = 3600.0

T = TypeVar("T")
Emit = Callable[[T], None]
Task = Callable[[Caller, Emit[T]], None]


class Branches(Generic[T]):
    """Tasks that run at once and hand over what they find, item by item.

    Each has a thread of its own, which gevent's patching makes a greenlet. A socket pair ties them
    to their reader: its far end is the *caller* whom the branches watch while they wait for their
    upstreams, so that closing the near end calls all of them off at once, wherever they wait; and
    what a branch writes into it wakes the reader, who waits for it and for the real caller.

    Args:
        caller: who is watched meanwhile; by the reader alone.
        tasks: each is given the caller to watch, and a function that takes its items.
    """

    def __init__(self, caller: Caller, tasks: Iterable[Task[T]]) -> None:
        self._caller = caller
        self._arrived: deque[tuple[int, T | BaseException | None]] = deque()
        self._room = threading.Semaphore(MOST_WAITING)
        self._running = 0
        self._closed = False
        self._near, far = socket.socketpair()
        self._near.setblocking(False)
        far.setblocking(False)
        try:
            with far:
                for number, task in enumerate(tasks):
                    self._start(number, task, far.dup())
        except BaseException:
            self.close()
            raise

    @property
    def ended(self) -> bool:
        """Every branch has ended well, and all it found was read."""
        return not self._running

    def read(self, until: float) -> list[tuple[int, T]]:
        """Wait for items, each with its branch's number; [] when none came until then, or when
        all branches have ended.

        Args:
            until: a moment of `time.monotonic()`.

        Raises:
            Exception: what the first branch that failed raised; the others are to be closed.
            CallerGone: the caller left meanwhile.
        """
        found: list[tuple[int, T]] = []
        while self._running and not found:
            if self._closed:
                raise CallerGone("the branches were called off")
            while self._arrived:
                number, item = self._arrived.popleft()
                if isinstance(item, BaseException):
                    raise item
                if item is None:
                    self._running -= 1
                else:
                    found.append((number, item))
                    self._room.release()
            if found or not self._running:
                break
            seconds = min(until - time.monotonic(), LONGEST_WAIT_SECONDS)
            if self._caller.wait(seconds, self._near):
                with contextlib.suppress(OSError):
                    self._near.recv(MOST_WAITING)
            elif not self._arrived and time.monotonic() >= until:
                break
        return found

    def close(self) -> None:
        """Call off what is still running. May be called twice."""
        if self._closed:
            return
        self._closed = True
        with contextlib.suppress(OSError):
            self._near.shutdown(socket.SHUT_RDWR)  # wakes who waits on it
        self._near.close()
        self._room.release(max(1, self._running))

    def _start(self, number: int, task: Task[T], far: socket.socket) -> None:
        branch = threading.Thread(target=self._run, args=(number, task, far), daemon=True)
        try:
            branch.start()
        except BaseException:
            far.close()
            raise
        self._running += 1

    def _run(self, number: int, task: Task[T], far: socket.socket) -> None:
        def put(item: T | BaseException | None) -> None:
            self._arrived.append((number, item))
            # Full, or nobody reads any more: either way there is nobody to be woken.
            with contextlib.suppress(OSError):
                far.send(b".")

        def emit(item: T) -> None:
            self._room.acquire()
            if self._closed:
                raise CallerGone("the branches were called off")
            put(item)

        with far:
            try:
                task(Caller(far), emit)
            except BaseException as failure:  # whatever it is, the reader must not wait for ever
                put(failure)
            else:
                put(None)
