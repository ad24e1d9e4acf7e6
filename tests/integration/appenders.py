"""Callers who append to sessions while something happens to the servers."""

from __future__ import annotations

import http.client
import threading
from collections import Counter

from tests.integration.wire import get, send
from tests.servers import Server

CALLERS = 4


class Appenders:
    """Callers who append to sessions, and one who reads, until they are told to stop."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._done = threading.Event()
        self.one_is_dead = threading.Event()
        self.acknowledged: dict[str, list[str]] = {}
        self.failed: Counter[bool] = Counter()
        """Appends without an answer, by whether they were begun after the death."""
        self.read: list[object] = []
        """Statuses of the reads, and errors."""
        self.cut: Counter[bool] = Counter()
        """Reads whose head had passed and whose body did not come any more, as `failed`."""
        for _ in range(CALLERS):
            self.acknowledged[send(server, "/api/sessions", {}).json["session_id"]] = []
        self._threads = [threading.Thread(target=self._read)]
        for session_id in self.acknowledged:
            self._threads.append(threading.Thread(target=self._append, args=(session_id,)))

    def __enter__(self) -> Appenders:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join()

    @property
    def count(self) -> int:
        return sum(map(len, self.acknowledged.values()))

    def _append(self, session_id: str) -> None:
        number = 0
        while not self._done.is_set():
            text, late = f"m{number}", self.one_is_dead.is_set()
            number += 1
            try:
                reply = send(self._server, "/chat", {"session_id": session_id, "message": text})
            except (OSError, http.client.HTTPException):
                self.failed[late] += 1
                continue
            if reply.status == 200:
                self.acknowledged[session_id].append(text)
            else:
                self.failed[late] += 1

    def _read(self) -> None:
        path = f"/api/sessions/{next(iter(self.acknowledged))}"
        while not self._done.is_set():
            late = self.one_is_dead.is_set()
            try:
                self.read.append(get(self._server, path).status)
            except http.client.IncompleteRead:
                self.cut[late] += 1
            except (OSError, http.client.HTTPException) as error:
                self.read.append(error)
