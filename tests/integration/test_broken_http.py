"""Requests broken at random: never a 500, and every refusal is JSON."""

from __future__ import annotations

import json

import pytest

from tests.fuzzing.broken import ask
from tests.integration.test_bad_http import parse
from tests.integration.wire import exchange_raw
from tests.servers import Server

pytestmark = pytest.mark.usefixtures("unharmed")

COUNT = 1_000


def test_what_is_broken_at_random_is_refused_in_json(relay: Server) -> None:
    answers = ask(relay, COUNT, seed=8)
    assert not answers.failures + answers.badly_told, "\n\n".join(answers.badly_told)
    assert answers.statuses[400] > COUNT / 2, "most were broken indeed"


def test_a_target_without_a_path_is_not_redirected(relay: Server) -> None:
    request = b"GET http://elsewhere.example HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    status, headers, _ = parse(exchange_raw(relay, request))
    assert (status, headers["content-type"]) == (404, "application/json")
    assert "location" not in headers


@pytest.mark.parametrize(
    ("request_line", "header", "status", "word"),
    [
        ("GET /health?" + "a" * 9_000, "X: y", 414, "query"),
        ("GET /health", "X: " + "y" * 9_000, 431, "headers"),
        ("GET /health", "X: y\r\n" * 200 + "X: y", 431, "headers"),
        ("GET /health", "Expect: a-miracle", 417, "expectation"),
        ("POST /health", "Transfer-Encoding: br", 501, "transfer coding"),
    ],
)
def test_what_is_wrong_with_valid_http_is_said(
    relay: Server, request_line: str, header: str, status: int, word: str
) -> None:
    request = f"{request_line} HTTP/1.1\r\nHost: x\r\n{header}\r\n\r\n"
    found, _, body = parse(exchange_raw(relay, request.encode()))
    assert found == status and word in json.loads(body)["error"]
