"""One request to an upstream and its answer: HTTP/1.1 on sockets of ours, parsed by llhttp.

General HTTP clients cost two to ten times the rest of a request (docs/architecture.md); this
does what a relay needs and no more: one request at a time on a connection, time-outs, and a body
handed on as the socket brings it. It waits for the caller and the upstream at once, follows no
redirect, and asks for no compression.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import time

from chat_api.errors import UpstreamBroken, UpstreamError, UpstreamTimeout, UpstreamUnreachable
from chat_api.upstreams.ends import BOTH, READABLE, WRITABLE
from chat_api.upstreams.http1 import ResponseReader
from chat_api.upstreams.transport import WOULD_BLOCK, Transport
from chat_api.upstreams.waiting import Caller

READ_BYTES = 16_384
"""A caller who does not read holds up what one read brought, parsed: 15 times as much memory."""
SEND_BYTES = 262_144
TURN_SECONDS = 0.002
"""How long one exchange may go on without a wait before the other greenlets get a turn."""


class Exchange:
    """One request under way and its answer. It is sent at once.

    Raises:
        UpstreamError: it could not be sent.
        CallerGone: the caller left meanwhile.
    """

    def __init__(self, transport: Transport, payload: bytes, caller: Caller) -> None:
        self._transport = transport
        self._payload = payload
        self._caller = caller
        self._response = ResponseReader()
        self._pending = b""  # body that came with the head
        self._waiting = False
        self._closed = False
        self._turn = self._heard = time.monotonic()
        self._sock, self._reused = transport.take(caller)
        self._sent = False
        self._awaits = 0
        """What the socket has to be ready for before it is worth reading; 0: nothing."""
        self._has_read_all()
        try:
            self._send_all()
        except BaseException:
            self.close()
            raise

    @property
    def status(self) -> int:
        """HTTP status, once `wait_head` said True."""
        return self._response.status

    @property
    def headers(self) -> dict[str, str]:
        """Response headers, names in lower case, once `wait_head` said True."""
        return self._response.headers

    @property
    def ended(self) -> bool:
        """The body came whole and was handed out."""
        return self._response.complete and not self._pending

    def wait_head(self, until: float) -> bool:
        """Wait for status and headers; False when they did not come until then.

        Raises:
            UpstreamUnreachable: the connection ended before a byte came back.
            UpstreamTimeout, UpstreamBroken, CallerGone: as in `read`.
        """
        while not self._response.head_complete:
            piece = self._receive(until)
            if piece is None:
                return self._response.head_complete
            self._pending += piece
        return True

    def read(self, until: float) -> bytes | None:
        """The next piece of the body, as large as one `recv` brought it.

        Args:
            until: a moment of `time.monotonic()`.

        Returns:
            Bytes; b"" where what came was framing only, or at the end (see `ended`); None when
            nothing came until then.

        Raises:
            UpstreamTimeout: the upstream was silent for longer than it may be.
            UpstreamBroken: it broke off, or what it sent is not HTTP.
            CallerGone: the caller left.
        """
        if self._pending:
            piece, self._pending = self._pending, b""
            return piece
        return b"" if self._response.complete else self._receive(until)

    def close(self) -> None:
        """End the exchange; keep the connection if the answer came whole. May be called twice,
        and from another greenlet or thread than the reading one, which then finds it ended."""
        if self._closed:
            return
        self._closed = True
        if self._response.reusable and self._sent and not self._waiting:
            self._transport.give_back(self._sock)
            return
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)  # wakes who waits on it
        if not self._waiting:
            self._sock.close()

    def finish(self) -> None:
        """Take in the framing behind the last event if it is there, so that the connection can
        be kept; never waits."""
        if not self._response.complete and not self._closed:
            with contextlib.suppress(UpstreamError, OSError):
                self._response.feed(self._sock.recv(READ_BYTES))

    def _send_all(self) -> None:
        """Send the request; stop when the answer is already coming (a 413, say)."""
        rest = memoryview(self._payload)
        while rest and not self._response.head_complete and not self._closed:
            try:
                rest = rest[self._sock.send(rest[:SEND_BYTES]) :]
                self._heard = time.monotonic()
                continue
            except WOULD_BLOCK:
                if not self._wait(self._silence_end(), BOTH):
                    raise UpstreamTimeout("The upstream took nothing for too long.") from None
                if self._take_in():
                    continue
            except OSError:
                pass
            return  # it hung up; reading finds out whether it said why before
        self._sent = not rest

    def _take_in(self) -> bool:
        """Feed what can be read without waiting; False at the connection's end."""
        try:
            data = self._sock.recv(READ_BYTES)
        except WOULD_BLOCK:
            return True
        except OSError:
            return False
        self._pending += self._response.feed(data) if data else b""
        return bool(data)

    def _receive(self, until: float) -> bytes | None:
        """What one `recv` brings, through the parser; None when nothing came until then."""
        data = self._recv(until)
        if data is None:
            return None
        if not data:
            if not self._response.fed:
                raise UpstreamUnreachable("The upstream closed the connection.")
            self._response.end()
            return b""
        self._payload = b""  # it will not be sent again, and may be large
        self._heard = now = time.monotonic()
        if now - self._turn > TURN_SECONDS:
            time.sleep(0)  # a socket that always has data would never let the others run
            self._turn = time.monotonic()
        return self._response.feed(data)

    def _recv(self, until: float) -> bytes | None:
        """What one `recv` brings; b"" at the end, None when nothing came until then."""
        while not self._closed:
            in_time = not self._awaits or self._wait(min(until, self._silence_end()), self._awaits)
            # When the time is over, too: a wait without time may not have heard of all.
            data = self._recv_now()
            if data is None:
                if in_time:
                    continue
                if time.monotonic() < self._silence_end():
                    return None
                raise UpstreamTimeout("The upstream stayed silent for too long.")
            if data or not self._resend():
                return data
            if self._response.head_complete:
                return None  # refused while it was sent once more
        self._sock.close()  # it may have been opened anew meanwhile
        raise UpstreamBroken("The exchange was closed.")

    def _recv_now(self) -> bytes | None:
        """What one `recv` brings; b"" at the end, None where there is nothing yet."""
        self._awaits = 0
        try:
            data = self._sock.recv(READ_BYTES)
        except WOULD_BLOCK as reason:
            self._awaits = WRITABLE if isinstance(reason, ssl.SSLWantWriteError) else READABLE
            return None
        except OSError as error:
            if self._response.fed:
                raise UpstreamBroken(
                    "The upstream broke off in the middle of its answer."
                ) from error
            data = b""
        if len(data) < READ_BYTES:
            self._has_read_all()
        return data

    def _has_read_all(self) -> None:
        """There is nothing to read for now, so that waiting comes first. (TLS may hold what has
        come already, of which its socket shows nothing.)"""
        if not isinstance(self._sock, ssl.SSLSocket):
            self._awaits = READABLE

    def _resend(self) -> bool:
        """Once a caller, on a new connection, when a reused one ended before a byte came back: the
        upstream closed it while it was idle, so it did not see the request."""
        if self._closed or not self._reused or self._response.fed or self._caller.has_resent:
            return False
        self._caller.has_resent = True
        self._sock.close()
        self._transport.close()  # what else is idle is as old
        self._sock, self._reused = self._transport.open(self._caller), False
        self._send_all()
        return True

    def _silence_end(self) -> float:
        return self._heard + self._transport.silence_timeout_seconds

    def _wait(self, until: float, events: int) -> bool:
        self._waiting = True
        try:
            ready = self._caller.wait(until - time.monotonic(), self._sock, events)
        finally:
            self._waiting = False
            self._turn = time.monotonic()
            if self._closed:
                self._sock.close()  # `close` left it to us
        if self._closed:
            raise UpstreamBroken("The exchange was closed.")
        return ready
