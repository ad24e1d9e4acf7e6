"""The AI SDK, on chat completions."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.clients.running import assert_saw, raised, run
from tests.servers import Server

PARIS = {"city": "Paris", "days": 3}

EXPECTED: dict[str, Any] = {
    "whole": ["You said: Hi", "stop", 11],
    "pieces": [["You ", "said: ", "one ", "two"], "stop", 11],
    "parts_of_a_stream": [
        *("start", "start-step", "text-start", "text-delta", "text-delta", "text-delta"),
        *("text-end", "finish-step", "finish"),
    ],
    "schema": PARIS,
    "schema_in_pieces": PARIS,
    "tools": [[["weather", PARIS]], "tool-calls"],
    "tools_that_are_run": ["The tools say: 22 in Paris", 2],
    "tools_that_are_run_in_pieces": "The tools say: 22 in Paris",
    "picture": "I see image/png of 70 bytes",
    "system": "system: Be brief.; user: history",
    "vector": [[0.5, -0.25, 1], 5],
    "vectors": 2,
    "wrong_key": raised("APICallError", status_code=401),
    "status_404": raised("APICallError", status_code=404, text="The upstream says 404."),
    "status_429": raised("APICallError", status_code=429, text="The upstream says 429."),
    "status_429_in_pieces": raised("APICallError", status_code=429),
    "status_500": raised("APICallError", status_code=502, text="The upstream failed."),
    # It throws what the event says, as it stands.
    "broken_stream": raised("Object", code="upstream_broken", type="server_error"),
}


@pytest.fixture(scope="module")
def seen(server: Server) -> dict[str, Any]:
    return run("ai_sdk", server.url, "ai_sdk/cases.mjs")


@pytest.mark.parametrize("case", EXPECTED)
def test_it_sees(seen: dict[str, Any], case: str) -> None:
    assert_saw(seen, case, EXPECTED[case])


def test_every_case_is_looked_at(seen: dict[str, Any]) -> None:
    assert seen.keys() == EXPECTED.keys()
