"""What the server says of itself."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from chat_api import __version__, create_app, errors
from chat_api.settings import Settings
from chat_api.upstreams.refusals import from_status
from chat_api.wiring import Services, build_services
from tests.fakes import FakeUpstream


def test_the_index_names_every_route(client: FlaskClient) -> None:
    reply = client.get("/")
    body = reply.get_json()
    assert (body["name"], body["version"]) == ("OpenAI Chat API", __version__)
    assert body["endpoints"]["GET /health"] == "Check API health status"
    assert "GET /v1/models/{model}" in body["endpoints"]
    assert all(body["endpoints"].values())
    assert "Accept" in reply.headers["Vary"]


@pytest.mark.parametrize("path", ["/health", "/health/live"])
def test_health_names_the_provider_and_asks_nobody(
    client: FlaskClient, upstream: FakeUpstream, path: str
) -> None:
    expected = {"status": "healthy", "service": "OpenAI Chat API", "provider": "Fake"}
    assert client.get(path).get_json() == expected
    assert not upstream.calls and not upstream.listed


def test_readiness_follows_the_last_calls(client: FlaskClient, upstream: FakeUpstream) -> None:
    assert client.get("/health/ready").get_json()["status"] == "ready"
    upstream.enqueue(*[errors.UpstreamTimeout("Silent.")] * 3)
    for expected, status in (("down", 200), ("down", 200), ("cooling", 503)):
        client.post("/chat", json={"message": "Hi"})
        reply = client.get("/health/ready")
        assert reply.status_code == status
        entry = reply.get_json()["checks"]["upstream"]
        assert (entry["status"], entry["detail"]) == (expected, "Silent.")


def test_info_has_the_theme_and_no_secrets(services: Services) -> None:
    settings = Settings(openai_api_key="sk-canary", api_keys=("sk-canary",))
    reply = create_app(settings, services).test_client().get("/info")
    body = reply.get_json()
    assert body["theme"]["primary"] == "#2563EB" and body["theme"]["accent"] == "#F59E0B"
    assert body["theme"]["name"] == "Ocean Professional"
    assert (body["provider"], body["default_model"]) == ("Fake", "gpt-4o-mini")
    assert "sk-canary" not in reply.get_data(as_text=True)


def test_info_says_how_the_request_came_here(client: FlaskClient) -> None:
    here = {"http_version": "HTTP/1.1", "forwarded_for": 0, "trusted_proxies": 0}
    assert client.get("/info").get_json()["connection"] == here
    proxied = {"X-Forwarded-For": "192.0.2.1, 10.0.0.1"}
    assert client.get("/info", headers=proxied).get_json()["connection"]["forwarded_for"] == 2


def test_models_have_the_default_among_them(client: FlaskClient) -> None:
    body = client.get("/models").get_json()
    assert body["default"] == "gpt-4o-mini" and body["default"] in body["models"]


def test_openais_model_list_and_object(client: FlaskClient, upstream: FakeUpstream) -> None:
    tuned = {"id": "org/tuned", "object": "model", "created": 7, "owned_by": "org"}
    upstream.listing = [tuned]
    body = client.get("/v1/models").get_json()
    assert body["object"] == "list" and tuned in body["data"]
    assert client.get("/v1/models/org/tuned").get_json() == tuned
    reply = client.get("/v1/models/nope")
    assert (reply.status_code, reply.get_json()["error"]["code"]) == (404, "model_not_found")


def test_request_ids_are_the_callers_where_they_are_fit(client: FlaskClient) -> None:
    for given, kept in [("abc-1", True), ("x" * 128, True), ("x" * 129, False), ("a b", False)]:
        found = client.get("/health", headers={"X-Request-ID": given}).headers["X-Request-ID"]
        assert (found == given) == kept
        assert kept or len(found) == 32


def test_preflights_may_ask_for_any_header(client: FlaskClient) -> None:
    reply = client.options(
        "/chat",
        headers={
            "Origin": "http://localhost:3000",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "x-anything, content-type",
        },
    )
    assert reply.status_code == 200
    allowed = reply.headers["Access-Control-Allow-Headers"]
    assert {name.strip() for name in allowed.split(",")} == {"x-anything", "content-type"}
    assert reply.headers["Access-Control-Allow-Origin"] in ("*", "http://localhost:3000")
    assert "Access-Control-Allow-Credentials" not in reply.headers


def test_only_the_origins_that_are_set_may_call(services: Services) -> None:
    settings = Settings(allow_origins=("https://a.example",))
    client = create_app(settings, services).test_client()
    good = client.get("/health", headers={"Origin": "https://a.example"})
    assert good.headers["Access-Control-Allow-Origin"] == "https://a.example"
    bad = client.get("/health", headers={"Origin": "https://b.example"})
    assert "Access-Control-Allow-Origin" not in bad.headers


@pytest.mark.parametrize(
    ("api_keys", "headers", "expected"),
    [
        ((), {"Authorization": "Bearer sk-own"}, "sk-own"),
        ((), {"Authorization": "Bearer other"}, None),
        ((), {}, None),
        (("sk-gate",), {"Authorization": "Bearer sk-gate"}, None),
        (("gate",), {"x-api-key": "gate", "Authorization": "Bearer sk-own"}, "sk-own"),
        (("sk-gate",), {"x-api-key": "sk-gate", "Authorization": "Bearer sk-gate"}, None),
    ],
)
def test_whose_key_goes_upstream(
    upstream: FakeUpstream,
    api_keys: tuple[str, ...],
    headers: dict[str, str],
    expected: str | None,
) -> None:
    settings = Settings(api_keys=api_keys)
    client = create_app(settings, build_services(settings, upstream)).test_client()
    upstream.enqueue(from_status(400, {}, None))
    client.post("/chat", json={"message": "Hi"}, headers=headers)
    assert upstream.calls[0].caller_key == expected
