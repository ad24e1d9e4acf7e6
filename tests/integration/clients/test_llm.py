"""The `llm` command, on chat completions."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.clients.running import run
from tests.servers import Server

EXPECTED = {
    "pieces": "You said: one two",
    "whole": "You said: one two",
    "system": "system: Be brief.; user: history",
    "conversation": "user: Hi; assistant: You said: Hi; user: history",
    "schema": '{"city": "Paris", "days": 3}',
    "tools": "The tools say: 22 degrees",
    "picture": "I see image/png of 70 bytes",
}
COMPLAINTS = {
    "wrong_key": "401 - Incorrect API key provided.",
    "status_404": "404 - The upstream says 404.",
    "broken_stream": "The upstream broke off in the middle of its answer.",
}


@pytest.fixture(scope="module")
def seen(server: Server) -> dict[str, Any]:
    return run("llm", server.url, "llm/cases.py")


@pytest.mark.parametrize("case", EXPECTED)
def test_it_prints(seen: dict[str, Any], case: str) -> None:
    assert seen[case] == [0, EXPECTED[case], ""]


def test_it_tells_the_usage(seen: dict[str, Any]) -> None:
    assert seen["usage"] == [0, "You said: Hi", "Token usage: 9 input, 2 output"]


@pytest.mark.parametrize("case", COMPLAINTS)
def test_it_complains(seen: dict[str, Any], case: str) -> None:
    code, _, complained = seen[case]
    assert code == 1 and COMPLAINTS[case] in complained


def test_every_case_is_looked_at(seen: dict[str, Any]) -> None:
    assert seen.keys() == {*EXPECTED, *COMPLAINTS, "usage"}
