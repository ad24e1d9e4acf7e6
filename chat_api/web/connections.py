"""How connections end: behind a request not read to its end, and amid a reply not whole."""

from __future__ import annotations

import contextlib
import errno
import socket
import struct
import time
from collections.abc import Iterator, Mapping
from typing import Any

LINGER_SECONDS = 1.0
LINGER_BYTES = 1_048_576
RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER: on, for no time at all
END_ON_CLOSE = struct.pack("ii", 0, 0)


class BrokenTransfer(ConnectionResetError):
    """Raised out of a reply's body: the transfer ends here and must not look whole.

    Gunicorn's workers take it for what it says, a connection that was reset: they close it,
    without the closing chunk and without a traceback. Other servers log it and do the same.
    """

    def __init__(self) -> None:
        super().__init__(errno.ECONNRESET, "the answer broke off")


class LastPiece(bytes):
    """The last piece of a reply's body. Our worker ends the reply in the same write; to other
    servers it is a piece like any other."""


@contextlib.contextmanager
def reset_unless_whole(environ: Mapping[str, Any]) -> Iterator[None]:
    """Within this block the end of an HTTP/1.0 connection is a reset.

    To such a caller the end of the connection is the end of the body, and only a reset says
    that it is not whole. It is set up beforehand, so that a worker that is killed says it too.
    """
    sock = environ.get("gunicorn.socket")
    if environ.get("SERVER_PROTOCOL") != "HTTP/1.0" or not isinstance(sock, socket.socket):
        yield
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    yield
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, END_ON_CLOSE)


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
