"""Figures of bodies that crawl, or that are far too large."""

from __future__ import annotations

import contextlib
import select
import socket
import time

from chat_api.settings import Settings
from tests.faults.stand import Measured, Stand, connect, request
from tests.integration.doors import CHAT
from tests.integration.test_bad_bodies import read_reply

MB = 2**20
WHOLE = 200 * MB
SENDERS_BUFFER = 65_536
"""Bytes. The kernel's own choice takes megabytes that no server has asked for yet."""


def dripping() -> dict[str, Measured]:
    """What becomes of a body that comes a byte a second."""
    with Stand() as stand, connect(stand.server) as caller:
        caller.sendall(request(CHAT, length=5000))
        started, status = time.monotonic(), 0
        caller.settimeout(1)
        while not status and time.monotonic() - started < 60:
            caller.sendall(b" ")
            with contextlib.suppress(TimeoutError):
                status = caller.recv(1, socket.MSG_PEEK) and read_reply(caller).status
        took = time.monotonic() - started
    good = status == 408
    return {
        "a body of a byte a second: 408 after": Measured(f"{took:.1f} s", good, good and took < 25)
    }


def large_body() -> dict[str, Measured]:
    """How much of 200 MB a caller who does not wait gets rid of before the refusal is there.

    That is what it sent: the server has read no more than that, and how much less is not known.
    How large a chunked body is shows only as it comes: no server refuses one before its limit, and
    the target is for what goes beyond.
    """
    with Stand() as stand:
        head = request(CHAT).partition(b"Content-Length")[0]
        declared = _refused_after(stand, head + b"Content-Length: %d\r\n\r\n" % WHOLE, b" " * MB)
        chunk = b"%x\r\n%b\r\n" % (MB, b" " * MB)
        chunked = _refused_after(stand, head + b"Transfer-Encoding: chunked\r\n\r\n", chunk)
    limit = Settings.max_body_bytes / MB
    beyond = chunked - limit
    return {
        "200 MB body refused after": Measured(
            f"{declared:.1f} MB sent, declared", declared <= 8, declared <= 1
        ),
        "the same, chunked": Measured(
            f"{chunked:.1f} MB sent, {beyond:.1f} beyond the limit of {limit:.0f}",
            0 <= beyond <= 8,
            0 <= beyond <= 1,
        ),
    }


def _refused_after(stand: Stand, head: bytes, piece: bytes) -> float:
    """The MB of a body that were sent until a 413 could be read; infinite where none came."""
    sent, left = 0, memoryview(piece)
    with connect(stand.server) as caller:
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SENDERS_BUFFER)
        caller.sendall(head)
        while sent < WHOLE:
            answered, free, _ = select.select([caller], [caller], [], 20)
            if answered or not free:
                break
            count = caller.send(left, socket.MSG_DONTWAIT)
            sent += count
            left = left[count:] or memoryview(piece)
        return sent / MB if read_reply(caller).status == 413 else float("inf")


FIGURES = (dripping, large_body)
