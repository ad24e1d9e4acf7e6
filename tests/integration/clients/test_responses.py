"""Other people's clients on Responses."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from tests.integration.clients.running import assert_saw, raised, run
from tests.servers import Server

PARIS = {"city": "Paris", "days": 3}
ARGUMENTS = '{"city": "Paris", "days": 3}'
HISTORY = "user: Hi; assistant: You said: Hi; user: history"
BEGIN = ["created", "in_progress"]
CALL = ["output_item.added", "function_call_arguments.delta", "function_call_arguments.delta"]
CALL_DONE = ["function_call_arguments.done", "output_item.done"]
TEXT = ["output_item.added", "content_part.added", *["output_text.delta"] * 3]
TEXT_DONE = ["output_text.done", "content_part.done", "output_item.done"]

SCRIPTS = {
    "openai_node": "openai_node/responses.mjs",
    "ai_sdk": "ai_sdk/responses.mjs",
    "langchain": "langchain/responses.py",
    "pydantic_ai": "pydantic_ai/responses.py",
    "litellm": "litellm/responses.py",
    "llm": "llm/responses.py",
}
EXPECTED: dict[str, dict[str, Any]] = {
    "openai_node": {
        "whole": ["You said: Hi", "completed", 11],
        "instructions": "system: Be brief.; user: history",
        "pieces": [*BEGIN, *TEXT, *TEXT_DONE, "completed"],
        "stream_helper": [["You ", "said: ", "one ", "two"], "You said: one two"],
        "parsed": PARIS,
        "parsed_in_pieces": PARIS,
        "tools": [["weather", ARGUMENTS]],
        "tools_in_pieces": [*BEGIN, *CALL, *CALL_DONE, "completed"],
        "tools_by_the_stream_helper": [["weather", ARGUMENTS]],
        "tool_results_by_the_previous_id": "The tools say: 22 degrees",
        "conversation_by_previous_ids": (
            "user: Hi; assistant: You said: Hi; user: there; assistant: You said: there; "
            "user: history"
        ),
        "conversation": HISTORY,
        "retrieved": ["You said: Hi", {"topic": "x"}, ["Hi"]],
        "deleted": raised("NotFoundError", status_code=404),
        "picture": "I see image/png of 70 bytes",
        "incomplete": ["incomplete", "max_output_tokens"],
        "broken_stream": ["response.failed", "failed"],
        "background": "You said: Hi",
        "background_that_is_resumed": True,
        "background_that_is_cancelled": "cancelled",
        "unknown_previous_id": raised("BadRequestError", code="previous_response_not_found"),
        "hosted_tool": raised("BadRequestError", param="tools[0].type"),
        "wrong_key": raised("AuthenticationError", status_code=401, code="invalid_api_key"),
        "status_429": raised("RateLimitError", code="code_429", param="messages[0]"),
        "status_500": raised("InternalServerError", status_code=502, code="upstream_failed"),
    },
    "ai_sdk": {
        "whole": ["You said: Hi", "stop", 11],
        "pieces": [["You ", "said: ", "one ", "two"], "stop", 11],
        "parts_of_a_stream": [
            *("start", "start-step", "text-start", "text-delta", "text-delta", "text-delta"),
            *("text-end", "finish-step", "finish"),
        ],
        "schema": PARIS,
        "tools": [[["weather", PARIS]], "tool-calls"],
        "tools_that_are_run": ["The tools say: 22 in Paris", 2],
        "tools_that_are_run_in_pieces": "The tools say: 22 in Paris",
        "conversation": HISTORY,
        "thought": "You said: think",
        "picture": "I see image/png of 70 bytes",
        "system": "system: Be brief.; user: history",
        "cut_at_its_limit": "length",
        "wrong_key": raised("APICallError", status_code=401),
        "status_404": raised("APICallError", status_code=404),
        "status_429": raised("APICallError", status_code=429),
        # It throws what the event says, as it stands.
        "broken_stream": raised("Object", code="server_error", type="response.failed"),
    },
    "langchain": {
        "whole": ["You said: Hi", "completed", 11],
        "pieces": ["You ", "said: ", "one ", "two"],
        "pieces_later": "You said: one two",
        "history": "system: Be brief.; user: history",
        "conversation": HISTORY,
        "conversation_that_finds_the_id_by_itself": HISTORY,
        "schema": PARIS,
        "tools": [["weather", PARIS, "call_1"]],
        "tools_in_pieces": [["weather", PARIS]],
        "tool_results": "The tools say: 22 degrees",
        "picture": "I see image/png of 70 bytes",
        "status_404": raised("OpenAIModelNotFoundError", code="code_404", param="messages[0]"),
        "status_429": raised("OpenAIRateLimitError", code="code_429", param="messages[0]"),
    },
    "pydantic_ai": {
        "whole": ["You said: Hi", 9, 2],
        "pieces": ["You ", "said: ", "one ", "two"],
        "instructions": "system: Be brief.; user: history",
        "conversation": HISTORY,
        "conversation_by_previous_ids": HISTORY,
        "output_by_a_tool": PARIS,
        "output_by_a_schema": PARIS,
        "tools": "The tools say: 22 degrees in Paris",
        "tools_in_pieces": "The tools say: 22 degrees in Paris",
        "picture": "I see image/png of 70 bytes",
        "status_404": raised("ModelNotFoundError", status_code=404),
        "status_429": raised("ModelRateLimitError", status_code=429),
    },
    "litellm": {
        "whole": ["You said: Hi", "completed", 11],
        "pieces": [*BEGIN, *TEXT, *TEXT_DONE, "completed"],
        "whole_later": "You said: Hi",
        "tools": [["weather", ARGUMENTS]],
        "conversation": HISTORY,
        "retrieved": "You said: Hi",
        "unknown_previous_id": raised("BadRequestError", status_code=400),
        "status_404": raised("NotFoundError", status_code=404),
        "status_429": raised("RateLimitError", status_code=429),
    },
    "llm": {
        "pieces": [0, "You said: one two", ""],
        "whole": [0, "You said: one two", ""],
        "usage": [0, "You said: Hi", "Token usage: 9 input, 2 output"],
        "conversation": [0, HISTORY, ""],
        "schema": [0, ARGUMENTS, ""],
        "tools": [0, "The tools say: 22 degrees", ""],
        "status_404": [1, "", "Error: Error code: 404 - The upstream says 404."],
    },
}
Look = Callable[[str], dict[str, Any]]


@pytest.fixture(scope="module")
def seen_by(server: Server) -> Look:
    """What a client saw; its script is run once."""
    return cache(lambda client: run(client, server.url, SCRIPTS[client]))


@pytest.mark.parametrize(
    ("client", "case"), [(client, case) for client, cases in EXPECTED.items() for case in cases]
)
def test_it_sees(seen_by: Look, client: str, case: str) -> None:
    assert_saw(seen_by(client), case, EXPECTED[client][case])


@pytest.mark.parametrize("client", EXPECTED)
def test_every_case_is_looked_at(seen_by: Look, client: str) -> None:
    assert seen_by(client).keys() == EXPECTED[client].keys()
