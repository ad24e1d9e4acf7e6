"""Servers and callers for the figures."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.integration.doors import Door
from tests.integration.processes import descendants
from tests.leaks import LeakFound
from tests.scripted import ScriptedUpstream
from tests.servers import ROOT, Server, gunicorn

KEY = "sk-canary-in-the-servers-settings"


class Measured(NamedTuple):
    """A figure, and whether it is within the target and within what one could be proud of."""

    text: str
    holds: bool
    proud: bool


class Stand:
    """A server with two workers before a scripted upstream, and what its logs say."""

    secrets = 0
    """What was found in logs and stores that is nobody's business (`tests/leaks.py`), of servers
    that were started in another way, too."""

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
        try:
            self._stack.close()
        except LeakFound as leak:
            Stand.secrets += len(leak.found)

    def memory(self) -> int:
        """Bytes that its processes hold, shared ones divided among their holders (PSS)."""
        pids = [self.server.process.pid, *descendants(self.server.process.pid)]
        rolls = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in pids]
        return 1024 * sum(int(roll.split("\nPss:")[1].split()[0]) for roll in rolls)


@contextlib.contextmanager
def health(port: int) -> Iterator[list[float]]:
    """The seconds that `/health` takes meanwhile, known afterwards; infinity where it failed."""
    took: list[float] = []
    command = [sys.executable, "-m", "tests.faults.prober", str(port)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        took.append(float(process.stdout.readline()))
        try:
            yield took
        finally:
            said, _ = process.communicate()
            took += map(float, said.split())


def request(door: Door, body: Any = None, *lines: str, length: int | None = None) -> bytes:
    """The bytes of a request; a longer body may be promised."""
    raw = json.dumps(body or door.body()).encode()
    size = len(raw) if length is None else length
    head = [f"POST {door.path} HTTP/1.1", "Host: x", "Content-Type: application/json"]
    head += [*lines, f"Content-Length: {size}", "", ""]
    return "\r\n".join(head).encode() + raw


def connect(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), 20)
