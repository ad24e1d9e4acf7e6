"""Pydantic AI, on chat completions."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.clients.running import assert_saw, raised, run
from tests.servers import Server

PARIS = {"city": "Paris", "days": 3}
VECTOR = [0.5, -0.25, 1.0]

EXPECTED: dict[str, Any] = {
    "whole": ["You said: Hi", 9, 2],
    "pieces": ["You ", "said: ", "one ", "two"],
    "instructions": "system: Be brief.; user: history",
    "conversation": "user: Hi; assistant: You said: Hi; user: history",
    "output_by_a_tool": PARIS,
    "output_by_a_schema": PARIS,
    "tools": "The tools say: 22 degrees in Paris",
    "tools_in_pieces": "The tools say: 22 degrees in Paris",
    "picture": "I see image/png of 70 bytes",
    "vectors": [VECTOR, VECTOR],
    "wrong_key": raised("ModelAuthenticationError", status_code=401),
    "status_404": raised("ModelNotFoundError", status_code=404),
    "status_429": raised("ModelRateLimitError", status_code=429),
    "broken_stream": raised("ModelServerError"),
}


@pytest.fixture(scope="module")
def seen(server: Server) -> dict[str, Any]:
    return run("pydantic_ai", server.url, "pydantic_ai/cases.py")


@pytest.mark.parametrize("case", EXPECTED)
def test_it_sees(seen: dict[str, Any], case: str) -> None:
    assert_saw(seen, case, EXPECTED[case])


def test_every_case_is_looked_at(seen: dict[str, Any]) -> None:
    assert seen.keys() == EXPECTED.keys()
