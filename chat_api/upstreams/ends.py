"""Which of two ends is ready: the upstream's socket or the caller's."""

from __future__ import annotations

import select
import socket
from enum import Enum
from typing import Any, Protocol

from gevent import get_hub, monkey
from gevent.hub import Waiter

READABLE, WRITABLE = 1, 2  # as libev numbers them
BOTH = READABLE | WRITABLE
POLLED = {READABLE: select.POLLIN, WRITABLE: select.POLLOUT, BOTH: select.POLLIN | select.POLLOUT}
LIBEV = "gevent.libev.corecext"

Socket = socket.socket | None


class End(Enum):
    """Whose socket is ready."""

    UPSTREAM = "upstream"
    CALLER = "caller"


class Ends(Protocol):
    """Waits for the two of one request, one wait at a time."""

    def wait(self, upstream: Socket, events: int, caller: Socket, seconds: float) -> End | None:
        """Wait until one is ready, or the time is over.

        Args:
            upstream: waited for until it is ready for one of `events`, or has an error to tell.
            caller: waited for until it can be read, or has an error to tell.

        Returns:
            Which one is, the caller where both are; None at the end of the time, or a little
            earlier. Of many that are ready in that very moment it may not have heard yet.
        """


def two_ends() -> Ends:
    """What waits here: for gevent's greenlets on its usual loop, or for whatever else."""
    is_usual = monkey.is_module_patched("select") and type(get_hub().loop).__module__ == LIBEV
    return LoopEnds() if is_usual else PolledEnds()


class LoopEnds:
    """Waits in gevent's event loop, libev's.

    It keeps the watchers of the two sockets. One that is started again before the loop goes round
    takes no system call; `gevent.select.poll` makes all anew for each wait, which was a third of
    what an event costs that comes by itself.
    """

    def __init__(self) -> None:
        # Of what is ready at the same time the highest priority is told; a timer has 0.
        self._upstream = _Watched(priority=1)
        self._caller = _Watched(priority=2)

    def wait(self, upstream: Socket, events: int, caller: Socket, seconds: float) -> End | None:
        """See `Ends.wait`."""
        hub = get_hub()
        waiter = Waiter(hub)
        timer = hub.loop.timer(seconds)
        watched: list[tuple[Any, End]] = []
        if upstream is not None:
            watched.append((self._upstream.watcher(upstream, events), End.UPSTREAM))
        if caller is not None:
            watched.append((self._caller.watcher(caller, READABLE), End.CALLER))
        try:
            # By the clock of now. The loop's own is from when it last went round, and what its
            # greenlets have done since would be missing at the end of the wait.
            timer.start(waiter.switch, None, update=True)
            for watcher, end in watched:
                watcher.start(waiter.switch, end)
            return waiter.get()  # type: ignore[no-any-return]
        finally:
            timer.stop()
            for watcher, _ in watched:
                watcher.stop()


class _Watched:
    """The socket that was waited for last, and its watcher."""

    def __init__(self, priority: int) -> None:
        self._priority = priority
        self._sock: Socket = None
        self._events = 0
        self._watcher: Any = None

    def watcher(self, sock: socket.socket, events: int) -> Any:
        """That of the socket, which nobody else waits for meanwhile."""
        if sock is not self._sock or events != self._events:
            self._watcher = get_hub().loop.io(sock.fileno(), events, priority=self._priority)
            self._sock, self._events = sock, events
        assert not self._watcher.active
        return self._watcher


class PolledEnds:
    """Waits in the kernel, or as `select.poll` is patched. Not by `select.select`, which fails for
    descriptors above 1,023."""

    def wait(self, upstream: Socket, events: int, caller: Socket, seconds: float) -> End | None:
        """See `Ends.wait`."""
        poller = select.poll()
        if upstream is not None:
            poller.register(upstream, POLLED[events])
        if caller is not None:
            poller.register(caller, select.POLLIN)
        # Rounded up: a poll of 0 ms in the last millisecond would spin.
        ready = [fd for fd, _ in poller.poll(int(seconds * 1000) + 1 if seconds else 0)]
        if not ready:
            return None
        return End.CALLER if caller is not None and caller.fileno() in ready else End.UPSTREAM
