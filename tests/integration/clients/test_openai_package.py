"""The `openai` package for Python, of today and of the version before."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.clients.running import assert_saw, raised, refused, run
from tests.servers import Server

SCRIPTS = ("shared/openai_chats.py", "shared/openai_errors.py")
PARIS = {"city": "Paris", "days": 3}
ARGUMENTS = '{"city": "Paris", "days": 3}'
INVALID = "invalid_request_error"
VECTOR = [0.5, -0.25, 1.0]


EXPECTED: dict[str, Any] = {
    "whole": ["You said: Hi", "stop", 11, "chat.completion"],
    "request_id_of_a_whole_reply": "id-of-Hi",
    "pieces": [["", "You ", "said: ", "one ", "two", None], "stop", [None] * 6],
    "pieces_with_usage": [[None] * 5, [], 11],
    "stream_helper": [["chunk", "content.delta", "content.done"], "You said: one two"],
    "parsed": PARIS,
    "parsed_in_pieces": PARIS,
    "json_object": '{"city": "Paris"}',
    "tools": [[["call_1", "weather", ARGUMENTS]], "tool_calls", None],
    "parallel_tools_in_pieces": [
        [["call_1", "weather", ARGUMENTS], ["call_2", "tides", ARGUMENTS]],
        "tool_calls",
    ],
    "parsed_tool_arguments": [PARIS],
    "tool_results": "The tools say: 22 degrees",
    "picture": "I see image/png of 70 bytes",
    "several_answers": [0, 1, 2],
    "refusal": "I'd rather not.",
    "thought": "Let me see.",
    "cut_at_its_limit": raised("LengthFinishReasonError"),
    "broken_stream": raised("APIError", code="upstream_broken", type="server_error"),
    "vendor_fields": "You said: Hi",
    "headers": ["id-of-Hi", "openai", "chat.completion"],
    "whole_later": "You said: Hi",
    "pieces_later": ["", "You ", "said: ", "one ", "two", None],
    "stream_helper_later": PARIS,
    "models": ["gpt-4o-mini", "text-embedding-3-small"],
    "one_model": "text-embedding-3-small",
    "no_model": raised("NotFoundError", status_code=404, code="model_not_found", type=INVALID),
    "vectors": [[VECTOR, VECTOR], 5, "text-embedding-3-small"],
    "vectors_as_numbers": VECTOR,
    "vectors_of_token_ids": 2,
    "vectors_later": VECTOR,
    "dimensions_that_are_not_there": raised(
        "BadRequestError", status_code=400, code="unsupported_value", param="dimensions"
    ),
    "wrong_key": raised(
        "AuthenticationError", status_code=401, code="invalid_api_key", request_id="id-of-Hi"
    ),
    "bad_field": raised(
        "BadRequestError", code="invalid_value", param="temperature", request_id="id-of-bad"
    ),
    "bad_message": raised("BadRequestError", code="invalid_value", param="messages[1].role"),
    "status_404": refused("NotFoundError", 404, request_id="id-of-status-404"),
    "status_422": refused("UnprocessableEntityError", 422),
    "status_429": refused("RateLimitError", 429, request_id="id-of-status-429"),
    "status_429_in_pieces": refused("RateLimitError", 429),
    "status_429_later": refused("RateLimitError", 429),
    "status_500": raised("InternalServerError", status_code=502, code="upstream_failed"),
    "status_503": raised("InternalServerError", status_code=503, code="upstream_overloaded"),
    "no_route": raised("NotFoundError", status_code=404, code="unknown_url"),
}


@pytest.fixture(scope="module", params=["openai_3", "openai_2"])
def seen(request: pytest.FixtureRequest, server: Server) -> dict[str, Any]:
    return run(request.param, server.url, *SCRIPTS)


@pytest.mark.parametrize("case", EXPECTED)
def test_it_sees(seen: dict[str, Any], case: str) -> None:
    assert_saw(seen, case, EXPECTED[case])


def test_every_case_is_looked_at(seen: dict[str, Any]) -> None:
    assert seen.keys() == EXPECTED.keys()
