"""Ending a connection whose request was not read to its end."""

from __future__ import annotations

import contextlib
import socket
import time
from typing import Any

LINGER_SECONDS = 1.0
LINGER_BYTES = 1_048_576


def end_connection(environ: dict[str, Any]) -> None:
    """Have the connection closed behind this reply; `web.worker` put the means into the body.

    Elsewhere than under our worker the server decides what becomes of the rest of the body.
    """
    force_close = getattr(environ.get("wsgi.input"), "force_close", None)
    if force_close is not None:
        force_close()


def linger(sock: socket.socket) -> None:
    """Read on for a moment behind the reply: closed at once, with bytes unread, TCP would send
    a reset, and the caller might lose the reply (RFC 9112, 9.6)."""
    until = time.monotonic() + LINGER_SECONDS
    size = 0
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_WR)
        while size < LINGER_BYTES and (remaining := until - time.monotonic()) > 0:
            sock.settimeout(remaining)
            piece = sock.recv(65_536)
            size += len(piece)
            if not piece:
                return
