"""Asking thousands of times, over connections that stay, and looking at each answer."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.fuzzing.requests import Request, Route, made_up
from tests.fuzzing.stand import Target
from tests.fuzzing.verdict import fault_of
from tests.integration.wire import PATIENCE_SECONDS, Reply

CALLERS = 4
HEALTH_EVERY = 20
IDLE_SECONDS = 2.0
"""The server closes what is idle for longer than five: on a busy machine that may be soon."""
HEALTH = Request("GET", "/health", b"GET /health HTTP/1.1\r\nHost: fuzz\r\n\r\n")
MOST_FAULTS = 20
KINDS = {"chat.completion": "completion", "response": "response", "conversation": "conversation"}
ALWAYS_THERE = {"name": "docs.css", "model": "gpt-4o-mini", "index": "0"}


@dataclass
class Report:
    """What a run found."""

    seed: int
    statuses: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Requests that were answered."""
        return self.statuses.total()

    def server_errors(self) -> int:
        """How many answers were a 5xx."""
        return sum(count for status, count in self.statuses.items() if status >= 500)


class Caller:
    """Somebody with a connection, who remembers what it made."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.known = dict(ALWAYS_THERE)
        self._sock: socket.socket | None = None
        self._used_at = 0.0

    def ask(self, request: Request) -> Reply:
        """Send it, on the connection of before where that is surely open.

        Raises:
            OSError, http.client.HTTPException: there is no answer, or none that is whole.
        """
        if time.monotonic() - self._used_at > IDLE_SECONDS:
            self.close()
        sock = self._sock or socket.create_connection(
            ("127.0.0.1", self.target.server.port), PATIENCE_SECONDS
        )
        self._sock = None
        reply = http.client.HTTPResponse(sock, method=request.method)
        try:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                sock.sendall(request.data)  # an answer may come before all was sent
            reply.begin()
            whole = Reply(reply.status, reply.headers, reply.read())
            if not reply.will_close:
                self._sock, self._used_at = sock, time.monotonic()
        finally:
            reply.close()
            if self._sock is None:
                sock.close()
        self._remember(whole)
        return whole

    def close(self) -> None:
        """Hang up."""
        if self._sock is not None:
            self._sock.close()
            self._sock = None

    def _remember(self, reply: Reply) -> None:
        """The ids of what it made."""
        if session := reply.headers["X-Session-ID"]:
            self.known["session"] = session
        if reply.status in (200, 201) and reply.headers["Content-Type"] == "application/json":
            with contextlib.suppress(ValueError):
                self._remember_ids(json.loads(reply.body))

    def _remember_ids(self, made: dict[str, Any]) -> None:
        if "session_id" in made:
            self.known["session"] = made["session_id"]
        if kind := KINDS.get(str(made.get("object"))):
            self.known[kind] = made["id"]
        for item in made.get("data") or ():
            if "type" in item:
                self.known["item"] = item["id"]


class Run:
    """So many requests, the same for the same seed (but for the ids that servers make).

    Args:
        routes: what to ask for.
        tell: is told of the progress, a line at a time.
    """

    def __init__(
        self, targets: list[Target], routes: list[Route], seed: int, tell: Callable[[str], None]
    ) -> None:
        self.report = Report(seed)
        self._targets = targets
        self._routes = routes
        self._tell = tell
        self._lock = threading.Lock()

    def go(self, count: int) -> Report:
        """Ask; returns early where more goes wrong than anybody would read."""
        self._began = time.monotonic()
        with ThreadPoolExecutor(CALLERS) as pool:
            list(pool.map(lambda first: self._call(first, count), range(CALLERS)))
        self.report.faults += [fault for target in self._targets for fault in target.faults()]
        return self.report

    def _call(self, first: int, count: int) -> None:
        callers = [Caller(target) for target in self._targets]
        for number in range(first, count, CALLERS):
            if len(self.report.faults) >= MOST_FAULTS:
                break
            rng = Random(f"{self.report.seed}/{number}")
            caller = rng.choice(callers)
            request = made_up(rng, self._routes, caller.known, caller.target.key)
            self._judge(number, caller, request)
            if rng.randrange(HEALTH_EVERY) == 0:
                self._judge(number, caller, HEALTH)
        for caller in callers:
            caller.close()

    def _judge(self, number: int, caller: Caller, request: Request) -> None:
        status = 0
        try:
            reply = caller.ask(request)
            status, fault = reply.status, fault_of(request, reply)
            if fault:
                fault += f"\n  {status} {reply.body[:300]!r}"
        except (OSError, http.client.HTTPException) as error:
            fault = f"no whole answer: {error!r}"
        with self._lock:
            if status and request is not HEALTH:
                self.report.statuses[status] += 1
                if self.report.count % 5_000 == 0:
                    self._tell(self._progress())
            if fault:
                self.report.faults.append(_told(number, self.report.seed, request, fault))

    def _progress(self) -> str:
        done, seconds = self.report.count, time.monotonic() - self._began
        return (
            f"{done:,} requests, {done / seconds:,.0f} a second, {len(self.report.faults)} faults"
        )


def _told(number: int, seed: int, request: Request, fault: str) -> str:
    """A fault, and how to see it again."""
    shown = request.data if len(request.data) < 4_000 else request.data[:4_000] + b"..."
    return f"request {number} of seed {seed}: {fault}\n  sent: {shown!r}"
