"""The connections to an upstream that wait for the next request. What goes over one of them is an
exchange (`exchange.py`)."""

from __future__ import annotations

import socket
import ssl
import time
from collections import deque

from chat_api.upstreams.connection import Origin, connect
from chat_api.upstreams.waiting import Caller

MAX_IDLE_CONNECTIONS = 512
MAX_IDLE_SECONDS = 30.0
# What a non-blocking socket raises when there is nothing to do now, plain and with TLS.
WOULD_BLOCK = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Transport:
    """A pool of connections to one origin. Opens nothing before the first request."""

    def __init__(
        self,
        origin: Origin,
        *,
        connect_timeout_seconds: float,
        silence_timeout_seconds: float,
    ) -> None:
        self._origin = origin
        self._connect_timeout = connect_timeout_seconds
        self.silence_timeout_seconds = silence_timeout_seconds
        self._idle: deque[tuple[socket.socket, float]] = deque()

    def take(self, caller: Caller) -> tuple[socket.socket, bool]:
        """A connection, and whether it has served before."""
        while self._idle:
            sock, since = self._idle.pop()  # the one used last is the least likely to be stale
            if time.monotonic() - since < MAX_IDLE_SECONDS and _is_quiet(sock):
                return sock, True
            sock.close()
        return self.open(caller), False

    def open(self, caller: Caller) -> socket.socket:
        """A new connection."""
        return connect(self._origin, self._connect_timeout, caller)

    def give_back(self, sock: socket.socket) -> None:
        """Keep a connection for the next request; let go of those that nobody needed."""
        now = time.monotonic()
        while self._idle and now - self._idle[0][1] > MAX_IDLE_SECONDS:
            self._idle.popleft()[0].close()
        if len(self._idle) < MAX_IDLE_CONNECTIONS:
            self._idle.append((sock, now))
        else:
            sock.close()

    def close(self) -> None:
        """Close what is idle."""
        while self._idle:
            self._idle.pop()[0].close()


def _is_quiet(sock: socket.socket) -> bool:
    """Whether an idle connection still stands: nothing to read, and no end."""
    try:
        sock.recv(1)  # also takes in TLS session tickets, which say nothing
    except WOULD_BLOCK:
        return True
    except OSError:
        return False
    return False
