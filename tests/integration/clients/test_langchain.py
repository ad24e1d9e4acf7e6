"""LangChain, on chat completions."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.clients.running import assert_saw, raised, refused, run
from tests.servers import Server

PARIS = {"city": "Paris", "days": 3}
VECTOR = [0.5, -0.25, 1.0]
TOKENS = {"input_tokens": 9, "output_tokens": 2, "total_tokens": 11}
NO_DETAILS: dict[str, Any] = {"input_token_details": {}, "output_token_details": {}}

EXPECTED: dict[str, Any] = {
    "whole": ["You said: Hi", "stop", {**TOKENS, **NO_DETAILS}],
    "pieces": ["", "You ", "said: ", "one ", "two", "", ""],
    "pieces_with_usage": [11],
    "whole_later": "You said: Hi",
    "pieces_later": "You said: one two",
    "several_at_once": ["You said: a", "You said: b", "You said: c"],
    "history": "system: Be brief.; user: history",
    "schema": PARIS,
    "schema_by_a_tool": PARIS,
    "tools": [["weather", PARIS, "call_1"]],
    "tools_in_pieces": [["weather", PARIS]],
    "tool_results": "The tools say: 22 degrees",
    "picture": "I see image/png of 70 bytes",
    "vectors_of_texts": [VECTOR, VECTOR],
    "vector_of_a_question": VECTOR,
    "wrong_key": raised("OpenAIAuthenticationError", status_code=401, code="invalid_api_key"),
    "status_404": refused("OpenAIModelNotFoundError", 404),
    "status_429": refused("OpenAIRateLimitError", 429),
    "status_500": raised("OpenAIAPIError", status_code=502, code="upstream_failed"),
    "broken_stream": raised("APIError", code="upstream_broken", type="server_error"),
}


@pytest.fixture(scope="module")
def seen(server: Server) -> dict[str, Any]:
    return run("langchain", server.url, "langchain/cases.py")


@pytest.mark.parametrize("case", EXPECTED)
def test_it_sees(seen: dict[str, Any], case: str) -> None:
    assert_saw(seen, case, EXPECTED[case])


def test_every_case_is_looked_at(seen: dict[str, Any]) -> None:
    assert seen.keys() == EXPECTED.keys()
