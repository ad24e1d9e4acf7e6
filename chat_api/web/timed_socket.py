"""What a request's body is read from: a socket that asks for one which waits to be asked for, and
that gives up one which drips. A caller who sends a byte a second would be waited for as long as it
likes, since each byte is a sign of life."""

from __future__ import annotations

import socket
import time

BODY_SECONDS = 20.0
"""For a body, however small it is."""
BODY_BYTES_PER_SECOND = 16_384
"""So many bytes that came earn a second more."""

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class TimedSocket:
    """What Gunicorn reads a connection from: the socket, and while a body is expected its deadline.

    Bodies that came with their head are not read from here at all.
    """

    def __init__(self, sock: socket.socket, seconds: float = BODY_SECONDS) -> None:
        self._sock = sock
        self._seconds = seconds
        self._until: float | None = None
        self._must_ask = False

    def expect_body(self, must_ask: bool = False) -> None:
        """From now on what is read is a body.

        Args:
            must_ask: the caller sends it when told to go on (RFC 9110, 10.1.1), which it is when
                somebody wants to read what did not come with the head. So it is never asked for a
                body that is refused.
        """
        self._until = time.monotonic() + self._seconds
        self._must_ask = must_ask

    def expect_head(self) -> None:
        """From now on it is the next request, which Gunicorn has a time for."""
        self._until = None
        self._must_ask = False

    def recv(self, size: int) -> bytes:
        """As a socket's.

        Raises:
            TimeoutError: the body's time is over.
        """
        if self._until is None:
            return self._sock.recv(size)
        if self._must_ask:
            self._must_ask = False
            self._sock.sendall(CONTINUE)
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(left)
        try:
            piece = self._sock.recv(size)
        finally:
            self._sock.settimeout(None)
        self._until += len(piece) / BODY_BYTES_PER_SECOND
        return piece
