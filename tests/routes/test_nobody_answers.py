"""Nothing is set up that could answer: the server says so, and what to set."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from chat_api import create_app
from chat_api.settings import Settings
from chat_api.upstreams.missing import MissingUpstream
from chat_api.wiring import build_services

MESSAGES = [{"role": "user", "content": "Hi"}]


@pytest.fixture
def client() -> FlaskClient:
    settings = Settings()
    services = build_services(settings, MissingUpstream(default_model="gpt-4o-mini"))
    return create_app(settings, services).test_client()


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/chat", {"message": "Hi"}, 500),
        ("/chat/stream", {"message": "Hi"}, 500),
        ("/ask", {"messages": MESSAGES}, 500),
        ("/v1/chat/completions", {"messages": MESSAGES}, 503),
        ("/v1/chat/completions", {"messages": MESSAGES, "stream": True}, 503),
        ("/v1/responses", {"input": "Hi"}, 503),
    ],
)
def test_a_chat_is_told_what_to_set(
    client: FlaskClient, path: str, body: dict[str, Any], status: int
) -> None:
    reply = client.post(path, json=body)
    assert reply.status_code == status and reply.mimetype == "application/json"
    text = reply.get_data(as_text=True)
    assert all(name in text for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OLLAMA_URL"))
    assert ("Retry-After" in reply.headers) == (status == 503)


def test_all_else_answers(client: FlaskClient) -> None:
    for path in ("/", "/info", "/health", "/models", "/v1/models", "/api/health"):
        assert client.get(path).status_code == 200
    assert client.get("/health/ready").status_code == 503
