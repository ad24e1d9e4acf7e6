"""`POST /api/chat` as a front end uses it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from chat_api import create_app, errors
from chat_api.settings import Settings
from chat_api.upstreams.refusals import from_status
from chat_api.web.connections import BrokenTransfer
from chat_api.wiring import Services, build_services
from tests.fakes import FakeUpstream, chunk, chunks, completion

BODY = {"user_message": "Hi"}
EVENTS = {"Accept": "text/event-stream"}
KEY = "sk-proj-" + "canary_-09AZ" * 13
WRONG_FORM = (
    "Invalid API Key format. The key should start with 'sk-proj-' and be 164 characters long."
)


def count(client: FlaskClient) -> int:
    found: int = client.get("/api/health").get_json()["active_sessions"]
    return found


def messages(client: FlaskClient, session_id: str) -> list[str]:
    found = client.get(f"/api/sessions/{session_id}").get_json()["messages"]
    return [message["content"] for message in found]


def test_the_answer_is_bare_text_and_its_session_goes_on_at_the_other_doors(
    client: FlaskClient, upstream: FakeUpstream
) -> None:
    upstream.enqueue(chunks("Hel", "lö"), completion("Yes."))
    reply = client.post("/api/chat", json={**BODY, "developer_message": "Be brief."})
    assert (reply.status_code, reply.get_data(as_text=True)) == (200, "Hellö")
    assert reply.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert reply.headers["Cache-Control"] == "no-cache, no-transform"
    assert reply.headers["X-Accel-Buffering"] == "no"
    assert "X-Session-ID" in reply.headers["Access-Control-Expose-Headers"]
    assert "x-vercel-ai-data-stream" not in reply.headers
    assert "Content-Length" not in reply.headers
    session_id = reply.headers["X-Session-ID"]
    assert messages(client, session_id) == ["Hi", "Hellö"]
    client.post("/chat", json={"message": "Sure?", "session_id": session_id})
    sent = [message["content"] for message in upstream.calls[1].body["messages"]]
    assert sent == ["Be brief.", "Hi", "Hellö", "Sure?"]


def test_events_come_to_who_prefers_them_with_the_same_session_header(
    client: FlaskClient, upstream: FakeUpstream
) -> None:
    upstream.enqueue(chunks("Hel"), chunks("lo"))
    session_id = client.post("/api/chat", json=BODY).headers["X-Session-ID"]
    body = {**BODY, "session_id": session_id}
    reply = client.post("/api/chat", json=body, headers=EVENTS)
    assert reply.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert reply.headers["X-Session-ID"] == session_id and count(client) == 1
    text = reply.get_data(as_text=True)
    assert text.startswith('data: {"content": "lo"}\n\n') and '"done": true' in text


def test_null_counts_as_left_out_and_unknown_fields_do_not_count(
    client: FlaskClient, upstream: FakeUpstream
) -> None:
    nothing = dict.fromkeys(("developer_message", "model", "api_key", "session_id"))
    upstream.enqueue(chunks("x"))
    reply = client.post("/api/chat", json={**BODY, **nothing, "temperature": 9, "id": 1})
    assert reply.status_code == 200
    assert set(upstream.calls[0].body) == {"messages", "model", "stream", "stream_options"}


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "`user_message` is required."),
        ({"user_message": None}, "`user_message` must not be null."),
        ({"user_message": " \n"}, "`user_message` must not be blank."),
        ({"user_message": 5}, "`user_message` must be a string."),
        ({**BODY, "developer_message": ["x"]}, "`developer_message` must be a string."),
        ({**BODY, "model": 5}, "`model` must be a string."),
        ({**BODY, "session_id": 5}, "`session_id` must be a string."),
        ({**BODY, "api_key": 5}, "`api_key` must be a string."),
        ({**BODY, "api_key": {"key": KEY}}, "`api_key` must be a string."),
        ({**BODY, "api_key": ""}, WRONG_FORM),
        ({**BODY, "api_key": "sk-x"}, WRONG_FORM),
        ({**BODY, "api_key": KEY + "x"}, WRONG_FORM),
        ({**BODY, "api_key": "x" * 1_000_000}, WRONG_FORM),
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_is_wrong_with_the_body_is_told(
    client: FlaskClient, upstream: FakeUpstream, body: dict[str, Any], text: str
) -> None:
    reply = client.post("/api/chat", json=body)
    assert (reply.status_code, reply.get_json()) == (400, {"detail": text})
    assert not upstream.calls and count(client) == 0


@pytest.mark.parametrize(
    "odd", ["", "x", "A" * 24, "A" * 10_000, "'; DROP TABLE sessions; --", "../../etc/passwd", "\0"]
)
def test_odd_sessions_are_not_found_nor_adopted(
    client: FlaskClient, upstream: FakeUpstream, odd: str
) -> None:
    reply = client.post("/api/chat", json={**BODY, "session_id": odd})
    assert (reply.status_code, reply.get_json()) == (404, {"detail": "Session not found"})
    assert "X-Session-ID" not in reply.headers
    assert not upstream.calls and count(client) == 0


def test_a_refused_call_makes_no_session(client: FlaskClient, upstream: FakeUpstream) -> None:
    upstream.enqueue(from_status(429, {"retry-after": "9"}, None))
    reply = client.post("/api/chat", json=BODY)
    assert (reply.status_code, reply.headers["Retry-After"]) == (429, "9")
    assert "X-Session-ID" not in reply.headers and count(client) == 0


@pytest.mark.parametrize("headers", [{}, EVENTS], ids=["text", "events"])
def test_of_an_answer_that_is_not_whole_nothing_is_stored(
    client: FlaskClient, upstream: FakeUpstream, headers: dict[str, str]
) -> None:
    upstream.enqueue([chunk({"content": "Hel"}), errors.UpstreamBroken("It broke off.")])
    reply = client.post("/api/chat", json=BODY, headers=headers, buffered=False)
    if headers:
        assert reply.get_data(as_text=True).endswith('data: {"error":"It broke off."}\n\n')
    else:
        with pytest.raises(BrokenTransfer):
            list(reply.response)
    reply.close()
    assert messages(client, reply.headers["X-Session-ID"]) == []


@pytest.mark.parametrize("headers", [{}, EVENTS], ids=["text", "events"])
def test_a_session_deleted_midway_breaks_the_answer(
    client: FlaskClient, upstream: FakeUpstream, headers: dict[str, str]
) -> None:
    upstream.enqueue(chunks("Hel", "lo"))
    reply = client.post("/api/chat", json=BODY, headers=headers, buffered=False)
    client.delete(f"/api/sessions/{reply.headers['X-Session-ID']}")
    if headers:
        text = reply.get_data(as_text=True)
        assert text.endswith('data: {"error":"Session not found"}\n\n') and "done" not in text
    else:
        with pytest.raises(BrokenTransfer):
            list(reply.response)
    reply.close()
    assert count(client) == 0


def test_a_session_belongs_to_the_gateway_key_and_not_to_the_callers_own(
    services: Services, upstream: FakeUpstream, openai_upstream: FakeUpstream
) -> None:
    client = create_app(Settings(api_keys=("mine", "theirs")), services).test_client()
    mine, theirs = {"x-api-key": "mine"}, {"x-api-key": "theirs"}
    openai_upstream.enqueue(chunks("one"), chunks("two"))
    body = {**BODY, "api_key": KEY}
    assert client.post("/api/chat", json=body).status_code == 401
    session_id = client.post("/api/chat", json=body, headers=mine).headers["X-Session-ID"]
    body = {**body, "session_id": session_id}
    assert client.post("/api/chat", json=body, headers=theirs).status_code == 404
    assert client.post("/api/chat", json=body, headers=mine).status_code == 200
    assert not upstream.calls


def test_a_callers_key_that_openai_refuses_is_the_callers_matter(
    client: FlaskClient, openai_upstream: FakeUpstream
) -> None:
    openai_upstream.enqueue(from_status(401, {}, None, callers_key=KEY))
    reply = client.post("/api/chat", json={**BODY, "api_key": KEY})
    assert reply.status_code == 401
    assert reply.get_json() == {"detail": "Incorrect API key provided: the upstream refused it."}
    assert reply.headers["x-upstream"] == "openai"


def test_the_key_is_in_no_line_of_the_log(
    capfdbinary: pytest.CaptureFixture[bytes], settings: Settings, openai_upstream: FakeUpstream
) -> None:
    services = build_services(settings, FakeUpstream(), openai=openai_upstream)
    client = create_app(settings, services).test_client()  # made while output is captured
    openai_upstream.enqueue(chunks("x"), ValueError(KEY))
    client.post("/api/chat", json={**BODY, "api_key": KEY})
    assert client.post("/api/chat", json={**BODY, "api_key": KEY}).status_code == 500
    *_, crash, last = capfdbinary.readouterr().out.splitlines()
    assert json.loads(crash)["event"] == "crash" and json.loads(last)["upstream"] == "openai"
    assert b"canary" not in crash + last
    services.database.close()
