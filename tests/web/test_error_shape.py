"""Every source of errors, on every family.

`/v1`: `{"error": {"message", "type", "param", "code"}}`, four keys, strings or null.
`/ask`: `{"role": "assistant", "content", "error", "details"}`, all strings.
`/api`: `{"detail": "<text>"}`, and nothing else.
All others: `{"error": "<text>"}`, and extra keys. Never HTML, never a traceback.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from limits import RateLimitItemPerMinute
from werkzeug.test import TestResponse

from chat_api import create_app, errors
from chat_api.services.limits import caller_of
from chat_api.settings import Settings
from chat_api.upstreams.refusals import from_status
from chat_api.web.errors import TOLD
from chat_api.wiring import Services, build_services
from tests.fakes import FakeUpstream

CHAT = {"message": "Hi"}
COMPLETION = {"messages": [{"role": "user", "content": "Hi"}]}
SESSIONS = ("/api/sessions", {"developer_message": "x"})
TEST_KEY = ("/api/test-key", {"api_key": "x"})
DOORS = [
    ("/chat", CHAT),
    ("/chat/stream", CHAT),
    ("/ask", COMPLETION),
    ("/api/chat", {"user_message": "Hi"}),
    ("/v1/chat/completions", COMPLETION),
    ("/v1/responses", {"input": "Hi"}),
    ("/v1/embeddings", {"model": "m", "input": "Hi"}),
]


def assert_error(reply: TestResponse, status: int) -> dict[str, Any]:
    """The one check of an error's form; returns OpenAI's error object, or the plain body."""
    assert reply.status_code == status, reply.get_data(as_text=True)
    assert reply.mimetype == "application/json"
    for name in ("X-Request-ID", "X-Content-Type-Options", "Access-Control-Allow-Origin"):
        assert name in reply.headers
    body: dict[str, Any] = reply.get_json()
    if reply.request.path.split("/")[1] == "ask":
        assert list(body) == ["role", "content", "error", "details"]
        assert body["role"] == "assistant"
        assert all(isinstance(value, str) and value for value in body.values())
        return body
    if reply.request.path.startswith("/api/"):
        assert set(body) == {"detail"} and isinstance(body["detail"], str) and body["detail"]
        return body
    if not reply.request.path.startswith("/v1/"):
        assert isinstance(body["error"], str) and body["error"]
        return body
    assert set(body) == {"error"}
    error: dict[str, Any] = body["error"]
    assert list(error) == ["message", "type", "param", "code"]
    assert isinstance(error["message"], str) and error["message"]
    assert isinstance(error["type"], str)
    assert all(error[name] is None or isinstance(error[name], str) for name in ("param", "code"))
    return error


@pytest.mark.parametrize("prefix", ["", "/v1", "/ask", "/api"])
def test_no_such_route(client: FlaskClient, prefix: str) -> None:
    assert_error(client.get(f"{prefix}/nope"), 404)
    assert_error(client.get(f"{prefix}/models/"), 404)
    assert_error(client.get(f"{prefix}/chat//stream"), 404)
    assert_error(client.get(f"{prefix}/sessions//x"), 404)
    assert_error(client.get(f"{prefix}/sessions/"), 404)


@pytest.mark.parametrize(("path", "body"), DOORS)
def test_wrong_method(client: FlaskClient, path: str, body: Any) -> None:
    reply = client.put(path)
    assert_error(reply, 405)
    assert reply.headers["Allow"].endswith("OPTIONS, POST")


def test_no_body_is_taken_where_no_field_is_required(client: FlaskClient) -> None:
    assert client.post("/api/sessions").status_code == 201
    assert client.post("/api/sessions", json={}).status_code == 201
    assert_error(client.post("/chat"), 415)


@pytest.mark.parametrize(("path", "body"), [*DOORS, SESSIONS, TEST_KEY])
@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        b"[]",
        b'"text"',
        b"null",
        b'{"temperature": NaN}',
        b'{"a": "\\ud800"}',
        b'{"a": ' + b"9" * 5_000 + b"}",
        b'{"a": "\xff"}',
        b'{"a": ' + b"[" * 100 + b"]" * 100 + b"}",
        b'{"a": ' * 100_000,
    ],
    ids=lambda raw: str(raw[:20]),
)
def test_bodies_that_are_no_json_object(
    client: FlaskClient, path: str, body: Any, raw: bytes
) -> None:
    assert_error(client.post(path, data=raw, content_type="application/json"), 400)


@pytest.mark.parametrize(("path", "body"), DOORS)
def test_no_body(client: FlaskClient, path: str, body: Any) -> None:
    assert_error(client.post(path, data=b"", content_type="application/json"), 400)


def test_nesting_of_a_hundred_levels_is_taken(client: FlaskClient, upstream: FakeUpstream) -> None:
    upstream.enqueue(errors.UpstreamRefused("seen", 400))
    deep = b'{"messages": [{"role": "user", "content": "Hi"}], "a": %b%b}' % (b"[" * 99, b"]" * 99)
    reply = client.post("/v1/chat/completions", data=deep, content_type="application/json")
    assert assert_error(reply, 400)["message"] == "seen"


@pytest.mark.parametrize(("path", "body"), [*DOORS, SESSIONS, TEST_KEY])
def test_wrong_content_type(client: FlaskClient, path: str, body: Any) -> None:
    assert_error(client.post(path, data=b"{}"), 415)
    assert_error(client.post(path, data={"message": "Hi"}), 415)


@pytest.mark.parametrize(("path", "body"), [*DOORS, SESSIONS, TEST_KEY])
def test_a_body_over_the_limit(services: Services, path: str, body: Any) -> None:
    client = create_app(Settings(max_body_bytes=100), services).test_client()
    assert_error(client.post(path, json={**body, "user": "x" * 100}), 413)


@pytest.mark.parametrize(("path", "body"), DOORS)
def test_a_model_that_is_not_allowed(upstream: FakeUpstream, path: str, body: Any) -> None:
    settings = Settings(allowed_models=("gpt-5*",))
    client = create_app(settings, build_services(settings, upstream)).test_client()
    error = assert_error(client.post(path, json={**body, "model": "x"}), 404)
    assert error.get("code", "model_not_found") == "model_not_found"


def test_a_session_that_is_not_there(client: FlaskClient) -> None:
    for reply in (client.get("/api/sessions/x"), client.delete("/api/sessions/x/y")):
        assert assert_error(reply, 404) == {"detail": "Session not found"}
    for path in ("/chat", "/chat/stream"):
        reply = client.post(path, json={**CHAT, "session_id": "x"})
        assert assert_error(reply, 404) == {"error": "Session not found"}


def test_a_store_that_cannot_be_used(upstream: FakeUpstream, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    settings = Settings(data_dir=str(tmp_path / "file" / "data"))
    client = create_app(settings, build_services(settings, upstream)).test_client()
    session = {"session_id": "x" * 24}
    for reply in (
        client.post("/api/sessions", json={}),
        client.get("/api/sessions/" + "x" * 24),
        client.delete("/api/sessions/" + "x" * 24),
        client.delete("/api/sessions/" + "x" * 24 + "/messages/0"),
        client.get("/api/health"),
        client.post("/chat", json={**CHAT, **session}),
        client.post("/chat/stream", json={**CHAT, **session}),
        client.post("/api/chat", json={"user_message": "Hi", **session}),
    ):
        assert_error(reply, 503)
        assert reply.headers["Retry-After"] == "5"
    assert not upstream.calls  # nothing is paid for an answer that could not be kept


UPSTREAM_STATUSES = [
    # What the upstream says: on /v1 and /api, on the plain routes (contract, section 0).
    (400, 400, 400),
    (401, 502, 500),
    (403, 502, 500),
    (404, 404, 400),
    (408, 504, 500),
    (409, 409, 400),
    (413, 413, 400),
    (418, 502, 500),
    (422, 422, 400),
    (429, 429, 429),
    (500, 502, 500),
    (502, 502, 500),
    (503, 503, 500),
    (504, 504, 500),
    (529, 503, 500),
    (307, 502, 500),
]


@pytest.mark.parametrize(("path", "body"), DOORS)
@pytest.mark.parametrize(("status", "openai", "plain"), UPSTREAM_STATUSES)
def test_what_the_upstream_refuses(
    client: FlaskClient,
    upstream: FakeUpstream,
    path: str,
    body: Any,
    status: int,
    openai: int,
    plain: int,
) -> None:
    upstream.enqueue(*[from_status(status, {"retry-after": "9"}, None)] * 3)
    expected = openai if path.startswith(("/v1/", "/api/")) else plain
    reply = client.post(path, json=body)
    assert_error(reply, expected)
    waits = expected in (429, 503) or path.startswith("/v1/")
    assert reply.headers.get("Retry-After") == ("9" if waits else None)


@pytest.mark.parametrize(("path", "body"), DOORS)
@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_of_the_callers_own_key_is_theirs(
    client: FlaskClient, upstream: FakeUpstream, path: str, body: Any, status: int
) -> None:
    upstream.enqueue(from_status(status, {}, None, callers_key="sk-own"))
    assert_error(client.post(path, json=body), status)


@pytest.mark.parametrize("kind", sorted(TOLD, key=lambda kind: kind.__name__), ids=str)
def test_every_error_of_the_tree_is_in_the_table(kind: type[errors.ChatApiError]) -> None:
    assert 400 <= TOLD[kind].relayed_status < 600


def test_the_table_misses_no_error() -> None:
    def leaves(kind: type[errors.ChatApiError]) -> set[type[errors.ChatApiError]]:
        return {kind}.union(*(leaves(child) for child in kind.__subclasses__()))

    tree = leaves(errors.ChatApiError)
    # Roots that are never raised themselves, and the one that ends the start.
    assert tree - {errors.ChatApiError, errors.UpstreamError, errors.SettingsError} == set(TOLD)


def test_a_missing_key_and_a_full_server_have_the_familys_shape(
    services: Services, upstream: FakeUpstream
) -> None:
    client = create_app(Settings(api_keys=("key",)), services).test_client()
    for path, body in DOORS:
        assert_error(client.post(path, json=body), 401)
        upstream.enqueue(errors.Overloaded("Full."))
        reply = client.post(path, json=body, headers={"x-api-key": "key"})
        assert_error(reply, 503)
        assert reply.headers["Retry-After"] == "1"


def test_a_caller_over_its_limit(upstream: FakeUpstream) -> None:
    settings = Settings(requests_per_minute=1)
    client = create_app(settings, build_services(settings, upstream)).test_client()
    client.post("/chat")
    for path, body in DOORS:
        reply = client.post(path, json=body)
        error = assert_error(reply, 429)
        assert 1 <= int(reply.headers["Retry-After"]) <= 60
        if path.startswith("/v1/"):
            assert (error["type"], error["code"]) == ("rate_limit_error", "rate_limit_exceeded")


def test_a_caller_over_the_limit_of_api(client: FlaskClient, services: Services) -> None:
    store, caller = services.limiter.store, caller_of("", "127.0.0.1")
    key = RateLimitItemPerMinute(600, namespace="requests").key_for(caller)
    assert store is not None and store.window(key, 600, 60, 600).granted
    for reply in (client.post("/api/sessions", data=b"{"), client.get("/api/sessions/x")):
        assert_error(reply, 429)
        assert reply.headers["X-RateLimit-Remaining"] == "0"
        assert reply.headers["Retry-After"] == reply.headers["X-RateLimit-Reset"]


def test_a_person_at_ask_reads_what_is_wrong(client: FlaskClient) -> None:
    reply = client.post("/ask", json={"messages": []}, headers={"X-Request-ID": "r1"})
    assert reply.get_json() == {
        "role": "assistant",
        "content": "`messages` must hold at least one message.",
        "error": "invalid_request_error",
        "details": "code invalid_value, param messages, request r1",
    }


@pytest.mark.parametrize("path", ["/boom", "/v1/boom", "/ask/boom", "/api/boom"])
def test_a_crash_says_nothing_of_its_cause(
    app: Flask, path: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    def boom() -> None:
        raise RuntimeError("the prompt was: secret")

    app.add_url_rule(path, "boom", boom)
    error = assert_error(app.test_client().get(path), 500)
    assert "secret" not in str(error)
    if path == "/boom":
        assert len(error["request_id"]) == 32
