"""LiteLLM as a client, on chat completions."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.clients.running import assert_saw, raised, run
from tests.servers import Server

ARGUMENTS = '{"city": "Paris", "days": 3}'
VECTOR = [0.5, -0.25, 1.0]

EXPECTED: dict[str, Any] = {
    "whole": ["You said: Hi", "stop", 11],
    "pieces": ["You said: one two", "stop"],
    "pieces_with_usage": [11],
    "whole_later": "You said: Hi",
    "pieces_later": "You said: one two",
    "tools": [[["weather", ARGUMENTS]], "tool_calls"],
    "tools_in_pieces": [["weather", ARGUMENTS]],
    "schema": ARGUMENTS,
    "picture": "I see image/png of 70 bytes",
    "thought": "Let me see.",
    "vectors": [[VECTOR, VECTOR], 5],
    # It knows a wrong key by the words "Incorrect API key provided".
    "wrong_key": raised("AuthenticationError", status_code=401),
    "bad_field": raised("BadRequestError", code="invalid_value", param="temperature"),
    "status_404": raised("NotFoundError", status_code=404),
    "status_429": raised("RateLimitError", status_code=429),
    "status_500": raised("BadGatewayError", status_code=502),
    "broken_stream": raised("MidStreamFallbackError"),
}


@pytest.fixture(scope="module")
def seen(server: Server) -> dict[str, Any]:
    return run("litellm", server.url, "litellm/cases.py")


@pytest.mark.parametrize("case", EXPECTED)
def test_it_sees(seen: dict[str, Any], case: str) -> None:
    assert_saw(seen, case, EXPECTED[case])


def test_every_case_is_looked_at(seen: dict[str, Any]) -> None:
    assert seen.keys() == EXPECTED.keys()
