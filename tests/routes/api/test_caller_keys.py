"""`POST /api/test-key` as a front end uses it."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from chat_api import create_app, errors
from chat_api.settings import load_settings
from chat_api.upstreams.refusals import from_status
from chat_api.wiring import build_services
from tests.fakes import FakeUpstream

KEY = "sk-proj-" + "canary_-09AZ" * 13
WRONG_FORM = (
    "Invalid API Key format. The key should start with 'sk-proj-' and be 164 characters long."
)


def ask(client: FlaskClient, **body: Any) -> tuple[int, Any]:
    reply = client.post("/api/test-key", json=body)
    return reply.status_code, reply.get_json()


def test_a_good_key_is_valid(
    client: FlaskClient, upstream: FakeUpstream, openai_upstream: FakeUpstream
) -> None:
    assert ask(client, api_key=KEY) == (200, {"valid": True, "message": "The API key is valid."})
    assert openai_upstream.checked == [KEY] and not upstream.checked


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_openai_refuses_is_not(
    client: FlaskClient, openai_upstream: FakeUpstream, status: int
) -> None:
    openai_upstream.verdict = from_status(status, {}, None, callers_key=KEY)
    message = "Authentication failed. Please check your API key."
    assert ask(client, api_key=KEY) == (401, {"valid": False, "message": message})


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "`api_key` is required."),
        ({"api_key": None}, "`api_key` must not be null."),
        ({"api_key": 5}, "`api_key` must be a string."),
        ({"api_key": ""}, WRONG_FORM),
        ({"api_key": KEY[:-1]}, WRONG_FORM),
        ({"api_key": f"{KEY[:-1]}é"}, WRONG_FORM),
    ],
    ids=lambda value: str(value)[:40],
)
def test_of_what_is_no_key_nobody_is_asked(
    client: FlaskClient, openai_upstream: FakeUpstream, body: dict[str, Any], text: str
) -> None:
    assert ask(client, **body) == (400, {"detail": text})
    assert not openai_upstream.checked


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (errors.UpstreamUnreachable("Unreachable."), 502),
        (errors.UpstreamTimeout("Silent."), 504),
        (errors.UpstreamBroken("Nonsense."), 502),
        (from_status(500, {}, None), 502),
        (from_status(503, {"retry-after": "4"}, None), 503),
        (from_status(429, {"retry-after": "4"}, None), 429),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_what_could_not_be_found_out_is_an_error(
    client: FlaskClient, openai_upstream: FakeUpstream, failure: errors.UpstreamError, status: int
) -> None:
    openai_upstream.verdict = failure
    reply = client.post("/api/test-key", json={"api_key": KEY})
    assert (reply.status_code, set(reply.get_json())) == (status, {"detail"})
    assert reply.headers.get("Retry-After") == ("4" if status in (429, 503) else None)


def test_the_form_is_a_setting(
    upstream: FakeUpstream, openai_upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLIENT_KEY_PATTERN", r"gsk_\w{52}")
    settings = load_settings()
    services = build_services(settings, upstream, openai=openai_upstream)
    client = create_app(settings, services).test_client()
    assert ask(client, api_key="gsk_" + "a" * 52)[0] == 200
    status, body = ask(client, api_key=KEY)
    assert status == 400 and body["detail"].startswith("Invalid API Key format. ")
    assert "sk-proj" not in body["detail"]
