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
            seconds: 0 for a look.

        Returns:
            Which one is, the caller where both are; None when none was in that time, or a
            little earlier.
        """


def two_ends() -> Ends:
    """What waits here: for gevent's greenlets, or for plain threads."""
    return LoopEnds() if monkey.is_module_patched("select") else PolledEnds()


class LoopEnds:
    """Waits in gevent's event loop.

    It keeps the watchers of the sockets that it has waited for. One that is started again before
    the loop goes round takes no system call; `gevent.select.poll` makes all anew for each wait,
    which was a third of what an event costs that comes by itself.
    """

    def __init__(self) -> None:
        self._watchers: dict[tuple[socket.socket, int], Any] = {}

    def wait(self, upstream: Socket, events: int, caller: Socket, seconds: float) -> End | None:
        """See `Ends.wait`."""
        hub = get_hub()
        waiter = Waiter(hub)
        # Of what is ready at the same time the highest priority is told.
        started: list[tuple[Any, End | None]] = [(hub.loop.timer(seconds, priority=0), None)]
        if upstream is not None:
            started.append((self._watcher(upstream, events, priority=1), End.UPSTREAM))
        if caller is not None:
            started.append((self._watcher(caller, READABLE, priority=2), End.CALLER))
        try:
            for watcher, end in started:
                watcher.start(waiter.switch, end)
            return waiter.get()  # type: ignore[no-any-return]
        finally:
            for watcher, _ in started:
                watcher.stop()

    def _watcher(self, sock: socket.socket, events: int, priority: int) -> Any:
        watcher = self._watchers.get((sock, events))
        if watcher is None:
            watcher = get_hub().loop.io(sock.fileno(), events, priority=priority)
            self._watchers[sock, events] = watcher
        return watcher


class PolledEnds:
    """Waits in the kernel. `select.poll`, not `select.select`, which fails for descriptors above
    1,023."""

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
