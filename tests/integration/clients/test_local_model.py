"""Clients before the real local model, which answers to any name."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.clients.running import run
from tests.servers import Server

SCRIPTS = {
    "openai_3": "shared/local_cases.py",
    "openai_2": "shared/local_cases.py",
    "openai_node": "openai_node/local.mjs",
    "ai_sdk": "ai_sdk/local.mjs",
}


@pytest.fixture(scope="module", params=SCRIPTS)
def seen(request: pytest.FixtureRequest, local_server: Server) -> dict[str, Any]:
    return run(request.param, local_server.url, SCRIPTS[request.param])


@pytest.mark.parametrize("case", ["whole", "pieces"])
def test_it_gets_a_real_answer(seen: dict[str, Any], case: str) -> None:
    text, model, tokens = seen[case]
    assert "Paris" in text and model == "smollm2-135m" and tokens > 2


def test_it_gets_vectors(seen: dict[str, Any]) -> None:
    assert seen["vectors"] == [576, 576]
