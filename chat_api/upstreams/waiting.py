"""Waiting for both ends at once: the upstream, and a caller who may leave."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time

from chat_api.errors import CallerGone
from chat_api.upstreams.ends import READABLE, End, two_ends

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
        self._ends = two_ends()
        self._gone = False
        self._is_readable = False
        """Whether something of its next request has come, behind which its end does not show."""
        self.has_resent = False
        """Whether a request of this caller's was lost on an idle connection and went again. That is
        done once: an upstream that hangs up on each would otherwise be asked twice a try."""

    def wait(
        self, seconds: float, sock: socket.socket | None = None, events: int = READABLE
    ) -> bool:
        """Wait until `sock` is ready, the caller left, or the time is over.

        Args:
            seconds: the longest wait; below zero counts as zero.
            sock: the upstream's socket; None to wait for the caller or the time only.
            events: READABLE, WRITABLE, or BOTH, of which one is enough.

        Returns:
            Whether `sock` is ready (for an error to be read, too); False at the end of the time.

        Raises:
            CallerGone: the caller left.
        """
        if self._gone:
            raise CallerGone("the caller left")
        deadline = time.monotonic() + seconds
        watched = self._watched()
        while True:
            remaining = max(0.0, deadline - time.monotonic())
            pause = min(remaining, LOOK_SECONDS) if self._is_readable else remaining
            ready = self._ends.wait(sock, events, watched, pause)
            if ready is End.UPSTREAM:
                return True
            if ready is End.CALLER:
                self._look()
                watched = None  # still there: it sent its next request early
                continue
            if self._is_readable:
                self._look_closer()
            if not remaining:
                return False

    def _watched(self) -> socket.socket | None:
        """The caller's socket, while what shows there may be its end."""
        sock = self._sock
        return None if sock is None or self._is_readable or sock.fileno() < 0 else sock

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
