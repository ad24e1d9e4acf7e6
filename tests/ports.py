"""Ports for servers that listen a moment later than they are told where."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import socket

LOWEST_PORT, BLOCK_SIZE, BLOCKS = 12_000, 1_000, 8
"""Below the ports that systems hand out by themselves (Linux from 32,768 on, others from 49,152 on,
RFC 6335) and those that the local model takes. Each of pytest-xdist's processes has a block of its
own."""

_number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_lowest = LOWEST_PORT + _number % BLOCKS * BLOCK_SIZE
_offsets = itertools.count(random.randrange(BLOCK_SIZE))  # another suite may run beside this one


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on, and that nobody is given unasked.

    One that the system had chosen would be given away again before the server has it: to a scripted
    upstream of another process, which the server's test then asks for `/health`.

    Raises:
        OSError: none is free.
    """
    for offset in itertools.islice(_offsets, BLOCK_SIZE):
        port = _lowest + offset % BLOCK_SIZE
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError(f"all ports from {_lowest} on are taken")
