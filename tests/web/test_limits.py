"""Limits around requests: which calls count, and what their replies say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from chat_api import create_app
from chat_api.routes import MOUNTS
from chat_api.settings import Settings
from chat_api.web.limits import duration
from chat_api.wiring import build_services
from tests.fakes import FakeUpstream, completion

CHAT = {"message": "Hi"}


@pytest.fixture
def make(upstream: FakeUpstream) -> Any:
    def make(**settings: Any) -> FlaskClient:
        chosen = Settings(stream_heartbeat_seconds=0, **settings)
        return create_app(chosen, build_services(chosen, upstream)).test_client()

    return make


def told(reply: TestResponse) -> dict[str, str]:
    """What a reply says of limits."""
    return {name: value for name, value in reply.headers if "ratelimit" in name.lower()}


def remaining(reply: TestResponse) -> int | None:
    value = reply.headers.get("X-RateLimit-Remaining")
    return None if value is None else int(value)


def test_unset_limits_api_alone(make: Any, upstream: FakeUpstream) -> None:
    client = make()
    reply = client.post("/api/sessions")
    names = ("Limit", "Remaining", "Reset")
    assert [reply.headers[f"X-RateLimit-{name}"] for name in names] == ["600", "599", "60"]
    assert remaining(client.get("/api/sessions/x")) == 598
    assert remaining(client.delete("/api/sessions/x")) == 597
    upstream.enqueue(completion(), completion())
    for path, body in [("/chat", CHAT), ("/v1/responses", {"input": "Hi"})]:
        reply = client.post(path, json=body)
        assert reply.status_code == 200 and not told(reply)
    assert not told(client.get("/v1/models")) and not told(client.get("/api/health"))


def test_zero_turns_all_limits_off(make: Any, tmp_path: Path) -> None:
    client = make(requests_per_minute=0)
    assert not told(client.post("/api/sessions"))
    ready = client.get("/health/ready").get_json()
    assert ready["checks"]["limiter"] == {"status": "ok", "detail": "off"}


def test_all_routes_that_spend_tokens_have_one_window(make: Any, upstream: FakeUpstream) -> None:
    client = make(requests_per_minute=5)
    upstream.enqueue(*[completion()] * 5)
    assert remaining(client.post("/chat", json=CHAT)) == 4
    reply = client.post(
        "/v1/chat/completions", json={"messages": [{"role": "user", "content": ""}]}
    )
    assert told(reply) == {
        "x-ratelimit-limit-requests": "5",
        "x-ratelimit-remaining-requests": "3",
        "x-ratelimit-reset-requests": "1m0s",
    }
    reply = client.post("/v1/responses", json={"input": "Hi"})
    assert reply.headers["x-ratelimit-remaining-requests"] == "2"
    assert remaining(client.post("/api/sessions")) == 2  # shown, not taken
    assert remaining(client.get("/api/sessions/x")) == 2
    for _ in range(2):
        assert client.post("/chat", json=CHAT).status_code == 200
    for path in ("/chat", "/chat/stream", "/ask", "/v1/chat/completions", "/v1/responses"):
        reply = client.post(path, json={})
        assert reply.status_code == 429 and int(reply.headers["Retry-After"]) >= 1
    assert client.post("/api/sessions").status_code == 201


def test_what_is_not_answered_by_a_route_does_not_count(make: Any) -> None:
    client = make(requests_per_minute=1)
    for reply in (
        client.options("/chat"),
        client.get("/chat"),
        client.post("/chat/nope"),
        client.post("//chat"),
        client.post("/health"),
    ):
        assert not told(reply)
    assert remaining(client.get("/api/sessions/x")) == 1


def test_a_bad_body_counts(make: Any) -> None:
    client = make(requests_per_minute=2)
    reply = client.post("/chat", data=b"{", content_type="application/json")
    assert (reply.status_code, remaining(reply)) == (400, 1)
    reply = client.post("/chat", data=b"x")
    assert (reply.status_code, remaining(reply)) == (415, 0)


def test_each_key_has_a_window_of_its_own_and_a_wrong_one_takes_of_none(make: Any) -> None:
    client = make(requests_per_minute=1, api_keys=("one", "two"))
    for _ in range(3):
        reply = client.post("/chat", json={}, headers={"x-api-key": "wrong"})
        assert reply.status_code == 401 and not told(reply)
    statuses = [
        client.post("/chat", json={}, headers={"x-api-key": key}).status_code
        for key in ("one", "two", "one", "two")
    ]
    assert statuses == [400, 400, 429, 429]
    by_bearer = client.post("/chat", json={}, headers={"Authorization": "Bearer one"})
    assert by_bearer.status_code == 429


@pytest.mark.parametrize(("trusted_proxies", "statuses"), [(0, [400, 429]), (1, [400, 400])])
def test_a_header_tells_peers_apart_where_a_proxy_is_trusted(
    make: Any, trusted_proxies: int, statuses: list[int]
) -> None:
    client = make(requests_per_minute=1, trusted_proxies=trusted_proxies)
    headers = [{"X-Forwarded-For": f"203.0.113.{number}"} for number in range(2)]
    assert [client.post("/chat", json={}, headers=h).status_code for h in headers] == statuses


def test_without_a_store_calls_pass_and_the_server_stays_ready(
    make: Any, tmp_path: Path, upstream: FakeUpstream
) -> None:
    client = make(requests_per_minute=1, redis_url="redis://127.0.0.1:1/0")
    upstream.enqueue(*[completion()] * 3)
    for _ in range(3):
        reply = client.post("/chat", json=CHAT)
        assert reply.status_code == 200 and not told(reply)
    reply = client.get("/health/ready")
    assert reply.status_code == 200
    assert reply.get_json()["checks"]["limiter"] == {"status": "down", "detail": "redis"}


def test_browsers_may_read_what_a_reply_says(make: Any) -> None:
    client = make(requests_per_minute=9)
    headers = {"Origin": "http://localhost:3000"}
    for path in ("/chat", "/v1/chat/completions"):
        reply = client.post(path, json={}, headers=headers)
        exposed = reply.headers["Access-Control-Expose-Headers"].lower().split(", ")
        assert {name.lower() for name in told(reply)} <= set(exposed)


def test_info_names_the_limit(make: Any) -> None:
    for limit in (None, 0, 30):
        info = make(requests_per_minute=limit).get("/info").get_json()
        assert info["limits"]["requests_per_minute"] == limit


def test_what_the_table_says_of_tokens_it_says_of_a_view_that_is_there(make: Any) -> None:
    views = make().application.view_functions
    for mount in MOUNTS:
        assert not mount.spends_tokens or f"{mount.blueprint.name}.create" in views
        assert not (mount.spends_tokens and mount.public)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (0.0001, "1ms"),
        (0.12, "120ms"),
        (0.9999, "1s"),
        (1, "1s"),
        (1.2, "2s"),
        (59.4, "1m0s"),
        (59, "59s"),
        (360, "6m0s"),
        (61.5, "1m2s"),
    ],
)
def test_durations_are_written_as_openai_writes_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text
