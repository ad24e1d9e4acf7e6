"""Waiting for both ends at once: the upstream's socket and the caller's.

`select.poll`, not `select.select`, which fails for descriptors above 1,023. Under gevent's
patching it is gevent's own, so only the greenlet waits.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import time

from chat_api.errors import CallerGone

READABLE = select.POLLIN
WRITABLE = select.POLLOUT
LOOK_SECONDS = 0.5
"""How often it is asked whether a caller is there whose next request has come already."""
TCP_INFO = getattr(socket, "TCP_INFO", None)  # Linux has it
ESTABLISHED = 1


class Caller:
    """The connection of who asked, so that nobody computes for a caller who left.

    A caller who closes, or half-closes, its connection counts as gone, as with nginx and Go.
    Without a socket (tests, other WSGI servers) it cannot be watched: it is then noticed by
    the next write, which heartbeats make sure of.
    """

    def __init__(self, sock: socket.socket | None = None) -> None:
        # A TLS socket cannot be peeked at.
        self._sock = None if isinstance(sock, ssl.SSLSocket) else sock
        self._gone = False
        self._is_readable = False
        """Whether something of its next request has come, behind which its end does not show."""
        self.has_resent = False
        """Whether a request of this caller's was lost on an idle connection and went again. That is
        done once: an upstream that hangs up on each would otherwise be asked twice a try."""

    def wait(
        self, seconds: float, sock: socket.socket | None = None, events: int = READABLE
    ) -> int:
        """Wait until `sock` is ready, the caller left, or the time is over.

        Args:
            seconds: the longest wait; below zero counts as zero.
            sock: the upstream's socket; None to wait for the caller or the time only.
            events: READABLE, WRITABLE, or both.

        Returns:
            The events that `sock` is ready for (an error shows as READABLE), 0 at the end
            of the time.

        Raises:
            CallerGone: the caller left.
        """
        if self._gone:
            raise CallerGone("the caller left")
        deadline = time.monotonic() + seconds
        poller = select.poll()
        mine = -1 if sock is None else sock.fileno()
        if sock is not None:
            poller.register(mine, events)
        theirs = -1 if self._sock is None or self._is_readable else self._sock.fileno()
        if theirs >= 0:
            poller.register(theirs, READABLE)
        while True:
            remaining = max(0.0, deadline - time.monotonic())
            pause = min(remaining, LOOK_SECONDS) if self._is_readable else remaining
            # Rounded up: a poll of 0 ms in the last millisecond would spin.
            ready = dict(poller.poll(int(pause * 1000) + 1 if pause else 0))
            if theirs in ready:
                self._look()
                poller.unregister(theirs)  # still there: it sent its next request early
            if mine in ready:
                return ready[mine] & events or READABLE
            if self._is_readable:
                self._look_closer()
            if not remaining:
                return 0

    def _look(self) -> None:
        """The caller's socket can be read: has it left, or does it say something?"""
        assert self._sock is not None
        try:
            gone = self._sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
        except BlockingIOError:
            return
        except OSError:
            gone = True
        if gone:
            self._leave()
        self._is_readable = True  # a pipelined request: from now on readable says nothing

    def _look_closer(self) -> None:
        """Ask the kernel for the connection's state. Not all have one: a Unix socket's caller is
        noticed by the next write."""
        if self._sock is None or TCP_INFO is None:
            return
        with contextlib.suppress(OSError):
            if self._sock.getsockopt(socket.IPPROTO_TCP, TCP_INFO, 1)[0] != ESTABLISHED:
                self._leave()

    def _leave(self) -> None:
        self._gone = True
        raise CallerGone("the caller left")
