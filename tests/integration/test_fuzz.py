"""Short runs of what `make fuzz` does, the same every time."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fuzzing.described import fuzz
from tests.fuzzing.requests import Request
from tests.fuzzing.run import Run
from tests.fuzzing.stand import Target, routes_of, targets
from tests.fuzzing.verdict import fault_of
from tests.integration.wire import Reply

COUNT = 1_500
HEADERS = {"X-Request-ID": "1", "X-Content-Type-Options": "nosniff"}
JSON = {**HEADERS, "Content-Type": "application/json"}
EVENTS = {**HEADERS, "Content-Type": "text/event-stream; charset=utf-8"}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Target]]:
    with targets(tmp_path_factory.mktemp("fuzzed")) as found:
        yield found


def test_made_up_requests_get_what_the_description_promises(
    found: list[Target], tmp_path: Path
) -> None:
    done = fuzz(
        found[0].server,
        tmp_path,
        *("--generation-deterministic", "--max-examples", "6", "--no-shrink"),
        # Few requests meet what is there; `make fuzz` makes more of them up.
        *("--phases", "examples,fuzzing", "--warnings", "off"),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No issues found" in done.stdout
    assert not found[0].faults()


def test_odd_requests_are_answered_well_and_never_with_a_5xx(found: list[Target]) -> None:
    report = Run(found, routes_of(found[0].server), seed=8, tell=print).go(COUNT)
    assert not report.faults, "\n\n".join(report.faults)
    assert report.count == COUNT
    # They come further than the first look at them.
    assert report.statuses[200] > COUNT / 5 and report.statuses[400] > COUNT / 10


@pytest.mark.parametrize(
    ("path", "status", "headers", "body"),
    [
        ("/health", 500, JSON, b'{"error":"x"}'),
        ("/health", 301, JSON, b"{}"),
        ("/health", 200, JSON, b"{"),
        ("/health", 200, HEADERS, b"{}"),
        ("/health", 200, {**JSON, "X-Request-ID": ""}, b"{}"),
        ("/health", 404, {**HEADERS, "Content-Type": "text/html"}, b"<html>"),
        ("/health", 404, JSON, b'{"detail":"x"}'),
        ("/health", 204, JSON, b"{}"),
        ("/v1/%6dodels", 404, JSON, b'{"error":"x"}'),
        ("/v1/models", 404, JSON, b'{"error":{"message":"x"}}'),
        ("/api/chat", 404, JSON, b'{"error":"x"}'),
        ("/ask", 404, JSON, b'{"error":"x"}'),
        ("/chat/stream", 200, EVENTS, b'data: {"content":"x"}\n'),
        ("/chat/stream", 200, EVENTS, b'data: {"content":\n\n'),
        ("/chat/stream", 200, EVENTS, b"id: 1\n\n"),
    ],
)
def test_a_bad_answer_would_be_noticed(
    path: str, status: int, headers: dict[str, str], body: bytes
) -> None:
    found = http.client.HTTPMessage()
    for name, value in headers.items():
        found[name] = value
    assert fault_of(Request("GET", path, b""), Reply(status, found, body))
