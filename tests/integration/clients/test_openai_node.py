"""The `openai` package for Node."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.clients.running import assert_saw, raised, refused, run
from tests.servers import Server

PARIS = {"city": "Paris", "days": 3}
ARGUMENTS = '{"city": "Paris", "days": 3}'
INVALID = "invalid_request_error"
VECTOR = [0.5, -0.25, 1]

EXPECTED: dict[str, Any] = {
    "whole": ["You said: Hi", "stop", 11],
    "request_id_of_a_whole_reply": "id-of-Hi",
    "pieces": ["", "You ", "said: ", "one ", "two", None],
    "pieces_with_usage": [[None] * 5, 11],
    "stream_helper": [["You ", "said: ", "one ", "two"], "You said: one two"],
    "parsed": PARIS,
    "parsed_in_pieces": PARIS,
    "tools": [[["call_1", "weather", ARGUMENTS]], "tool_calls"],
    "parallel_tools_in_pieces": [
        [["call_1", "weather", ARGUMENTS], ["call_2", "tides", ARGUMENTS]],
        "tool_calls",
    ],
    "tools_that_are_run": ["The tools say: 22 degrees", [PARIS]],
    "picture": "I see image/png of 70 bytes",
    "refusal": "I'd rather not.",
    "several_answers": [0, 1, 2],
    "broken_stream": raised(
        "APIError", code="upstream_broken", type="server_error", request_id="id-of-cut"
    ),
    "cut_at_its_limit": raised("LengthFinishReasonError"),
    "headers": ["id-of-Hi", "openai"],
    "models": ["gpt-4o-mini", "text-embedding-3-small"],
    "one_model": "text-embedding-3-small",
    "no_model": raised("NotFoundError", status_code=404, code="model_not_found", type=INVALID),
    "vectors": [[VECTOR, VECTOR], 5],
    "vectors_as_numbers": VECTOR,
    "wrong_key": raised("AuthenticationError", status_code=401, code="invalid_api_key"),
    "bad_field": raised(
        "BadRequestError", code="invalid_value", param="temperature", request_id="id-of-bad"
    ),
    "status_404": refused("NotFoundError", 404, request_id="id-of-status-404"),
    "status_422": refused("UnprocessableEntityError", 422),
    "status_429": refused("RateLimitError", 429),
    "status_429_in_pieces": refused("RateLimitError", 429),
    "status_500": raised("InternalServerError", status_code=502, code="upstream_failed"),
    "no_route": raised("NotFoundError", status_code=404, code="unknown_url"),
}


@pytest.fixture(scope="module")
def seen(server: Server) -> dict[str, Any]:
    return run("openai_node", server.url, "openai_node/cases.mjs")


@pytest.mark.parametrize("case", EXPECTED)
def test_it_sees(seen: dict[str, Any], case: str) -> None:
    assert_saw(seen, case, EXPECTED[case])


def test_every_case_is_looked_at(seen: dict[str, Any]) -> None:
    assert seen.keys() == EXPECTED.keys()
