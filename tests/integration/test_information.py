"""What the server says of itself, and what every reply has, on a real server."""

from __future__ import annotations

import http.client

import pytest

from chat_api.version import __version__
from tests.integration.doors import ASK, DOORS, OPENAI_ERROR_KEYS
from tests.integration.stage import Stage
from tests.integration.wire import Call, Reply, get, send
from tests.servers import Server

HEALTHY = {"status": "healthy", "service": "OpenAI Chat API", "provider": "OpenAI"}
MODELS = ["gpt-4o", "gpt-4o-mini", "gpt-4-turbo", "gpt-4", "gpt-3.5-turbo", "o1-preview", "o1-mini"]
EXPOSED = {"x-request-id", "x-session-id", "retry-after", "x-model-alias", "x-upstream"}
EXPOSED |= {f"x-ratelimit-{name}" for name in ("limit", "remaining", "reset")}
EXPOSED |= {
    f"x-ratelimit-{name}-{what}"
    for name in ("limit", "remaining", "reset")
    for what in ("requests", "tokens")
}
ORIGIN = "http://localhost:3000"


def endpoints(server: Server) -> dict[str, set[str]]:
    """The methods of each path that `GET /` names; what is to be filled in is."""
    found: dict[str, set[str]] = {}
    for name in get(server, "/").json["endpoints"]:
        method, path = name.split(" ")
        path = path.replace("{session_id}", "some/id").replace("{model}", "some/model")
        found.setdefault(path, set()).add(method)
    return found


def assert_family(path: str, reply: Reply) -> None:
    """The body is an error of the family that the path belongs to, and nothing else."""
    assert reply.headers["Content-Type"] == "application/json"
    if path.startswith("/v1/"):
        assert set(reply.json) == {"error"} and set(reply.json["error"]) == OPENAI_ERROR_KEYS
    elif path.startswith("/api/"):
        assert list(reply.json) == ["detail"]
    elif path == "/ask":
        assert list(reply.json) == ["role", "content", "error", "details"]
        assert reply.json["role"] == "assistant"
    else:
        assert isinstance(reply.json["error"], str)


def assert_headers(headers: http.client.HTTPMessage, request_id: str) -> None:
    assert headers["X-Request-ID"] == request_id
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Access-Control-Allow-Origin"] in ("*", ORIGIN)
    exposed = headers["Access-Control-Expose-Headers"].lower().split(", ")
    assert set(exposed) >= EXPOSED
    assert headers["Access-Control-Allow-Credentials"] is None


def test_the_index_names_the_server_and_its_routes(relay: Server) -> None:
    reply = get(relay, "/")
    named = {"name": "OpenAI Chat API", "version": __version__, "status": "healthy"}
    assert reply.status == 200 and named.items() <= reply.json.items()
    assert set(reply.json) == {*named, "description", "endpoints", "documentation"}
    assert reply.json["endpoints"]["GET /health"] == "Check API health status"
    assert {f"POST {door.path}" for door in DOORS} <= set(reply.json["endpoints"])
    with_origin = send(relay, "/", method="GET", headers={"Origin": ORIGIN})
    for headers in (reply.headers, with_origin.headers):
        assert "Accept" in ", ".join(headers.get_all("Vary")).split(", ")


def test_health_is_told_in_three_places(relay: Server, stage: Stage) -> None:
    assert get(relay, "/health").json == get(relay, "/health/live").json == HEALTHY
    sessions = get(relay, "/api/health").json
    assert isinstance(sessions.pop("active_sessions"), int) and sessions == HEALTHY
    assert {"store", "upstream"} <= set(get(relay, "/health/ready").json["checks"])
    assert stage.exchanges == [], "nobody outside is asked"


def test_info_has_the_theme_and_no_secrets(relay: Server, stage: Stage) -> None:
    reply = get(relay, "/info")
    theme = {"name": "Ocean Professional", "primary": "#2563EB", "accent": "#F59E0B"}
    assert theme.items() <= reply.json["theme"].items()
    assert (reply.json["provider"], reply.json["default_model"]) == ("OpenAI", "gpt-4o-mini")
    assert reply.json["features"] and reply.json["limits"]["max_body_bytes"] == 20_971_520
    assert b"canary" not in reply.body and stage.url.encode() not in reply.body


def test_the_models_are_the_seven_of_the_contract(relay: Server) -> None:
    told = get(relay, "/models").json
    assert (told["models"], told["default"]) == (MODELS, "gpt-4o-mini")
    listed = get(relay, "/v1/models").json
    assert listed["object"] == "list"
    assert {model["id"] for model in listed["data"]} >= set(MODELS)
    assert {model["object"] for model in listed["data"]} == {"model"}
    assert get(relay, "/v1/models/gpt-4").json["id"] == "gpt-4"
    for unknown in ("nope", "org/nope"):
        reply = get(relay, f"/v1/models/{unknown}")
        assert (reply.status, reply.json["error"]["code"]) == (404, "model_not_found")


@pytest.mark.parametrize("origin", [{}, {"Origin": ORIGIN}], ids=["no origin", "a browser"])
def test_every_reply_has_the_headers_that_all_have(
    relay: Server, stage: Stage, origin: dict[str, str]
) -> None:
    paths = [*endpoints(relay), "/nope", "/v1/nope", "/api/nope", "/ask/nope"]
    for path in paths:
        for method, body in (("GET", None), ("HEAD", None), ("POST", b"{"), ("OPTIONS", None)):
            with Call(relay, path, body, method=method, headers=origin) as call:
                assert_headers(call.whole().headers, call.id)
    for door in DOORS:  # streams among them
        with Call(relay, door.path, door.body(), headers=origin) as call:
            reply = call.whole()
        assert reply.status == 200
        assert_headers(reply.headers, call.id)


def test_a_stream_of_text_varies_by_accept_for_browsers_too(relay: Server, stage: Stage) -> None:
    reply = send(relay, ASK.path, ASK.body(), headers={"Origin": ORIGIN})
    assert "Accept" in ", ".join(reply.headers.get_all("Vary") or []).split(", ")


def test_every_route_names_the_methods_that_it_takes(relay: Server) -> None:
    for path, methods in endpoints(relay).items():
        reply = send(relay, path, b"{}", method="PATCH")
        assert reply.status == 405, path
        allowed = set(reply.headers["Allow"].split(", ")) - {"HEAD", "OPTIONS"}
        # Whatever stands behind /api/sessions/ may be an id, which takes more.
        assert allowed >= methods if "{index}" in path else allowed == methods, path
        assert_family(path, reply)


def test_a_trailing_slash_is_another_path_everywhere(relay: Server) -> None:
    for path in endpoints(relay):
        if path == "/" or path.startswith("/api/sessions/"):  # there it is part of an id
            continue
        for wrong in (f"{path}/", f"/{path}"):
            reply = get(relay, wrong)
            assert (reply.status, reply.headers["Location"]) == (404, None), wrong
