"""The `openai` package for Python, of today and of the version before, on Responses."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.clients.running import assert_saw, raised, run
from tests.servers import Server

SCRIPTS = ("shared/openai_responses.py", "shared/openai_stored_responses.py")
PARIS = {"city": "Paris", "days": 3}
ARGUMENTS = '{"city": "Paris", "days": 3}'
TWO_CALLS = [["call_1", "weather", ARGUMENTS], ["call_2", "tides", ARGUMENTS]]
BEGIN = ["created", "in_progress"]
CALL = ["output_item.added", "function_call_arguments.delta", "function_call_arguments.delta"]
CALL_DONE = ["function_call_arguments.done", "output_item.done"]
TEXT = ["output_item.added", "content_part.added", *["output_text.delta"] * 4]
TEXT_DONE = ["output_text.done", "content_part.done", "output_item.done"]


def bad(code: str | None, param: str) -> dict[str, Any]:
    """A request that is refused by us."""
    told = {"status_code": 400, "type": "invalid_request_error"}
    return raised("BadRequestError", code=code, param=param, **told)


def limited() -> dict[str, Any]:
    """A request that the upstream refuses; the field has its name in a response's request."""
    told = {"status_code": 429, "code": "code_429", "type": "type_429", "param": "messages[0]"}
    return raised("RateLimitError", **told, request_id="id-of-status-429")


EXPECTED: dict[str, Any] = {
    "whole": ["You said: Hi", "completed", 11, "response"],
    "request_id_of_a_whole_response": "id-of-Hi",
    "instructions": "system: Be brief.; user: history",
    "pieces": [*BEGIN, *TEXT, *TEXT_DONE, "completed"],
    "numbers_and_ids_of_a_stream": [1, True],
    "stream_helper": [["You ", "said: ", "one ", "two"], "You said: one two", 11],
    "parsed": PARIS,
    "parsed_in_pieces": PARIS,
    "tools": TWO_CALLS,
    "tools_in_pieces": [*BEGIN, *CALL, *CALL_DONE, "completed"],
    "tools_by_the_stream_helper": TWO_CALLS,
    "tool_results_by_the_previous_id": "The tools say: 22 degrees",
    "tool_results_with_the_items": "The tools say: 22 degrees",
    "conversation_by_previous_ids": (
        "user: Hi; assistant: You said: Hi; user: there; assistant: You said: there; user: history"
    ),
    "conversation": [
        {"topic": "x"},
        "user: Hi; assistant: You said: Hi; user: history",
        ["user", "assistant", "user", "assistant"],
        True,
    ],
    "retrieved": ["You said: Hi", {"topic": "x"}, True, ["Hi"]],
    "deleted": raised("NotFoundError", status_code=404, type="invalid_request_error"),
    "not_stored": [False, 404],
    "picture": "I see image/png of 70 bytes",
    "refusal": [["refusal", "I'd rather not."]],
    "refusal_in_pieces": ["response.refusal.delta", "response.refusal.done"],
    "thought_first": ["reasoning", "message"],
    "incomplete": ["incomplete", "max_output_tokens"],
    "incomplete_in_pieces": "response.incomplete",
    "broken_stream": ["response.failed", "failed", "server_error"],
    "background": ["queued", "You said: Hi", 11],
    "background_that_is_resumed": ["response.created", True],
    "background_that_is_cancelled": ["cancelled", "cancelled"],
    "input_tokens_are_named_as_openais": [9, 2, 0],
    "whole_later": "You said: Hi",
    "stream_helper_later": PARIS,
    "unknown_previous_id": bad("previous_response_not_found", "previous_response_id"),
    "previous_id_and_conversation": bad("mutually_exclusive_parameters", "previous_response_id"),
    "result_without_its_call": bad(None, "input"),
    "hosted_tool": bad("unsupported_value", "tools[0].type"),
    "wrong_key": raised("AuthenticationError", status_code=401, code="invalid_api_key"),
    "status_429": limited(),
    "status_429_in_pieces": limited(),
    "status_500": raised("InternalServerError", status_code=502, code="upstream_failed"),
}


@pytest.fixture(scope="module", params=["openai_3", "openai_2"])
def seen(request: pytest.FixtureRequest, server: Server) -> dict[str, Any]:
    return run(request.param, server.url, *SCRIPTS)


@pytest.mark.parametrize("case", EXPECTED)
def test_it_sees(seen: dict[str, Any], case: str) -> None:
    assert_saw(seen, case, EXPECTED[case])


def test_every_case_is_looked_at(seen: dict[str, Any]) -> None:
    assert seen.keys() == EXPECTED.keys()
