"""The servers that are fuzzed: one with the mock, one before a scripted upstream."""

from __future__ import annotations

import contextlib
import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.fuzzing.described import KEY, fuzzed_server
from tests.fuzzing.requests import Route
from tests.integration.wire import both_workers
from tests.scripted import Exchange, ScriptedUpstream, answer_plainly
from tests.servers import Server, gunicorn

MOST_DIMENSIONS = 10_000
MOST_KEPT_EXCHANGES = 1_000


class Target(NamedTuple):
    """A server, the key that it wants, and its workers at the start."""

    server: Server
    key: str | None
    workers: list[int]

    def faults(self) -> list[str]:
        """What requests have done to it: a worker that is another one, a crash in its log."""
        log = self.server.log()
        found = [f"`{word}` in the log" for word in ('"crash"', "Traceback") if word in log]
        if self.server.workers() != self.workers:
            found.append("a worker died")
        return found


@contextlib.contextmanager
def targets(folder: Path) -> Iterator[list[Target]]:
    """Two servers with two workers each."""
    with ScriptedUpstream() as upstream, contextlib.ExitStack() as stack:

        def script(exchange: Exchange) -> None:
            if len(upstream.exchanges) > MOST_KEPT_EXCHANGES:
                upstream.exchanges.clear()
            answer(exchange)

        upstream.script = script
        mock = stack.enter_context(fuzzed_server(folder))
        relay = stack.enter_context(
            gunicorn(
                folder,
                OPENAI_BASE_URL=upstream.url,
                OPENAI_API_KEY="sk-canary-server-key",
                WEB_CONCURRENCY="2",
                RATE_LIMIT_PER_MINUTE="0",
                LOG_LEVEL="warning",
            )
        )
        yield [Target(mock, KEY, both_workers(mock)), Target(relay, None, both_workers(relay))]


def answer(exchange: Exchange) -> None:
    """As OpenAI would: what it cannot make sense of is the caller's mistake."""
    try:
        asked = exchange.json if exchange.raw else {}
        if asked.get("dimensions", 0) > MOST_DIMENSIONS:
            raise ValueError
        answer_plainly(exchange)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
        error = {"message": "No.", "type": "invalid_request_error", "param": None, "code": None}
        exchange.reply(400, {"error": error})


def routes_of(server: Server) -> list[Route]:
    """Every method of every path that its description names."""
    with urllib.request.urlopen(f"{server.url}/openapi.json", timeout=30) as reply:
        paths = json.load(reply)["paths"]
    return [
        Route(method.upper(), path)
        for path, operations in paths.items()
        for method in operations
        if method != "parameters"
    ]
