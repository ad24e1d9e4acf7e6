"""Calls by layer: one request through Gunicorn's worker in this process, sockets left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.http import get_parser

from benchmarks.cost.application import Application, Tape
from benchmarks.cost.counting import count_calls
from benchmarks.cost.figures import WARM, WHOLE
from benchmarks.layers.table import layer_of
from benchmarks.replies import PATH, request_body, stream_chunks
from chat_api.web.worker import Worker

ADDRESS = ("127.0.0.1", 5000)


class CallersTape(Tape):
    """The caller's end: what it sends, and nothing of what it is told is kept."""

    sendall = Tape.send


class Server:
    """A worker of ours around the application, without a master."""

    def __init__(self) -> None:
        self.application = Application()
        self._config = Config()
        self._worker = Worker(1, 0, [], None, 30, self._config, Logger(self._config))
        self._worker.wsgi = self.application.wsgi

    def serve(self, body: bytes, answer: list[bytes]) -> None:
        """One request and its reply."""
        self.application.answer = answer
        head = f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1:5000\r\nAuthorization: Bearer none\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        sock: Any = CallersTape([head.encode() + body])
        request = next(get_parser(self._config, sock, ADDRESS))
        self._worker.handle_request(ADDRESS, request, sock, ADDRESS)


def calls_by_layer() -> dict[str, Counter[str]]:
    """Of a whole request, and of a stream of 64 events that come at once."""
    server = Server()
    stream = [b"".join(stream_chunks(usage=True))]
    return {
        "whole": _by_layer(lambda: server.serve(request_body(), [WHOLE])),
        "events": _by_layer(lambda: server.serve(request_body(stream=True), stream)),
    }


def _by_layer(work: Callable[[], None]) -> Counter[str]:
    for _ in range(WARM):
        work()
    found: Counter[str] = Counter()

    def note(frame: Any) -> None:
        found[layer_of(frame)] += 1

    count_calls(work, note)
    return found
