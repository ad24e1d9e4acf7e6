"""Servers and callers for the figures."""

from __future__ import annotations

import contextlib
import json
import selectors
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.fakes import chunk, frame
from tests.integration.doors import V1_STREAM, Door
from tests.integration.processes import descendants
from tests.integration.stage import CANARY
from tests.integration.wire import get
from tests.servers import Exchange, ScriptedUpstream, Server, gunicorn

PIECE = frame(chunk({"role": "assistant", "content": "Hel"}))
KEY = "sk-canary-in-the-servers-settings"


class Measured(NamedTuple):
    """A figure, and whether it is within the target and within what one could be proud of."""

    text: str
    holds: bool
    proud: bool


class Stand:
    """A server with two workers before a scripted upstream, and what its logs say."""

    secrets = 0
    """Lines of all logs with something in them that is nobody's business."""

    def __init__(self, **settings: str) -> None:
        self._settings = {"WEB_CONCURRENCY": "2", "RATE_LIMIT_PER_MINUTE": "0", **settings}
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Stand:
        self.upstream = self._stack.enter_context(ScriptedUpstream())
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        own = {"OPENAI_BASE_URL": self.upstream.url, "OPENAI_API_KEY": KEY}
        settings = self._settings if "UPSTREAM" in self._settings else own | self._settings
        self.server = self._stack.enter_context(gunicorn(folder, **settings))
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            lines = self.server.log().splitlines()
            Stand.secrets += sum(secret in line for secret in (KEY, CANARY) for line in lines)
        self._stack.close()

    def memory(self) -> int:
        """Bytes that its processes hold, shared ones divided among their holders (PSS)."""
        pids = [self.server.process.pid, *descendants(self.server.process.pid)]
        rolls = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in pids]
        return 1024 * sum(int(roll.split("\nPss:")[1].split()[0]) for roll in rolls)


def percentile(values: list[float], part: float) -> float:
    """The value that so large a part of them does not exceed."""
    return sorted(values)[min(len(values) - 1, int(part * len(values)))]


@contextlib.contextmanager
def health(server: Server) -> Iterator[list[float]]:
    """The seconds that `/health` takes meanwhile; infinity where it failed."""
    took: list[float] = []
    done = threading.Event()

    def probe() -> None:
        while not done.wait(0.02):
            started = time.monotonic()
            try:
                good = get(server, "/health").status == 200
            except OSError:
                good = False
            took.append(time.monotonic() - started if good else float("inf"))

    thread = threading.Thread(target=probe)
    thread.start()
    try:
        yield took
    finally:
        done.set()
        thread.join()


def request(door: Door, body: Any = None, *lines: str, length: int | None = None) -> bytes:
    """The bytes of a request; a longer body may be promised."""
    raw = json.dumps(body or door.body()).encode()
    size = len(raw) if length is None else length
    head = [f"POST {door.path} HTTP/1.1", "Host: x", "Content-Type: application/json"]
    head += [*lines, f"Content-Length: {size}", "", ""]
    return "\r\n".join(head).encode() + raw


def connect(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), 20)


class Pacer:
    """An upstream that says a piece to each of its callers again and again, a quarter of a second
    apart, in one thread."""

    def __init__(self) -> None:
        self._open: list[socket.socket] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __call__(self, exchange: Exchange) -> None:
        exchange.start_stream()
        exchange.chunk(PIECE)
        self._open.append(exchange.connection)
        self._over.wait(120)

    def __enter__(self) -> Pacer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        data = b"%x\r\n%b\r\n" % (len(PIECE), PIECE)
        while not self._over.wait(0.25):
            for connection in list(self._open):
                with contextlib.suppress(OSError):
                    connection.sendall(data)


def first_pieces(server: Server, number: int, seconds: float) -> tuple[list[float], Any]:
    """Begin so many streams and read them all for a while, in this thread.

    Returns:
        Seconds until each one's first piece, and what closes them.
    """
    stack = contextlib.ExitStack()
    looking = selectors.DefaultSelector()
    began: dict[socket.socket, float] = {}
    took: list[float] = []
    until = time.monotonic() + seconds
    while time.monotonic() < until or len(took) < number:
        if len(began) < number:
            caller = stack.enter_context(connect(server))
            began[caller] = time.monotonic()
            caller.sendall(request(V1_STREAM))
            looking.register(caller, selectors.EVENT_READ, [])
        for key, _ in looking.select(0 if len(began) < number else 0.05):
            data = key.fileobj.recv(65_536)  # type: ignore[union-attr]
            if not data or b"HTTP/1.1 5" in data:
                raise RuntimeError(f"a stream ended: {data[:200]!r}")
            if not key.data and b"data: " in data:
                key.data.append(True)
                took.append(time.monotonic() - began[key.fileobj])  # type: ignore[index]
        if time.monotonic() > until + 60:
            raise RuntimeError(f"only {len(took)} of {number} streams began")
    looking.close()
    return took, stack
